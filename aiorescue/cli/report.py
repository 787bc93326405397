"""`aiorescue report`: gets a report as CSV, or as JSON for programs.

Without ``--output`` stdout takes the place of the file: rows are written as they come, so that a report of any length
needs little memory.
"""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from aiorescue.cli import credentials, signals
from aiorescue.cli.options import JsonOption, SafeOption
from aiorescue.cli.output import CommandResult, RowsWritten
from aiorescue.cli.sheet import DASH, Sheet, check_writable, dash_if_stdout
from aiorescue.operation import frozen
from aiorescue.rescue import Report, ReportArea, ReportStream
from aiorescue.rescue.answers.cells import written


def _day_or_moment(text: str) -> date:
    """A day as a `date`, which as the end of a report includes its last second; a moment as a `datetime`."""
    try:
        return datetime.fromisoformat(text) if "T" in text.upper() else date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither a day (2026-11-01) nor a moment (2026-11-01T08:00:00)") from None


_Area = typer.Argument(
    metavar="AREA",
    help="What it is about: SESSION, LOGIN, CUSTOMER_SURVEY, …",
    autocompletion=lambda incomplete: [one.name for one in ReportArea if one.name.startswith(incomplete)],
)
_Begin = typer.Argument(
    metavar="BEGIN", parser=_day_or_moment, help="The first day (2026-11-01), or a moment (2026-11-01T08:00:00)."
)
_End = typer.Argument(metavar="END", parser=_day_or_moment, help="The last day, all of it, or a moment.")


@frozen
class WholeReport(CommandResult):
    """A report in memory, for programs.

    Attributes:
        report: columns and rows.
    """

    report: Report

    def for_programs(self) -> Any:
        """Columns, and rows as objects."""
        return {"columns": list(self.report.columns), "rows": [dict(row) for row in self.report]}


def report(
    area: Annotated[str, _Area],
    begin: Annotated[date, _Begin],
    end: Annotated[date, _End],
    *,
    node: Annotated[int, typer.Option(help="The id of the node that it is about.")],
    timezone: Annotated[int, typer.Option(help="The zone of its times, in minutes from UTC.")] = 0,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Write the CSV into this file.", show_default="stdout")
    ] = DASH,
    safe_csv: SafeOption = False,
    as_json: JsonOption = False,
) -> CommandResult:
    """Get a report; the service allows one a minute."""
    output = dash_if_stdout(output)
    wanted = {"area": area, "begin": begin, "end": end, "node": node, "timezone": timezone}
    if as_json and output == DASH:
        return WholeReport(signals.run(_get(wanted)))
    return RowsWritten(signals.run(_write(wanted, output, safe=safe_csv)), None if output == DASH else output)


async def _get(wanted: Mapping[str, Any]) -> Report:
    async with credentials.client(credentials.find(), credentials.base_url()) as rescue:
        return await rescue.report(**wanted)


async def _write(wanted: Mapping[str, Any], output: Path, *, safe: bool) -> int:
    """Write a report as CSV; returns the number of its rows."""
    if output != DASH:
        check_writable(output, 0)
    async with (
        credentials.client(credentials.find(), credentials.base_url()) as rescue,
        rescue.stream_report(**wanted) as rows,
    ):
        return await _to_sheet(rows, Sheet(output, rows.columns, "utf-8", safe=safe))


async def _to_sheet(rows: ReportStream, sheet: Sheet) -> int:
    """Write a file whole or not at all: a failure in the middle leaves the old file as it was."""
    try:
        await sheet.begin()
        async for row in rows:
            sheet.add(*map(written, row.values()))
            await sheet.flush_if_due()
        await sheet.close()
    except BaseException:
        await sheet.discard()
        raise
    return sheet.count
