"""What comes back: the envelope, the elements and the values that infoRouter answers with."""
