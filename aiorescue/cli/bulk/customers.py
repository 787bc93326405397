"""The input of `aiorescue pins`: a CSV file or a pipe, copied once, checked as a whole, then read row by row.

A fault of the file (not UTF-8, no column to send, a quote that is never closed) is an error that ends the command. A
fault of one row is part of that `InputRow`, and ends nothing.
"""

import csv
import io
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final, Self

import attrs

from aiorescue import errors
from aiorescue.bulk import InputRow
from aiorescue.cli.output import counted
from aiorescue.cli.sheet import DASH, is_stream, named
from aiorescue.operation import Slot, frozen
from aiorescue.operation.suggest import did_you_mean
from aiorescue.rescue import PinRequest, RequestPinCode

_BOM = b"\xef\xbb\xbf"
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
#: What else operators hand in, by its first bytes.
_NO_CSV: Final = {
    b"PK\x03\x04": "an Excel workbook, or another ZIP archive",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"\x1f\x8b": "compressed by gzip",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
    **dict.fromkeys((b'{"', b'[{"', b"{\n", b"[\n", b"{\r\n", b"[\r\n"), "JSON"),
}
#: Bytes of the first line that are looked at.
_FIRST: Final = 1_000
#: Columns that the output has behind those of the input.
RESULTS: Final = ("pin", "status", "error")


def _columns() -> Mapping[str, Slot]:
    """The slots of a PIN request that a column can fill, by the name of the column: all that hold text."""
    slots = (slot for slot in RequestPinCode.slots if slot.parameter.holds is str)
    return {re.sub(r"custom_fields\[(\d)\]", r"custom_field_\1", slot.name): slot for slot in slots}


COLUMNS = _columns()
_CUSTOM = tuple(name for name in COLUMNS if name.startswith("custom_field"))
_KNOWN = f"{_CUSTOM[0]} … {_CUSTOM[-1]}, tracking"


def headers_of(options: Iterable[str]) -> Mapping[str, str]:
    """The header of each column to send, from options ``column=header``. Raises `errors.InvalidRequest`."""
    headers: dict[str, str] = {}
    for option in options:
        name, equals, header = option.partition("=")
        if not equals or not header:
            raise errors.InvalidRequest(f"--column {option[:80]!r}: write it as --column tracking='Ticket No'")
        if name not in COLUMNS:
            near = did_you_mean(name, COLUMNS) or f"; it takes any of {_KNOWN}"
            raise errors.InvalidRequest(f"--column: there is no column {name[:80]!r}{near}")
        if name in headers or header in headers.values():
            raise errors.InvalidRequest(f"--column: {(name if name in headers else header)!r} is given twice")
        headers[name] = header
    return headers


