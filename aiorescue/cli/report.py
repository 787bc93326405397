"""`aiorescue report`: gets a report as CSV, or as JSON for programs.

Without ``--output`` stdout takes the place of the file: rows are written as they come, so that a report of any length
needs little memory.
"""

import asyncio
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TextIO

import attrs
import typer

from aiorescue import RescueClient
from aiorescue.cli import credentials
from aiorescue.cli.options import JsonOption
from aiorescue.cli.output import Result
from aiorescue.cli.sheet import Sheet, row_writer
from aiorescue.rescue import Report, ReportStream
from aiorescue.rescue.answers.report import Value, written

_Day = typer.Argument(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="A day (2026-11-01) or a moment.")


@attrs.frozen
class Table(Result):
    """A report in memory, for programs.

    Attributes:
        report: columns and rows.
    """

    report: Report

    def for_programs(self) -> Any:
        """Columns, and rows as objects."""
        return {"columns": list(self.report.columns), "rows": [_plain(row) for row in self.report]}


def _plain(row: Mapping[str, Value]) -> dict[str, Any]:
    return {title: written(cell) if isinstance(cell, timedelta) else cell for title, cell in row.items()}


@attrs.frozen
class Written(Result):
    """A report that was written as CSV.

    Attributes:
        rows: how many rows it has.
        output: the file; None for stdout.
    """

    rows: int
    output: Path | None

    def for_people(self) -> Iterable[str]:
        """One line that names the file; none if stdout holds the rows."""
        return [] if self.output is None else [f"{self.rows} rows in {self.output}"]


def report(
    area: Annotated[str, typer.Argument(help="What it is about: SESSION, LOGIN, CUSTOMER_SURVEY, …")],
    begin: Annotated[datetime, _Day],
    end: Annotated[datetime, _Day],
    *,
    node: Annotated[int, typer.Option(help="The id of the node that it is about.")],
    timezone: Annotated[int, typer.Option(help="The zone of its times, in minutes from UTC.")] = 0,
    output: Annotated[Path | None, typer.Option(help="Write the CSV into this file.", show_default="stdout")] = None,
    as_json: JsonOption = False,
) -> Result:
    """Get a report; the service allows one a minute."""
    wanted = {"area": area, "begin": begin, "end": end, "node": node, "timezone": timezone}
    if as_json:
        return Table(asyncio.run(_get(wanted)))
    with _target(output) as target:
        return Written(asyncio.run(_write(wanted, target)), output)


@contextmanager
def _target(output: Path | None) -> Iterator[Path | TextIO]:
    """Where the rows go: a path for a file that appears whole or not at all, a stream for stdout, pipes and devices."""
    if output is None:
        yield sys.stdout
    elif output.exists() and not output.is_file():
        with output.open("w", encoding="utf-8", newline="") as device:
            yield device
    else:
        yield output


async def _get(wanted: Mapping[str, Any]) -> Report:
    async with RescueClient(credentials.find(), base_url=credentials.base_url()) as rescue:
        return await rescue.report(**wanted)


async def _write(wanted: Mapping[str, Any], target: Path | TextIO) -> int:
    """Write a report as CSV; returns the number of its rows."""
    async with (
        RescueClient(credentials.find(), base_url=credentials.base_url()) as rescue,
        rescue.stream_report(**wanted) as rows,
    ):
        return await (_to_file(rows, target) if isinstance(target, Path) else _to_device(rows, target))


async def _to_device(rows: ReportStream, device: TextIO) -> int:
    write = row_writer(device)
    write(rows.columns)
    count = 0
    async for row in rows:
        write([written(cell) for cell in row.values()])
        count += 1
    return count


async def _to_file(rows: ReportStream, output: Path) -> int:
    """Write a file whole or not at all: a failure in the middle leaves the old file as it was."""
    sheet = Sheet(output, rows.columns, "utf-8")
    count = 0
    try:
        await sheet.begin()
        async for row in rows:
            sheet.add(*map(written, row.values()))
            await sheet.flush_if_due()
            count += 1
        await sheet.close()
    except BaseException:
        await sheet.discard()
        raise
    return count
