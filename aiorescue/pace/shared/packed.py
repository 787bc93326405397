"""A `Limit` as text, for the books that processes share; a text that is not a possible limit counts as missing."""

import json
import math
from typing import Any

import attrs

from aiorescue.pace.limit import UNKNOWN, Limit

#: The widest gap that can be true, in multiples of the first gap or, if that is wider, of an unknown limit's.
_WIDEST = 60.0
#: The least and the largest value of each field that counts or multiplies; beyond them the search cannot have come.
_RANGES = {
    "factor": (1.0, 2.0),
    "too_small": (0.0, 3600.0),
    "enough": (1e-6, math.inf),
    "rises": (0, 1000),
    "patience": (1, 1e6),
    "successes": (0, 1e9),
    "alarm": (0.0, 100.0),
}
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
    if name not in _RANGES:
        return not math.isnan(value)
    least, largest = _RANGES[name]
    return least <= value <= largest
