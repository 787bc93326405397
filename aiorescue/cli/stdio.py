"""The standard streams: closed ones are replaced, and texts that their encoding lacks are escaped."""

import errno
import io
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, TextIO

from aiorescue.operation import frozen

#: Characters that a cell may hold without commanding a terminal.
_HARMLESS = "\n\r\t"


def prepare() -> None:
    """Make the standard streams safe to use, before a file or a socket takes the place of one that is closed."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free descriptor, which is this one
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
            if isinstance(stream.buffer, io.RawIOBase) and stream is getattr(sys, f"__{name}__"):
                setattr(sys, name, _buffered(stream))


def _buffered(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """The stream, which writes all of a text or raises OSError.

    An unbuffered one (PYTHONUNBUFFERED) drops the rest in silence where the system takes but a part of a text, as on a
    full disk, or when a signal comes.
    """
    raw = io.FileIO(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), stream.encoding, "backslashreplace", line_buffering=True)


def write(stream: TextIO | None, text: str) -> None:
    """Write a text at once; nothing where the stream is closed."""
    if stream is not None and text:
        stream.write(text)
        stream.flush()


def write_error(text: str) -> None:
    """Write a text to stderr. If that fails, there is no place left to say so."""
    try:
        write(sys.stderr, text)
    except (OSError, ValueError):
        _forget_error_text()


def _forget_error_text() -> None:
    """Drop what stderr did not take: Python would try it once more at its end, and end with a status of its own."""
    with suppress(OSError, ValueError, AttributeError):
        descriptor = sys.stderr.fileno()
        kept, nowhere = os.dup(descriptor), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, descriptor)
            sys.stderr.flush()
        finally:
            os.dup2(kept, descriptor)
            os.close(kept)
            os.close(nowhere)


def give_up_stdout() -> None:
    """Leave stdout as it is: the interpreter must not flush it again when it ends."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    sys.stdout = None


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person watches the stream."""
    return stream is not None and not stream.closed and stream.isatty()


def has_terminal_in() -> bool:
    """Whether a person can be asked on stdin."""
    return is_terminal(sys.stdin)


@contextmanager
def given_up_on_failure() -> Iterator[None]:
    """Give stdout up if it cannot be written: what its buffer holds must not fail once more when Python ends."""
    try:
        yield
    except OSError:
        give_up_stdout()
        raise


def flush_stdout() -> bool:
    """Flush stdout; returns whether it took all that its buffer held. If not, it is given up."""
    try:
        Data().flush()
    except OSError:
        return False
    return True


@frozen
class Data:
    """Stdout as a file of text in UTF-8, whatever the encoding of the terminal or the locale is.

    On a terminal characters that would command it are escaped.
    """

    def write(self, text: str) -> int:
        """Write a text as UTF-8; on a terminal, control characters are escaped. Returns its number of characters."""
        if is_terminal(sys.stdout):
            text = escaped(text)
        if sys.stdout is not None:
            with given_up_on_failure():
                sys.stdout.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush stdout, so that what was written reaches its reader."""
        if sys.stdout is not None:
            with given_up_on_failure():
                sys.stdout.flush()

    def close(self) -> None:
        """Flush stdout, which stays open."""
        self.flush()


def stdout_for_bytes() -> BinaryIO:
    """Stdout as a file of bytes, which write all of them. Raises OSError if it is closed."""
    if sys.stdout is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), "standard output")
    return sys.stdout.buffer


def stdout_for_data() -> Data:
    """Stdout for rows, in UTF-8 unless a terminal shows them."""
    if isinstance(sys.stdout, io.TextIOWrapper) and not is_terminal(sys.stdout):
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    return Data()


def escaped(text: str) -> str:
    """The text with control characters escaped, but for line ends and tabs."""
    if text.isprintable():
        return text
    return "".join(f"\\x{ord(char):02x}" if _commands(char) else char for char in text)


def _commands(char: str) -> bool:
    """Whether a character is a control character of C0 or C1 that a text has no use for."""
    return unicodedata.category(char) == "Cc" and char not in _HARMLESS
