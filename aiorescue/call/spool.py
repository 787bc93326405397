"""A long answer on its way: received whole into a temporary file, then read once, piece by piece.

The file has no name, so nobody else can open it, and it is gone with its handle. It is written and read in threads
only: an event loop neither waits for a disk nor decodes megabytes.
"""

import asyncio
import codecs
import io
import tempfile
import threading
import time
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager, suppress

#: Bytes above which an answer goes into a file.
IN_MEMORY = 2**20
#: Bytes that a file may have.
LARGEST_LONG_ANSWER = 2 * 2**30
#: Bytes at the beginning of a long answer that are handed out as its body: enough for the word and for messages.
_HEAD = 2**14
#: Bytes that are read at once, and characters that are handed out.
_PIECE, _STEP = 2**17, 2**13
#: Seconds between them: the interpreter would let an event loop wait five milliseconds for its turn.
_PAUSE = 5e-5


class TooLargeError(Exception):
    """There are more bytes than a file may have."""


class NoRoomError(Exception):
    """The file cannot be written."""


class Spool:
    """A text in a temporary file. Any thread may use it, one at a time; whoever has it closes it.

    Args:
        charset: of the text. An unknown one is read as UTF-8, and what is no text is replaced.
    """

    def __init__(self, charset: str) -> None:
        self._lock = threading.Lock()
        self._file: io.FileIO | None = None
        self._closed = False
        self._size = 0
        self._reading = False
        self._skip = 0
        try:
            b"text".decode(charset, "replace")  # raises for codecs that make no text, too
        except LookupError:
            charset = "utf-8"
        self._decoder = codecs.getincrementaldecoder(charset)("replace")

    def write(self, data: bytes) -> None:
        """Add to the file. Raises `TooLargeError` and `NoRoomError`; ValueError once it is closed."""
        self._size += len(data)
        if self._size > LARGEST_LONG_ANSWER:
            raise TooLargeError
        left = memoryview(data)
        try:
            with self._opened() as file:
                while left:
                    left = left[file.write(left) :]
        except OSError as problem:
            why = problem.strerror or type(problem).__name__
            raise NoRoomError(f"the answer cannot be kept in a temporary file: {why}") from None

    def skip(self, characters: int) -> None:
        """Leave out the first ones. Before the first of them is read."""
        self._skip = characters

    def __iter__(self) -> Iterator[str]:
        """The text in pieces. Raises ValueError once it is closed."""
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
        """Close the file: now, or as soon as the thread that is using it lets go of it."""
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
        # The last resort: a cancellation may hit where nobody has it in his hands.
        self.close()

    def discard(self) -> None:
        """Close it from an event loop, which does not wait: freeing a large file takes the disk its time."""
        self._closed = True  # whoever is using it stops
        asyncio.get_running_loop().run_in_executor(None, self.close)


async def receive(chunks: AsyncIterable[bytes], charset: str) -> tuple[bytes, Spool | None]:
    """An answer to its end: the bytes; or, if it is long, its beginning and all of it in a file.

    Raises:
        TooLargeError: it has more bytes than a file may have.
        NoRoomError: it cannot be written.
        Exception: whatever `chunks` raises.
    """
    spool: Spool | None = None
    head, waiting = b"", bytearray()
    try:
        async for chunk in chunks:
            waiting += chunk
            if len(waiting) > IN_MEMORY:
                if spool is None:
                    spool, head = Spool(charset), bytes(waiting[:_HEAD])
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
