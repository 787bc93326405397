"""Tables in answers: a header line and rows whose cells end with a delimiter, or the XML form of the same.

The text form escapes nothing: a cell may hold the delimiter or a line break. A row that does not fit its header is
put together by what its columns can hold; one that cannot be is an error, never a shifted row.
"""

from collections.abc import Callable, Iterator, Sequence
from xml.parsers import expat

import attrs

_LONGEST_DELIMITER = 8
#: Lines that one row may span, so that a broken table does not take forever.
_LONGEST_ROW = 10_000
#: Rows that are looked at to see whether the columns hold what their titles say.
_SAMPLE = 100

#: Whether a column can hold a text, by its title; None if it can hold any.
Check = Callable[[str], bool]


@attrs.frozen
class Table:
    """A table, all texts.

    Attributes:
        titles: of the columns.
        rows: as many cells each.
        mended: indices of the rows that had to be put together.
    """

    titles: tuple[str, ...]
    rows: list[tuple[str, ...]]
    mended: tuple[int, ...] = ()


def parse(body: str, checks: Callable[[str], Check | None]) -> Table:
    """A table in either form.

    Args:
        body: what stands below the OK.
        checks: for a title, what its cells can hold.

    Raises:
        ValueError: it is no table, or stops before its end.
    """
    if body.lstrip("\ufeff \t\r\n").startswith("<"):
        return _Document().read(body)
    head, _, rest = body.replace("\r\n", "\n").partition("\n")
    delimiter = delimiter_of(head)
    titles = tuple(head.removesuffix(delimiter).split(delimiter))
    lines = rest.split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    rows: list[tuple[str, ...]] = []
    mended: list[int] = []
    for row, whole in _Rows(lines, delimiter, titles, _trusted(lines, delimiter, [checks(title) for title in titles])):
        if not whole:
            mended.append(len(rows))
        rows.append(row)
    return Table(titles, rows, tuple(mended))


def delimiter_of(head: str) -> str:
    """The delimiter, which closes every cell and so the header line, too. Raises ValueError."""
    for length in range(1, _LONGEST_DELIMITER + 1):
        end = head[-length:]
        titles = head.split(end)
        if end != " " and not end[0].isalnum() and all(any(map(str.isalnum, title)) for title in titles[:-1]):
            return _whole(end, titles[:-1])
    if head.endswith(("\t", "|")):
        return head[-1]
    raise ValueError("the answer is OK but its table has no header")


def _trusted(lines: Sequence[str], delimiter: str, checks: Sequence[Check | None]) -> list[Check | None]:
    """The checks without those that most of the tidy rows fail: then the title says something else here."""
    tidy = [line.split(delimiter) for line in lines[:_SAMPLE] if line.count(delimiter) == len(checks)]

    def holds(column: int, check: Check) -> bool:
        cells = [cells[column] for cells in tidy if cells[column].strip()]
        return sum(map(check, cells)) * 2 >= len(cells)

    return [check if check is not None and holds(column, check) else None for column, check in enumerate(checks)]


def _whole(end: str, titles: Sequence[str]) -> str:
    """The delimiter with what all titles seem to end with, which is its beginning."""
    while len(titles) > 1 and len({title[-1:] for title in titles}) == 1 and not titles[0][-1:].isalnum():
        end = titles[0][-1:] + end
        titles = [title[:-1] for title in titles]
    return end


