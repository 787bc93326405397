"""Time as something that is handed in, so that an hour can be tested in a millisecond."""

import time
from typing import Protocol

from aiorescue import timer


class Clock(Protocol):
    """A monotonic time in seconds, and a way to wait."""

    def time(self) -> float:
        """Seconds since some moment; never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Wait; may be cancelled."""


class SystemClock:
    """The machine's own."""

    def time(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop."""
        await timer.sleep(seconds)
