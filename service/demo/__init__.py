"""The demonstration: the whole service on sample patients, a sandbox and a fast clock."""
