"""Signals that end the command: SIGINT, SIGTERM and SIGHUP have one effect, but each has its own exit status."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

#: The numbers of the signals; Windows has no SIGHUP.
NUMBERS = tuple(int(getattr(signal, name)) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


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


def raise_for_signals() -> None:
    """Let SIGTERM and SIGHUP raise `Interrupted`, as SIGINT raises KeyboardInterrupt."""
    for number in _heeded():
        if number != signal.SIGINT:
            signal.signal(number, _interrupt)


def _interrupt(number: int, _: FrameType | None) -> None:
    raise Interrupted(number)


def _heeded() -> Iterator[int]:
    """The signals that end the command; SIGHUP is none of them under ``nohup``, which makes the command ignore it."""
    for number in NUMBERS:
        if number in (signal.SIGINT, signal.SIGTERM) or signal.getsignal(number) is not signal.SIG_IGN:
            yield number


@contextmanager
def on_signal(first: Callable[[int], None], second: Callable[[int], None]) -> Iterator[None]:
    """Call `first` on the running loop with the first signal, and `second` with each later one."""
    loop = asyncio.get_running_loop()
    before: dict[int, Any] = {}

    def heed(number: int) -> None:
        for one in before:
            loop.add_signal_handler(one, second, one)
        first(number)

    with suppress(NotImplementedError):  # Windows: Ctrl-C ends the loop at once
        for number in _heeded():
            before[number] = signal.getsignal(number)
            loop.add_signal_handler(number, heed, number)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
