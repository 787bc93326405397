"""Values that several tests use."""

from aiorescue import RetryPolicy

#: Tries as often as by default, but does not wait in between.
IMPATIENT = RetryPolicy(first=0.0)
