"""The life of one call: retry, pace, session, transport."""
