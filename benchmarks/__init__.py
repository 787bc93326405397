"""Benchmarks of the client, beside other clients and pacers in the same run: ``python -m benchmarks``."""
