"""A write-ahead log that a kill has cut short is no damaged one, at whatever write the process was killed."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from aiorescue.bulk.journal.log_check import is_damaged

HEADER, FRAME, PAGE = 32, 24, 4096


def logs(folder: Path, *, commits: int) -> tuple[bytes, bytes]:
    """A log with a generation of frames, and that log when the next generation has some commits."""
    path = folder / "t.journal"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA journal_size_limit = 0")
    connection.execute("CREATE TABLE t (v TEXT)")
    for _ in range(5):
        connection.executemany("INSERT INTO t VALUES (?)", [("x" * 900,)] * 4)
    log = path.with_name("t.journal-wal")
    old = log.read_bytes()
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO t VALUES (?)", [("y" * 900,)] * 12)
    connection.execute("COMMIT")
    for _ in range(commits - 1):
        connection.execute("INSERT INTO t VALUES ('z')")
    new = log.read_bytes()
    connection.close()
    return old, new


def frames(log: bytes) -> int:
    return (len(log) - HEADER) // (FRAME + PAGE)


def test_a_first_commit_cut_short_over_old_frames_is_no_damage(tmp_path: Path):
    old, new = logs(tmp_path, commits=1)
    log = tmp_path / "cut-wal"
    assert 2 < frames(new) < frames(old)
    for number in range(frames(new)):
        begin = HEADER + number * (FRAME + PAGE)
        for written in (begin, begin + FRAME):  # killed before the head of a frame, and between head and page
            log.write_bytes(new[:written] + old[written:])
            assert not is_damaged(log), (number, written - begin)


def test_a_later_commit_cut_short_is_no_damage(tmp_path: Path):
    old, new = logs(tmp_path, commits=3)
    assert len(new) < len(old)  # SQLite has cut the old frames off
    log = tmp_path / "cut-wal"
    first = HEADER + FRAME + PAGE
    for written in range(first, len(new), FRAME + PAGE):
        for end in (written, written + FRAME, written + FRAME + PAGE // 2):
            log.write_bytes(new[:end])
            assert not is_damaged(log), end


@pytest.mark.parametrize("commits", [1, 3])
def test_a_changed_bit_of_any_frame_is_damage(tmp_path: Path, commits: int):
    _, new = logs(tmp_path, commits=commits)
    log = tmp_path / "changed-wal"
    for number in range(frames(new)):
        for offset in (2, 10, 20, FRAME + 100):
            changed = bytearray(new)
            changed[HEADER + number * (FRAME + PAGE) + offset] ^= 1
            log.write_bytes(changed)
            assert is_damaged(log), (number, offset)


def unfinished_logs(folder: Path) -> Iterator[bytes]:
    """A log with one commit, and then as it is while a transaction goes on that is too large for SQLite's memory."""
    path = folder / "t.journal"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (v TEXT)")
        connection.execute("INSERT INTO t VALUES ('committed')")
        log = path.with_name("t.journal-wal")
        yield log.read_bytes()
        connection.execute("PRAGMA cache_size = 10")
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE large (key INTEGER PRIMARY KEY, v TEXT)")
        for number in range(60):
            connection.execute("INSERT INTO large VALUES (?, ?)", (number * 7919 % 61, "x" * 2000))
            yield log.read_bytes()


def test_a_transaction_that_a_kill_has_cut_short_in_a_full_memory_is_no_damage(tmp_path: Path):
    log = tmp_path / "killed-wal"
    committed, *unfinished = unfinished_logs(tmp_path)
    assert any(
        bytes(16) in (left[at + 8 : at + 24] for at in range(HEADER, len(left), FRAME + PAGE)) for left in unfinished
    )
    for left in unfinished:
        log.write_bytes(left)
        assert not is_damaged(log)
        for at in range(HEADER + FRAME + 100, len(committed), FRAME + PAGE):  # what was committed is still checked
            log.write_bytes(left[:at] + bytes([left[at] ^ 1]) + left[at + 1 :])
            assert is_damaged(log)
