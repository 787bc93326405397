"""How fast: pacers hand out turns, and learn how close to the service's limit a call may follow the one before."""
