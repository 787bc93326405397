"""The text form of a table: lines out of pieces, and the delimiter out of the header; rows are made in `table_rows`."""

from collections.abc import Callable, Sequence

from aiorescue.rescue.answers.table_rows import LARGEST_ROW, LONGEST_ROW, Check, Row, Rows, misfit
from aiorescue.rescue.answers.values import Unclear

_LONGEST_DELIMITER = 8
#: Characters that a header may have in which the delimiter must be found: many times more than a report's.
_LONGEST_HEADER = 2**17
#: Rows that are looked at to see whether the columns hold what their titles say.
_SAMPLE = 100


def no_header() -> ValueError:
    """Error for a table without a header."""
    return ValueError("the answer is OK but its table has no header")


def delimiter_of(head: str, first: str = "") -> str:
    """Find the delimiter of a table from its header line, which ends with one, as every cell does.

    Args:
        head: the header line.
        first: the first line below it, if there is one.

    Raises:
        ValueError: the header ends with nothing that could be a delimiter, or is too long for one.
    """
    if len(head) > _LONGEST_HEADER:
        raise no_header()
    for length in range(1, _LONGEST_DELIMITER + 1):
        end = head[-length:]
        titles = head.split(end)
        if end == " " or any(map(str.isalnum, end)) or head.count(end[-1]) != head.count(end) * end.count(end[-1]):
            continue
        if len(set(end)) > 1 and head.count(end) == 1 < head.count(end[-1]):
            continue  # titles of signs alone, rather than one title
        if all(any(map(str.isalnum, title)) for title in titles[:-1]):
            whole = _whole(end, titles[:-1])
            # The service begins with a bar or a tab; what stands before it may also be the end of all titles.
            certain = end not in ("|", "\t") or not first or first.count(whole) >= len(titles) - 1
            return whole if certain else end
    if head.endswith(("\t", "|")):
        return head[-1]
    raise no_header()


def _whole(end: str, titles: Sequence[str]) -> str:
    """Lengthen a delimiter by the text that all titles seem to end with, which is the delimiter's own beginning."""
    if len(titles) < 2:  # noqa: PLR2004 - one title ends with anything
        return end
    ends = [title[: -_LONGEST_DELIMITER - 1 : -1] for title in titles]
    more = ""
    for one, other in zip(min(ends), max(ends), strict=False):  # what these two share, all share
        if one != other or one.isalnum():
            break
        more = one + more
    return more + end


def _trusted(lines: Sequence[str], delimiter: str, checks: Sequence[Check | None]) -> list[Check | None]:
    """The checks without those that most complete rows fail: such a title means something else in this table."""
    tidy = [line.split(delimiter) for line in lines if line.count(delimiter) == len(checks)]

    def holds(column: int, check: Check) -> bool:
        cells = [cells[column] for cells in tidy if cells[column].strip()]
        return sum(map(check, cells)) * 2 >= len(cells)

    return [check if check is not None and holds(column, check) else None for column, check in enumerate(checks)]


class TextTable:
    """Reads the text form of a table from pieces; blank lines are held back, as they may be the end of the table.

    Args:
        checks: gives for a title the function that says whether a text can be a cell under it.
        mended: takes the indices of rows that were put together, or that lack a character.
        delimiter: what closes each cell; None to find out from the header.
    """

    def __init__(self, checks: Callable[[str], Check | None], mended: list[int], delimiter: str | None = None) -> None:
        self.titles: Row | None = None
        self._checks = checks
        self._mended = mended
        self._delimiter = delimiter
        self._header: str | None = None  # while the delimiter is not known
        self._line: list[str] = []  # pieces of the line that is not complete
        self._length = 0
        self._return = ""  # a carriage return at the end of a piece: half of a line end, perhaps
        self._held: list[str] = []
        self._blank = 0  # characters of the lines held back
        self._sample: list[str] = []
        self._sampled = 0  # characters of the sample
        self._rows: Rows | None = None

    def feed(self, text: str) -> list[Row]:
        """Take the next piece of the text, and return the rows that it completes. Raises ValueError."""
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
        return self.done()

    def done(self) -> list[Row]:
        """Give out the rows that have been completed since the last time."""
        return self._rows.done() if self._rows is not None else []

    def end(self) -> list[Row]:
        """End the text, and return the rows that are left. Raises ValueError if the text stops within a row."""
        line = "".join(self._line)
        if line.strip() or (self.titles is None and self._header is None):
            self._take(line)
        rows = self._begun()
        rows.end()
        return rows.done()

    def _take(self, line: str) -> None:
        if self.titles is None and self._header is None:
            self._header = line
            if self._delimiter is not None and self._delimiter in line:
                self._name(line, self._delimiter)
            return
        if not line.strip() and (self._delimiter is None or self._delimiter not in line):
            # More than a row can have need not be kept: it ends the table, or is an error.
            if len(self._held) <= LONGEST_ROW and self._blank <= LARGEST_ROW:
                self._held.append(line)
                self._blank += len(line)
            return
        if len(self._held) > LONGEST_ROW or self._blank > LARGEST_ROW:
            raise misfit()
        if self.titles is None:
            self._name(self._header or "", self._delimiter or delimiter_of(self._header or "", line))
        held, self._held, self._blank = [*self._held, line], [], 0
        if self._rows is not None:
            for one in held:
                self._rows.take(one)
            return
        self._sample += held
        self._sampled += sum(map(len, held))
        if len(self._sample) >= _SAMPLE or self._sampled > LARGEST_ROW:
            self._begun()

    def _name(self, header: str, delimiter: str) -> None:
        if "\r" in header:
            raise Unclear("the answer is OK but the lines of its table end with carriage returns alone")
        if not header.endswith(delimiter):
            raise Unclear(f"the answer is OK but the header of its table does not end with the delimiter {delimiter!r}")
        self._delimiter = delimiter
        self.titles = tuple(header.removesuffix(delimiter).split(delimiter))

    def _begun(self) -> "Rows":
        """The rows of the table; they begin with the lines that were kept to look at what their columns hold."""
        if self._rows is None:
            if self.titles is None:
                if self._delimiter is not None:
                    raise no_header()  # it may have been cut
                self._name(self._header or "", delimiter_of(self._header or ""))
            titles, delimiter = self.titles or (), self._delimiter or ""
            checks = _trusted(self._sample[:_SAMPLE], delimiter, [self._checks(title) for title in titles])
            self._rows = Rows(delimiter, titles, checks, self._mended)
            for line in self._sample:
                self._rows.take(line)
            self._sample = []
        return self._rows
