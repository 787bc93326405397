"""What uploads and downloads share: the size of a chunk, reports of progress, file work in threads."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from io import TextIOBase
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from aiorescue import errors, files

R = TypeVar("R")
F = TypeVar("F", bound=BinaryIO | None)

#: Bytes in a chunk, unless the program or the server chooses another size.
CHUNK = 2**20
#: Bytes in the largest chunk that a server is known to choose.
_LARGEST_CHUNK = 2**25

#: Called with the number of bytes that are done and of bytes in the whole document, None while that is unknown.
Progress = Callable[[int, int | None], object]


def bytes_in_chunk(chosen: int) -> int:
    """The bytes in a chunk by the size that the server chose, within what memory and a request's number can hold."""
    return min(chosen, _LARGEST_CHUNK) if chosen > 0 else CHUNK  # of a byte each there would be millions


def no_progress(done: int, total: int | None) -> None:
    """Ignore the progress: the default of transfers."""


def local_path(name: str, given: str | os.PathLike[str]) -> Path:
    """The path given for an argument of that name. Raises `errors.InvalidRequest` for one that no file can have."""
    text = os.fspath(given)
    if not isinstance(text, str):
        raise errors.InvalidRequest(f"{name} must be a path as text, not {type(text).__name__}")
    try:
        is_possible = b"\0" not in os.fsencode(text) and Path(text).name != ""
    except UnicodeEncodeError:  # half of a pair of surrogates
        is_possible = False
    if not is_possible:
        raise errors.InvalidRequest(f"{name} must be the path of a file, and {text[:80]!r} can be none")
    return Path(text)


class Part:
    """The file of another name that a download is written to: it replaces the target as a whole, or not at all.

    Args:
        target: path of the target; where it is a link, the file that the link leads to is replaced.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path: Path | None = None  # None: not made, or put in place
        self._file: BinaryIO

    async def open(self) -> None:
        """Make the file. Raises OSError, which names the target, such as for a folder."""
        await finish(self._open)

    async def write(self, data: bytes) -> None:
        """Write bytes to the file. Raises OSError, which names the target."""
        await asyncio.to_thread(self._write, data)

    async def put_in_place(self) -> None:
        """Let the file take the place of the target. Raises OSError, which names the target."""
        await finish(self._put_in_place)

    async def drop(self) -> None:
        """Remove the file, unless it is in its place; the target stays as it was."""
        await finish(self._drop)

    # --- in a thread ---

    def _open(self) -> None:
        with files.naming(self._target):
            self._real = files.real(self._target)
            handle, self._path = files.make_part(self._real, private=False)
            self._file = open(handle, "wb")  # noqa: PTH123, SIM115 - of a descriptor; `put_in_place` or `drop` closes it

    def _write(self, data: bytes) -> None:
        with files.naming(self._target):
            self._file.write(data)

    def _put_in_place(self) -> None:
        with files.naming(self._target):
            self._file.close()
            path, self._path = self._path, None
            if path is not None:
                files.replace(self._real, path)

    def _drop(self) -> None:
        if self._path is not None:
            with suppress(OSError):  # a full disk, once more
                self._file.close()
            files.discard(self._path)


def takes_bytes(file: object) -> bool:
    """Whether an argument can be written to, and is not a file in text mode."""
    return hasattr(file, "write") and not isinstance(file, TextIOBase)


async def write_to(file: BinaryIO, data: bytes) -> None:
    """Write all bytes to a file in a thread. Raises `errors.InvalidRequest` for a file that takes none of them now."""
    try:
        await asyncio.to_thread(files.write_all, file, data)
    except files.NothingWrittenError:
        raise errors.InvalidRequest(
            "download writes to a file that takes bytes whenever they come, and this one took none of them"
            " (write returned None or 0, as that of a non-blocking file does): pass a file that blocks"
        ) from None


async def open_stream(path: Path) -> BinaryIO:
    """Open a pipe or a device to write to it. A named pipe is opened once it has a reader.

    No thread waits for that reader, and `write_to_stream` waits in none: a cancellation ends either wait.
    """
    while True:
        file = await open_file(partial(_open_stream, path))
        if file is not None:
            return file
        await asyncio.sleep(files.LOOK_FOR_READER)


def _open_stream(path: Path) -> BinaryIO | None:
    descriptor = files.open_stream(path)
    return None if descriptor is None else open(descriptor, "wb", buffering=0)  # noqa: PTH123 - of a descriptor


async def write_to_stream(file: BinaryIO, path: Path, data: bytes) -> None:
    """Write all bytes to a file of `open_stream`, as fast as they are read. Raises OSError, which names the path."""
    left = memoryview(data)
    with files.naming(path):
        while left:
            written = await finish(partial(file.write, left))
            if not written:  # None where a reader is busy
                await _until_writable(file.fileno())
            else:
                left = left[written:]


async def _until_writable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    writable = asyncio.Event()
    loop.add_writer(descriptor, writable.set)
    try:
        await writable.wait()
    finally:
        loop.remove_writer(descriptor)


class StreamReader:
    """Reads a pipe or a device once. No thread waits for what writes to it, so that a cancellation ends each wait.

    Args:
        path: path of the pipe or device.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO
        self._is_begun = True  # False for a named pipe, which seems to be at its end until a writer comes

    async def open(self) -> None:
        """Open the pipe or device, without waiting for a writer. Raises OSError."""
        self._file = await open_file(self._open)

    def _open(self) -> BinaryIO:
        self._is_begun = not self._path.is_fifo()
        return open(self._path, "rb", buffering=0, opener=_to_read_without_blocking)

    async def read(self, size: int) -> bytes:
        """Read a number of bytes; fewer at the end. Raises OSError, which names the path."""
        parts: list[bytes] = []
        with files.naming(self._path):
            while size > 0:
                if not self._is_begun:
                    await _until_readable(self._file.fileno())
                    self._is_begun = True
                part: bytes | None = await finish(partial(self._file.read, size))
                if part is None:  # a writer has not written yet
                    await _until_readable(self._file.fileno())
                elif part:
                    parts.append(part)
                    size -= len(part)
                else:
                    break
        return b"".join(parts)

    async def close(self) -> None:
        """Close the pipe or device, which is not read any more."""
        await close_file(self._file)


def _to_read_without_blocking(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


async def _until_readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)


async def open_file(opened: Callable[[], F]) -> F:
    """Open a file in a thread. If the task is cancelled before that is done, the file is closed once it is open.

    That is not waited for: the file may be a pipe that is never opened at its other end.
    """
    opening: asyncio.Future[F] = asyncio.get_running_loop().run_in_executor(None, opened)
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_unused)
        raise


def _close_unused(opening: "asyncio.Future[Any]") -> None:
    """Close a file that was opened for a task which has been cancelled; nothing was written to it or read from it."""
    if not opening.cancelled() and opening.exception() is None and opening.result() is not None:
        opening.result().close()


async def close_file(file: BinaryIO) -> None:
    """Close a file in a thread, even while the task is being cancelled."""
    await finish(file.close)


async def finish(work: Callable[[], R]) -> R:
    """Run a function in a thread. A cancellation of the task goes on after the function's end, not before."""
    working = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await _end_of(working)
        raise


async def _end_of(working: "asyncio.Future[Any]") -> None:
    """Wait until the work of a thread has ended, however often the task is cancelled.

    AnyIO, and with it Starlette and FastAPI, cancels a task in each round of the event loop until it has ended.
    """
    while not working.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([working])
