"""`HostBooks`: the books of a shared pace in files of one machine. Each transaction holds the lock of its file.

A transaction runs in a thread of its own, because files and locks can block. The lock goes with the process that holds
it, however that ends; a process that is stopped while it holds one is waited for a second, and then the books are away.
"""

import asyncio
import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import attrs

from aiorescue.clock import Clock, SystemClock
from aiorescue.pace.shared.books import PATIENCE, Books, LateUse, Place, Reachability, SlotAnswer, SlotRequest
from aiorescue.pace.shared.host_state import FORMAT, LARGEST, give_back, leave, look, put_off, take_place, take_slot

T = TypeVar("T")

#: Seconds between two tries to lock a file.
_TRY_AGAIN = 0.001
#: How often a file that was removed while it was being locked is opened again.
_REOPEN = 5
#: Memory of the machine, emptied when it starts; beside it, the folder for temporary files.
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder in it is the user's own, and checked


def users_folder() -> Path:
    """Folder of the present user that all of their processes find, whatever their environment says."""
    parent = _MEMORY if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
    return parent / f"aiorescue-{os.geteuid()}"


class HostBooks(Books):
    """Books in the files of a folder.

    Args:
        directory: the folder, made if it is missing; None for one of the user's own.
        clock: the client's clock.
        now: the clock that all processes of the machine share.
    """

    def __init__(self, directory: Path | None, clock: Clock, now: Callable[[], float] = time.monotonic) -> None:
        self._directory = directory
        self._now = now
        # Where the client's clock is the shared one, its time is known exactly.
        self._is_own = isinstance(clock, SystemClock) and now is time.monotonic
        self._reachability = Reachability(clock)
        self._thread: ThreadPoolExecutor | None = None
        self._process = 0  # the process in which the thread is: one that is forked from it has no such thread

    async def slot(self, key: str, request: SlotRequest) -> SlotAnswer:
        """Take the next slot. Raises `BooksAwayError`."""
        answer = await self._run(key, "slots", lambda content, now: take_slot(content, request, now))
        return attrs.evolve(answer, own_now=answer.now) if self._is_own else answer

    async def put_off(self, key: str, late: LateUse) -> None:
        """Put off the slots behind one that was used late. Raises `BooksAwayError`."""
        await self._run(key, "slots", lambda content, _: put_off(content, late))

    async def look(self, key: str, process: str) -> float | None:
        """The moment of a process's last slot; None without one. Raises `BooksAwayError`."""
        return await self._run(key, "slots", lambda content, _: look(content, process))

    async def leave(self, key: str, process: str) -> None:
        """Count a process no longer among those that share the slots. Raises `BooksAwayError`."""
        await self._run(key, "slots", lambda content, _: leave(content, process))

    async def place(self, key: str, count: int, seconds: float) -> Place:
        """Take a place in a window of time. Raises `BooksAwayError`."""
        return await self._run(key, "window", lambda content, now: take_place(content, count, seconds, now))

    async def give_back(self, key: str, taken: Collection[str]) -> None:
        """Make places free again in which nothing was sent. Raises `BooksAwayError`."""
        await self._run(key, "window", lambda content, _: give_back(content, taken))

    async def _run(self, key: str, holds: str, change: Callable[[bytes, float], tuple[bytes | None, T]]) -> T:
        self._reachability.check()
        if self._thread is None or self._process != os.getpid():
            self._thread, self._process = ThreadPoolExecutor(1, thread_name_prefix="aiorescue-pace"), os.getpid()
        name = f"{key.replace(':', '-')}.{holds}{FORMAT}.json"
        try:
            answer = await asyncio.wrap_future(self._thread.submit(self._transact, name, change))
        except RuntimeError as problem:  # the machine has no thread left
            raise self._reachability.failed(f"HostPace cannot begin ({problem})") from None
        except OSError as problem:
            where = problem.filename or self._directory or "its folder"
            raise self._reachability.failed(f"HostPace cannot use {where} ({problem.strerror or problem})") from None
        self._reachability.answered("HostPace can use its folder")
        return answer

    def _transact(self, name: str, change: Callable[[bytes, float], tuple[bytes | None, T]]) -> T:
        """Read a file, change it and write it, while no other process does. Runs in the thread."""
        folder = users_folder() if self._directory is None else self._directory
        path = folder / name
        with self._locked(path) as file:
            content, answer = change(os.pread(file, LARGEST, 0), self._now())
            if content is not None:
                # In one piece, and cut to its length afterwards: whatever kills us, its beginning is whole.
                if os.pwrite(file, content, 0) != len(content):
                    raise OSError(0, "no room for all of it", str(path))
                os.ftruncate(file, len(content))
        return answer

    @contextmanager
    def _locked(self, path: Path) -> Iterator[int]:
        """The file, open and locked."""
        until = time.monotonic() + PATIENCE
        for _ in range(_REOPEN):
            file = self._opened(path)
            try:
                if not stat.S_ISREG(os.fstat(file).st_mode):
                    raise OSError(0, "not a file", str(path))
                _lock(file, path, until)
                if _is_at(path, file):
                    yield file
                    return
            finally:
                os.close(file)  # with its lock
        raise OSError(0, "removed again and again", str(path))

    def _opened(self, path: Path) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        # In a folder of the program's choice its group may share, as far as its umask allows.
        mode = 0o600 if self._directory is None else 0o660
        with suppress(FileNotFoundError):
            if self._directory is None:
                _check(path.parent)
            return os.open(path, flags, mode)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._directory is None:
            _check(path.parent)
        return os.open(path, flags, mode)

    async def aclose(self) -> None:
        """End the thread after the transaction that it is executing."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown(wait=False, cancel_futures=True)


def _lock(file: int, path: Path, until: float) -> None:
    """Lock a file. Raises OSError if another process holds the lock until that moment."""
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise TimeoutError(0, "another process does not let go of its lock", str(path)) from None
            time.sleep(_TRY_AGAIN)
        else:
            return


def _is_at(path: Path, file: int) -> bool:
    """Whether an open file is still the one at that path."""
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(file))


def _check(folder: Path) -> None:
    """Raise OSError for a folder that others could have prepared, as every user may write where it lies."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError(0, "not a folder of this user alone", str(folder))
