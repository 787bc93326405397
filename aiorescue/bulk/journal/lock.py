"""`FileLock`: a lock between processes, which the system releases with the process that holds it, however it ends.

SQLite's own locks cannot say "one writer for hours, and any number of readers", so a journal has a small file beside it
that is locked while a process works on the job.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _try_lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def lock_of(path: Path) -> Path:
    """The file that is locked while a process works on the job."""
    resolved = Path(os.path.realpath(path))
    return resolved.with_name(f"{resolved.name}-lock")


class FileLock:
    """A lock that is held; `release` it at the end.

    Args:
        path: the lock's file, which goes with the lock.
        handle: the open file.
    """

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle = handle

    @classmethod
    def take(cls, path: Path) -> Self | None:
        """Take the lock; None if another process, or another user of it in this process, holds it.

        Raises:
            OSError: the file cannot be made.
        """
        while True:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                _try_lock(handle)
            except OSError:
                os.close(handle)
                return None
            if _is_same(handle, path):
                return cls(path, handle)
            os.close(handle)  # the process that held it has removed the file in the meantime

    @staticmethod
    def is_held(path: Path) -> bool:
        """Whether a process holds the lock at this moment."""
        try:
            handle = os.open(path, os.O_RDWR)
        except OSError:
            return False
        try:
            _try_lock(handle)
        except OSError:
            return True
        else:
            return False
        finally:
            os.close(handle)

    def release(self) -> None:
        """Remove the file, and release the lock."""
        if sys.platform != "win32":  # where an open file cannot be removed
            with suppress(OSError):  # a folder that has become read-only: the file may stay, only its lock counts
                self._path.unlink()
        os.close(self._handle)


def _is_same(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
