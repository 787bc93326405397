"""Checks SQLite's write-ahead log for damage that SQLite itself would pass over.

SQLite reads the log up to the first frame whose checksum is wrong, and takes what follows for the rest of a commit that
a crash cut short. So one changed bit silently takes back every commit behind it. A crash cannot leave that picture: it
cuts the end of the log and nothing in its middle. Format: https://sqlite.org/fileformat2.html#the_write_ahead_log

When all of a log is in the database, SQLite writes the next *generation* of frames over the old ones, from the start.
A process that is killed between the head of a frame and its page leaves a new head before an old page there. SQLite
cuts the old frames off behind the first commit of a generation, as the journal tells it to (``journal_size_limit``), so
that this picture comes before such a commit only.

A transaction that is too large for SQLite's memory goes into the log bit by bit, and a page that changes once more is
written over. From then on frames get no checksums and no salt, until all of them get theirs with the commit. So behind
the last commit checksums say nothing if such frames follow: a process that was killed while it staged a large input
leaves them.
"""

import os
import struct
import sys
from array import array
from pathlib import Path
from typing import BinaryIO, Final

_HEADER, _FRAME = 32, 24
_MAGIC: Final = {0x377F0682: "little", 0x377F0683: "big"}
#: Where the database file says whether changes go into a log, and how it says that they do not.
_MODE: Final = 18
_NO_LOG: Final = b"\x01"
_WORD: Final = 0xFFFFFFFF
#: The salt and the checksums of a frame that gets them with the commit of its transaction.
_YET_TO_COME: Final = bytes(16)
#: Frames behind the last visible commit that are looked at, too: their mark may be what was damaged.
_BEYOND: Final = 4_000


def log_of(path: Path) -> Path:
    """The write-ahead log of a journal. Where a link leads to the journal, it lies beside the file, not the link."""
    resolved = Path(os.path.realpath(path))
    return resolved.with_name(f"{resolved.name}-wal")


def files_beside(path: Path) -> tuple[Path, Path]:
    """The files that SQLite keeps beside an open journal: its log, and the memory that its users share."""
    log = log_of(path)
    return log, log.with_name(f"{log.name.removesuffix('-wal')}-shm")


def is_empty(path: Path) -> bool:
    """Whether the log is missing or holds no byte."""
    try:
        return path.stat().st_size <= _HEADER
    except FileNotFoundError:
        return True


def is_stray(path: Path, journal: Path) -> bool:
    """Whether the log holds something, and the file beside it says that no run has left one.

    SQLite would delete the log beside a new file, and write what it holds into another one. Ask only where no process
    works on the job: the file is opened, and closing it ends all locks that this process has on it.

    Args:
        path: the log.
        journal: the file beside it, which may be missing.
    """
    if is_empty(path):
        return False
    try:
        with journal.open("rb") as file:
            head = file.read(_MODE + 1)
    except FileNotFoundError:
        return True
    return head[_MODE:] in (b"", _NO_LOG)


def loss_of(path: Path, *, is_staged: bool) -> str:
    """What is lost with a log that is missing, in words.

    Args:
        path: the log.
        is_staged: the rows of the job were staged, so that all of them are in the journal itself.
    """
    lost = f"its write-ahead log {path.name} is missing, and with it up to a second of work"
    if is_staged:
        return lost
    return (
        f"{lost}; requests that came to the job in that time are not in it and cannot be counted as possibly orphaned"
    )


def is_damaged(path: Path) -> bool:
    """Whether a log that no process writes holds a changed frame; a missing log is not damaged.

    Raises:
        OSError: the log cannot be read.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return False
    with file:
        header = file.read(_HEADER)
        if not header:
            return False
        if len(header) < _HEADER:
            return True
        magic, _, size, _, *_, first, second = struct.unpack(">8I", header)
        order = _MAGIC.get(magic)
        if order is None or _sum(header[:24], order, 0, 0) != (first, second):
            return True
        return _has_damaged_frame(file, header[16:24], size, order, (first, second))


def _has_damaged_frame(file: BinaryIO, salt: bytes, size: int, order: str, sums: tuple[int, int]) -> bool:
    """Whether a frame of the present generation is damaged, perhaps in the salt that names its generation."""
    last = _last_commit(file, salt, size)
    file.seek(_HEADER)
    number, has_commit = 0, False
    while number < last + _BEYOND and len(frame := file.read(_FRAME + size)) == _FRAME + size:
        number += 1
        expected = _sum(frame[_FRAME:], order, *_sum(frame[:8], order, *sums))
        is_right = expected == struct.unpack(">2I", frame[16:24])
        is_ours = frame[8:16] == salt
        if is_right and is_ours:
            sums = expected
            has_commit = has_commit or frame[4:8] != bytes(4)
            continue
        if number > last and frame[8:24] == _YET_TO_COME:
            return False
        # A frame of an earlier generation, which the present one has not overwritten yet, is wrong in both respects.
        is_followed, ours_follow = _what_follows(file, salt, size)
        if is_ours and not is_right and not has_commit and is_followed and not ours_follow:
            return False  # the first commit of its generation was cut short, over old frames: nothing is lost with it
        if number > last and is_ours and not is_right and ours_follow:
            return False  # a page of a transaction without a commit that was written over
        return is_right or is_ours or ours_follow
    return False


def _last_commit(file: BinaryIO, salt: bytes, size: int) -> int:
    """The number of the last frame of the present generation that ends a commit, from 1; 0 if there is none."""
    last = number = 0
    file.seek(_HEADER)
    while len(head := file.read(_FRAME)) == _FRAME:
        number += 1
        if head[8:16] == salt and head[4:8] != bytes(4):
            last = number
        file.seek(size, 1)
    return last


def _what_follows(file: BinaryIO, salt: bytes, size: int) -> tuple[bool, bool]:
    """Whether any frame comes later in the file, and whether one of the present generation does."""
    is_followed = False
    while len(head := file.read(_FRAME)) == _FRAME:
        is_followed = True
        if head[8:16] == salt or head[8:24] == _YET_TO_COME:
            return True, True
        file.seek(size, 1)
    return is_followed, False


def _sum(data: bytes, order: str, first: int, second: int) -> tuple[int, int]:
    """SQLite's running checksum over more data."""
    words = array("I", data)
    if order != sys.byteorder:
        words.byteswap()
    pairs = iter(words)
    for one, two in zip(pairs, pairs, strict=True):
        first = (first + one + second) & _WORD
        second = (second + two + first) & _WORD
    return first, second
