"""Standard streams that are closed, full, or speak another encoding; signals; and options that every command takes."""

import asyncio
import io
import math
import os
import shlex
import signal
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import attrs
import pytest

from aiorescue.bulk import Issued, Outage
from aiorescue.cli import stdio
from aiorescue.cli.bulk.progress import Bar, figures, waits_for
from aiorescue.cli.bulk.summary import Changes, Summary
from aiorescue.cli.bulk.tally import Tally
from aiorescue.cli.output import counted, json_text
from aiorescue.cli.status import Status
from aiorescue.errors import ConnectionFailed
from aiorescue.rescue import PinCode, RequestPinCode
from aiorescue.rescue.answers.cells import written
from tests.cli.customer_rows import rows


@pytest.mark.parametrize(
    ("redirections", "status"),
    [
        ("<&-", Status.OK),
        (">&-", Status.OK),
        ("2>&-", Status.OK),
        ("<&- >&- 2>&-", Status.OK),
        (">/dev/full", Status.BAD_INPUT),
        ("2>/dev/full", Status.OK),
    ],
)
async def test_a_stream_that_is_closed_or_full_is_no_traceback(alone, redirections, status):
    line = f"{shlex.quote(sys.executable)} -m aiorescue call closeSession --help {redirections}"
    process = await asyncio.create_subprocess_shell(
        line, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=alone.folder
    )
    _, err = await process.communicate()
    assert process.returncode == status
    assert b"Traceback" not in err
    assert err == (b"aiorescue: standard output: No space left on device\n" if status else b"")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("ending", ["2>/dev/full", "2>&1 >/dev/null | true"])
async def test_what_stderr_does_not_take_leaves_the_status_as_it_is(alone, unbuffered, ending):
    alone.write(rows(2))
    for command, status in (
        ("pins customers.csv --emulator -o -", Status.OK),
        ("job status nowhere", Status.JOURNAL),
        ("--nowhere", Status.BAD_INPUT),
    ):
        line = f"set -o pipefail; {shlex.quote(sys.executable)} -m aiorescue {command} {ending}"
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", line),
            stdout=asyncio.subprocess.DEVNULL,
            cwd=alone.folder,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
        assert await process.wait() == status


async def test_what_cannot_be_written_to_stdout_is_an_error_that_says_where_the_pins_are(alone):
    alone.write(rows(3))
    assert (await alone("pins", "customers.csv", "--emulator")).status == Status.OK
    for command, elsewhere in (
        ("pins customers.csv --emulator", "; the PINs are in pins.csv"),
        ("pins customers.csv --emulator --json", "; the PINs are in pins.csv"),
        ("job status pins.csv.journal --json", ""),
        ("job failures pins.csv.journal", ""),
        ("job export pins.csv.journal -o again.csv --json", "; the rows are in again.csv"),
        ("--version", ""),
        ("pins --help", ""),
        ("emulator --port 0", ""),
    ):
        line = f"{shlex.quote(sys.executable)} -m aiorescue {command} >/dev/full"
        process = await asyncio.create_subprocess_shell(line, stderr=asyncio.subprocess.PIPE, cwd=alone.folder)
        _, err = await process.communicate()
        assert process.returncode == Status.BAD_INPUT, command
        assert err.decode() == f"aiorescue: standard output: No space left on device{elsewhere}\n", command


async def test_a_full_folder_for_temporary_files_is_named(alone):
    alone.write(rows(300))
    command = f"ulimit -f 4 && exec {shlex.quote(sys.executable)} -m aiorescue pins customers.csv --emulator"
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", command, stderr=asyncio.subprocess.PIPE, cwd=alone.folder
    )
    _, err = await process.communicate()
    assert process.returncode == Status.BAD_INPUT
    assert err.decode() == f"aiorescue: {tempfile.gettempdir()}: File too large\n"


async def test_a_reader_who_has_gone_is_no_failure(alone):
    line = f"set -o pipefail; {shlex.quote(sys.executable)} -m aiorescue call closeSession --help | true"
    process = await asyncio.create_subprocess_exec("bash", "-c", line, stderr=asyncio.subprocess.PIPE, cwd=alone.folder)
    _, err = await process.communicate()
    assert (process.returncode in (Status.OK, Status.BROKEN_PIPE), err) == (True, b"")


@pytest.mark.parametrize("command", [("job", "export", "pins.csv.journal", "-o", "-"), ("--help",)])
async def test_to_a_reader_who_left_before_nothing_more_is_said(alone, command):
    alone.write(rows(3))
    assert (await alone("pins", "customers.csv", "-o", "pins.csv", "--emulator")).status == Status.OK
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "aiorescue", *command),
        stdout=write_end,
        stderr=asyncio.subprocess.PIPE,
        cwd=alone.folder,
    )
    os.close(write_end)
    _, err = await process.communicate()
    assert (process.returncode, err) == (Status.BROKEN_PIPE, b"")


