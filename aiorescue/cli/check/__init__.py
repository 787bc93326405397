"""Commands that look whether all is in place: `doctor`."""
