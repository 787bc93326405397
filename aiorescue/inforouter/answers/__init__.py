"""What infoRouter answers: the envelope, its elements and error codes, and the typed results."""
