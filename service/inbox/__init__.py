"""What comes back from patients: replies, opt-outs and one-click unsubscribes."""
