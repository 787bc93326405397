"""Who is calling: credentials, the identities made of them, and their server sessions."""
