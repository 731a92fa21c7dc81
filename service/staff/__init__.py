"""What staff do for a patient: pause, resume, stop, change, hand over and erase what is held."""
