"""The rules of infoRouter."""
