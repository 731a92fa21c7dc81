"""What staff do for a patient: pause, resume, stop, hand over and erase what is held."""
