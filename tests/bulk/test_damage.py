"""Damaged, copied, deleted and old journals: never a wrong PIN, nothing issued anew in silence."""

import os
import random
import shutil
import sqlite3
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from aiorescue import errors
from aiorescue.bulk import InputRow, Journal, State
from aiorescue.errors import JournalReason
from aiorescue.rescue import RequestPinCode
from tests.bulk.written_journal import COUNT, PINS, PINS_THAT_CAME, REQUESTS, UNKNOWN, check, write, write_all
from tests.support import digest_of_slots


async def all_is_in_the_file_itself(journal: Journal) -> None:
    """Wait until a checkpoint has copied all writes; meanwhile the row of CASE-9 is given back again and again."""
    while journal._checkpoint is not None:  # the timer of at most half a second
        await journal.given_back("=CASE-9", 0)
    await journal.given_back("=CASE-9", 0)  # behind the checkpoint, in the same thread


async def files_of_a_finished_run(folder: Path) -> dict[str, bytes]:
    await (await write(folder / "j")).close()
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def files_of_a_killed_run(folder: Path) -> dict[str, bytes]:
    """The files as a kill leaves them, with a log of all writes: while the job is read, a checkpoint keeps its log."""
    journal = Journal(folder / "j", "job")
    await journal.open()
    with closing(sqlite3.connect(folder / "j")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT key FROM request").fetchall()
        await write_all(journal)
        left = {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-lock")}
    await journal.close()
    assert len(left["j-wal"]) > COUNT * 4096  # each answer has a page of its own
    return left


async def check_reader(path: Path) -> None:
    """Read the job: all PINs are there, or it is refused."""
    try:
        found = [one async for one in Journal.reading(path).rows(State.ISSUED)]
        status = await Journal.reading(path).status()
    except errors.JournalError:
        return
    known = {request: PINS[number] for number, request in enumerate(REQUESTS) if number not in UNKNOWN}
    assert {one.request: one.pin for one in found} == known
    assert (status.issued, status.left) == (len(known), len(UNKNOWN))


@pytest.mark.parametrize("files_of", [files_of_a_finished_run, files_of_a_killed_run])
async def test_a_changed_bit_never_gives_a_wrong_pin_or_asks_for_one_anew_in_silence(tmp_path: Path, files_of):
    (tmp_path / "whole").mkdir()
    files = await files_of(tmp_path / "whole")
    assert files_of is files_of_a_finished_run or "j-wal" in files
    chance, refused = random.Random(8), 0
    for number in range(30):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        damaged = folder / chance.choice([name for name in files if not name.endswith("-shm")])
        content = bytearray(damaged.read_bytes())
        bit = chance.randrange(8 * len(content))
        content[bit // 8] ^= 1 << bit % 8
        damaged.write_bytes(content)
        await check_reader(folder / "j")
        refused += await check(folder / "j") is not None
    assert refused


def damaged_copies(files: dict[str, bytes], folder: Path) -> Iterator[Path]:
    """A journal with a changed bit in every 97th byte, or in sixty of its log if it has one, and some that are cut.

    A file that is cut to nothing is left out, since a new journal begins as one, and so is a log that is cut.
    """
    for damaged, whole in files.items():
        is_log = damaged.endswith("-wal")
        if damaged.endswith("-shm") or (not is_log and "j-wal" in files):
            continue
        step = max(97, len(whole) // 60 | 1) if is_log else 97
        flipped = (whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :] for at in range(5, len(whole), step))
        cut = (whole[:at] for at in range(997, len(whole), 997) if not is_log)
        for content in (*flipped, *cut):
            for name, as_it_was in files.items():
                (folder / name).write_bytes(content if name == damaged else as_it_was)
            yield folder / "j"
            for left in folder.iterdir():
                left.unlink()


@pytest.mark.parametrize("files_of", [files_of_a_finished_run, files_of_a_killed_run])
async def test_no_changed_byte_and_no_cut_costs_a_pin_in_silence(tmp_path: Path, files_of):
    (tmp_path / "whole").mkdir()
    (tmp_path / "damaged").mkdir()
    ends: Counter[JournalReason | None] = Counter()
    for path in damaged_copies(await files_of(tmp_path / "whole"), tmp_path / "damaged"):
        ends[await check(path)] += 1
    assert ends.total() >= 50
    assert ends[JournalReason.DAMAGED]  # most of a log was copied to the file before, and is not read again


async def test_a_log_that_was_cut_gives_no_wrong_pin(tmp_path: Path):
    """It cannot be told from one that a crash cut short while it was written: what stands behind the cut never was."""
    (tmp_path / "whole").mkdir()
    files = await files_of_a_killed_run(tmp_path / "whole")
    log = files["j-wal"]
    for number, at in enumerate(range(997, len(log), len(log) // 40)):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(log[:at] if name == "j-wal" else content)
        with suppress(errors.JournalError):
            async with Journal(folder / "j", "job") as journal:
                entries = await journal.admit(REQUESTS)
            assert [entry.pin for entry in entries if entry.pin] == PINS_THAT_CAME[: sum(bool(e.pin) for e in entries)]


async def test_an_error_names_the_row_whose_checksum_is_wrong(tmp_path: Path):
    await (await write(tmp_path / "j")).close()
    with sqlite3.connect(tmp_path / "j") as connection:
        connection.execute("UPDATE request SET pin = '999999' WHERE key = '=CASE-7'")
    connection.close()
    with pytest.raises(errors.JournalError, match="'CASE-7' is damaged") as refused:
        await Journal(tmp_path / "j", "job").open()
    assert refused.value.reason is JournalReason.DAMAGED
    with pytest.raises(errors.JournalError, match="'CASE-7' is damaged"):
        await Journal.reading(tmp_path / "j").status()


@pytest.mark.parametrize("part", ["cells", "fields", "operation", "position", "line"])
async def test_what_came_from_the_input_is_checked_before_it_is_sent_or_shown(tmp_path: Path, part: str):
    await (await write(tmp_path / "j")).close()
    with sqlite3.connect(tmp_path / "j") as connection:
        connection.execute(f"UPDATE request SET {part} = '7' WHERE key = '=CASE-9'")
    connection.close()
    async with Journal(tmp_path / "j", "job") as journal:
        with pytest.raises(errors.JournalError, match="'CASE-9' is damaged"):
            await journal.claim(9)
    with pytest.raises(errors.JournalError, match="'CASE-9' is damaged"):
        assert [one async for one in Journal.reading(tmp_path / "j").rows()]


async def test_a_table_under_another_name_is_not_made_anew(tmp_path: Path):
    await (await write(tmp_path / "j")).close()
    with sqlite3.connect(tmp_path / "j") as connection:
        connection.execute("ALTER TABLE request RENAME TO requests")
    connection.close()
    assert await check(tmp_path / "j") is JournalReason.DAMAGED


async def test_the_file_alone_knows_that_its_log_is_missing(tmp_path: Path):
    files = await files_of_a_killed_run(tmp_path)
    copy = tmp_path / "copy"
    copy.write_bytes(files["j"])
    status = await Journal.reading(copy).status()
    assert "j-wal" not in status.note
    assert "copy-wal is missing" in status.note
    assert "cannot be counted as possibly orphaned" in status.note
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "j"]  # reading leaves nothing behind
    with pytest.raises(errors.JournalError, match="copy-wal is missing") as refused:
        await Journal(copy, "job").open()
    assert refused.value.reason is JournalReason.LOG_MISSING
    assert "aiorescue job retry" in str(refused.value)
    assert "cannot be counted as possibly orphaned" in str(refused.value)


async def test_a_job_that_was_killed_is_read_where_nothing_can_be_made_beside_it(tmp_path: Path):
    files = await files_of_a_killed_run(tmp_path)
    for name in ("j", "j-wal"):
        (tmp_path / name).write_bytes(files[name])
    (tmp_path / "j-shm").symlink_to("nowhere/j-shm")  # a read-only folder is none for root
    (tmp_path / "link").symlink_to("j")
    for path in (tmp_path / "j", tmp_path / "link"):
        await check_reader(path)
        assert (await Journal.reading(path).status()).issued == len(PINS_THAT_CAME)


async def test_a_journal_may_be_a_link_to_a_file_elsewhere_that_comes_to_be(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "j").symlink_to(tmp_path / "elsewhere" / "real")
    await (await write(tmp_path / "j")).close()
    assert await check(tmp_path / "j") is None
    (tmp_path / "killed").mkdir()
    files = await files_of_a_killed_run(tmp_path / "killed")
    for name, content in files.items():
        (tmp_path / "elsewhere" / name.replace("j", "real")).write_bytes(content)
    await check_reader(tmp_path / "j")
    assert await check(tmp_path / "j") is None
    assert (tmp_path / "j").is_symlink()
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["real"]


async def test_of_a_staged_input_no_row_stands_in_a_missing_log_alone(tmp_path: Path):
    journal = Journal(tmp_path / "j", "job")
    await journal.open()
    await journal.stage([InputRow(2, ("a",), REQUESTS[0]), InputRow(3, ("b",), REQUESTS[1])])
    copy = tmp_path / "copy"
    shutil.copy(tmp_path / "j", copy)
    await journal.close()
    status = await Journal.reading(copy).status()
    assert status.rows == 2
    assert "copy-wal is missing" in status.note
    assert "cannot be counted" not in status.note


@pytest.mark.parametrize("beside", ["nothing", "an empty file", "a finished journal"])
async def test_the_log_of_a_journal_that_was_moved_away_is_neither_dropped_nor_taken_for_that_of_another(
    tmp_path: Path, beside: str
):
    files = await files_of_a_killed_run(tmp_path)
    await (await write(tmp_path / "finished")).close()
    (tmp_path / "moved").write_bytes(files["j"])
    (tmp_path / "j-wal").write_bytes(files["j-wal"])
    (tmp_path / "j").unlink()
    if beside != "nothing":
        (tmp_path / "j").write_bytes(b"" if beside == "an empty file" else (tmp_path / "finished").read_bytes())
        with pytest.raises(errors.JournalError, match="j-wal is the write-ahead log of a journal that was moved"):
            await Journal.reading(tmp_path / "j").status()
    with pytest.raises(errors.JournalError, match="j-wal is the write-ahead log of a journal that was moved") as told:
        await Journal(tmp_path / "j", "job").open()
    assert told.value.reason is JournalReason.DAMAGED
    (tmp_path / "moved").replace(tmp_path / "j")
    assert await check(tmp_path / "j") is None


async def test_a_missing_log_is_accepted_when_asked_and_counts_as_possible_orphans(tmp_path: Path):
    late = RequestPinCode(tracking="LATE")
    journal = await write(tmp_path / "j")
    [entry] = await journal.admit([late])
    await all_is_in_the_file_itself(journal)
    copy = tmp_path / "copy"
    shutil.copy(tmp_path / "j", copy)
    await journal.sent(entry.key)  # this is in the log only, which the copy lacks
    await journal.issued(entry.key, "999999", 0)
    await journal.close()
    async with Journal(copy, "job", accept_loss=True) as accepting:
        *entries, lost = await accepting.admit([*REQUESTS, late])
    assert [one.pin for one in entries] == [None if n in UNKNOWN else pin for n, pin in enumerate(PINS)]
    assert [one.orphans for one in entries] == [int(n in UNKNOWN) for n in range(COUNT)]
    assert (lost.pin, lost.orphans) == (None, 1)
    async with Journal(copy, "job"):
        pass  # that it was accepted is kept


async def test_all_is_in_the_file_itself_soon_after_it_was_written(tmp_path: Path):
    journal = await write(tmp_path / "j")
    await all_is_in_the_file_itself(journal)
    shutil.copy(tmp_path / "j", tmp_path / "copy")
    found = [one.pin async for one in Journal.reading(tmp_path / "copy").rows(State.ISSUED)]
    await journal.close()
    assert sorted(found) == sorted(pin for number, pin in enumerate(PINS) if number not in UNKNOWN)


async def test_a_journal_that_all_could_read_is_made_private(tmp_path: Path):
    files = await files_of_a_killed_run(tmp_path)
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o666)
    async with Journal(tmp_path / "j", "job") as journal:
        await journal.given_back("=CASE-9", 0)
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("path", ["a\0b", ".", "nowhere/j"])
async def test_a_path_that_can_hold_no_journal_is_refused_by_name(tmp_path: Path, path: str):
    with pytest.raises(errors.JournalError, match="journal "):
        await Journal(tmp_path / path, "job").open()
    with pytest.raises(errors.JournalError, match="journal "):
        await Journal.reading(tmp_path / path).status()


@pytest.mark.parametrize("kind", ["a folder", "a pipe or a device"])
async def test_what_is_no_file_is_no_journal_and_nothing_is_made_beside_it(tmp_path: Path, kind: str):
    os.mkfifo(tmp_path / "j") if kind == "a pipe or a device" else (tmp_path / "j").mkdir()
    with pytest.raises(errors.JournalError, match=f"it is {kind}; a journal is a file"):
        await Journal(tmp_path / "j", "job").open()
    with pytest.raises(errors.JournalError, match=f"it is {kind}; a journal is a file"):
        await Journal.reading(tmp_path / "j").status()
    assert [path.name for path in tmp_path.iterdir()] == ["j"]


async def test_a_journal_of_version_1_is_taken_over(tmp_path: Path):
    named, unnamed, unknown = REQUESTS[0], REQUESTS[-1], REQUESTS[1]
    with sqlite3.connect(tmp_path / "j") as connection:
        connection.executescript(
            """
            PRAGMA application_id = 0x52455351;
            PRAGMA user_version = 1;
            PRAGMA journal_mode = WAL;
            CREATE TABLE job (name TEXT NOT NULL, run INTEGER NOT NULL);
            CREATE TABLE request (
                key TEXT PRIMARY KEY, digest BLOB NOT NULL, run INTEGER NOT NULL, state INTEGER NOT NULL DEFAULT 0,
                pin TEXT, unseen INTEGER NOT NULL DEFAULT 0, error TEXT
            ) WITHOUT ROWID;
            CREATE TABLE alike (digest BLOB PRIMARY KEY, run INTEGER NOT NULL, count INTEGER NOT NULL) WITHOUT ROWID;
            INSERT INTO job VALUES ('job', 3);
            """
        )
        for key, request, state, pin, orphans in (
            ("=CASE-0", named, 2, "000001", 2),
            (f"#{digest_of_slots(unnamed).hex()}.0", unnamed, 2, "000002", 0),
            ("=CASE-1", unknown, 1, None, 0),
        ):
            values = (key, digest_of_slots(request), 3, state, pin, orphans, None)
            connection.execute("INSERT INTO request VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    connection.close()
    status = await Journal.reading(tmp_path / "j").status()
    assert (status.name, status.issued, status.possibly_orphaned) == ("job", 2, 3)
    async with Journal(tmp_path / "j", "job") as journal:
        entries = await journal.admit([named, unnamed, unknown, REQUESTS[2]])
        assert [(entry.pin, entry.orphans) for entry in entries] == [("000001", 2), ("000002", 0), (None, 1), (None, 0)]
        assert (await journal.status()).runs == 4
    async with Journal(tmp_path / "j", "job") as journal:
        assert [entry.pin for entry in await journal.admit([named, unnamed])] == ["000001", "000002"]


async def test_a_refused_journal_of_version_1_leaves_nothing_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    opened, connect = [], sqlite3.connect
    with closing(connect(tmp_path / "j")) as connection:
        connection.executescript(
            """
            PRAGMA application_id = 0x52455351;
            PRAGMA user_version = 1;
            CREATE TABLE job (name TEXT NOT NULL, run INTEGER NOT NULL);
            INSERT INTO job VALUES ('job', 3);
            """
        )
    monkeypatch.setattr(
        sqlite3, "connect", lambda *args, **options: opened.append(connect(*args, **options)) or opened[-1]
    )
    with pytest.raises(errors.JournalError, match="no such table: request"):
        await Journal.reading(tmp_path / "j").status()
    assert len(opened) == 3  # without a log, with one, and the copy in memory
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


async def test_a_pin_that_another_request_has_is_refused(tmp_path: Path):
    journal = await write(tmp_path / "j")
    for run in range(2):
        with pytest.raises(errors.ProtocolError, match="that of another request"):
            await journal.issued("=CASE-9", PINS[0], 0)
        await journal.close()
        if not run:
            journal = Journal(tmp_path / "j", "job")
            await journal.open()


async def test_a_second_writer_is_refused_and_readers_are_not(tmp_path: Path):
    journal = await write(tmp_path / "j")
    with pytest.raises(errors.JournalError, match="in use by another process") as refused:
        await Journal(tmp_path / "j", "job").open()
    assert refused.value.reason is JournalReason.IN_USE
    with sqlite3.connect(f"{(tmp_path / 'j').as_uri()}?mode=ro", uri=True) as connection:
        assert connection.execute("SELECT count(*) FROM request WHERE state = 2").fetchone()[0] == COUNT - len(UNKNOWN)
        await journal.given_back("=CASE-9", 0)
    connection.close()
    await journal.close()
    assert [path.name for path in tmp_path.iterdir()] == ["j"]
