"""What comes back by e-mail: the listener process and the settings it is reached by."""
