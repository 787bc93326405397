"""Tests of aiorescue, and in `tests.lab` the laboratory that the benchmarks use as well."""
