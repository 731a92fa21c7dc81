"""The Celery application, its beat and its thin tasks."""
