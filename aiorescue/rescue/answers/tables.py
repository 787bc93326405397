"""Tables in answers, in either form: a header line and rows whose cells end with a delimiter, or an XML document.

A table can be read piece by piece: what is kept is never more than a piece and a row. One that stops before its end
is an error, never a shorter table.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from aiorescue.rescue.answers.table_rows import Check, Row
from aiorescue.rescue.answers.table_text import TextTable, no_header
from aiorescue.rescue.answers.table_xml import XmlTable

__all__ = ["Check", "Reader", "Row"]

#: Characters taken at once, so that other threads get their turn.
_PIECE = 2**16
_BLANK = "\ufeff \t\r\n"


class _Form(Protocol):
    """Reads one of the two forms of a table, text or XML, from pieces."""

    @property
    def titles(self) -> Row | None:
        """The titles of the columns; None before the header was read."""

    def feed(self, text: str) -> list[Row]:
        """Take the next piece of a table, and return the rows that it completes. Raises ValueError."""

    def done(self) -> list[Row]:
        """Give out the rows that have been completed since the last time: those before an error."""

    def end(self) -> list[Row]:
        """End the table, and return the rows that are left. Raises ValueError if it stops before its end."""


class Reader:
    """Takes a table in pieces, cut anywhere, and gives back its rows.

    Attributes:
        mended: indices of the rows that had to be put together, or that lack a character; their reader may empty it.

    Args:
        checks: gives for a title the function that says whether a text can be a cell under it.
        delimiter: what closes each cell in the text form; None to find out from the header.
    """

    def __init__(self, checks: Callable[[str], Check | None], delimiter: str | None = None) -> None:
        self.mended: list[int] = []
        self._checks = checks
        self._delimiter = delimiter
        self._form: _Form | None = None
        self._begin = ""  # blanks, until there is something that tells the form

    @property
    def titles(self) -> Row | None:
        """The titles of the columns; None before the header was read."""
        return self._form.titles if self._form is not None else None

    def read(self, body: str | Iterable[str]) -> Iterator[list[Row]]:
        """Take a whole table, in one text or in pieces, and yield its rows as they come. Raises ValueError."""
        for text in (body,) if isinstance(body, str) else body:
            # In pieces, so that neither the rows of a long text are there twice, nor one step takes long.
            for start in range(0, len(text), _PIECE):
                yield self._feed(text[start : start + _PIECE])
        yield self.end()

    def feed(self, text: str) -> list[Row]:
        """Take the next piece of a table, and return the rows that it completes. Raises ValueError."""
        rows: list[Row] = []
        for start in range(0, len(text), _PIECE):
            rows += self._feed(text[start : start + _PIECE])
        return rows

    def done(self) -> list[Row]:
        """Return the rows that the last piece completed before it raised an error."""
        return self._form.done() if self._form is not None else []

    def _feed(self, text: str) -> list[Row]:
        if self._form is None:
            self._begin += text
            text = self._begin.lstrip(_BLANK)
            if not text and len(self._begin) <= _PIECE:
                return []
            if text.startswith("<"):
                self._form = XmlTable(self.mended)
            else:
                self._form, text = TextTable(self._checks, self.mended, self._delimiter), self._begin
        return self._form.feed(text)

    def end(self) -> list[Row]:
        """End the table, and return the rows that are left. Raises ValueError if it stops before its end."""
        if self._form is None:
            raise no_header()
        rows = self._form.end()
        if self._form.titles is None:
            raise no_header()
        return rows
