"""A report row by row: what `RescueClient.stream_report` gives, and how it is decoded batch by batch."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final, Self

from aiorescue import errors
from aiorescue.operation import StreamedText
from aiorescue.rescue.answers import tables
from aiorescue.rescue.answers.cells import Value, check, reader
from aiorescue.rescue.answers.report import unique

_NAME: Final = "getReport_v2"
#: Characters that are decoded together.
_BATCH: Final = 2**17


class ReportRows:
    """The rows of a report, decoded batch by batch; used by one thread at a time.

    A short report is decoded at once, so that a call whose report is cut short fails, and is retried.

    Attributes:
        columns: titles of the columns.
        mended: number of rows so far that had to be put together, or that lack a character.
        first: rows that were decoded together with the header.
        more: True if rows follow those.

    Raises:
        ValueError: the answer is no table, or it is short and stops before its end.
    """

    def __init__(self, body: str | StreamedText, delimiter: str | None = None) -> None:
        self._reader = tables.Reader(check, delimiter)
        self._text = None if isinstance(body, str) else body
        self._pieces: Iterator[str] = iter((body,) if isinstance(body, str) else body)
        self._taken = 0
        self._problem: ValueError | None = None
        self.mended = 0
        self.more = True
        rows: list[tables.Row] = []
        while self.more and (self._reader.titles is None or self._text is None):
            rows += self._step()
        titles = self._reader.titles or ()
        self.columns = unique(titles)
        self._readers = [
            (index, column, read)
            for index, (column, title) in enumerate(zip(self.columns, titles, strict=True))
            if (read := reader(title)) is not None
        ]
        self.first = self._typed(rows)

    def batch(self) -> list[Mapping[str, Value]]:
        """Decode the next rows; an empty list at the end.

        Raises:
            ValueError: a row does not fit the header, and those before it have been returned.
        """
        rows: list[Mapping[str, Value]] = []
        enough = self._taken + _BATCH
        while self._problem is None and self.more and (self._taken < enough or not rows):
            try:
                rows += self._typed(self._step())
            except ValueError as problem:
                rows += self._typed(self._reader.done())
                self._problem = problem
        if self._problem is not None and not rows:
            raise self._problem
        return rows

    def close(self) -> None:
        """Free the text that the rows are read from; no more of them can be read."""
        if self._text is not None:
            self._text.close()

    def _step(self) -> list[tables.Row]:
        for piece in self._pieces:
            self._taken += len(piece)
            return self._reader.feed(piece)
        rows = self._reader.end()
        self.more = False
        self.close()
        return rows

    def _typed(self, rows: Iterable[tables.Row]) -> list[Mapping[str, Value]]:
        self.mended += len(self._reader.mended)
        self._reader.mended.clear()
        typed: list[Mapping[str, Value]] = []
        for cells in rows:
            row: dict[str, Value] = dict(zip(self.columns, cells, strict=True))
            for index, column, read in self._readers:
                cell = cells[index]
                try:
                    row[column] = read(cell) if cell.strip() else None
                except ValueError:  # not by `suppress`, which costs as much as the reading
                    continue  # what is not what its title says stays a text
            typed.append(row)
        return typed


class ReportStream(AsyncIterator[Mapping[str, Value]]):
    """A report that is read row by row, with ``async for``; each row is a mapping by column title.

    Cells are as in `Report`, but looked at one by one: one that is not what its title says is a text, and those above
    and below it are what they are.

    The whole answer has arrived and lies in a temporary file, which is gone when `RescueClient.stream_report` is left;
    the service, its session and its pace have no part in it any more. Rows are decoded in a thread, a batch at a time.

    Attributes:
        columns: the titles, in the service's order; one that occurs twice is numbered (``"Name (2)"``).
        begin: first moment that the report covers.
        end: last moment that the report covers.
    """

    def __init__(self, rows: ReportRows, begin: datetime, end: datetime) -> None:
        self.columns = rows.columns
        self.begin = begin
        self.end = end
        self._source = rows
        self._rows = iter(rows.first)
        self._pending: asyncio.Future[list[Mapping[str, Value]]] | None = None
        self._closed = False

    @property
    def mended(self) -> int:
        """Number of rows so far that had to be put together, or that lack a character; see `Report.mended`."""
        return self._source.mended

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Mapping[str, Value]:
        """The next row.

        Raises:
            errors.ProtocolError: the table stops before its end, or a row of it does not fit the header.
        """
        while True:
            for row in self._rows:
                return row
            if self._closed:
                raise errors.InvalidRequest("stream_report: rows can be read only inside of its `async with`")
            if self._pending is None and not self._source.more:
                raise StopAsyncIteration
            await self._fill()

    async def _fill(self) -> None:
        if self._pending is None:
            self._pending = asyncio.ensure_future(asyncio.to_thread(self._source.batch))
        pending = self._pending
        try:
            # If this wait is cancelled, the next one gets the batch.
            batch = await asyncio.shield(pending)
        except MemoryError:
            raise
        except Exception as problem:  # noqa: BLE001 - as for every answer: a server can send what no decoder foresees
            why = (
                str(problem) if isinstance(problem, ValueError) else f"a row cannot be read ({type(problem).__name__})"
            )
            failure = errors.ProtocolError(f"{_NAME}: {why}", operation=_NAME, attempts=1)
            raise failure from None
        if self._pending is pending:
            self._pending = None
            self._rows = iter(batch)

    async def aclose(self) -> None:
        """Close the report, so that no more rows can be read. `RescueClient.stream_report` does this at its end."""
        closed, self._closed = self._closed, True
        self._rows = iter(())
        if not closed and (self._pending is not None or self._source.more):
            await asyncio.shield(asyncio.ensure_future(self._end()))

    async def _end(self) -> None:
        await asyncio.to_thread(self._source.close)
        if self._pending is not None:
            await asyncio.gather(self._pending, return_exceptions=True)
