"""What the texts of an answer mean: times, durations, truths, members of an enumeration."""

import enum
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from aiorescue.wire.numbers import LONGEST, whole_number

E = TypeVar("E", bound=enum.StrEnum)


class Unclear(ValueError):
    """An answer that came whole but can be read in several ways, so that another attempt would not help."""


_MOMENT = re.compile(
    r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})(?:\s+([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2}))?(?:\s+([AP])M)?)?",
    re.IGNORECASE,
)


def moment(text: str) -> datetime:
    """Read a time as the service writes it: ``2/16/2012 9:00 AM``, with seconds or without; or ISO 8601.

    No zone is given, so it is naive. Raises ValueError.
    """
    if len(text) > LONGEST:
        raise ValueError("no time that is known")
    text = text.strip()
    # By hand: `strptime` goes by the language of the process, and takes ten times as long.
    found = _MOMENT.fullmatch(text)
    if found is None:
        if text[:4].isdigit() and text[4:5] == "-":
            return datetime.fromisoformat(text)
        raise ValueError("no time that is known")
    month, day, year, hour, minute, second = map(int, found.groups("0")[:6])
    return datetime(year, month, day, hour_of(hour, found[7]), minute, second)  # noqa: DTZ001 - the service says no zone, so none is made up


def hour_of(hour: int, half: str | None) -> int:
    """The hour of the day that a clock shows, by ``A`` or ``P`` for its half, or None. Raises ValueError."""
    if not half:
        return hour
    if not 1 <= hour <= 12:  # noqa: PLR2004 - a clock
        raise ValueError("no time that is known")
    return hour % 12 + (12 if half in "Pp" else 0)


def maybe_moment(text: str) -> datetime | None:
    """Read a time as the service writes it; None for a form that is not known: better no time than a wrong one."""
    try:
        return moment(text)
    except ValueError:
        return None


def member(enumeration: type[E]) -> Callable[[str], E | str]:
    """Make a function that reads a member of an enumeration, or returns the text if no member has that value."""

    def read(text: str) -> E | str:
        try:
            return text if len(text) > LONGEST else enumeration(text.strip())
        except ValueError:
            return text

    return read


def truth(text: str) -> bool:
    """Read a bool, which the service writes as ``true`` or ``false`` in any case, or as ``1`` or ``0``.

    Raises:
        ValueError: the text is none of these words.
    """
    plain = text[: LONGEST + 1].strip().casefold()
    if plain not in ("true", "1", "false", "0"):
        raise ValueError("neither true nor false")
    return plain in ("true", "1")


#: How a list of sessions may say no, in languages of the service.
_NO = frozenset(
    ["", "false", "0", "no", "não", "nao", "nein", "non", "nee", "nej", "nei", "nie", "ne", "ei", "нет", "いいえ", "否"]
)


def marked(text: str) -> bool:
    """Whether a row of a list of sessions is marked: ``yes`` in the language of the account, or nothing for no."""
    return len(text) > LONGEST or text.strip().casefold() not in _NO


_DURATION = re.compile(r"\s*(-)?(?:(\d+)\.)?(\d+):([0-5]?\d):([0-5]?\d)\s*", re.ASCII)


def duration(text: str) -> timedelta:
    """Read a duration as reports write it: seconds, or HH:MM:SS, with a sign or days. Raises ValueError otherwise."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return _timedelta(seconds=whole_number(text))
    days, hours, minutes, seconds = map(int, found.groups("0")[1:])
    length = _timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -length if found[1] else length


def _timedelta(**parts: int) -> timedelta:
    try:
        return timedelta(**parts)
    except OverflowError:
        raise ValueError("no duration that could be") from None
