"""Rows of a table in text form, out of its lines.

Theory of operation
===================

Reports and lists of sessions come as tables. In the text form the first line is the *header*: the titles of the
columns, each closed by the *delimiter* that was set for the report (``|`` unless a program chose another). Each row
below has one *cell* for each title, closed in the same way, and ends its line. Nothing is escaped. A customer who
types a bar or a line break into a chat puts it into a cell, and the service writes it as it is. So a line need not be
a row, and a delimiter need not be the end of a cell.

What can be relied on is the number of titles, and what some titles say: under "Start Time" stands a time, under
"Session ID" a number, under "Total Time" a duration (*checks*). By these two, rows are told apart:

- A line with as many cells as there are titles is a row, whatever its cells hold. Only if the line behind it can begin
  no row do the two belong together: where people type into the last column, its cell holds the delimiter and a line
  break. In any other column that would be a guess, unless the first line has cells that do not hold what their titles
  say.
- A line with more cells is a row in which one cell holds the delimiter, if a single column of free text can take what
  is too much and all other columns hold what their titles say.
- Other lines are put together until they have as many cells as there are titles, or more that one column can take.

Rows of the second and third kind are *mended*, and the table names them, so that a program can look at them twice.
Some tables cannot be read with certainty: where the beginning or the end of a row is in doubt, because no complete
row and no column with a type stands there, the table is an error (`Unclear`). It is asked for once only, since the
same table would come again. Rows are never shifted by a cell, and never merged in silence. The XML form of a report
has none of this.

A table may be long, and a broken one must not take for ever. One row has at most ten thousand lines and four million
characters, and the work of putting rows together stays in proportion to what was read.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate

from aiorescue.rescue.answers.values import Unclear
from aiorescue.wire.characters import REPLACEMENT

#: Lines that one row may span, so that a broken table does not take forever.
LONGEST_ROW = 10_000
#: Characters that one row may have.
LARGEST_ROW = 2**22
#: Cells that may be looked at to put rows together: at first, and further ones for each character read. The
#: work stays in proportion to the size of the table.
_FIRST_WORK = 2**16
_MORE_WORK = 16

#: Whether a column can hold a text, by its title; None if it can hold any.
Check = Callable[[str], bool]
Row = tuple[str, ...]


def misfit() -> Unclear:
    """Error for a row that does not fit the header."""
    return Unclear("the answer is OK but a row of its table does not fit the header")


class Rows:
    """Takes the lines below the header and gives back rows.

    Args:
        delimiter: what closes each cell.
        titles: titles of the columns.
        checks: for each column the function that says whether a text can be a cell of it; None if any text can.
        mended: takes the indices of rows that were put together, or that lack a character.
    """

    def __init__(self, delimiter: str, titles: Row, checks: list[Check | None], mended: list[int]) -> None:
        self._delimiter = delimiter
        self._columns = _ColumnChecks(checks, [_is_free(title) for title in titles])
        self._mended = mended
        self._done: list[Row] = []
        self._count = 0
        self._work = _FIRST_WORK
        self._doubt = False  # whether the last row may go on, as nothing shows its end
        self._complete: str | None = None  # a line with the right number of cells, until the next one is seen
        self._open: _Open | None = None  # other lines, which are put together
        self._blank: list[str] = []  # blank lines behind the last row

    def done(self) -> list[Row]:
        """Give out the rows that have been completed since the last time."""
        done, self._done = self._done, []
        return done

    def take(self, line: str) -> None:
        """Take the next line of the table. Raises ValueError for one that cannot be put into a row."""
        self._work += _MORE_WORK * (len(line) + 1)
        count = line.count(self._delimiter)
        closed = line.endswith(self._delimiter)
        if count == self._columns.width and closed and self._open is None and not self._blank:
            # The usual line.
            self._end_complete()
            self._complete = line
        elif self._open is None and not line.strip() and not count:
            self._blank.append(line)
        else:
            self._take_odd(line, whole=count >= self._columns.width and closed, exact=count == self._columns.width)

    def _take_odd(self, line: str, *, whole: bool, exact: bool) -> None:
        """Take a line that is no complete row, or that may go on with the row before it."""
        exact = exact and whole
        begins = self._columns.begins(line.partition(self._delimiter)[0])
        if whole:
            alone = _Open(self._columns)
            alone.add(line, self._delimiter)
            whole = exact or self._is_ready(alone)
        if self._complete is not None and begins is False and not whole:
            # No row begins so: the last cell of the row above holds the delimiter and a line break.
            self._open, complete, self._complete = _Open(self._columns), self._complete, None
            self._open.add(complete, self._delimiter)
            self._open.grows_last = self._is_ready(self._open)
            if self._is_stray(self._open) and line.endswith(self._delimiter):
                raise misfit()
        else:
            self._end_complete()
            if self._open is not None and self._is_ready(self._open) and (exact or begins is not False):
                # A row with the right number of cells ends where another may begin; one with more is in doubt there.
                self._finish(self._open, doubt=self._open.surplus > 0 and not (whole or begins))
        if self._open is None:
            if exact:
                self._complete = "\n".join([*self._blank, line])
                self._blank.clear()
                return
            if self._doubt and not (whole or begins):
                raise misfit()
            self._open = _Open(self._columns)
        elif exact or (whole and begins is not False):
            raise misfit()  # a row within a row
        for one in (*self._blank, line):
            self._open.add(one, self._delimiter)
        self._blank.clear()

    def end(self) -> None:
        """End the table: the lines that are left make its last row. Raises ValueError if they cannot."""
        self._end_complete()
        if self._open is not None:
            if not self._is_ready(self._open):
                raise ValueError("the answer is OK but its table stops in a row that does not fit the header")
            self._finish(self._open, doubt=False)

    def _end_complete(self) -> None:
        """Make a row of the kept line that has the right number of cells."""
        line, self._complete = self._complete, None
        if line is not None:
            self._doubt = False
            cells = line.removesuffix(self._delimiter).split(self._delimiter)
            self._emit(tuple(cells), mended=REPLACEMENT in line or "\n" in line)

    def _is_ready(self, row: "_Open") -> bool:
        """Whether the lines that are put together can be a row."""
        if row.surplus < 0 or not row.closed or self._is_stray(row):
            return False
        if row.ready is None:
            row.ready, work = self._columns.fits(row.cells, row.prefix)
            self._spend(work)
        return row.ready

    def _is_stray(self, row: "_Open") -> bool:
        """Whether the lines below the first belong to no row: it is one by itself, and no free text ends it."""
        return row.grows_last and not self._columns.last_is_free

    def _finish(self, row: "_Open", *, doubt: bool) -> None:
        """Make a row of the lines that are put together; with `doubt` the row may go on with lines that follow."""
        self._open, self._doubt = None, doubt
        exact = row.surplus == 0
        if not exact:
            self._spend(len(row.cells) + self._columns.width)
        least = self._columns.width - 1 if row.grows_last else 0
        cells = tuple(row.cells) if exact else self._columns.fit(row.cells, row.prefix, self._delimiter, least)
        self._emit(cells, mended=not (exact and row.single) or any(REPLACEMENT in cell for cell in cells))

    def _spend(self, work: int) -> None:
        """Take from the work that is left. Raises `Unclear` if it is used up."""
        self._work -= work
        if self._work < 0:
            raise misfit()

    def _emit(self, cells: Row, *, mended: bool) -> None:
        if mended:
            self._mended.append(self._count)
        self._done.append(cells)
        self._count += 1


class _Open:
    """Lines that are put together because they may be one row.

    Attributes:
        cells: cells that a delimiter has closed.
        surplus: number of cells beyond that of the columns; negative if there are fewer.
        prefix: number of cells, from the first on, that hold what their columns can hold.
        closed: True if the last line ends with the delimiter.
        single: True if there is one line.
        ready: whether the lines can be a row; None if that was not looked at since the last line came.
        grows_last: True if the first line is a row by itself, so that the others belong to its last cell.
    """

    def __init__(self, columns: "_ColumnChecks") -> None:
        self._columns = columns
        self._parts: list[str] = []  # of the cell that is not closed
        self._lines = self._length = 0
        self.cells: list[str] = []
        self.prefix = 0
        self.closed = False
        self.ready: bool | None = None
        self.grows_last = False

    @property
    def surplus(self) -> int:
        return len(self.cells) - self._columns.width

    @property
    def single(self) -> bool:
        return self._lines == 1

    def add(self, line: str, delimiter: str) -> None:
        """Add a line. Raises ValueError if the row becomes longer than any row may be."""
        self._lines += 1
        self._length += len(line) + 1
        if self._lines > LONGEST_ROW or self._length > LARGEST_ROW:
            raise misfit()
        first, *more = line.split(delimiter)
        self._parts.append(first)
        if more:
            self.cells.append("\n".join(self._parts))
            self.cells += more[:-1]
            self._parts = more[-1:]
            if self.prefix == len(self.cells) - len(more):
                self.prefix += self._columns.prefix(self.cells[self.prefix :], self.prefix)
        self.closed = bool(more) and not more[-1]
        self.ready = None


class _ColumnChecks:
    """Knows what the columns of a table can hold.

    Args:
        checks: for each column the function that says whether a text can be a cell of it; None if any text can.
        free: for each column, whether people type its texts.

    Attributes:
        width: number of columns.
        last_is_free: whether people type the texts of the last column.
    """

    def __init__(self, checks: Sequence[Check | None], free: Sequence[bool]) -> None:
        self.width = len(checks)
        self._checks = checks
        self._free = free
        self.last_is_free = free[-1] and checks[-1] is None
        # For each column the nearest one at or before it that can hold any text; -1 if there is none.
        self._last = list(accumulate((-1 if check else column for column, check in enumerate(checks)), max))

    def begins(self, cell: str) -> bool | None:
        """Whether a row can begin with a cell; None if any text can be in the first column."""
        check = self._checks[0]
        return None if check is None or not cell.strip() else check(cell)

    def prefix(self, cells: Sequence[str], first: int = 0) -> int:
        """Number of the cells, from the first on, that hold what the columns from `first` on can hold."""
        count = 0
        for check, cell in zip(self._checks[first:] if first else self._checks, cells, strict=False):
            if check is not None and cell and not check(cell) and cell.strip():
                break
            count += 1
        return count

    def fits(self, cells: Sequence[str], prefix: int) -> tuple[bool, int]:
        """Whether a single column of texts can take all surplus cells, and how many cells were looked at for that."""
        surplus = len(cells) - self.width
        if not surplus:
            return prefix == self.width, 1
        last = self._last[min(prefix, self.width - 1)]
        if last < 0:
            return False, 1
        begin = self._suffix(cells, surplus, last + 1)
        return begin == last + 1, self.width - begin + 1

    def _suffix(self, cells: Sequence[str], surplus: int, least: int) -> int:
        """The first column, not before `least`, from which on the last cells hold what their columns can hold."""
        column = self.width
        while column > least:
            check, cell = self._checks[column - 1], cells[column - 1 + surplus]
            if check is not None and cell and not check(cell) and cell.strip():
                break
            column -= 1
        return column

    def fit(self, cells: Sequence[str], prefix: int, delimiter: str, least: int = 0) -> Row:
        """Make a row of the cells: a single column of texts, not before `least`, takes all surplus cells."""
        surplus = len(cells) - self.width
        first = max(least, self._suffix(cells, surplus, 0) - 1)
        # A delimiter within a text has text on both sides, and free texts are where people type.
        empty = list(accumulate((not cell.strip() for cell in cells), initial=0))
        column = min(
            (empty[column + surplus + 1] - empty[column], not self._free[column], column)
            for column in range(first, min(prefix, self.width - 1) + 1)
            if self._checks[column] is None
        )[2]
        end = column + surplus + 1
        return (*cells[:column], delimiter.join(cells[column:end]), *cells[end:])


def _is_free(title: str) -> bool:
    return any(word in title.casefold() for word in ("chat", "comment", "note", "custom field"))
