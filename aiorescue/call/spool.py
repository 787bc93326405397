"""Spooling: a long answer is received whole into a temporary file, then read once, piece by piece.

The file has no name, so no other process can open it, and it is gone with its handle. It is written and read in threads
only: an event loop neither waits for a disk nor decodes megabytes.
"""

import asyncio
import io
import tempfile
import threading
import time
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager, suppress

from aiorescue.files import write_all
from aiorescue.wire.charset import Decoder, encoding_of

#: Bytes above which an answer is spooled.
IN_MEMORY = 2**20
#: Bytes that a spooled answer may have.
LARGEST_LONG_ANSWER = 2 * 2**30
#: Bytes at the beginning of a spooled answer that become the body of its response: enough for the status word and for
#: messages.
_HEAD = 2**14
#: Bytes that are read at once, and characters that are yielded at once.
_PIECE, _STEP = 2**17, 2**13
#: Seconds that a reading thread sleeps between two pieces. One that does not sleep keeps the interpreter's lock for
#: five milliseconds at a time, during which the event loop stands still.
_PAUSE = 5e-5


class TooLargeError(Exception):
    """An answer has more bytes than may be spooled."""


class NoRoomError(Exception):
    """The temporary file cannot be written."""


class Spool:
    """A text in a temporary file. Any thread may use it, one at a time; its owner closes it.

    Args:
        encoding: encoding of the text, a result of `encoding_of`; bytes that are not valid in it are replaced.
    """

    def __init__(self, encoding: str) -> None:
        self._lock = threading.Lock()
        self._file: io.FileIO | None = None
        self._closed = False
        self._size = 0
        self._reading = False
        self._skip = 0
        self._decoder = Decoder(encoding)

    def write(self, data: bytes) -> None:
        """Append bytes to the file. Raises `TooLargeError` and `NoRoomError`, and ValueError once it is closed."""
        self._size += len(data)
        if self._size > LARGEST_LONG_ANSWER:
            raise TooLargeError
        try:
            with self._opened() as file:
                write_all(file, data)
        except OSError as problem:
            why = problem.strerror or type(problem).__name__
            raise NoRoomError(f"the answer cannot be kept in a temporary file: {why}") from None

    def skip(self, characters: int) -> None:
        """Leave out a number of characters at the beginning. Call it before the text is read."""
        self._skip = characters

    def __iter__(self) -> Iterator[str]:
        """Yield the text in pieces, once. Raises ValueError once it is closed."""
        while True:
            with self._opened() as file:
                if not self._reading:
                    self._reading = True
                    file.seek(0)
                data = file.read(_PIECE)
            text = self._decoder.decode(data, final=not data)
            skipped = min(self._skip, len(text))
            self._skip -= skipped
            for start in range(skipped, len(text), _STEP):
                yield text[start : start + _STEP]
                time.sleep(_PAUSE)
            if not data:
                return

    def close(self) -> None:
        """Close the file: at once, or when the thread that is using it is done with its step."""
        self._closed = True
        if self._lock.acquire(blocking=False):
            try:
                if self._file is not None:
                    with suppress(OSError):
                        self._file.close()
            finally:
                self._lock.release()

    @contextmanager
    def _opened(self) -> Iterator[io.FileIO]:
        try:
            with self._lock:
                if self._closed:
                    raise ValueError("the answer was closed")
                if self._file is None:
                    # Without a buffer, so that closing it has nothing left to write.
                    self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - `close` closes it
                yield self._file
        finally:
            if self._closed:
                self.close()

    def __del__(self) -> None:
        # The last resort: a cancellation may strike between two owners.
        self.close()

    def discard(self) -> None:
        """Close the file in a thread, without waiting: the disk takes a while to free a large file."""
        self._closed = True  # a thread that is using it stops
        asyncio.get_running_loop().run_in_executor(None, self.close)


async def receive(chunks: AsyncIterable[bytes], content_type: str) -> tuple[bytes, Spool | None]:
    """Receive an answer to its end.

    Args:
        chunks: bytes of the answer, as they come.
        content_type: the header that may name the charset of its text; empty without one.

    Returns:
        Its bytes and None if it is short; its beginning and the spool with all of it if it is long.

    Raises:
        TooLargeError: it has more bytes than may be spooled.
        NoRoomError: the temporary file cannot be written.
        Exception: what `chunks` raises.
    """
    spool: Spool | None = None
    head, waiting = b"", bytearray()
    try:
        async for chunk in chunks:
            waiting += chunk
            if len(waiting) > IN_MEMORY:
                if spool is None:
                    head = bytes(waiting[:_HEAD])
                    spool = Spool(encoding_of(head, content_type))
                await asyncio.to_thread(spool.write, bytes(waiting))
                waiting.clear()
        if spool is None:
            return bytes(waiting), None
        await asyncio.to_thread(spool.write, bytes(waiting))
    except BaseException:
        if spool is not None:
            spool.discard()
        raise
    return head, spool
