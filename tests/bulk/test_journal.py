"""The journal: what it refuses, what survives, and a job killed with -9 many times over."""

import asyncio
import json
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import product
from pathlib import Path

import pytest

from aiorescue import AuthCode, RescueClient, errors
from aiorescue.bulk import issue
from aiorescue.bulk.group_commit import FULL
from aiorescue.bulk.journal import Journal, notes, statements
from aiorescue.bulk.journal.file import JournalFile
from aiorescue.bulk.journal.reading import JournalReader
from aiorescue.bulk.journal.rows import admit
from aiorescue.bulk.store import InputRow, State
from aiorescue.emulator import Emulator
from aiorescue.errors import JournalReason
from aiorescue.rescue import RequestPinCode

CODE = AuthCode("fixedtech0000")


async def run(service: Emulator, journal: Path, requests, **options) -> list:
    async with RescueClient(CODE, base_url=service.url, pace=None) as client:
        return [issued async for issued in issue(client, requests, journal=journal, **options)]


async def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(service: Emulator, tmp_path: Path):
    path = tmp_path / "customers.csv"
    path.write_text("custom_field_0,tracking\nJane,CASE-1\n" * 100)
    before = path.read_bytes()
    with pytest.raises(errors.JournalError, match=r"customers\.csv: file is not a database") as refused:
        await run(service, path, [RequestPinCode()])
    assert refused.value.reason is JournalReason.NO_DATABASE
    assert path.read_bytes() == before
    assert service.requests.count == 0


async def test_a_database_of_another_program_is_refused_and_left_as_it_is(service: Emulator, tmp_path: Path):
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE job (name TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(errors.JournalError, match="a database of another program") as refused:
        await run(service, path, [RequestPinCode()])
    assert refused.value.reason is JournalReason.OTHER_PROGRAM
    assert path.read_bytes() == before


async def test_a_journal_of_another_job_is_refused(service: Emulator, tmp_path: Path):
    path = tmp_path / "pins.journal"
    await run(service, path, [RequestPinCode(tracking="CASE-1")], job="January")
    with pytest.raises(errors.JournalError, match=r"'January'.*'February'") as refused:
        await run(service, path, [RequestPinCode(tracking="CASE-2")], job="February")
    assert refused.value.reason is JournalReason.OTHER_JOB
    assert service.requests.count == 1


async def test_a_request_with_other_fields_under_the_same_tracking_is_refused(service: Emulator, tmp_path: Path):
    path = tmp_path / "pins.journal"
    await run(service, path, [RequestPinCode(tracking="CASE-1", custom_fields=["Jane"])])
    with pytest.raises(errors.JournalError, match="other fields") as refused:
        await run(service, path, [RequestPinCode(tracking="CASE-1", custom_fields=["John"])])
    assert refused.value.reason is JournalReason.OTHER_FIELDS
    assert str(refused.value) == f"{refused.value.finding}. Use another journal"
    assert service.requests.count == 1


async def test_requests_without_a_name_keep_their_pins_when_others_come_in_between(service: Emulator, tmp_path: Path):
    path = tmp_path / "pins.journal"
    jane, john, blank = (RequestPinCode(custom_fields=[name]) for name in ("Jane", "John", ""))
    first = await run(service, path, [jane, blank, john, blank])
    second = await run(service, path, [blank, jane, RequestPinCode(custom_fields=["Joe"]), blank, john, blank])
    assert len(service.ledger) == 4 + 2
    known = sorted(issued.pin.code for issued in second if issued.resumed)
    assert known == sorted(issued.pin.code for issued in first)
    assert sorted(issued.position for issued in second if not issued.resumed) == [2, 5]


async def test_a_tracking_field_that_looks_like_a_position_is_a_tracking_field(service: Emulator, tmp_path: Path):
    path = tmp_path / "pins.journal"
    results = await run(service, path, [RequestPinCode(), RequestPinCode(tracking="#0")])
    assert [issued.error for issued in results] == [None, None]


async def test_a_journal_in_use_is_refused(tmp_path: Path):
    path = tmp_path / "pins.journal"
    one, two = Journal(path, "job"), Journal(path, "job")
    await one.open()
    with pytest.raises(errors.JournalError, match="in use by another process") as refused:
        await two.open()
    assert refused.value.reason is JournalReason.IN_USE
    await one.close()


async def test_only_the_owner_may_read_the_journal(tmp_path: Path):
    path = tmp_path / "pins.journal"
    journal = Journal(path, "job")
    await journal.open()
    await journal.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_waiting_writes_share_a_commit(tmp_path: Path):
    journal = Journal(tmp_path / "pins.journal", "job")
    await journal.open()
    await journal.admit([RequestPinCode(tracking=f"{number}") for number in range(500)])
    commits = 0
    commit = journal._commits._commit

    def count(group):
        nonlocal commits
        commits += 1
        return commit(group)

    journal._commits._commit = count
    await asyncio.gather(*(journal.given_back(f"={number}", 0) for number in range(500)))
    await journal.close()
    assert commits <= 500 / FULL + 1


async def test_what_is_awaited_is_on_the_disk(tmp_path: Path):
    journal = Journal(tmp_path / "pins.journal", "job")
    await journal.open()
    await journal.admit([RequestPinCode(tracking="a"), RequestPinCode(tracking="b")])
    await journal.sent("=a")
    await journal.issued("=a", "012345", 1)
    copies = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    for path, content in zip(sorted(tmp_path.iterdir()), copies, strict=True):
        (tmp_path / path.name.replace("pins", "copy")).write_bytes(content)
    await journal.close()
    after = Journal(tmp_path / "copy.journal", "job")
    await after.open()
    entries = await after.admit([RequestPinCode(tracking="a"), RequestPinCode(tracking="b")])
    assert [(entry.state, entry.pin, entry.orphans) for entry in entries] == [
        (State.ISSUED, "012345", 1),
        (State.ADMITTED, None, 0),
    ]
    await after.close()


async def test_what_waits_to_be_written_is_written_before_the_journal_closes(tmp_path: Path):
    journal = Journal(tmp_path / "pins.journal", "job")
    await journal.open()
    entries = await journal.admit([RequestPinCode(tracking="a")])
    writing = [asyncio.ensure_future(work) for work in (journal.sent("=a"), journal.issued("=a", "012345", 0))]
    await asyncio.sleep(0)
    for task in writing:
        task.cancel()
    await journal.close()
    again = Journal(tmp_path / "pins.journal", "job")
    await again.open()
    assert [entry.pin for entry in await again.admit([RequestPinCode(tracking="a")])] == ["012345"]
    assert entries[0].state is State.ADMITTED
    await again.close()


async def test_a_journal_that_was_cancelled_while_it_opened_is_not_left_locked(tmp_path: Path):
    opening = asyncio.ensure_future(Journal(tmp_path / "pins.journal", "job").open())
    await asyncio.sleep(0)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    again = Journal(tmp_path / "pins.journal", "job")
    await again.open()
    await again.close()


async def test_a_journal_that_is_made_while_we_look_at_it_is_no_other_programs(tmp_path: Path, monkeypatch):
    path = tmp_path / "pins.journal"

    class Slow(sqlite3.Connection):
        def execute(self, statement, *values):
            if statement.startswith("SELECT count"):  # it has looked at one thing, and not yet at the second
                monkeypatch.undo()
                with suppress(errors.JournalError):  # in use
                    other.open()
                other.close()
            return super().execute(statement, *values)

    other, journal = JournalFile(path, "job", accept_loss=False), Journal(path, "job")
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Slow))
    await journal.open()
    await journal.close()


