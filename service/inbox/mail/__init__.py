"""Mail that comes back: what it says, and what follows from it."""
