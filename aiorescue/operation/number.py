"""Whether an argument is a number; a bool, which Python counts among the numbers, is none here."""

import math
from typing import Any, TypeGuard


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a number that others can be compared with: an int or a float, but not NaN."""
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def is_whole(value: Any) -> TypeGuard[int]:
    """Whether a value is a whole number: an int."""
    return isinstance(value, int) and not isinstance(value, bool)
