"""What was sent and why not: explain, patient views and counts."""
