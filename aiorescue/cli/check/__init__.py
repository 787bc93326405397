"""Commands that check whether everything is in place: `doctor`; and whether the service does as declared: `verify`."""
