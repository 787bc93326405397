"""What the cells of a report hold: a value by the title of the column, and its text for files and programs."""

from collections.abc import Callable
from datetime import datetime, timedelta

from aiorescue.rescue.answers.table_rows import Check
from aiorescue.rescue.answers.values import duration, moment
from aiorescue.wire.numbers import whole_number

#: What a cell may hold: an id, a time, a duration, a text, or None where it is empty.
Value = str | int | datetime | timedelta | None

_NUMBERS = ("technician id", "session id", "channel id", "number of sessions")
_MOMENTS = ("start time", "end time", "last action time", "date")
_DURATIONS = (
    *("connecting time", "waiting time", "total time", "active time", "work time", "hold time", "time in transfer"),
    *("rebooting time", "reconnecting time", "total login time"),
)
_READERS: dict[str, Callable[[str], Value]] = {
    **dict.fromkeys(_NUMBERS, whole_number),
    **dict.fromkeys(_MOMENTS, moment),
    **dict.fromkeys(_DURATIONS, duration),
}


def reader(title: str) -> Callable[[str], Value] | None:
    """The function that reads the cells of a column with this title; None for a column of texts."""
    plain = title.strip().casefold()
    if plain.startswith(("average ", "total ")) and plain.endswith(" time"):
        return duration
    return _READERS.get(plain)


def check(title: str) -> Check | None:
    """The function that says whether a text can be a cell of a column with this title; None if any text can."""
    read = reader(title)
    return None if read is None else lambda text: _reads(read, text)


def _reads(read: Callable[[str], Value], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


def written(value: Value) -> str:
    """Write a cell as a text for files and programs: a duration as hours, minutes and seconds (``26:03:04``)."""
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        minutes, rest = divmod(abs(seconds), 60)
        return f"{'-' if seconds < 0 else ''}{minutes // 60}:{minutes % 60:02}:{rest:02}"
    return "" if value is None else str(value)
