"""When, to whom and whether: series, calendars and policies. Pure: time and randomness are arguments."""
