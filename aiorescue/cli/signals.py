"""Signals that end the command: SIGINT, SIGTERM and SIGHUP have one effect, but each has its own exit status.

What a signal does depends on how far the command is. While Python itself starts, SIGINT is a traceback; then, until
this module has been imported, it ends the process as it ends any other (`aiorescue.__main__`). While the rest is being
imported, nothing is under way: one line, and the process ends (`leave_at_once`). While the command reads its input or
asks for a password, `Interrupted` is raised (`raised`). While it waits for the service, its coroutine is cancelled, or
does what it has asked for (`run`, `on_signal`). While its result is being printed, the first signal is too late, and
the second ends the process (`heeded_twice`). A signal that comes twice at once is one (`Heard`).

Only what is quick to import is imported here: until `leave_at_once` a signal ends the command without a word.
"""

import json
import math
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

from aiorescue.cli.status import MEANING, Status

_T = TypeVar("_T")
_Handler = Callable[[int, FrameType | None], object]

#: The numbers of the signals; Windows has no SIGHUP.
NUMBERS = tuple(int(getattr(signal, name)) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

#: Seconds within which the same signal, come again, is its echo.
_ECHO = 0.2


class Heard:
    """The signals that have come: ``timeout`` sends each to the process and to its group, which is no second one."""

    def __init__(self) -> None:
        self._moments: dict[int, float] = {}

    def is_new(self, number: int) -> bool:
        """Whether a signal that has just come is more than the echo of one that came a moment ago."""
        now = time.monotonic()
        if now - self._moments.get(number, -math.inf) < _ECHO:
            return False
        self._moments[number] = now
        return True


class Interrupted(KeyboardInterrupt):
    """Ends the command after a signal that asks it to end.

    Attributes:
        number: the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def number_of(problem: BaseException) -> int:
    """The signal behind an interruption, which typer may have wrapped; SIGINT where nothing says otherwise."""
    for one in (problem, problem.__cause__, problem.__context__):
        if isinstance(one, Interrupted):
            return one.number
    return int(signal.SIGINT)


def record_of(number: int) -> dict[str, Any]:
    """What programs read of a command that a signal ended before it had a result."""
    status = Status.of_signal(number)
    error = {"type": "Interrupted", "message": "interrupted", "operation": None, "status": None}
    return {
        "error": error | {"exit_status": int(status)},
        "exit_status": int(status),
        "exit_meaning": MEANING[status],
    }


def words_for(arguments: Sequence[str], *, as_json: bool) -> Iterator[str]:
    """The lines that tell people of a command that a signal ended before it had a result."""
    yield "aiorescue: interrupted\n"
    if "pins" in arguments and not as_json:
        yield f"To go on: {shlex.join(['aiorescue', *arguments])}\n"


def leave_at_once() -> None:
    """From now on let a signal end the process with one line, and with an object of JSON for programs."""
    for number in _heeded():
        signal.signal(number, lambda number, _: leave_with_a_line(number))


def leave_with_a_line(number: int) -> None:
    """End the process at once, with the exit status of a signal, after one line, and an object of JSON for programs."""
    as_json = "--json" in sys.argv
    # By the descriptors: Python's own streams may not be ready.
    with suppress(OSError):
        os.write(2, "".join(words_for(sys.argv[1:], as_json=as_json)).encode(errors="backslashreplace"))
    if as_json:
        with suppress(OSError):
            os.write(1, json.dumps(record_of(number), indent=2).encode() + b"\n")
    leave(number)


def leave(number: int) -> None:
    """End the process at once, with the exit status of a signal."""
    os._exit(Status.of_signal(number))


def ignore() -> None:
    """Ignore all signals from now on: the command is done, and Python is ending."""
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def raised() -> Iterator[None]:
    """Within the context, signals raise `Interrupted`."""

    def interrupt(number: int, _: FrameType | None) -> None:
        raise Interrupted(number)

    with _handled_by(interrupt):
        yield


@contextmanager
def heeded_twice() -> Iterator[None]:
    """Within the context, the first signal does nothing, and the second ends the process."""
    heard = Heard()
    seen: list[int] = []

    def count(number: int, _: FrameType | None) -> None:
        if not heard.is_new(number):
            return
        if seen:
            leave(number)
        seen.append(number)

    with _handled_by(count):
        yield


@contextmanager
def deferred() -> Iterator[None]:
    """Within the context, which has to be short, signals wait for its end."""
    waiting: list[int] = []
    try:
        with _handled_by(lambda number, _: waiting.append(number)):
            yield
    finally:
        for number in waiting:
            signal.raise_signal(number)


@contextmanager
def _handled_by(handler: _Handler) -> Iterator[None]:
    """Within the context, a function handles the signals; only the main thread can set that."""
    if not _is_main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in _heeded()}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _heeded() -> Iterator[int]:
    """The signals that end the command; under ``nohup``, which makes the command ignore SIGHUP, all but that one."""
    for number in NUMBERS:
        if number in (signal.SIGINT, signal.SIGTERM) or signal.getsignal(number) is not signal.SIG_IGN:
            yield number


# --- on an event loop ---

#: What the first and each later signal does, innermost last.
_responses: list[tuple[Callable[[int], None], Callable[[int], None]]] = []


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine on an event loop of its own, as ``asyncio.run`` does.

    A signal cancels it, and a second one ends the process with one line, unless `on_signal` says otherwise. Signals
    that come while the loop is made are not lost, and harm nothing. A second one that comes while the loop is closed
    ends the process, too: a thread that the loop waits for may never end.

    Args:
        work: the coroutine.

    Returns:
        What the coroutine returned.

    Raises:
        Interrupted: a signal cancelled it.
    """
    import asyncio  # noqa: PLC0415 - takes long to import

    early: list[int] = []
    cancelled_by: list[int] = []
    responded: list[int] = []
    heard = Heard()

    def keep(number: int, _: FrameType | None) -> None:
        if heard.is_new(number):
            (leave_with_a_line if responded else early.append)(number)

    def respond(number: int) -> None:
        if heard.is_new(number):
            responded.append(number)
            _respond(number)

    async def watched() -> _T:
        task = asyncio.ensure_future(work)

        def cancel(number: int) -> None:
            cancelled_by.append(number)
            task.cancel()

        loop = asyncio.get_running_loop()
        # Not through `loop.add_signal_handler`, which the event loops of Windows lack. Behind the block `keep` is back.
        of_loop = _handled_by(lambda number, _: loop.call_soon_threadsafe(respond, number))
        with of_loop, on_signal(cancel, leave_with_a_line):
            responded.extend(early)
            for number in early:
                _respond(number)
            return await task

    with _handled_by(keep):
        try:
            with asyncio.Runner() as runner:
                return runner.run(watched())
        except asyncio.CancelledError:
            if not cancelled_by:
                raise
            raise Interrupted(cancelled_by[0]) from None
        finally:
            work.close()


def _respond(number: int) -> None:
    if _responses:
        first, second = _responses[-1]
        _responses[-1] = (second, second)
        first(number)


@contextmanager
def on_signal(first: Callable[[int], None], second: Callable[[int], None]) -> Iterator[None]:
    """Within `run`, call `first` on the loop with the first signal, and `second` with each later one."""
    _responses.append((first, second))
    try:
        yield
    finally:
        _responses.pop()
