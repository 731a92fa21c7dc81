"""The command line, `aftervisit`."""
