"""The patient's own page: links to it, what it shows, how one is asked for."""