async def test_a_write_after_a_failure_of_the_disk_is_a_journal_error(tmp_path: Path):
    journal = Journal(tmp_path / "pins.journal", "job")
    await journal.open()
    journal._file.connection.execute("DROP TABLE request")
    with pytest.raises(errors.JournalError, match="no such table") as failed:
        await journal.sent("=a")
    assert failed.value.reason is JournalReason.FAILED
    await journal.close()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[JournalFile]:
    file = JournalFile(tmp_path / "pins.journal", "job", accept_loss=False)
    file.open()
    yield file
    file.close()


ONE, OTHER = RequestPinCode(tracking="one"), RequestPinCode(tracking="other")


def orphans_of(file: JournalFile, key: str) -> int:
    return file.connection.execute("SELECT orphans FROM request WHERE key = ?", (key,)).fetchone()[0]


def test_a_row_that_vanishes_while_the_job_runs_is_named(file: JournalFile):
    file.commit([lambda file: admit(file, [ONE, OTHER])])
    file.connection.execute("DELETE FROM request WHERE key = '=one'")
    with pytest.raises(errors.JournalError, match=r"'one'.* is gone"):
        file.commit([("=one", notes.sent)])
    with pytest.raises(errors.JournalError, match=r"'one'.* is gone"):
        file.commit([("=one", notes.sent)])
    file.commit([("=other", notes.sent)])


def test_an_attempt_whose_note_was_not_written_counts_no_orphan(file: JournalFile):
    file.commit([lambda file: admit(file, [ONE])])
    with pytest.raises(errors.JournalError, match="'gone'"):
        file.commit([("=one", notes.sent), ("=gone", notes.sent)])
    file.commit([("=one", notes.sent)])
    assert orphans_of(file, "=one") == 0
    file.commit([("=one", notes.sent)])
    assert orphans_of(file, "=one") == 1


def test_notes_of_one_row_in_one_commit_are_written_in_their_order(file: JournalFile):
    file.commit([lambda file: admit(file, [ONE])])
    file.commit([("=one", notes.sent), ("=one", notes.issued("012345", 0, 1.0)), ("=one", notes.given_back(2))])
    assert orphans_of(file, "=one") == 2
    file.commit([("=one", notes.sent)])
    assert orphans_of(file, "=one") == 2


