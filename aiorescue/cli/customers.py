"""The input of `aiorescue pins`: a CSV file, checked as a whole before a request leaves, then read in chunks.

A fault of the file (not UTF-8, an unknown column, a quote that is never closed) is an error that ends the command. A
fault of one row is part of that `Row`, and ends nothing.
"""

import asyncio
import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, Self

import attrs

from aiorescue import errors
from aiorescue.cli.suggest import did_you_mean
from aiorescue.operation import Slot
from aiorescue.rescue import PinRequest, RequestPinCode

#: Rows that a thread reads at once.
CHUNK: Final = 500
_BOM = b"\xef\xbb\xbf"
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def _columns() -> Mapping[str, Slot]:
    """The slots of a PIN request that a column can fill, by the name of the column: all that hold text."""
    slots = (slot for slot in RequestPinCode.slots if slot.parameter.holds is str)
    return {re.sub(r"custom_fields\[(\d)\]", r"custom_field_\1", slot.name): slot for slot in slots}


COLUMNS = _columns()
_CUSTOM = tuple(name for name in COLUMNS if name.startswith("custom_field"))
_KNOWN = f"{_CUSTOM[0]} … {_CUSTOM[-1]}, tracking"


@attrs.frozen
class Row:
    """One row of the input.

    Attributes:
        line: the line of the file on which it begins, from 1.
        cells: its cells, as many as there are columns.
        request: the request for its PIN, or None if the row is bad.
        problem: why the row is bad, with line and field; empty if it is good.
    """

    line: int
    cells: tuple[str, ...]
    request: PinRequest | None
    problem: str = ""


@attrs.frozen
class Customers:
    """A CSV file of customers that passed the check.

    Attributes:
        path: the file.
        columns: the columns that its header names.
        rows: the number of its rows, bad ones included.
        encoding: ``utf-8``, or ``utf-8-sig`` if it begins with a byte order mark.
    """

    path: Path
    columns: tuple[str, ...]
    rows: int
    encoding: str

    @classmethod
    def check(cls, path: Path) -> Self:
        """Check a whole file. Blocks.

        Raises:
            errors.InvalidRequest: the file cannot be used; the message says where and why.
            OSError: the file cannot be read.
        """
        with path.open("rb") as raw:
            encoding = "utf-8-sig" if raw.read(len(_BOM)) == _BOM else "utf-8"
        try:
            records = _records(path, encoding)
            columns = _header(path, records)
            rows = sum(1 for _ in records)
        except UnicodeDecodeError:
            raise errors.InvalidRequest(_not_utf8(path)) from None
        if not rows:
            raise errors.InvalidRequest(f"{path}: there is a header, but no row below it")
        return cls(path, columns, rows, encoding)

    def read(self, operation: type[PinRequest], *, no_tech_console: bool) -> Iterator[Row]:
        """Yield the rows one by one. Blocks.

        Args:
            operation: the PIN request to make from each row.
            no_tech_console: a parameter of that request.
        """
        records = _records(self.path, self.encoding)
        _header(self.path, records)
        for line, cells in records:
            yield self._row(line, cells, operation, no_tech_console=no_tech_console)

    def _row(self, line: int, cells: "list[str] | str", operation: type[PinRequest], *, no_tech_console: bool) -> Row:
        width = len(self.columns)
        if isinstance(cells, str):
            return Row(line, ("",) * width, None, f"line {line}: {cells}")
        whole = tuple((cells + [""] * width)[:width])
        if len(cells) != width:
            return Row(
                line, whole, None, f"line {line}: the row has {len(cells)} cells, but the header names {width} columns"
            )
        if not any(cells):
            return Row(line, whole, None, f"line {line}: all cells are empty")
        values = dict(zip(self.columns, cells, strict=True))
        try:
            for name, value in values.items():
                COLUMNS[name].parameter.check(name, value, f"line {line}")
            request = operation(
                custom_fields=_custom_fields(values),
                tracking=values.get("tracking", ""),
                no_tech_console=no_tech_console,
            )
        except errors.InvalidRequest as problem:
            return Row(line, whole, None, str(problem))
        return Row(line, whole, request)


def _custom_fields(values: Mapping[str, str]) -> Sequence[str]:
    given = [index for index, name in enumerate(_CUSTOM) if name in values]
    return [values.get(name, "") for name in _CUSTOM[: given[-1] + 1]] if given else []


def _records(path: Path, encoding: str) -> "Iterator[tuple[int, list[str] | str]]":
    """Each CSV record with the line on which it begins: its cells, or its fault in words. Blank lines are skipped."""
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as problem:
                # csv.Error has no code: only its message tells a fault within a record from a record without end.
                if "expected after" not in str(problem):
                    raise errors.InvalidRequest(f"{path}: line {line}: a quote is opened and never closed") from None
                yield line, 'a quoted cell goes on after its closing quote; write "" for a quote within'
                continue
            if cells:
                yield line, cells


def _header(path: Path, records: "Iterator[tuple[int, list[str] | str]]") -> tuple[str, ...]:
    first = next(records, None)
    if first is None:
        raise errors.InvalidRequest(f"{path}: the file is empty; its first line names the columns, any of {_KNOWN}")
    line, names = first
    if isinstance(names, str):
        raise errors.InvalidRequest(f"{path}: line {line}: {names}")
    for index, name in enumerate(names):
        if name not in COLUMNS:
            raise errors.InvalidRequest(f"{path}: line {line}: {_unknown(name, names)}")
        if name in names[:index]:
            raise errors.InvalidRequest(f"{path}: line {line}: there are two columns {name}")
    return tuple(names)


def _unknown(name: str, names: Sequence[str]) -> str:
    for mark, plural in _SEPARATORS.items():
        if len(names) == 1 and mark in name:
            return f"the columns seem to be separated by {plural}; separate them by commas"
    if not name.strip():
        return f"column {names.index(name) + 1} has no name; the header names the columns, any of {_KNOWN}"
    return f"unknown column {name[:80]!r}{did_you_mean(name, COLUMNS) or f'; the columns are any of {_KNOWN}'}"


def _not_utf8(path: Path) -> str:
    offset = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError as problem:
                where = f"byte {offset + problem.start} (0x{line[problem.start]:02X})"
                return f"{path}: line {number}: {where} is not UTF-8; save the file as UTF-8"
            offset += len(line)
    return f"{path}: the file is not UTF-8"


class Chunks:
    """Rows of a blocking iterator for the event loop: a thread reads them in chunks.

    Not an async generator, because a task that waits for a row may be cancelled, and the next task must get that row.

    Args:
        rows: the iterator.
    """

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self._ready: list[Row] = []
        self._reading: asyncio.Task[list[Row]] | None = None

    async def next(self) -> Row | None:
        """The next row; None behind the last one."""
        if not self._ready:
            if self._reading is None:
                self._reading = asyncio.create_task(asyncio.to_thread(lambda: list(islice(self._rows, CHUNK))))
            chunk = await asyncio.shield(self._reading)
            self._reading = None
            self._ready = chunk[::-1]
        return self._ready.pop() if self._ready else None
