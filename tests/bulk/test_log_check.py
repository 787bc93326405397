"""A write-ahead log that a kill has cut short is no damaged one, at whatever write the process was killed."""

import sqlite3
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
