"""The clinic's console: pages for staff, behind a sign-in."""
