"""The text form of a table: lines out of pieces, rows out of lines.

It escapes nothing: a cell may hold the delimiter or a line break. A row that does not fit its header is put together by
what its columns can hold; one that cannot be is an error, never a shifted row.
"""

from collections.abc import Callable, Sequence

_LONGEST_DELIMITER = 8
#: Lines that one row may span, so that a broken table does not take forever.
_LONGEST_ROW = 10_000
#: Characters that one row may have.
LARGEST_ROW = 2**22
#: Characters and cells that may be looked at to put one row together.
_MOST_WORK = 2**26
#: Rows that are looked at to see whether the columns hold what their titles say.
_SAMPLE = 100

#: Whether a column can hold a text, by its title; None if it can hold any.
Check = Callable[[str], bool]
Row = tuple[str, ...]


def no_header() -> ValueError:
    """What a table without a header raises."""
    return ValueError("the answer is OK but its table has no header")


def misfit() -> ValueError:
    """What a row that is none raises."""
    return ValueError("the answer is OK but a row of its table does not fit the header")


def delimiter_of(head: str) -> str:
    """The delimiter, which closes every cell and so the header line, too. Raises ValueError."""
    for length in range(1, _LONGEST_DELIMITER + 1):
        end = head[-length:]
        titles = head.split(end)
        if end != " " and not end[0].isalnum() and all(any(map(str.isalnum, title)) for title in titles[:-1]):
            return _whole(end, titles[:-1])
    if head.endswith(("\t", "|")):
        return head[-1]
    raise no_header()


def _whole(end: str, titles: Sequence[str]) -> str:
    """The delimiter with what all titles seem to end with, which is its beginning."""
    while len(titles) > 1 and len({title[-1:] for title in titles}) == 1 and not titles[0][-1:].isalnum():
        end = titles[0][-1:] + end
        titles = [title[:-1] for title in titles]
    return end


def _trusted(lines: Sequence[str], delimiter: str, checks: Sequence[Check | None]) -> list[Check | None]:
    """The checks without those that most of the tidy rows fail: then the title says something else here."""
    tidy = [line.split(delimiter) for line in lines if line.count(delimiter) == len(checks)]

    def holds(column: int, check: Check) -> bool:
        cells = [cells[column] for cells in tidy if cells[column].strip()]
        return sum(map(check, cells)) * 2 >= len(cells)

    return [check if check is not None and holds(column, check) else None for column, check in enumerate(checks)]


class Lines:
    """The text form: takes lines out of pieces, and holds back those that may be the blank ones at the end."""

    def __init__(self, checks: Callable[[str], Check | None], mended: list[int]) -> None:
        self.titles: Row | None = None
        self._checks = checks
        self._mended = mended
        self._delimiter = ""
        self._line: list[str] = []  # pieces of the line that is not complete
        self._length = 0
        self._return = ""  # a carriage return at the end of a piece: half of a line end, perhaps
        self._held: list[str] = []
        self._blank = 0  # characters of the lines held back
        self._sample: list[str] = []
        self._rows: _Rows | None = None

    def feed(self, text: str) -> list[Row]:
        """Take a piece."""
        text = self._return + text
        self._return = "\r" if text.endswith("\r") else ""
        first, *lines = text.removesuffix(self._return).replace("\r\n", "\n").split("\n")
        self._line.append(first)
        self._length += len(first)
        if self._length > LARGEST_ROW:
            raise misfit()
        if lines:
            last = lines.pop()
            self._take("".join(self._line))
            self._line, self._length = [last], len(last)
            for line in lines:
                self._take(line)
        return self._rows.done() if self._rows is not None else []

    def end(self) -> list[Row]:
        """The rows that are left."""
        line = "".join(self._line)
        if line.strip() or self.titles is None:
            self._take(line)
        rows = self._begun()
        rows.end()
        return rows.done()

    def _take(self, line: str) -> None:
        if self.titles is None:
            self._delimiter = delimiter_of(line)
            self.titles = tuple(line.removesuffix(self._delimiter).split(self._delimiter))
            return
        if not line.strip():
            # More than a row can have need not be kept: it ends the table, or is an error.
            if len(self._held) <= _LONGEST_ROW and self._blank <= LARGEST_ROW:
                self._held.append(line)
                self._blank += len(line)
            return
        if len(self._held) > _LONGEST_ROW or self._blank > LARGEST_ROW:
            raise misfit()
        held, self._held, self._blank = [*self._held, line], [], 0
        if self._rows is not None:
            for one in held:
                self._rows.take(one)
            return
        self._sample += held
        if len(self._sample) >= _SAMPLE or sum(map(len, self._sample)) > LARGEST_ROW:
            self._begun()

    def _begun(self) -> "_Rows":
        """The rows, begun with the lines that were looked at before."""
        if self._rows is None:
            titles = self.titles or ()
            checks = _trusted(self._sample[:_SAMPLE], self._delimiter, [self._checks(title) for title in titles])
            self._rows = _Rows(self._delimiter, titles, checks, self._mended)
            for line in self._sample:
                self._rows.take(line)
            self._sample = []
        return self._rows


class _Rows:
    """Rows out of lines. Whether one is complete is seen from the line that follows."""

    def __init__(self, delimiter: str, titles: Row, checks: list[Check | None], mended: list[int]) -> None:
        self._delimiter = delimiter
        self._titles = titles
        self._checks = checks
        self._mended = mended
        self._done: list[Row] = []
        self._count = 0
        self._lines: list[str] = []  # of the row that is not complete
        self._length = self._cells = self._work = 0

    def done(self) -> list[Row]:
        """The rows that are complete, once."""
        done, self._done = self._done, []
        return done

    def take(self, line: str) -> None:
        """Take a line. Raises ValueError."""
        if self._lines:
            self._complete(line)
        self._length += len(line) + 1
        if len(self._lines) >= _LONGEST_ROW or self._length > LARGEST_ROW:
            raise misfit()
        self._lines.append(line)
        self._cells += line.count(self._delimiter)

    def end(self) -> None:
        """There is no more. Raises ValueError."""
        if self._lines:
            self._complete(None)
        if self._lines:
            raise misfit()

    def _complete(self, following: str | None) -> None:
        """Make a row of the lines, if they are one."""
        surplus = self._cells - len(self._titles)
        if surplus < 0 or not self._lines[-1].endswith(self._delimiter):
            return
        if following is not None and not self._begins_row(following):
            return
        cells = "\n".join(self._lines).removesuffix(self._delimiter).split(self._delimiter)
        if not surplus and len(self._lines) == 1:
            self._done.append(tuple(cells))
        else:
            self._work += self._length + len(cells) * len(self._titles) * 16
            if self._work > _MOST_WORK:
                raise misfit()
            row = self._fit(cells, surplus)
            if row is None:
                return
            self._mended.append(self._count)
            self._done.append(row)
        self._count += 1
        self._lines = []
        self._length = self._cells = self._work = 0

    def _begins_row(self, line: str) -> bool:
        """Whether a row may begin with that line."""
        check = self._checks[0]
        if check is None:
            return True
        first = line.partition(self._delimiter)[0]
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
