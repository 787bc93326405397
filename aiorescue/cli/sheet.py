"""The output file: CSV that replaces the old file as a whole or not at all, or goes into a stream as it comes."""

import asyncio
import csv
import errno
import os
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from aiorescue import errors, files
from aiorescue.cli import signals, stdio

#: Rows, or seconds, after which rows go to the disk.
FLUSH_ROWS: Final = 1_000
FLUSH_SECONDS: Final = 0.5
#: The name of stdin and of stdout among files.
DASH: Final = Path("-")
#: Signs by which spreadsheets know a formula, their wide forms included.
_FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - spreadsheets take them for their narrow forms
#: Names of open files; a shell puts any file, pipe or terminal behind them.
_DESCRIPTOR: Final = re.compile(r"/dev/(?:std(?:in|out|err)|fd/\d+)|/proc/[^/]+/fd/\d+")
#: How each SQLite database begins.
_DATABASE: Final = b"SQLite format 3\0"


def is_stream(path: Path) -> bool:
    """Whether an output is stdout, a pipe or a device, and not a regular file."""
    return path == DASH or files.is_stream(path)


def is_stdout(path: Path) -> bool:
    """Whether a path leads to what stdout is: ``-``, ``/dev/stdout``, a link to either, or the file behind it."""
    try:
        return path == DASH or os.path.samestat(path.stat(), os.fstat(1))
    except OSError:
        return False


def dash_if_stdout(path: Path) -> Path:
    """An output, as ``-`` where it leads to what stdout is: then nothing else goes there."""
    return DASH if is_stdout(path) else path


def is_descriptor(path: Path) -> bool:
    """Whether a path names what the process has open, as ``/dev/stdin``; another process has another file there."""
    return _DESCRIPTOR.fullmatch(os.path.abspath(path)) is not None  # noqa: PTH100 - `absolute` keeps the dots


class CsvLines:
    """Writes cells as lines of CSV.

    Args:
        file: text file that the lines go to.
        safe: let no cell begin like a formula, and escape control characters.
    """

    def __init__(self, file: Any, *, safe: bool) -> None:
        # csv quotes a carriage return only where it is part of the line end, and CRLF is a nuisance elsewhere.
        self._minimal = csv.writer(file, lineterminator="\n")
        self._everything = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        self._safe = safe

    def write(self, cells: Sequence[str]) -> None:
        """Write one line of cells, quoted as CSV needs it."""
        if self._safe:
            cells = [_safe(cell) for cell in cells]
        (self._everything if any("\r" in cell for cell in cells) else self._minimal).writerow(cells)


def _safe(cell: str) -> str:
    cell = stdio.escaped(cell)
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


