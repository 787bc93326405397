"""`aiorescue report`: a report as CSV or JSON."""

import csv
import io

from aiorescue.cli.status import Status

MONTH = ("report", "SESSION", "2020-01-01", "2040-01-31", "--node", "337366")


async def test_a_report_is_csv_with_its_titles(command):
    done = await command(*MONTH)
    assert (done.status, done.err) == (Status.OK, "")
    titles = next(csv.reader(io.StringIO(done.out)))
    assert {"Start Time", "Session ID"} <= set(titles)


async def test_a_report_goes_into_a_file_or_to_a_program(command, service):
    done = await command(*MONTH, "--output", "report.csv")
    assert (done.status, done.out) == (Status.OK, f"{done.out.split()[0]} rows in report.csv\n")
    text = (command.folder / "report.csv").read_text("utf-8")
    service.clock.advance(60)
    again = await command(*MONTH, "--json")
    assert again.json["columns"] == next(csv.reader(io.StringIO(text)))
    assert len(again.json["rows"]) == len(list(csv.reader(io.StringIO(text)))) - 1


async def test_an_area_that_is_none_is_refused_before_anything_is_sent(command, service):
    done = await command("report", "NONSENSE", "2026-11-01", "2026-11-30", "--node", "1")
    assert done.status == Status.BAD_INPUT
    assert "NONSENSE" in done.err
    assert service.requests.count == 0
