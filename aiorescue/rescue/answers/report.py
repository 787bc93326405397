"""`Report`: the rows of a report, whole, by column title."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from datetime import datetime

import attrs

from aiorescue.operation import StreamedText
from aiorescue.rescue.answers import tables
from aiorescue.rescue.answers.cells import Value, check, reader


@attrs.frozen
class Report(Sequence[Mapping[str, Value]]):
    """A report: rows by column title.

    Columns whose title says so hold ids as int, durations as timedelta and times as datetime without a zone (they
    are in the one that was set for the report), and None where a cell is empty; all others are texts. A column with
    a cell that is not what its title says is left as texts.

    Attributes:
        columns: the titles, in the service's order; one that occurs twice is numbered (``"Name (2)"``).
        rows: for each row a mapping from column title to cell.
        mended: indices of rows that held the delimiter or a line break in a cell, and were put together by what
            their columns can hold, which happens in reports as text only; and of rows with a character that could not
            be read, or that XML does not allow: U+FFFD stands in its place.
        begin: first moment that the report covers, as `RescueClient.report` set it; else None.
        end: last moment that the report covers, as `RescueClient.report` set it; else None.
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
        """The cells of one column, from the first row to the last. Raises KeyError if there is no such column."""
        if title not in self.columns:
            raise KeyError(title)
        return [row[title] for row in self.rows]

    @classmethod
    def parse(cls, body: str | StreamedText, delimiter: str | None = None) -> "Report":
        """Read a whole report, in text or XML; a streamed body is closed.

        Args:
            body: what stands below the OK.
            delimiter: what closes each cell in the text form; None to find out from the header.

        Raises:
            ValueError: the body is no table, or stops before its end.
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
    """Number the titles that occur more than once, so that all of them differ."""
    seen: dict[str, int] = {}
    numbered = []
    for title in titles:
        count = seen[title] = seen.get(title, 0) + 1
        numbered.append(title if count == 1 else f"{title} ({count})")
    return tuple(numbered)


def _read_column(rows: Sequence[dict[str, Value]], column: str, read: Callable[[str], Value] | None) -> None:
    """Put values in place of the texts of a column, if all texts are what its title says."""
    if read is None:
        return
    try:
        values = [read(cell) if cell.strip() else None for row in rows if isinstance(cell := row[column], str)]
    except ValueError:
        return
    for row, value in zip(rows, values, strict=True):
        row[column] = value
