"""Whether an argument is a number; a bool, which Python counts among the numbers, is none here."""

import math
import sys
from typing import Any, TypeGuard


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a number to count with: a float that is not NaN, or an int that a float can hold."""
    if isinstance(value, float):
        return not math.isnan(value)
    return is_whole(value) and abs(value) <= sys.float_info.max


def is_whole(value: Any) -> TypeGuard[int]:
    """Whether a value is a whole number: an int."""
    return isinstance(value, int) and not isinstance(value, bool)
