"""Enrolling a patient: validation, consent evidence and the first due time."""