class Sheet:
    """Writes rows into a CSV file that appears when it is complete.

    Rows go into a file ``….part`` beside it, with a name of its own, which takes its place in `close`. Without a single
    row, and without `begin`, the old file stays as it was. A file that cannot be replaced, such as a mount point, is
    written over when all rows are there. Stdout (``-``), pipes and devices get the rows as they come.

    Attributes:
        columns: titles of the columns.
        count: number of rows that were added.

    Args:
        path: the file.
        columns: titles of the columns, for the header.
        encoding: encoding of the file, which is that of the input.
        safe: let no cell begin like a formula; see `CsvLines`.
    """

    def __init__(self, path: Path, columns: Sequence[str], encoding: str, *, safe: bool = False) -> None:
        self._path = path
        self._part: Path | None = None  # None for a stream
        self.columns = columns
        self._encoding = encoding
        self._safe = safe
        self._rows: list[Sequence[str]] = []
        self.count = 0
        self._file: IO[str] | stdio.Data | None = None
        self._lines: CsvLines
        self._writing = asyncio.Lock()
        self._flushed = time.monotonic()
        self._is_dropped = False

    def add(self, *cells: str) -> None:
        """Add a row; `flush_if_due` brings it to the disk."""
        self._rows.append(cells)
        self.count += 1

    async def flush_if_due(self) -> None:
        """Write the rows that wait, if they are many or old. A write that has begun is finished even if cancelled."""
        if len(self._rows) >= FLUSH_ROWS or time.monotonic() - self._flushed >= FLUSH_SECONDS:
            await asyncio.shield(asyncio.create_task(self._flush()))

    async def begin(self) -> None:
        """Write the header, so that there is a file even if no row comes. A second call does nothing."""
        await asyncio.to_thread(self._write, [])

    async def discard(self) -> None:
        """Drop all rows and leave the old file as it was."""
        self._is_dropped = True
        async with self._writing:
            await asyncio.to_thread(self._drop)

    def abandon(self) -> None:
        """Remove what was written so far, as the process ends at once. Blocks."""
        if self._part is not None:
            files.discard(self._part)

    async def close(self, *, keep: Callable[[], Path | None] = lambda: None) -> Path | None:
        """Write all rows and put the file in its place.

        Args:
            keep: called in a thread when all rows are on the disk, just before the old file is replaced.

        Returns:
            What `keep` returned; None if there was nothing to write.
        """
        await self._flush()
        return await asyncio.to_thread(self._put_in_place, keep)

    async def _flush(self) -> None:
        async with self._writing:
            rows, self._rows = self._rows, []
            if rows:
                await asyncio.to_thread(self._write, rows)
            self._flushed = time.monotonic()

    # --- in a thread ---

    def _write(self, rows: list[Sequence[str]]) -> None:
        try:
            if self._file is None:
                self._file = self._begin()
                self._lines = CsvLines(self._file, safe=self._safe)
                rows = [self.columns, *rows]
            for row in rows:
                self._lines.write(row)
            self._file.flush()
        except OSError as problem:
            raise named(problem, self._path) from None

    def _begin(self) -> IO[str] | stdio.Data:
        if self._path == DASH:
            return stdio.stdout_for_data()
        if is_stream(self._path):
            return open(self._opened_stream(), "w", encoding=self._encoding, newline="")  # noqa: PTH123 - of a descriptor
        # PINs open doors: only the owner may read them, unless the old file was open to others.
        self._path = files.real(self._path)
        handle, self._part = files.make_part(self._path)
        return open(handle, "w", encoding=self._encoding, newline="")  # noqa: PTH123 - of a descriptor

    def _opened_stream(self) -> int:
        """Open a pipe or a device. A named pipe is opened once it has a reader, which `discard` ends the wait for."""
        while (handle := files.open_stream(self._path)) is None:
            if self._is_dropped:
                raise OSError(errno.ENXIO, os.strerror(errno.ENXIO), str(self._path))
            time.sleep(files.LOOK_FOR_READER)
        os.set_blocking(handle, True)
        return handle

    def _drop(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # a full disk, once more
                self._file.close()
            if self._part is not None:
                self._part.unlink(missing_ok=True)

    def _put_in_place(self, keep: Callable[[], Path | None]) -> Path | None:
        if self._file is None:
            return None
        try:
            if self._part is not None and not isinstance(self._file, stdio.Data):
                os.fsync(self._file.fileno())
            self._file.close()
            kept = keep()
            if self._part is not None:
                part, self._part = self._part, None
                files.replace(self._path, part)
        except OSError as problem:
            raise named(problem, self._path) from None
        return kept


def write_whole(path: Path, text: str) -> None:
    """Write a file of UTF-8 that replaces the old one as a whole or not at all. Blocks.

    Raises:
        OSError: the file, which the error names, cannot be written.
    """
    target = files.real(path)
    with files.naming(path):
        handle, part = files.make_part(target)
        try:
            with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123 - of a descriptor
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            files.discard(part)
            raise
        files.replace(target, part)


def named(problem: OSError, path: Path) -> OSError:
    """Add the name of the file to an error that has none, such as that of a full disk."""
    if isinstance(problem, BrokenPipeError) or problem.errno is None:
        return problem
    name = "standard output" if path == DASH else str(path)
    return OSError(problem.errno, problem.strerror, problem.filename or name)


def check_writable(path: Path, size: int) -> None:
    """Try whether a file of some size can be written in a place. Blocks, and leaves nothing behind.

    Raises:
        errors.InvalidRequest: the file that would be replaced is a database: a slip of the keyboard may name a journal.
        OSError: the file, which the error names, cannot be written.
    """
    if is_stream(path):
        return
    resolved = files.real(path)
    with files.naming(path):
        if is_database(resolved):
            raise errors.InvalidRequest(f"{path} is a database, such as a journal, and is never replaced; name another")
        with signals.deferred():
            handle, part = files.make_part(resolved, ".try")
            try:
                files.allocate(handle, size)
            finally:
                os.close(handle)
                part.unlink(missing_ok=True)


def is_database(path: Path) -> bool:
    """Whether a file is one of SQLite's, as a journal is. Raises OSError if it cannot be read."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_DATABASE)) == _DATABASE
