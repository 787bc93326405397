"""`aiorescue report`: a report as CSV or JSON."""

import csv
import io
from datetime import date, time
from pathlib import Path

import pytest

from aiorescue.cli.status import Status
from tests.lab.report_pages import MIB, chunked, reports, whole, xml

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
    figures = await command(*MONTH, "--json", "--output", "again.csv")
    assert figures.json == {
        "rows": len(list(csv.reader(io.StringIO(text)))) - 1,
        "output": "again.csv",
        "exit_status": 0,
    }
    assert command.folder.joinpath("again.csv").read_bytes().decode() == text
    service.clock.advance(60)
    again = await command(*MONTH, "--json")
    assert again.json["columns"] == next(csv.reader(io.StringIO(text)))
    assert len(again.json["rows"]) == len(list(csv.reader(io.StringIO(text)))) - 1


@pytest.mark.parametrize(
    ("begin", "end", "times"),
    [
        ("2026-11-01", "2026-11-30", (time(0), time(23, 59, 59))),
        ("2026-11-01T08:00:00", "2026-11-30T17:30", (time(8), time(17, 30))),
        ("2026-11-01T13:00:00+01:00", "2026-11-30T12:00Z", (time(8), time(8))),  # in the zone of the report
    ],
)
async def test_the_last_day_of_a_report_is_in_it_and_a_moment_is_exact(command, service, begin, end, times):
    done = await command("report", "SESSION", begin, end, "--node", "337366", "--timezone", "-240")
    assert (done.status, done.err) == (Status.OK, "")
    assert service.requests.by_operation["getReport_v2"] == 1
    found = service.state.settings.of(service.state.users["tech@example.com"])
    assert (found.begin, found.end, found.timezone) == (date(2026, 11, 1), date(2026, 11, 30), -240)
    assert (found.begin_time, found.end_time) == times


@pytest.mark.parametrize("day", ["2026-11-31", "yesterday", "2026-11-01T25:00"])
async def test_what_is_no_day_is_refused_by_name(command, service, day):
    done = await command("report", "SESSION", "2026-11-01", day, "--node", "1")
    assert (done.status, service.requests.count) == (Status.BAD_INPUT, 0)
    assert f"'{day}' is neither a day (2026-11-01) nor a moment" in done.err
    assert done.err.count("\n") == 1


async def test_an_area_that_is_none_is_refused_before_anything_is_sent(command, service):
    done = await command("report", "NONSENSE", "2026-11-01", "2026-11-30", "--node", "1")
    assert done.status == Status.BAD_INPUT
    assert "NONSENSE" in done.err
    assert service.requests.count == 0


async def test_a_long_report_appears_whole(command):
    async with reports(chunked(xml(2 * MIB))) as service:
        done = await command(*MONTH, "--output", "report.csv", RESCUE_BASE_URL=service.url)
        assert (done.status, done.err) == (Status.OK, "")
        printed = await command(*MONTH, RESCUE_BASE_URL=service.url)
    rows = command.rows("report.csv")
    assert [int(row["Session ID"]) for row in rows] == list(range(len(rows)))
    assert done.out == f"{len(rows)} rows in report.csv\n"
    assert printed.out == (command.folder / "report.csv").read_text("utf-8")


async def test_one_that_fails_in_the_middle_leaves_the_file_as_it_was(command):
    path = command.write("old\n", "report.csv")
    async with reports(whole(xml(2 * MIB, end=""))) as service:
        done = await command(*MONTH, "--output", "report.csv", RESCUE_BASE_URL=service.url)
    assert done.status == Status.SERVICE
    assert "getReport_v2" in done.err
    assert path.read_text() == "old\n"
    assert [one.name for one in command.folder.iterdir()] == ["report.csv"]


async def test_a_report_without_rows_is_its_header(command):
    async with reports(whole("OK\n\nSession ID|Name|\n")) as service:
        done = await command(*MONTH, "--output", "report.csv", RESCUE_BASE_URL=service.url)
    assert done.out == "0 rows in report.csv\n"
    assert (command.folder / "report.csv").read_text() == "Session ID,Name\n"


async def test_what_is_no_file_takes_the_rows_as_they_come(command):
    async with reports(whole(xml(2_000))) as service:
        done = await command(*MONTH, "--output", "/dev/null", RESCUE_BASE_URL=service.url)
    assert (done.status, done.err) == (Status.OK, "")
    assert not Path("/dev/null").is_file()


ODD = (
    "OK\n\n<r><header><field id='0'>Name</field><field id='1'>Total Time</field></header><data>"
    "<row><field id='0'>one&#xD;two</field><field id='1'>1.02:03:04</field></row>"
    "<row><field id='0'>b</field><field id='1'>0:05:00</field></row></data></r>"
)


async def test_a_carriage_return_in_a_cell_makes_no_second_row_wherever_it_is_written(command):
    async with reports(whole(ODD)) as service:
        printed = await command(*MONTH, RESCUE_BASE_URL=service.url)
        await command(*MONTH, "--output", "report.csv", RESCUE_BASE_URL=service.url)
    assert '"one\rtwo"' in printed.out
    assert printed.out == (command.folder / "report.csv").read_bytes().decode()


async def test_durations_have_one_form_however_long_they_are(command):
    async with reports(whole(ODD)) as service:
        printed = await command(*MONTH, RESCUE_BASE_URL=service.url)
        data = await command(*MONTH, "--json", RESCUE_BASE_URL=service.url)
    assert [line.rpartition(",")[2].strip('"') for line in printed.out.split("\n")[1:3]] == ["26:03:04", "0:05:00"]
    assert [row["Total Time"] for row in data.json["rows"]] == ["26:03:04", "0:05:00"]
