"""The output file: CSV that replaces the old file as a whole or not at all."""

import asyncio
import csv
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TextIO

#: Rows, or seconds, after which rows go to the disk.
FLUSH_ROWS: Final = 1_000
FLUSH_SECONDS: Final = 0.5


class Sheet:
    """Writes rows into a CSV file that appears when it is complete.

    Rows go into a file ``….part`` beside it, which takes its place in `close`. Without a single row, and without
    `begin`, the old file stays as it was.

    Args:
        path: the file.
        columns: its header.
        encoding: its encoding, that of the input.
    """

    def __init__(self, path: Path, columns: Sequence[str], encoding: str) -> None:
        self._path = path
        self._part = path
        self._columns = columns
        self._encoding = encoding
        self._rows: list[Sequence[str]] = []
        self._file: TextIO | None = None
        self._writing = asyncio.Lock()
        self._flushed = time.monotonic()

    def add(self, *cells: str) -> None:
        """Add a row; `flush_if_due` brings it to the disk."""
        self._rows.append(cells)

    async def flush_if_due(self) -> None:
        """Write the rows that wait, if they are many or old. A write that has begun is finished even if cancelled."""
        if len(self._rows) >= FLUSH_ROWS or time.monotonic() - self._flushed >= FLUSH_SECONDS:
            await asyncio.shield(asyncio.create_task(self._flush()))

    async def begin(self) -> None:
        """Write the header, so that there is a file even if no row comes."""
        await asyncio.to_thread(self._write, [])

    async def discard(self) -> None:
        """Drop all rows and leave the old file as it was."""
        async with self._writing:
            await asyncio.to_thread(self._drop)

    async def close(self) -> bool:
        """Write all rows and put the file in its place; False if there was nothing to write."""
        await self._flush()
        return await asyncio.to_thread(self._put_in_place)

    async def _flush(self) -> None:
        async with self._writing:
            rows, self._rows = self._rows, []
            if rows:
                await asyncio.to_thread(self._write, rows)
            self._flushed = time.monotonic()

    # --- in a thread ---

    def _write(self, rows: list[Sequence[str]]) -> None:
        if self._file is None:
            self._file = self._begin()
            rows = [self._columns, *rows]
        write = row_writer(self._file)
        for row in rows:
            write(row)
        self._file.flush()

    def _begin(self) -> TextIO:
        self._path = self._path.resolve()  # a link stays a link
        self._part = self._path.with_name(f"{self._path.name}.part")
        self._part.unlink(missing_ok=True)
        # PINs open doors: only the owner may read them, unless the old file was open to others.
        handle = os.open(self._part, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
        if self._path.exists():
            shutil.copymode(self._path, self._part)
        return open(handle, "w", encoding=self._encoding, newline="")  # noqa: PTH123 - of a descriptor

    def _drop(self) -> None:
        if self._file is not None:
            self._file.close()
            self._part.unlink(missing_ok=True)

    def _put_in_place(self) -> bool:
        if self._file is None:
            return False
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self._path)
        return True


def row_writer(file: TextIO) -> Callable[[Sequence[str]], None]:
    """A function that writes a row of CSV; a cell may hold any line end."""
    # csv quotes a carriage return only where it is part of the line end, and CRLF is a nuisance elsewhere.
    minimal = csv.writer(file, lineterminator="\n")
    everything = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def write(row: Sequence[str]) -> None:
        (everything if any("\r" in cell for cell in row) else minimal).writerow(row)

    return write
