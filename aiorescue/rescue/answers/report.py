"""`Report`: the rows of a report, whole, by column title."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext, suppress
from datetime import datetime
from functools import partial
from itertools import chain

import attrs

from aiorescue.operation import StreamedText, frozen
from aiorescue.rescue.answers import tables
from aiorescue.rescue.answers.by_column import ByColumn, Titled
from aiorescue.rescue.answers.cells import Value, check, reader


@frozen
class Report(Sequence[Mapping[str, Value]]):
    """A report: rows by column title.

    Columns whose title says so hold ids as int, durations as timedelta and times as datetime without a zone (they
    are in the one that was set for the report), and None where a cell is empty; all others are texts. A column with
    a cell that is not what its title says is left as texts.

    Attributes:
        columns: the titles, in the service's order; one that occurs twice is numbered (``"Name (2)"``).
        rows: for each row a mapping from column title to cell, made when it is read; a sequence that is equal to a
            tuple of such mappings. `attrs.asdict` leaves it as it is; ``list(report)`` is a list of the mappings.
        mended: indices of rows that held the delimiter or a line break in a cell, and were put together by what
            their columns can hold, which happens in reports as text only; and of rows with a character that could not
            be read, or that XML does not allow: U+FFFD stands in its place.
        begin: first moment that the report covers, as `RescueClient.report` set it; else None.
        end: last moment that the report covers, as `RescueClient.report` set it; else None.
    """

    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, Value]] = attrs.field(repr=False)
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
        if isinstance(self.rows, ByColumn):
            return self.rows.column(self.columns.index(title))
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
        with nullcontext(body) if isinstance(body, str) else closing(body):
            batches = found.read(body)
            first = next(batch for batch in batches if found.titles is not None)
            titles = found.titles or ()
            rows: ByColumn[Mapping[str, Value]] = ByColumn(Titled(unique(titles)), len(titles))
            for batch in chain((first,), batches):
                rows.extend(batch)
        for index, title in enumerate(titles):
            if (read := reader(title)) is not None:
                with suppress(ValueError):  # then the column is left as texts
                    rows.read(index, partial(_read, read))
        return cls(unique(titles), rows, tuple(found.mended))


def unique(titles: Sequence[str]) -> tuple[str, ...]:
    """Number the titles that occur more than once, so that all of them differ: also from one that has a number."""
    seen: dict[str, int] = {}
    given = set(titles)
    numbered = []
    for title in titles:
        count = seen.get(title, 0) + 1
        while count > 1 and f"{title} ({count})" in given:
            count += 1
        seen[title] = count
        numbered.append(title if count == 1 else f"{title} ({count})")
    return tuple(numbered)


def _read(read: Callable[[str], Value], cell: str) -> Value:
    return read(cell) if cell.strip() else None
