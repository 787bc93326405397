"""The rows of a job as a table: the input's columns, then ``pin``, ``status`` and ``error``."""

import asyncio
import csv
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from aiorescue.bulk import State, StoredRow, StoreReader
from aiorescue.bulk.journal.pins import PinSet
from aiorescue.cli.bulk.customers import COLUMNS, RESULTS
from aiorescue.cli.output import one_line
from aiorescue.cli.sheet import DASH, Sheet, is_stream
from aiorescue.rescue.pins import is_pin


async def columns_of(store: StoreReader) -> tuple[str, ...]:
    """The columns of the input; those of a PIN request for a job that was not staged."""
    return await store.columns() or tuple(COLUMNS)


def cells_of(row: StoredRow, width: int) -> tuple[str, ...]:
    """The cells of a row under the columns of the input; those of its request for a job that was not staged."""
    cells = row.cells
    if not cells:
        custom = list(row.request.custom_fields or ()) if row.request is not None else []
        cells = (*(custom + [""] * (len(COLUMNS) - 1 - len(custom))), tracking_of(row))
    return (cells + ("",) * width)[:width]


def tracking_of(row: StoredRow) -> str:
    """The tracking field of a row; empty if it has none. A journal of version 1 kept it, and no other field."""
    if row.request is not None:
        return row.request.tracking or ""
    return row.key.removeprefix("=") if row.key.startswith("=") else ""


def line_of(row: StoredRow, width: int) -> tuple[str, ...]:
    """A whole line of the output."""
    return (*cells_of(row, width), row.pin or "", row.status, error_of(row))


def error_of(row: StoredRow) -> str:
    """Why a row failed or is bad, in one line; for a bad row with its line in the input. Empty for any other row."""
    if not row.error or row.state not in (State.FAILED, State.BAD):
        return ""
    return one_line(f"line {row.line}: {row.error}" if row.state is State.BAD and row.line else row.error)


async def sheet_for(store: StoreReader, output: Path, *, encoding: str = "utf-8", safe: bool = False) -> Sheet:
    """Begin the output of a job with its header, which is written to a stream at once to find out if that is possible.

    Args:
        store: the job.
        output: the file, which appears as a whole; ``-`` for stdout.
        encoding: encoding of the output.
        safe: let no cell begin like a formula.

    Raises:
        OSError: the stream cannot be written.
    """
    sheet = Sheet(output, (*await columns_of(store), *RESULTS), encoding, safe=safe)
    if await asyncio.to_thread(is_stream, output):
        try:
            await sheet.begin()
        except BaseException:
            await sheet.discard()
            raise
    return sheet


async def write(store: StoreReader, output: Path, sheet: Sheet) -> Path | None:
    """Write the rows of a job in the order of its input.

    Args:
        store: the job.
        output: the file.
        sheet: the sheet that `sheet_for` made for the file.

    Returns:
        Path to which the old file was renamed, because it may hold PINs that the job does not know; mostly None.

    Raises:
        OSError: the file cannot be written.
        errors.JournalError: the store cannot be read.
    """
    width = len(sheet.columns) - len(RESULTS)
    pins = PinSet()
    try:
        await sheet.begin()
        async for row in store.rows():
            if row.pin:
                pins.add(row.pin)
            sheet.add(*line_of(row, width))
            await sheet.flush_if_due()
        return await sheet.close(keep=lambda: _put_aside(output, pins))
    except BaseException:
        await sheet.discard()
        raise


def _put_aside(output: Path, pins: PinSet) -> Path | None:
    """Give the old output another name if it holds, or may hold, a PIN that the new one does not have. Blocks."""
    if output == DASH or is_stream(output) or not output.exists():
        return None
    try:
        if all(pin in pins for pin in _pins_in(output)):
            return None
    except ValueError:
        pass  # whatever it is, it is not lost
    names = (output.with_name(f"{output.name}.old{number}") for number in count(1))
    aside = next(name for name in names if not name.exists())
    shutil.copy2(output, aside)
    return aside


def _pins_in(output: Path) -> Iterator[str]:
    """The PINs in a file that an earlier run wrote; none in an empty file. Raises ValueError for any other file.

    A spreadsheet may have saved it again, with its own separator and without the zeros at the beginning of a PIN.
    """
    with output.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        try:
            for separator in ",;\t":
                file.seek(0)
                rows = csv.DictReader(file, delimiter=separator)
                if "pin" in (rows.fieldnames or ()):
                    break
            else:
                if output.stat().st_size:
                    raise ValueError("no column of PINs")
                return
            for row in rows:
                cell = row["pin"]
                if cell and is_pin(pin := cell.zfill(len("012345"))):
                    yield pin
        except csv.Error as problem:
            raise ValueError("no CSV that can be read") from problem


def kept_aside(output: Path, aside: Path) -> str:
    """A line that says where an old output is, which the new one does not replace."""
    return f"the old {output} may hold PINs that this job does not have; it is kept as {aside}"
