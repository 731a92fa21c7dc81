"""How a message leaves: claim, decide, begin, send, finish; and how what was cut off is settled."""
