"""Tables in answers: a header line and rows whose cells end with a delimiter, or the XML form of the same.

A table can be read piece by piece: what is kept is never more than a piece and a row. One that stops before its end
is an error, never a shorter table.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol
from xml.parsers import expat

import attrs

from aiorescue.rescue.answers.table_text import LARGEST_ROW, Check, Lines, Row, misfit, no_header

__all__ = ["Check", "Reader", "Row", "Table", "parse"]

#: Characters taken at once, so that other threads get their turn.
_PIECE = 2**16
_BLANK = "\ufeff \t\r\n"


@attrs.frozen
class Table:
    """A table, all texts.

    Attributes:
        titles: of the columns.
        rows: as many cells each.
        mended: indices of the rows that had to be put together.
    """

    titles: Row
    rows: list[Row]
    mended: tuple[int, ...] = ()


def parse(body: str | Iterable[str], checks: Callable[[str], Check | None]) -> Table:
    """A table in either form.

    Args:
        body: what stands below the OK, whole or in pieces.
        checks: for a title, what its cells can hold.

    Raises:
        ValueError: it is no table, or stops before its end.
    """
    reader = Reader(checks)
    rows = [row for some in reader.read(body) for row in some]
    return Table(reader.titles or (), rows, tuple(reader.mended))


class _Form(Protocol):
    """Reads one of the two forms."""

    @property
    def titles(self) -> Row | None:
        """Of the columns; None before the header was read."""

    def feed(self, text: str) -> list[Row]:
        """Take a piece; the rows that it completes. Raises ValueError."""

    def end(self) -> list[Row]:
        """There is no more; the rows that are left. Raises ValueError."""


class Reader:
    """Takes a table in pieces, cut anywhere, and gives back its rows.

    Attributes:
        mended: indices of the rows that had to be put together; whoever reads them may empty the list.
    """

    def __init__(self, checks: Callable[[str], Check | None]) -> None:
        self.mended: list[int] = []
        self._checks = checks
        self._form: _Form | None = None
        self._begin = ""  # blanks, until there is something that tells the form

    @property
    def titles(self) -> Row | None:
        """Of the columns; None before the header was read."""
        return self._form.titles if self._form is not None else None

    def read(self, body: str | Iterable[str]) -> Iterator[list[Row]]:
        """Take all of it, whole or in pieces; the rows as they come. Raises ValueError."""
        for piece in (body,) if isinstance(body, str) else body:
            yield self.feed(piece)
        yield self.end()

    def feed(self, text: str) -> list[Row]:
        """Take a piece; the rows that it completes. Raises ValueError."""
        rows: list[Row] = []
        for start in range(0, len(text), _PIECE):
            rows += self._feed(text[start : start + _PIECE])
        return rows

    def _feed(self, text: str) -> list[Row]:
        if self._form is None:
            self._begin += text
            text = self._begin.lstrip(_BLANK)
            if not text and len(self._begin) <= _PIECE:
                return []
            if text.startswith("<"):
                self._form = _Document()
            else:
                self._form, text = Lines(self._checks, self.mended), self._begin
        return self._form.feed(text)

    def end(self) -> list[Row]:
        """There is no more; the rows that are left. Raises ValueError."""
        if self._form is None:
            raise no_header()
        rows = self._form.end()
        if self._form.titles is None:
            raise no_header()
        return rows


# --- the XML form -----------------------------------------------------------------------------------


class _Document:
    """The XML form: ``header`` with ``field`` elements, ``data`` with ``row`` elements with ``field`` elements."""

    def __init__(self) -> None:
        self.titles: Row | None = None
        self._ids: list[str] = []
        self._names: list[str] = []
        self._known: frozenset[str] = frozenset()
        self._rows: list[Row] = []
        self._since = 0  # characters since the last row
        self._in_header = self._in_row = False
        self._row: dict[str, str] = {}
        self._field: str | None = None
        self._text: list[str] = []
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text.append
        self._parser.StartDoctypeDeclHandler = self._refuse

    def feed(self, text: str) -> list[Row]:
        """Take a piece."""
        return self._parse(text, last=False)

    def end(self) -> list[Row]:
        """The rows that are left."""
        return self._parse("", last=True)

    def _parse(self, text: str, *, last: bool) -> list[Row]:
        try:
            self._parser.Parse(text, last)
        except expat.ExpatError as problem:
            raise ValueError(f"the answer is OK but its table is no XML ({problem})") from None
        rows, self._rows = self._rows, []
        self._since = 0 if rows else self._since + len(text)
        if self._since > LARGEST_ROW:
            raise misfit()
        return rows

    def _refuse(self, *_: object) -> None:
        raise ValueError("the table holds a DOCTYPE, which is refused")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2].lower()
        if name == "field" and (self._in_header or self._in_row):
            self._field = attributes.get("id", "")
        elif name == "row":
            self._in_row, self._row = True, {}
        elif name == "header":
            if self.titles is not None:
                raise ValueError("the answer is OK but its table has two headers")
            self._in_header = True
        self._text.clear()

    def _end(self, name: str) -> None:
        name = name.rpartition(":")[2].lower()
        text = "".join(self._text)
        self._text.clear()
        if name == "field" and self._field is not None:
            self._keep(self._field, text)
            self._field = None
        elif name == "row":
            self._in_row = False
            if not self._row.keys() <= self._known:
                raise misfit()
            self._rows.append(tuple([self._row.get(one, "") for one in self._ids]))
        elif name == "header":
            self._in_header = False
            self._known = frozenset(self._ids)
            self.titles = tuple(self._names)

    def _keep(self, column: str, text: str) -> None:
        if self._in_header:
            if column in self._ids:
                raise ValueError("the answer is OK but its table has two columns of one id")
            self._ids.append(column)
            self._names.append(text)
        else:
            self._row[column] = text
