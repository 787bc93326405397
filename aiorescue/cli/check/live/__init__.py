"""Checks of the declarations against a live service, for `aiorescue verify`: one file for each way to look."""
