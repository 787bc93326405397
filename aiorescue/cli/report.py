"""`aiorescue report`: a report as CSV, or as JSON for programs."""

import asyncio
import csv
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from aiorescue import RescueClient
from aiorescue.cli import credentials, say
from aiorescue.cli.options import JsonOption
from aiorescue.cli.sheet import Sheet
from aiorescue.cli.status import Status
from aiorescue.rescue import Report, ReportStream

_Day = typer.Argument(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="A day (2026-11-01) or a moment.")


def report(
    area: Annotated[str, typer.Argument(help="What it is about: SESSION, LOGIN, CUSTOMER_SURVEY, …")],
    begin: Annotated[datetime, _Day],
    end: Annotated[datetime, _Day],
    *,
    node: Annotated[int, typer.Option(help="The id of the node that it is about.")],
    timezone: Annotated[int, typer.Option(help="The zone of its times, in minutes from UTC.")] = 0,
    output: Annotated[Path | None, typer.Option(help="Write the CSV into this file.", show_default="stdout")] = None,
    as_json: JsonOption = False,
) -> Status:
    """Get a report; the service allows one a minute."""
    wanted = {"area": area, "begin": begin, "end": end, "node": node, "timezone": timezone}
    if as_json:
        found = asyncio.run(_get(wanted))
        say.answer({"columns": list(found.columns), "rows": [dict(row) for row in found]})
        return Status.OK
    with _target(output) as target:
        count = asyncio.run(_write(wanted, target))
    if output is not None:
        sys.stdout.write(f"{count} rows in {output}\n")
    return Status.OK


@contextmanager
def _target(output: Path | None) -> Iterator[Path | TextIO]:
    """A file that is to appear whole or not at all; or what takes rows as they come, such as a pipe."""
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
    """Write the report; returns how many rows it has."""
    async with (
        RescueClient(credentials.find(), base_url=credentials.base_url()) as rescue,
        rescue.stream_report(**wanted) as rows,
    ):
        return await (_to_file(rows, target) if isinstance(target, Path) else _to_device(rows, target))


async def _to_device(rows: ReportStream, device: TextIO) -> int:
    writer = csv.DictWriter(device, rows.columns, lineterminator="\n")
    writer.writeheader()
    count = 0
    async for row in rows:
        writer.writerow(row)
        count += 1
    return count


async def _to_file(rows: ReportStream, output: Path) -> int:
    """Whole or not at all: a failure in the middle leaves the file as it was."""
    sheet = Sheet(output, rows.columns, "utf-8")
    count = 0
    try:
        await sheet.begin()
        async for row in rows:
            sheet.add(*("" if cell is None else str(cell) for cell in row.values()))
            await sheet.flush_if_due()
            count += 1
        await sheet.close()
    except BaseException:
        await sheet.discard()
        raise
    return count
