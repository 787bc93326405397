"""Files that are written: one replaces the old file as a whole or not at all, pipes and devices are written in place.

Everything here blocks, so an event loop runs it in a thread.
"""

import errno
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

#: The file cannot be replaced: it is a mount point, or the folder belongs to another user.
_IRREPLACEABLE: Final = {errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM, errno.EROFS}
#: Seconds between two looks whether a named pipe has a reader.
LOOK_FOR_READER: Final = 0.05
#: Bytes of a file's name that are kept in the name of the file that replaces it: with all of a long one it could be too
#: long for the file system.
_KEPT: Final = 100


class _Writes(Protocol):
    def write(self, data: Any, /) -> int | None: ...


class NothingWrittenError(Exception):
    """A file took no byte and raised no error, as one that does not block does while its reader is busy."""


def write_all(file: _Writes, data: bytes) -> None:
    """Write all bytes to a file; one without a buffer may take a part of them at a time.

    Raises:
        NothingWrittenError: it took none, or does not say how many.
        OSError: it cannot be written.
    """
    left: bytes | memoryview = data
    while left:
        written = file.write(left)
        if not written:
            raise NothingWrittenError
        left = memoryview(left)[written:]


def is_stream(path: Path) -> bool:
    """Whether a path leads to a pipe, a device or a socket."""
    return path.exists() and not path.is_file() and not path.is_dir()


def open_stream(path: Path) -> int | None:
    """Open a pipe or a device to write to it, without waiting.

    Args:
        path: the pipe or device.

    Returns:
        A descriptor that does not block; None for a named pipe that nothing reads from.

    Raises:
        OSError: it cannot be opened.
    """
    try:
        return os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as problem:
        if problem.errno != errno.ENXIO or not path.is_fifo():
            raise
        return None


def real(path: Path) -> Path:
    """The file that a path leads to through links. A loop of links is returned as it is; opening it is an OSError."""
    return Path(os.path.realpath(path))


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an OSError name the file that was asked for, and not the one that is written in its stead."""
    try:
        yield
    except OSError as problem:
        if problem.errno is None:
            raise
        raise OSError(problem.errno, problem.strerror, str(path)) from None


def make_part(path: Path, ending: str = ".part", *, private: bool = True) -> tuple[int, Path]:
    """Make the file that a new content goes to: beside a file, or elsewhere if only the file itself can be written.

    It has a name of its own, as another process may be writing the same file, and the mode of the old file.

    Args:
        path: the file that `replace` will replace, a result of `real`.
        ending: how the name of the new file ends.
        private: let only the owner read the file if there is no old one.

    Returns:
        Its descriptor and its path.

    Raises:
        IsADirectoryError: a folder has the name.
        OSError: the file cannot be written.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    is_there = path.exists()
    begin = path.name
    while len(os.fsencode(begin)) > _KEPT:
        begin = begin[:-1]
    begin += "."
    try:
        if private or is_there:
            handle, name = tempfile.mkstemp(prefix=begin, suffix=ending, dir=path.parent)
        else:
            name = str(path.with_name(f"{begin}{secrets.token_hex(4)}{ending}"))
            handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as problem:
        if problem.errno not in _IRREPLACEABLE or not (path.is_file() and os.access(path, os.W_OK)):
            raise
        handle, name = tempfile.mkstemp(prefix=begin, suffix=ending)
        return handle, Path(name)
    if is_there:
        with suppress(OSError):  # of a file system that keeps no modes, as some of other machines
            shutil.copymode(path, name)
    return handle, Path(name)


def replace(path: Path, part: Path) -> None:
    """Put a file of `make_part` in the place of the old one; one that cannot be replaced is written over.

    The file of `make_part` is gone then. It is kept only where the old file was partly written over, and the error says
    where it is.
    """
    try:
        part.replace(path)
    except OSError as problem:
        if problem.errno not in _IRREPLACEABLE or not path.exists():
            discard(part)
            raise
        _write_over(path, part)
        part.unlink()


def discard(part: Path) -> None:
    """Remove a file of `make_part`, if it is there and can be removed."""
    with suppress(OSError):
        part.unlink(missing_ok=True)


def _write_over(path: Path, part: Path) -> None:
    try:
        with part.open("rb") as source, path.open("r+b") as target:
            allocate(target.fileno(), part.stat().st_size)
            shutil.copyfileobj(source, target)
            target.truncate()
            target.flush()
            os.fsync(target.fileno())
    except OSError as problem:
        raise OSError(problem.errno, f"{problem.strerror}; the new content is in {part}", str(path)) from None


def allocate(handle: int, size: int) -> None:
    """Take room on the disk. Raises OSError where it is full; file systems that cannot say so are trusted."""
    if size and hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(handle, 0, size)
        except OSError as problem:
            if problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
