"""Adapters to the providers that carry a message the last mile."""
