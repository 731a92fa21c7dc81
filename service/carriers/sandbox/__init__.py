"""A phone and a mailbox to play with: what leaves the service ends here and reaches nobody."""
