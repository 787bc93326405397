"""A `Limit` as text, for the books that processes share; a text that is not a possible limit counts as missing."""

import json
import math
from typing import Any

import attrs

from aiorescue.pace.limit import UNKNOWN, Limit

#: The widest gap that can be true, in gaps of the beginning or, if it is wider, of a limit that is unknown.
_WIDEST = 60.0
#: The largest value of each field that counts or multiplies; beyond it the search could not have come.
_LARGEST = {
    "factor": 2.0,
    "too_small": 3600.0,
    "enough": math.inf,
    "rises": 1000,
    "patience": 1e6,
    "successes": 1e9,
    "alarm": 100.0,
}
_LEAST = {"factor": 1.0, "too_small": 0.0, "enough": 1e-6, "rises": 0, "patience": 1, "successes": 0, "alarm": 0.0}
_WHOLE = frozenset({"rises", "patience", "successes"})


def pack(limit: Limit) -> str:
    """Write a limit as text for the books that processes share."""
    return json.dumps(attrs.asdict(limit))


def unpack(text: str, first: Limit) -> Limit | None:
    """Read a limit from a text; None if the text holds no limit, or one that cannot be true.

    Fields that are not known are left out: a newer version of aiorescue may have more of them.

    Args:
        text: what the books hold.
        first: what was known of the limit before the first call.
    """
    try:
        given = json.loads(text)
        if not isinstance(given, dict):
            return None
        values = {field.name: given[field.name] for field in attrs.fields(Limit) if field.name in given}
        if not all(_can_be_true(name, value) for name, value in values.items()):
            return None
        limit = Limit(**{**values, "floor": first.floor})
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    widest = _WIDEST * max(first.gap, UNKNOWN)
    return limit if first.floor <= limit.gap <= widest else None


def _can_be_true(name: str, value: Any) -> bool:
    if value is None:
        return name == "rises"
    if isinstance(value, bool) or not isinstance(value, int if name in _WHOLE else int | float):
        return False
    if name not in _LARGEST:
        return not math.isnan(value)
    return _LEAST[name] <= value <= _LARGEST[name]
