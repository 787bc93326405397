"""What uploads and downloads share: the size of a chunk, reports of progress, file work in threads."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Literal

from aiorescue import errors

#: Bytes in a chunk, unless the program or the server chooses another size.
CHUNK = 2**20
#: Bytes in the largest chunk that a server is known to choose.
_LARGEST_CHUNK = 2**25

#: Called with the number of bytes that are done and of bytes in the whole document, None while that is unknown.
Progress = Callable[[int, int | None], object]


def bytes_in_chunk(chosen: int) -> int:
    """The bytes in a chunk by the size that the server chose, within what memory and a request's number can hold."""
    return min(max(1, chosen), _LARGEST_CHUNK)


def no_progress(done: int, total: int | None) -> None:
    """Report progress to no one: the default of transfers."""


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


async def open_file(path: Path, mode: Literal["rb", "wb"]) -> BinaryIO:
    """Open a file in a thread. If the task is cancelled before that is done, the file is closed again.

    A file to write is closed before the cancellation goes on, so that it can be removed. One to read may be a pipe that
    is never opened at its other end, so it is closed once it has been opened.
    """
    opening: asyncio.Future[BinaryIO] = asyncio.get_running_loop().run_in_executor(None, lambda: path.open(mode))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        if mode == "rb":
            opening.add_done_callback(_close_unused)
        else:
            await _end_of(opening)
            _close_unused(opening)
        raise


def _close_unused(opening: "asyncio.Future[BinaryIO]") -> None:
    """Close a file that was opened for a task which has been cancelled; nothing was written to it or read from it."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


async def close_file(file: BinaryIO) -> None:
    """Close a file in a thread, even while the task is being cancelled."""
    await finish(file.close)


async def finish(work: Callable[[], Any]) -> None:
    """Run a function in a thread. A cancellation of the task goes on after the function's end, not before."""
    working = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        await asyncio.shield(working)
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
