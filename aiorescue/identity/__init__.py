"""Identities: credentials, what they put on a call, and the server sessions that a login opens."""
