"""Enrolling many patients from a file: reading, judging, check and run."""
