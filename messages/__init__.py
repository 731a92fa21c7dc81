"""What we say: the message library, its rendering and the rules it must keep. Pure: no I/O but reading files."""
