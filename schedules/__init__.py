"""When, to whom and whether: series, calendars, policies. Pure: time and chance are arguments."""
