"""Time and waiting as values that are handed in, so that an hour can be tested in a millisecond."""

import asyncio
import time
from typing import Protocol

#: Seconds by which asyncio's timers are late: asyncio waits in whole milliseconds, rounded up, at times twice.
_LATE = 0.0025


class Clock(Protocol):
    """A monotonic time in seconds, and a way to wait."""

    def time(self) -> float:
        """Seconds since some moment; never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Wait for that many seconds. May be cancelled."""


class SystemClock:
    """The machine's own clock: `time.monotonic` and waiting on the event loop."""

    def time(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop, exact to the millisecond."""
        await sleep(seconds)


async def sleep(seconds: float) -> None:
    """Wait on the event loop, exact to the millisecond.

    The last 2.5 ms are waited for apart, because asyncio rounds the end of a long wait up by as much.
    """
    now = asyncio.get_running_loop().time
    end = now() + seconds
    if seconds > 2 * _LATE:
        await asyncio.sleep(seconds - _LATE)
        seconds = end - now()
    await asyncio.sleep(seconds)
