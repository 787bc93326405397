"""Clocks to hand to a client or a pacer beside real sockets: waits that take no time, and time that a test turns."""

import asyncio
import time


class QuickClock:
    """A clock on which waiting takes no time: each sleep turns the clock forward and returns at once.

    Attributes:
        skipped: seconds that were slept on this clock, or by which a test has turned it forward.
    """

    def __init__(self) -> None:
        self.skipped = 0.0

    def time(self) -> float:
        """Seconds of the monotonic clock, plus those skipped."""
        return time.monotonic() + self.skipped

    async def sleep(self, seconds: float) -> None:
        """Turn the clock forward and let other tasks run once."""
        self.skipped += seconds
        await asyncio.sleep(0)


class HandClock:
    """A clock that stands still until a test turns it; sleeps end when it has been turned far enough.

    Attributes:
        now: seconds that the clock shows.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._turned = asyncio.Event()

    def time(self) -> float:
        """Seconds that the clock shows."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been turned by that many seconds."""
        end = self.now + seconds
        while self.now < end:
            await self._turned.wait()

    def turn(self, seconds: float) -> None:
        """Turn the clock forward and wake the sleepers."""
        self.now += seconds
        self._turned.set()
        self._turned = asyncio.Event()


async def end_of(task: asyncio.Future[object], turns: int = 100) -> None:
    """Let the event loop turn until a task is done. Raises AssertionError if it is not within so many turns.

    This is how "at once" is tested without measuring time: no timer of a second can be behind it.
    """
    for _ in range(turns):
        if task.done():
            return
        await asyncio.sleep(0)
    raise AssertionError(f"not done after {turns} turns of the event loop: {task!r}")
