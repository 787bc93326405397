"""Paces that several processes share."""