class _Rows:
    """Rows out of lines."""

    def __init__(
        self, lines: Sequence[str], delimiter: str, titles: tuple[str, ...], checks: list[Check | None]
    ) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._titles = titles
        self._checks = checks

    def __iter__(self) -> Iterator[tuple[tuple[str, ...], bool]]:
        """Each row, and whether it was whole."""
        start = 0
        while start < len(self._lines):
            row, start, whole = self._next(start)
            yield row, whole

    def _next(self, start: int) -> tuple[tuple[str, ...], int, bool]:
        text = ""
        for end in range(start + 1, min(len(self._lines), start + _LONGEST_ROW) + 1):
            text = f"{text}\n{self._lines[end - 1]}" if end > start + 1 else self._lines[start]
            if not text.endswith(self._delimiter) or not self._begins_row(end):
                continue
            cells = text.removesuffix(self._delimiter).split(self._delimiter)
            surplus = len(cells) - len(self._titles)
            if surplus < 0:
                continue
            if not surplus and end == start + 1:
                return tuple(cells), end, True
            row = self._fit(cells, surplus)
            if row is not None:
                return row, end, False
        raise ValueError("the answer is OK but a row of its table does not fit the header")

    def _begins_row(self, index: int) -> bool:
        """Whether a row may begin at that line."""
        check = self._checks[0]
        if index >= len(self._lines) or check is None:
            return True
        first = self._lines[index].partition(self._delimiter)[0]
        return bool(first.strip()) and check(first)

    def _fit(self, cells: list[str], surplus: int) -> tuple[str, ...] | None:
        """The cells under their titles; one text column takes what is too much."""
        if not surplus:
            return tuple(cells) if self._can_hold(cells) else None
        found = []
        for column, check in enumerate(self._checks):
            if check is not None:
                continue
            parts = cells[column : column + surplus + 1]
            row = [*cells[:column], self._delimiter.join(parts), *cells[column + surplus + 1 :]]
            if self._can_hold(row):
                # A delimiter within a text has text on both sides, and free texts are where people type.
                empty = sum(not part.strip() for part in parts)
                found.append((empty, not _is_free(self._titles[column]), column, row))
        return tuple(min(found)[3]) if found else None

    def _can_hold(self, row: Sequence[str]) -> bool:
        return all(check is None or not cell or check(cell) for check, cell in zip(self._checks, row, strict=True))


def _is_free(title: str) -> bool:
    return any(word in title.casefold() for word in ("chat", "comment", "note", "custom field"))


class _Document:
    """The XML form: ``header`` with ``field`` elements, ``data`` with ``row`` elements with ``field`` elements."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._titles: list[str] = []
        self._rows: list[tuple[str, ...]] = []
        self._in_header = self._in_row = self._ended = False
        self._row: dict[str, str] = {}
        self._field: str | None = None
        self._text: list[str] = []

    def read(self, body: str) -> Table:
        """The table. Raises ValueError."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.StartDoctypeDeclHandler = self._refuse
        try:
            parser.Parse(body.strip("\ufeff \t\r\n"), True)  # noqa: FBT003 - the second argument has no name
        except expat.ExpatError as problem:
            raise ValueError(f"the answer is OK but its table is no XML ({problem})") from None
        if not self._ended:
            raise ValueError("the answer is OK but its table has no header")
        return Table(tuple(self._titles), self._rows)

    def _refuse(self, *_: object) -> None:
        raise ValueError("the table holds a DOCTYPE, which is refused")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2].lower()
        if name == "header":
            self._in_header = True
        elif name == "row":
            self._in_row, self._row = True, {}
        elif name == "field" and (self._in_header or self._in_row):
            self._field = attributes.get("id", "")
        self._text.clear()

    def _end(self, name: str) -> None:
        name = name.rpartition(":")[2].lower()
        text = "".join(self._text)
        self._text.clear()
        if name == "field" and self._field is not None:
            self._keep(self._field, text)
            self._field = None
        elif name == "header":
            self._in_header, self._ended = False, True
        elif name == "row":
            self._in_row = False
            if not self._row.keys() <= set(self._ids):
                raise ValueError("the answer is OK but a row of its table does not fit the header")
            self._rows.append(tuple(self._row.get(one, "") for one in self._ids))

    def _keep(self, column: str, text: str) -> None:
        if self._in_header:
            if column in self._ids:
                raise ValueError("the answer is OK but its table has two columns of one id")
            self._ids.append(column)
            self._titles.append(text)
        else:
            self._row[column] = text
