"""What comes back: the records, tables and texts that Rescue answers with."""
