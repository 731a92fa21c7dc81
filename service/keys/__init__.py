"""Changing the keys that encrypt what is known of patients, while the service runs."""