@frozen
class Customers:
    """An input that passed the check. It is read from a copy: the file may change or vanish, and a pipe is read once.

    Attributes:
        path: path that the input was read from; ``-`` for stdin.
        columns: columns that the header names.
        sent: for each column the one of a PIN request that it fills; None for one that is only carried through.
        rows: number of rows, bad ones included.
        encoding: ``utf-8``, or ``utf-8-sig`` if the input begins with a byte order mark.
        size: bytes of the input.
    """

    path: Path
    columns: tuple[str, ...]
    sent: tuple[str | None, ...]
    rows: int
    encoding: str
    size: int
    _copy: IO[bytes] = attrs.field(repr=False)

    @classmethod
    def check(cls, path: Path, headers: Mapping[str, str] = {}) -> Self:
        """Take in a whole input and check it. Blocks.

        Args:
            path: a file, a pipe, or ``-`` for stdin.
            headers: the header of a column to send, where it is not the column's own name.

        Raises:
            errors.InvalidRequest: the input cannot be used; the message says where and why.
            OSError: the input cannot be read.
        """
        copy = _copied(path)
        try:
            return cls._checked(path, headers, copy)
        except BaseException:
            copy.close()
            raise

    @classmethod
    def _checked(cls, path: Path, headers: Mapping[str, str], copy: IO[bytes]) -> Self:
        label = label_of(path)
        first = copy.readline(_FIRST)
        _refuse_other_files(label, first)
        encoding = "utf-8-sig" if first.startswith(_BOM) else "utf-8"
        try:
            with _records(copy, encoding, label) as records:
                columns = _header(label, records)
                sent = _sent(label, columns, headers)
                rows = sum(1 for _ in records)
        except UnicodeDecodeError:
            raise errors.InvalidRequest(_not_utf8(copy, label)) from None
        if not rows:
            raise errors.InvalidRequest(f"{label}: there is a header, but no row below it")
        return cls(path, columns, sent, rows, encoding, copy.seek(0, io.SEEK_END), copy)

    def close(self) -> None:
        """Delete the copy of the input."""
        self._copy.close()

    @property
    def label(self) -> str:
        """The name of the input in messages."""
        return label_of(self.path)

    def read(self, operation: type[PinRequest], *, no_tech_console: bool) -> Iterator[InputRow]:
        """Yield the rows one by one. Blocks.

        Args:
            operation: the PIN request to make from each row.
            no_tech_console: a parameter of that request.
        """
        # Where the texts of the request stand in a row.
        custom = [self.sent.index(name) if name in self.sent else None for name in _CUSTOM]
        while custom and custom[-1] is None:
            custom.pop()
        tracking = self.sent.index("tracking") if "tracking" in self.sent else None
        width = len(self.columns)
        with _records(self._copy, self.encoding, self.label) as records:
            _header(self.label, records)
            for line, cells in records:
                if isinstance(cells, str) or len(cells) != width:
                    yield self._misshapen(line, cells)
                    continue
                texts = ["" if place is None else cells[place] for place in custom]
                key = "" if tracking is None else cells[tracking]
                request, problem = None, ""
                if key or any(texts):
                    try:
                        request = operation(custom_fields=texts, tracking=key, no_tech_console=no_tech_console)
                    except errors.InvalidRequest as refused:
                        problem = self._problem_of(cells) or str(refused)
                else:
                    problem = self._all_empty(cells)
                yield InputRow(line, tuple(cells), request, problem)

    def _misshapen(self, line: int, cells: "list[str] | str") -> InputRow:
        """A row that does not have a cell for each column."""
        width = len(self.columns)
        if isinstance(cells, str):
            return InputRow(line, ("",) * width, None, cells)
        header = f"the header names {counted(width, 'column')}"
        problem = f"the row has {counted(len(cells), 'cell')}, but {header}"
        return InputRow(line, tuple((cells + [""] * width)[:width]), None, problem)

    def _problem_of(self, cells: Sequence[str]) -> str:
        """Why a request refuses a row, by the name of the column."""
        try:
            for name, cell in zip(self.sent, cells, strict=True):
                if name is not None:
                    COLUMNS[name].parameter.check(name, cell)
        except errors.InvalidRequest as problem:
            return str(problem)
        return ""

    def _all_empty(self, cells: Sequence[str]) -> str:
        names = " and ".join(name for name in self.sent if name is not None)
        return f"nothing to send: {names} are empty" if any(cells) else "all cells are empty"


def label_of(path: Path) -> str:
    """The name of an input in messages."""
    return "standard input" if path == DASH else str(path)


def _refuse_other_files(label: str, first: bytes) -> None:
    """Refuse what is no CSV by its first line, where what the CSV reader would say of it leads nowhere."""
    for magic, kind in _NO_CSV.items():
        if first.removeprefix(_BOM).startswith(magic):
            raise errors.InvalidRequest(f"{label}: the file is {kind}; save it as CSV in UTF-8")
    for mark, plural in _SEPARATORS.items():
        if f'"{mark}"'.encode() in first and b'","' not in first:
            raise errors.InvalidRequest(f"{label}: line 1: {_separated_by(plural)}")


def _separated_by(plural: str) -> str:
    return f"the columns seem to be separated by {plural}; separate them by commas"


def _copied(path: Path) -> IO[bytes]:
    if path == DASH and sys.stdin is None:
        raise errors.InvalidRequest("standard input is closed; name a file, or pipe the rows in")
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - it goes with the last reference to it
    try:
        if path != DASH:
            with path.open("rb") as file:
                shutil.copyfileobj(file, copy)
        else:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.seek(0)
    except BaseException as problem:
        with suppress(OSError):  # closing tries again what the disk did not take
            copy.close()
        if isinstance(problem, OSError):
            raise named(problem, Path(tempfile.gettempdir())) from None
        raise
    return copy


@contextmanager
def _records(copy: IO[bytes], encoding: str, label: str) -> "Iterator[Iterator[tuple[int, list[str] | str]]]":
    """The CSV records of the copy from its beginning."""
    copy.seek(0)
    text = io.TextIOWrapper(copy, encoding, newline="")
    try:
        yield _parsed(text, label)
    finally:
        with suppress(ValueError):  # the copy was closed first, as when the journal's disk is full
            text.detach()