NOTES = (notes.sent, notes.issued("012345", 1, 1700000000.25), notes.failed("it's \u1234", 2), notes.given_back(3))


@pytest.mark.parametrize("at_once", [1, 3])
def test_whatever_is_noted_of_rows_their_checksums_are_right(file: JournalFile, at_once: int):
    ways = list(product(NOTES, repeat=3))
    requests = [RequestPinCode(tracking=f"it's \xe9 \u1234 {n}") for n in range(len(ways))]
    entries = file.commit([lambda file: admit(file, requests)])[0]
    assert file.connection.execute(statements.WRONG).fetchone() is None
    for start in range(0, 3, at_once):
        some = ((entry, way[start : start + at_once]) for entry, way in zip(entries, ways, strict=True))
        file.commit([(entry.key, note) for entry, notes_of_it in some for note in notes_of_it])
        assert file.connection.execute(statements.WRONG).fetchone() is None
        states = file.connection.execute("SELECT DISTINCT state FROM request").fetchall()
        assert len(states) == len(NOTES)


async def test_a_request_that_was_admitted_before_an_input_was_staged_is_a_duplicate_behind_it(tmp_path: Path):
    async with Journal(tmp_path / "pins.journal", "job") as journal:
        assert [entry.duplicate for entry in await journal.admit([ONE, ONE])] == [False, True]
        await journal.stage([InputRow(2, (), OTHER)])
        assert [entry.duplicate for entry in await journal.admit([ONE, OTHER, OTHER])] == [True, False, True]


WORKER = """
import asyncio, json, sys
from aiorescue import AuthCode, RescueClient
from aiorescue.bulk import issue
from aiorescue.bulk.group_commit import FULL
from aiorescue.rescue import RequestPinCode

async def main(url, journal, count):
    async with RescueClient(AuthCode("fixedtech0000"), base_url=url, pace=None) as client:
        work = (RequestPinCode(tracking=f"CASE-{n}") for n in range(count))
        async for issued in issue(client, work, journal=journal, in_flight=8):
            print(json.dumps([issued.request.tracking, issued.pin.code]), flush=True)

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


async def test_killed_again_and_again_no_pin_that_was_yielded_is_lost(service: Emulator, tmp_path: Path):
    journal, count, kills = tmp_path / "pins.journal", 400, 12
    service.latency = 0.01
    yielded: dict[str, str] = {}
    for kill in range(kills + 1):
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WORKER, service.url, str(journal), str(count), stdout=subprocess.PIPE
        )
        seen = 0
        async for line in worker.stdout:
            try:
                tracking, pin = json.loads(line)
            except ValueError:
                break  # killed in the middle of a line
            assert yielded.setdefault(tracking, pin) == pin  # never another PIN for the same request
            seen += 1
            if kill < kills and seen == (kill + 1) * count // (kills + 2):
                worker.send_signal(signal.SIGKILL)
        await worker.wait()
    assert yielded.keys() == {f"CASE-{number}" for number in range(count)}
    kept = {entry.pin: entry.tracking for entry in service.ledger}
    assert all(kept[pin] == tracking for tracking, pin in yielded.items())
    orphans = len(service.ledger) - count
    assert 0 <= orphans <= 8 * kills
    with sqlite3.connect(journal) as connection:
        rows = connection.execute("SELECT key, pin FROM request WHERE state = 2").fetchall()
        counted = connection.execute("SELECT sum(orphans) FROM request").fetchone()[0]
    connection.close()
    assert {key[1:]: pin for key, pin in rows} == yielded
    assert orphans <= counted <= 8 * kills


async def test_a_sqlite_that_is_too_old_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "journal"
    async with Journal(path, "job"):
        pass
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 34, 1))
    monkeypatch.setattr("sqlite3.sqlite_version", "3.34.1")
    monkeypatch.setattr("sqlite3.connect", None)  # nothing is opened, so nothing can be left open
    for ask in (Journal(path, "job").open, JournalReader(path, time.time).status):
        with pytest.raises(
            errors.JournalError, match=r"journal: it needs SQLite 3\.35 or newer, and this Python has 3\.34\.1"
        ):
            await ask()


async def test_a_journal_that_is_closed_takes_no_write_and_is_closed_again_at_once(tmp_path: Path):
    journal = Journal(tmp_path / "journal.sqlite", "job")
    await journal.open()
    entries = await journal.admit([RequestPinCode(tracking=f"T{number}") for number in range(30)])
    for entry in entries:
        await journal.sent(entry.key)  # many commits in a row, so that the next would be put off
    await journal.close()
    async with asyncio.timeout(5):
        await journal.close()
        for write in (partial(journal.sent, entries[0].key), partial(journal.admit, []), partial(journal.stage, [])):
            with pytest.raises(errors.JournalError, match="the journal is closed") as refused:
                await write()
            assert refused.value.reason is JournalReason.CLOSED
