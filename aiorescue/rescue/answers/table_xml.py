"""The XML form of a table, piece by piece: a header and rows, whose fields say by an id to which column they belong."""

from xml.parsers import expat

from aiorescue.rescue.answers.table_rows import LARGEST_ROW, Row, misfit
from aiorescue.rescue.answers.values import Unclear
from aiorescue.wire.bounded import BoundedParser
from aiorescue.wire.characters import REPLACEMENT, Replacing
from aiorescue.wire.message import Unreadable
from aiorescue.wire.xml import CUT

#: Cells that rows may leave out at first; to these one is added for each two characters read, so that a short answer
#: never becomes a large table.
_LEFT_OUT = 2**16


class XmlTable:
    """Reads the XML form of a table from pieces.

    It has a ``header`` with ``field`` elements, and ``data`` with ``row`` elements that have ``field`` elements.

    A field holds all the text that stands in it, that of elements within it too. A row with a text outside of its
    fields is an error, and so is a field outside of a row or within another field, and a row before the header's end.

    Args:
        mended: takes the indices of rows that lack a character, because XML does not allow it.
    """

    def __init__(self, mended: list[int]) -> None:
        self.titles: Row | None = None
        self._mended = mended
        self._ids: dict[str, int] = {}
        self._names: list[str] = []
        self._rows: list[Row] = []
        self._count = 0
        self._since = 0  # characters since the last row
        self._cells = _LEFT_OUT  # cells that rows may still leave out
        self._plain = _Plain()
        self._in_header = self._in_row = False
        self._row: dict[str, str] = {}
        self._field: str | None = None
        self._within = 0  # elements that are open in the field
        self._text: list[str] = []
        self._characters = Replacing()
        self._lacks = False  # whether a character was replaced, here or when the answer was decoded
        self._parser = BoundedParser(most_elements=None)
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text.append

    def feed(self, text: str) -> list[Row]:
        """Take the next piece of the document, and return the rows that it completes. Raises ValueError."""
        return self._parse(self._characters.feed(text), last=False)

    def end(self) -> list[Row]:
        """End the document, and return the rows that are left. Raises ValueError if it stops before its end."""
        return self._parse(self._characters.end(), last=True)

    def done(self) -> list[Row]:
        """Give out the rows that have been completed since the last time."""
        rows, self._rows = self._rows, []
        return rows

    def _parse(self, text: str, *, last: bool) -> list[Row]:
        self._cells += len(text) // 2
        self._lacks = self._lacks or REPLACEMENT in text
        try:
            self._parser.Parse(text.encode(), last)
        except Unreadable as problem:
            raise Unclear(str(problem)) from None
        except expat.ExpatError as problem:
            found = f"the answer is OK but its table is no XML ({problem})"
            if problem.code in CUT:
                raise ValueError(found) from None
            raise Unclear(f"{found}; with the output TEXT it may be readable") from None
        rows = self.done()
        self._since = 0 if rows else self._since + len(text)
        if self._since > LARGEST_ROW:
            raise misfit()
        return rows

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = self._plain[name]
        if self._field is not None:
            if name == "field":
                raise misfit()
            self._within += 1
            return
        self._check_text()
        if name == "field":
            if not (self._in_row or self._in_header):
                raise misfit()
            self._field = attributes.get("id", "")
        elif name == "row":
            if self._in_row or self.titles is None:
                raise misfit()
            self._in_row, self._row = True, {}
        elif name == "header":
            if self.titles is not None:
                raise Unclear("the answer is OK but its table has two headers")
            self._in_header = True
        self._text.clear()

    def _end(self, name: str) -> None:
        if self._within:
            self._within -= 1
            return
        column = self._field
        if column is not None:
            text = "".join(self._text)
            self._field = None
            if self._in_header:
                self._name(column, text)
            elif column in self._row:
                raise misfit()
            else:
                self._row[column] = text
            self._text.clear()
            return
        self._check_text()
        name = self._plain[name]
        if name == "row":
            self._in_row = False
            self._finish(self._row)
        elif name == "header":
            self._in_header = False
            self.titles = tuple(self._names)
        self._text.clear()

    def _check_text(self) -> None:
        """Raise an error for a text in a row or in the header that stands in no field, and would be lost."""
        if self._text and (self._in_row or self._in_header) and any(map(str.strip, self._text)):
            raise misfit()

    def _name(self, column: str, title: str) -> None:
        if column in self._ids:
            raise Unclear("the answer is OK but its table has two columns of one id")
        self._ids[column] = len(self._ids)
        self._names.append(title)

    def _finish(self, row: dict[str, str]) -> None:
        if [*row] == [*self._ids]:
            cells = tuple(row.values())  # the usual row: all cells, in the order of the titles
        else:
            if not row.keys() <= self._ids.keys():
                raise misfit()
            self._cells -= len(self._ids) - len(row)
            if self._cells < 0:
                raise misfit()
            cells = tuple([row.get(one, "") for one in self._ids])
        if self._lacks and any(REPLACEMENT in cell for cell in cells):
            self._mended.append(self._count)
        self._rows.append(cells)
        self._count += 1


class _Plain(dict[str, str]):
    """Names of elements without prefix and in small letters, by those in the document."""

    def __missing__(self, name: str) -> str:
        plain = self[name] = name.rpartition(":")[2].lower()
        return plain
