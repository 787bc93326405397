"""Checks of arguments that are numbers; a bool, which Python counts among the numbers, is refused."""

import math
import sys
from typing import Any, TypeGuard

from aiorescue import errors


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a number that can be compared: a float other than NaN, or an int that a float can hold."""
    if isinstance(value, float):
        return not math.isnan(value)
    return is_whole(value) and abs(value) <= sys.float_info.max


def is_whole(value: Any) -> TypeGuard[int]:
    """Whether a value is a whole number: an int."""
    return isinstance(value, int) and not isinstance(value, bool)


def check_count(name: str, value: Any) -> None:
    """Check an argument that counts something; raises `errors.InvalidRequest` unless it is a whole number from 1 on."""
    if not is_whole(value) or value < 1:
        raise errors.InvalidRequest(f"{name} must be a whole number from 1 on, not {value!r}")
