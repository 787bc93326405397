"""`aiorescue pins --report`: the page tells of a run what the service saw, however the run ends, and nothing secret."""

import asyncio
import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from aiorescue import events
from aiorescue.cli.bulk.run_page.file import RunPage
from aiorescue.cli.bulk.run_page.page import Ending, RunFacts, page
from aiorescue.cli.bulk.run_page.record import RunRecord
from aiorescue.cli.bulk.tally import Tally
from aiorescue.cli.status import Status
from tests.cli.customer_rows import FAST, rows

EVIL = "<script>alert(1)</script>"
FACTS = RunFacts(
    label=EVIL,
    operation="requestPINCode",
    service="",
    rate=1.0,
    identities=1,
    version="1.2.3",
    began=datetime(2026, 11, 1, tzinfo=UTC),
)


class Page(HTMLParser):
    """A page, read as a browser does: its elements, texts by id, and tables by id."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.tables: dict[str, list[list[str]]] = {}
        self.all = ""
        self._id = self._table = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.elements.append((tag, given))
        self._id = given.get("id") or ""
        if tag == "table":
            self._table = self._id
            self.tables[self._table] = []
        elif tag == "tr":
            self.tables[self._table].append([])
        elif tag in ("td", "th"):
            self.tables[self._table][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._id = ""
        self._table = "" if tag == "table" else self._table

    def handle_data(self, data: str) -> None:
        self.all += data
        if self._table and self.tables[self._table] and self.tables[self._table][-1]:
            self.tables[self._table][-1][-1] += data
        elif self._id:
            self.texts[self._id] = data

    def column(self, table: str, number: int) -> list[str]:
        return [row[number] for row in self.tables[table][1:]]


def read(folder: Path) -> Page:
    assert [path.name for path in folder.iterdir() if path.name.endswith(".part")] == []
    return Page((folder / "run.html").read_text("utf-8"))


async def test_the_page_counts_what_the_services_ledger_and_log_have(command, service):
    command.write(rows(150) + "x" * 65 + ",CASE-X\n")
    service.limits.pin_rate = 100.0
    service.fault("unknown_word", "requestPINCode", times=2)
    service.fault("drop_after", "requestPINCode")
    service.fault("http", "requestPINCode", status=503)
    done = await command("pins", "customers.csv", "--pin-rate", "300", "--report", "run.html", "--json")
    shown = read(command.folder)
    assert (done.status, done.json["report"]) == (Status.SOME_FAILED, "run.html")
    figures = {name: int(text) for name, text in shown.texts.items() if text.isdigit()}
    for name in ("rows", "issued", "failed", "bad_rows", "left", "possibly_orphaned", "from_journal"):
        assert figures[name] == done.json[name], name
    assert figures["issued"] == len(service.ledger) - 1 == 148, "one PIN was issued and lost on the way"
    said = [entry.word for entry in service.requests]
    words = {row[0].removeprefix("requestPINCode_"): (int(row[1]), int(row[2])) for row in shown.tables["words"][1:]}
    rejected = said.count("PollRateExceeded")
    assert words.pop("PollRateExceeded") == (rejected, 0)
    assert figures["rejected"] == rejected > 0
    assert words == {"Flabbergasted": (2, 2), "HTTP 503": (1, 0), "ConnectionFailed": (1, 0)}
    assert sum(map(int, shown.column("times", 1))) == 148
    assert sum(map(int, shown.column("times", 3))) == rejected
    assert sum(map(int, shown.column("times", 4))) == 2
    identity = shown.tables["identities"][1]
    assert identity[:4] == ["auth code 1", "148", str(service.requests.count), str(rejected)]
    assert sum(map(int, shown.column("latencies", 1))) == service.requests.count
    assert 100 < sum(map(int, shown.column("waits", 1))) <= 2 * service.requests.count
    assert shown.texts["ending"] == "Done: 2 rows failed, 1 bad row."
    assert (command.folder / "run.html").stat().st_mode & 0o777 == 0o600


def links(shown: Page) -> Iterator[str | None]:
    for _, given in shown.elements:
        yield from (given[name] for name in ("src", "href", "action", "data", "srcset") if name in given)


async def test_the_page_needs_nothing_from_outside_and_holds_no_secret_and_nothing_of_a_customer(command, service):
    command.write(f"custom_field_0,tracking\n{EVIL},CASE-1\nJane,CASE-2\n", f"{EVIL.replace('/', '')}.csv")
    service.fault("unknown_word", "requestPINCode", word=EVIL)
    codes = "fixedtech0000,planted5678"
    arguments = (f"{EVIL.replace('/', '')}.csv", "--output", "pins.csv", "--report", "run.html", *FAST)
    done = await command("pins", *arguments, RESCUE_AUTH_CODE=codes)
    assert done.status == Status.SOME_FAILED
    text, shown = (command.folder / "run.html").read_text("utf-8"), read(command.folder)
    assert f"requestPINCode_{EVIL}" in shown.column("words", 0)
    assert f"PIN codes for {EVIL.replace('/', '')}.csv" in shown.all
    assert "script" not in {tag for tag, _ in shown.elements}
    assert not list(links(shown))
    assert "url(" not in text
    assert "default-src 'none'" in text
    for secret in ("fixedtech0000", "planted5678", "Jane", "CASE-2", *(entry.pin for entry in service.ledger)):
        assert secret not in text
    assert re.search(r"refused \(requestPINCode_Invalid_SecretAuthCode\)", text)


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]], ids=["once", "twice"])
async def test_an_interrupted_run_has_its_page(command, slow_service, until, signals):
    command.write(rows(60))
    process = await command.start("pins", "customers.csv", "--pin-rate", "20", "--report", "run.html")
    await until(lambda: len(slow_service.ledger) >= 5)
    if len(signals) == 2:
        slow_service.fault("delay_before", "requestPINCode", times=100, seconds=60.0)
        seen = slow_service.requests.count
        await until(lambda: slow_service.requests.count > seen)
    for number in signals:
        process.send_signal(number)
        await process.stderr.readline()
    await process.communicate()
    assert process.returncode == Status.of_signal(signals[-1])
    shown, issued = read(command.folder), len(slow_service.ledger)
    assert int(shown.texts["issued"]) == sum(map(int, shown.column("times", 1))) == issued
    left = 60 - issued
    assert shown.texts["ending"] == f"Interrupted: {left} of 60 rows are left; the same command goes on with them."


async def test_a_run_that_has_nothing_to_do_says_so(command):
    command.write(rows(3))
    await command("pins", "customers.csv", *FAST)
    await command("pins", "customers.csv", "--report", "run.html", *FAST)
    shown = read(command.folder)
    assert (shown.texts["from_journal"], shown.texts["ending"]) == ("3", "Done: every row has its PIN.")
    assert "No PIN was asked for in this run." in shown.all


async def test_a_run_that_ends_with_an_error_has_its_page(command, service):
    command.write(rows(5))
    done = await command("pins", "customers.csv", "--report", "run.html", *FAST, RESCUE_AUTH_CODE="planted5678")
    assert done.status == Status.REFUSED
    word = "requestPINCode_Invalid_SecretAuthCode"
    assert read(command.folder).texts["ending"] == f"Ended early: AuthenticationError ({word}); 5 of 5 rows are left."
    assert not service.ledger


async def test_a_run_that_never_came_to_its_rows_leaves_an_older_page_alone(command):
    command.write(rows(2))
    old = command.write("old\n", "run.html")
    command.write("dear diary\n" * 100, "notes.txt")
    done = await command("pins", "customers.csv", "--journal", "notes.txt", "--report", "run.html", *FAST)
    assert done.status == Status.JOURNAL
    assert old.read_text() == "old\n"


async def test_a_page_that_cannot_be_written_costs_no_pin_and_is_said(command, slow_service, until):
    command.write(rows(20))
    (command.folder / "pages").mkdir()
    process = await command.start("pins", "customers.csv", "--pin-rate", "20", "--report", "pages/run.html")
    await until(lambda: len(slow_service.ledger) >= 2)
    (command.folder / "pages").rmdir()
    _, err = await process.communicate()
    assert process.returncode == Status.BAD_INPUT
    assert err.decode().splitlines()[-1] == "aiorescue: pages/run.html: No such file or directory"
    assert [row["status"] for row in command.rows()] == ["issued"] * 20


@pytest.mark.parametrize("report", ["customers.csv", "pins.csv", "pins.csv.journal", ".", "nowhere/run.html", "-"])
def test_a_report_that_cannot_be_is_refused_before_anything_is_sent(here, report):
    (here.folder / "customers.csv").write_text(rows(2))
    done = here("pins", "customers.csv", "--emulator", "--report", report)
    assert (done.status, done.err.count("\n")) == (Status.BAD_INPUT, 1)
    assert [path.name for path in here.folder.iterdir()] == ["customers.csv"]


async def test_a_run_under_way_has_a_page_that_reads_itself_again(tmp_path: Path):
    writer = RunPage(tmp_path / "run.html", FACTS, interval=0)
    await writer.write_if_due(Tally(3, is_begun=True))
    shown = read(tmp_path)
    assert shown.texts["ending"] == "The run is under way."
    assert "Written at 00:00:0" in shown.all
    assert [given for tag, given in shown.elements if given.get("http-equiv") == "refresh"]
    await asyncio.to_thread(writer.finish, Tally(3, is_begun=True), Ending("Done."))
    assert "refresh" not in (tmp_path / "run.html").read_text("utf-8")


def told(at: float, identity: int) -> Iterator[events.Event]:
    """What a listener is told of one row that failed, at a moment, by another identity and for another word."""
    call: Any = {"at": at, "call": 1, "operation": "requestPINCode", "identity": f"identity {identity}"}
    word = f"Word{at}"
    yield events.Waited(**call, family="pins", seconds=at)
    yield events.AttemptEnded(
        **call,
        attempt=1,
        outcome="final",
        http_status=200,
        seconds=0.1,
        ambiguous=False,
        status=word,
        error="ServiceError",
    )
    job: Any = {"at": at, "job": "job"}
    counts: Any = {"issued": 0, "from_journal": 0, "failed": 0, "possibly_orphaned": 0}
    yield events.JobProgressed(**job, **counts, pin=False, error="ServiceError", status=word)
    yield events.OutageBegan(**job, error="away", patience=1.0)
    yield events.OutageEnded(**job, seconds=1.0)


def test_months_of_words_outages_and_identities_fit_on_a_page_of_constant_size():
    record = RunRecord()
    sizes = []
    for stage in range(2):
        for number in range(stage * 3000, stage * 3000 + 3000):
            for event in told(1e9 + 3600.0 * number, number % 500):
                record(event)
        text = page(FACTS, record, Tally(3, is_begun=True), Ending())
        sizes.append(len(text))
    assert sizes[1] < 1.1 * sizes[0] < 100_000
    shown = Page(text)
    assert sum(map(int, shown.column("times", 4))) == sum(map(int, shown.column("words", 2))) == 6000
    assert shown.column("identities", 0)[-1] == "400 others"
    assert sum(map(int, shown.column("identities", 2))) == 6000
    assert shown.texts["ending"] == "The run is under way."