def test_what_an_encoding_lacks_is_escaped(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, "cp1252"))
    stdio.prepare()
    stdio.write(sys.stdout, json_text({"name": "Łukasz 山田"}, sys.stdout))
    stdio.write(sys.stdout, "山")
    assert raw.getvalue() == b'{\n  "name": "\\u0141ukasz \\u5c71\\u7530"\n}\\u5c71'
    stdio.stdout_for_data().write("山")
    stdio.stdout_for_data().flush()
    assert raw.getvalue().endswith("山".encode())


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
async def test_a_signal_finishes_what_is_in_flight_and_says_how_to_go_on(command, slow_service, until, name):
    command.write(rows(60))
    process = await command.start("pins", "customers.csv", "--pin-rate", "20")
    await until(lambda: len(slow_service.ledger) >= 5)
    process.send_signal(getattr(signal, name))
    _, err = await process.communicate()
    assert process.returncode == 128 + getattr(signal, name)
    assert "To go on: aiorescue pins customers.csv" in err.decode()
    issued = {entry.tracking: entry.pin for entry in slow_service.ledger}
    assert {row["tracking"]: row["pin"] for row in command.rows() if row["pin"]} == issued, "no PIN is wasted"


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize(
    ("outage", "login_wait", "shown_wait"),
    [
        (None, None, ""),
        (Outage(ConnectionFailed("refused"), 125.0, 600.0), None, "service away, 2:05 of 10:00"),
        (Outage(ConnectionFailed("refused"), 125.0, math.inf), None, "service away, 2:05 of ∞"),
        (None, 113.0, "waiting 1:53 to log in"),
    ],
)
def test_the_display_fits_its_terminal_and_says_what_failed_what_comes_from_the_journal_and_what_it_waits_for(
    monkeypatch, width, outage, login_wait, shown_wait
):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    for name, value in {"COLUMNS": str(width), "NO_COLOR": "1", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    bar = Bar(100_000)
    job = SimpleNamespace(outage=outage, login_wait=login_wait)
    bar.show(Tally(100_000, issued=50_000, from_journal=20_000, failed=3, bad_rows=2), waits_for(job))
    bar.close()
    last = shown.getvalue().rsplit("\r", 1)[-1]
    plain = "".join(char for char in last if char.isprintable())
    assert "70005/100000" in plain
    assert "3 failed" in plain
    assert (shown_wait or "0.0 PINs/s") in plain
    assert shown_wait or width == 60 or "20000 from before" in plain
    assert len(last.split("\n")[0].replace("\x1b[2K", "")) <= width


def test_the_figures_count_bad_rows_apart_from_failed_ones():
    assert list(figures(Tally(9, issued=2, bad_rows=4), "")) == ["6/9", "0.0 PINs/s", "?:?? left", "4 bad"]
    assert list(figures(Tally(9, failed=1, bad_rows=4), "waits")) == ["5/9", "1 failed", "waits", "4 bad"]


def test_the_rate_falls_when_no_pin_comes(monkeypatch):
    tally = Tally(100)
    for moment in range(10):
        monkeypatch.setattr("time.monotonic", lambda moment=moment: 1_000.0 + moment / 10)
        tally.count(Issued(RequestPinCode(), PinCode("012345"), None, 1))
    assert tally.rate == pytest.approx(10.0)
    monkeypatch.setattr("time.monotonic", lambda: 1_011.0)
    assert tally.rate < 1


def test_before_the_journal_was_read_nothing_is_said_of_what_is_issued_or_left():
    summary = Summary(
        tally=Tally(300),
        problem=None,
        output_problem=None,
        signal=signal.SIGINT,
        refused={},
        changes=Changes(),
        label="customers.csv",
        output=Path("pins.csv"),
        written=False,
        journal=Path("pins.csv.journal"),
        page=None,
        again="aiorescue pins customers.csv",
    )
    assert list(summary.on_stderr(as_json=False)) == ["To go on: aiorescue pins customers.csv"]
    piped = attrs.evolve(summary, label="standard input", again="aiorescue pins -")
    assert list(piped.on_stderr(as_json=False)) == [
        "aiorescue: the rows came from a pipe, and the command needs them once more",
        "To go on: aiorescue pins -",
    ]
    assert list(summary.for_people()) == []
    assert summary.status == Status.INTERRUPTED


def test_one_is_one_and_two_are_several():
    assert (counted(1, "PIN"), counted(2, "PIN"), counted(0, "row is", "rows are")) == ("1 PIN", "2 PINs", "0 rows are")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(days=1, hours=2, minutes=3, seconds=4), "26:03:04"),
        (timedelta(minutes=5), "0:05:00"),
        (timedelta(seconds=-61), "-0:01:01"),
        (None, ""),
    ],
)
def test_a_duration_has_one_form_that_programs_read(value, text):
    assert written(value) == text
    assert json_text([timedelta(days=2)]) == '[\n  "48:00:00"\n]'


def test_version_and_help_have_their_usual_options(here):
    assert here("--version").out.startswith("aiorescue ")
    for group in ((), ("job",), ("pins",), ("job", "status"), ("call",), ("inforouter", "upload")):
        assert "Usage: aiorescue" in here(*group, "-h").out


def test_call_with_an_operation_and_help_shows_its_parameters(here):
    done = here("call", "startSession", "--help")
    assert done.status == Status.OK
    assert "Usage: aiorescue call startSession session=… node=…" in done.out
    assert "iSession" in done.out
    assert "whole number; required" in done.out


def test_a_password_of_a_proxy_is_no_argument(here):
    (here.folder / "customers.csv").write_text("tracking\nA\n")
    done = here("pins", "customers.csv", "--proxy", "http://me:hunter2@proxy.example.com:3128")
    assert done.status == Status.BAD_INPUT
    assert "RESCUE_PROXY" in done.err
    assert "hunter2" not in done.err


def test_verbose_logs_to_stderr(here):
    (here.folder / "customers.csv").write_text("tracking\nA\n")
    done = here("-vv", "pins", "customers.csv", "--emulator")
    assert "DEBUG aiorescue.call" in done.err
    assert "secret" not in done.err


def test_inforouter_needs_an_address(here):
    done = here("inforouter", "call", "GetDocuments", "Path=/Public")
    assert done.status == Status.BAD_INPUT
    assert "INFOROUTER_BASE_URL" in done.err
