"""Commands that check whether everything is in place: `doctor`."""
