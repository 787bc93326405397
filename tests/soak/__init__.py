"""The soak: an hour of faults, kills and cancellations, seeded, as one command: `python -m tests.soak`.

Each part is a function that the tests of this folder call with small numbers, in every run of the suite.
"""
