"""What the clinic sees of all its patients together: counts, never a person."""
