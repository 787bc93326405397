"""What reports hold, once they are read."""

import enum
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from datetime import datetime, timedelta

import attrs

from aiorescue.operation import StreamedText
from aiorescue.rescue.answers import tables
from aiorescue.rescue.answers.records import moment

Value = str | int | datetime | timedelta | None


class ReportArea(enum.IntEnum):
    """What a report is about; the numbers are those of the text page."""

    SESSION = 0
    CUSTOMER_SURVEY = 1
    LOGIN = 2
    MISSED_SESSIONS = 3
    PERFORMANCE = 4
    CHAT_LOG = 5
    CUSTOM_FIELDS = 6
    TRANSFERRED_SESSIONS = 7
    TECHNICIAN_SURVEY = 8
    COLLABORATION_CHAT_LOG = 9
    FAILED_SESSIONS = 10
    TRANSFERRED_SESSIONS_EXTENDED = 16  # setReportArea_v8 only


class ReportType(enum.StrEnum):
    """How much a report shows."""

    LISTALL = "LISTALL"
    SUMMARY = "SUMMARY"


class ReportOutput(enum.StrEnum):
    """How the service writes a report; TEXT escapes nothing."""

    XML = "XML"
    TEXT = "TEXT"


class ReportNodeRef(enum.StrEnum):
    """What kind of node a report is about; the external ones are version 2's."""

    NODE = "NODE"
    CHANNEL = "CHANNEL"
    EXTERNALROOT = "EXTERNALROOT"
    EXTERNALTECH = "EXTERNALTECH"
    EXTERNALGROUP = "EXTERNALGROUP"


# --- reports ----------------------------------------------------------------------------------------

_DURATION = re.compile(r"\s*(?:(\d+)\.)?(\d+):([0-5]?\d):([0-5]?\d)\s*")


def duration(text: str) -> timedelta:
    """A duration as reports write it: seconds, or HH:MM:SS. Raises ValueError."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return _timedelta(seconds=int(text))
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return _timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _timedelta(**parts: int) -> timedelta:
    try:
        return timedelta(**parts)
    except OverflowError:
        raise ValueError("no duration that could be") from None


_NUMBERS = ("technician id", "session id", "channel id", "number of sessions")
_MOMENTS = ("start time", "end time", "last action time", "date")
_DURATIONS = (
    *("connecting time", "waiting time", "total time", "active time", "work time", "hold time", "time in transfer"),
    *("rebooting time", "reconnecting time", "total login time"),
)
_READERS: dict[str, Callable[[str], Value]] = {
    **dict.fromkeys(_NUMBERS, int),
    **dict.fromkeys(_MOMENTS, moment),
    **dict.fromkeys(_DURATIONS, duration),
}


def reader(title: str) -> Callable[[str], Value] | None:
    """What the cells of a column are, if its title says so; else they are texts."""
    plain = title.strip().casefold()
    if plain.startswith(("average ", "total ")) and plain.endswith(" time"):
        return duration
    return _READERS.get(plain)


def check(title: str) -> tables.Check | None:
    """Whether a text can be in a column of that title."""
    read = reader(title)
    return None if read is None else lambda text: _reads(read, text)


def _reads(read: Callable[[str], Value], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


@attrs.frozen
class Report(Sequence[Mapping[str, Value]]):
    """A report: rows by column title.

    Columns whose title says so hold ids as int, durations as timedelta and times as datetime without a zone (they
    are in the one that was set for the report), and None where a cell is empty; all others are texts. A column with
    a cell that is not what its title says is left as texts.

    Attributes:
        columns: the titles, in the service's order; one that occurs twice is numbered (``"Name (2)"``).
        rows: a mapping each.
        mended: indices of rows that held the delimiter or a line break in a cell, and were put together by what
            their columns can hold, which happens in reports as text only; and of rows with a character that could not
            be read, or that XML does not allow: U+FFFD stands in its place.
        begin: the first moment it covers, as `RescueClient.report` set it; else None.
        end: the last one.
    """

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Value], ...] = attrs.field(repr=False)
    mended: tuple[int, ...] = ()
    begin: datetime | None = None
    end: datetime | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Mapping[str, Value]:  # type: ignore[override]  # no slices
        return self.rows[index]

    def __iter__(self) -> Iterator[Mapping[str, Value]]:
        return iter(self.rows)

    def column(self, title: str) -> list[Value]:
        """The cells of one column. Raises KeyError."""
        if title not in self.columns:
            raise KeyError(title)
        return [row[title] for row in self.rows]

    @classmethod
    def parse(cls, body: str | StreamedText, delimiter: str | None = None) -> "Report":
        """A report in either form; a long text is closed.

        Args:
            body: what stands below the OK.
            delimiter: what closes each cell in the text form; None to find out from the header.

        Raises:
            ValueError: it is no table, or stops before its end.
        """
        found = tables.Reader(check, delimiter)
        columns: tuple[str, ...] = ()
        rows: list[dict[str, Value]] = []
        with nullcontext(body) if isinstance(body, str) else closing(body):
            # Texts become values in their place: to free many objects at once would hold up all threads.
            for some in found.read(body):
                columns = columns or unique(found.titles or ())
                rows += [dict(zip(columns, cells, strict=True)) for cells in some]
        for column, title in zip(columns, found.titles or (), strict=True):
            _read_column(rows, column, reader(title))
        return cls(columns, tuple(rows), tuple(found.mended))


def unique(titles: Sequence[str]) -> tuple[str, ...]:
    """The titles; one that occurs twice is numbered."""
    seen: dict[str, int] = {}
    numbered = []
    for title in titles:
        count = seen[title] = seen.get(title, 0) + 1
        numbered.append(title if count == 1 else f"{title} ({count})")
    return tuple(numbered)


def _read_column(rows: Sequence[dict[str, Value]], column: str, read: Callable[[str], Value] | None) -> None:
    """Values in place of the texts, if all of them are what the title says."""
    if read is None:
        return
    try:
        values = [read(cell) if cell.strip() else None for row in rows if isinstance(cell := row[column], str)]
    except ValueError:
        return
    for row, value in zip(rows, values, strict=True):
        row[column] = value


def written(value: Value) -> str:
    """A cell as a text for files and programs: a duration as hours, minutes and seconds (``26:03:04``)."""
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        minutes, rest = divmod(abs(seconds), 60)
        return f"{'-' if seconds < 0 else ''}{minutes // 60}:{minutes % 60:02}:{rest:02}"
    return "" if value is None else str(value)