def _parsed(text: IO[str], label: str) -> "Iterator[tuple[int, list[str] | str]]":
    """Each CSV record with the line on which it begins: its cells, or its fault in words. Blank lines are skipped."""
    reader = csv.reader(text, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            # csv.Error has no code: only its message tells a fault within a record from a record without end.
            if "expected after" in str(problem):
                yield line, 'a quoted cell goes on after its closing quote; write "" for a quote within'
            elif "field larger" in str(problem) and reader.line_num == line:
                yield line, f"a cell is longer than {csv.field_size_limit():,} characters"
            else:
                too_long = f", or a cell is longer than {csv.field_size_limit():,} characters"
                fault = f"a quote is opened and never closed{too_long if 'field larger' in str(problem) else ''}"
                raise errors.InvalidRequest(f"{label}: line {line}: {fault}") from None
            continue
        if cells:
            yield line, cells


def _header(label: str, records: "Iterator[tuple[int, list[str] | str]]") -> tuple[str, ...]:
    first = next(records, None)
    if first is None:
        raise errors.InvalidRequest(f"{label}: the file is empty; its first line names the columns, any of {_KNOWN}")
    line, names = first
    if isinstance(names, str):
        raise errors.InvalidRequest(f"{label}: line {line}: {names}")
    for index, name in enumerate(names):
        fault = _fault_of(name, index, names)
        if fault:
            raise errors.InvalidRequest(f"{label}: line {line}: {fault}")
    return tuple(names)


def _fault_of(name: str, index: int, names: Sequence[str]) -> str:
    if "\0" in name:
        return "it has NUL characters, as UTF-16 has; save the file as UTF-8"
    for mark, plural in _SEPARATORS.items():
        if len(names) == 1 and mark in name:
            return _separated_by(plural)
    if not name.strip():
        return f"column {index + 1} has no name; the header names the columns, any of {_KNOWN}"
    if name in names[:index]:
        return f"there are two columns {name[:80]}"
    if name in RESULTS:
        return f"column {name!r} has the name of a column that the output adds; rename it"
    return ""


def _sent(label: str, columns: Sequence[str], headers: Mapping[str, str]) -> tuple[str | None, ...]:
    """The column of a PIN request that each column of the input fills. Raises `errors.InvalidRequest`."""
    missing = [header for header in headers.values() if header not in columns]
    if missing:
        near = did_you_mean(missing[0], columns) or f"; the header names {', '.join(columns)[:200]}"
        raise errors.InvalidRequest(f"{label}: there is no column {missing[0][:80]!r}{near}")
    by_header = {name: name for name in COLUMNS if name not in headers}
    by_header |= {header: name for name, header in headers.items()}
    sent = tuple(map(by_header.get, columns))
    for name, column in zip(columns, sent, strict=True):
        # A misspelt name would leave its cells unsent.
        near = "" if column or headers else did_you_mean(name, COLUMNS)
        if near:
            raise errors.InvalidRequest(f"{label}: line 1: unknown column {name[:80]!r}{near}")
        # Beside headers of the user's own only one that differs in capitals and blanks is a misspelt one.
        known = "_".join(name.casefold().split())
        if column is None and known in COLUMNS.keys() - set(sent):
            raise errors.InvalidRequest(
                f"{label}: line 1: unknown column {name[:80]!r}; did you mean {known}? rename it,"
                f" or send it with --column {known}={shlex.quote(name[:80])}"
            )
    if not any(sent):
        raise errors.InvalidRequest(
            f"{label}: line 1: unknown column {columns[0][:80]!r}; the columns are any of {_KNOWN};"
            f" send one of yours with --column {_CUSTOM[0]}={shlex.quote(columns[0][:80])}"
        )
    return sent


def _not_utf8(copy: IO[bytes], label: str) -> str:
    offset = 0
    copy.seek(0)
    for number, line in enumerate(copy, 1):
        try:
            line.decode()
        except UnicodeDecodeError as problem:
            where = f"byte {offset + problem.start} (0x{line[problem.start]:02X})"
            return f"{label}: line {number}: {where} is not UTF-8; save the file as UTF-8"
        offset += len(line)
    return f"{label}: the file is not UTF-8"


def job_label(path: Path) -> str:
    """The name of the input within the name of a job: the file's name, or "a pipe", whose own name would change."""
    # By its bytes: a journal cannot keep what is not UTF-8, and another locale must not make it another job.
    return "a pipe" if is_stream(path) else os.fsencode(path.name).decode("utf-8", "backslashreplace")
