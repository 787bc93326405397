"""`aiorescue report`: a report as CSV, or as JSON for programs."""

import asyncio
import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer

from aiorescue import RescueClient
from aiorescue.cli import credentials, say
from aiorescue.cli.options import JsonOption
from aiorescue.cli.status import Status
from aiorescue.rescue import Report

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
    found = asyncio.run(_get(area, begin, end, node=node, timezone=timezone))
    if as_json:
        say.answer({"columns": list(found.columns), "rows": [dict(row) for row in found]})
        return Status.OK
    with _opened(output) as file:
        writer = csv.DictWriter(file, found.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
    if output is not None:
        sys.stdout.write(f"{len(found)} rows in {output}\n")
    return Status.OK


async def _get(area: str, begin: datetime, end: datetime, *, node: int, timezone: int) -> Report:
    async with RescueClient(credentials.find(), base_url=credentials.base_url()) as rescue:
        return await rescue.report(area, begin, end, node=node, timezone=timezone)


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
    else:
        with output.open("w", encoding="utf-8", newline="") as file:
            yield file
