"""The emulator's time: a monotonic clock that tests can turn, and the date that belongs to each of its times."""

import asyncio
import contextlib
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock

#: Seconds before the end of a wait at which the clock is read again, because asyncio's timers may be late by as much.
_LATE = 0.0025


class TurnableClock:
    """Clock that runs with a base clock and can be turned forward, by any thread.

    It is a clock for clients, too: `RescueClient(clock=service.clock)` waits and expires with the emulator.

    Attributes:
        base: the clock underneath, in seconds.
        offset: seconds that the clock was turned forward in all.

    Args:
        base: the clock underneath, in seconds.
    """

    def __init__(self, base: Callable[[], float]) -> None:
        self.base, self.offset = base, 0.0
        self._lock = Lock()
        self._sleepers: dict[asyncio.Future[None], asyncio.AbstractEventLoop] = {}

    def __call__(self) -> float:
        """The time now, in seconds."""
        return self.base() + self.offset

    def time(self) -> float:
        """The time now, in seconds."""
        return self()

    def advance(self, seconds: float) -> None:
        """Turn the clock forward, which wakes those who sleep on it. Raises ValueError for a step back."""
        if not 0 <= seconds < math.inf:
            raise ValueError(f"the clock runs forward only, not by {seconds} s")
        with self._lock:
            self.offset += seconds
            sleepers = list(self._sleepers.items())
        for sleeper, loop in sleepers:
            with contextlib.suppress(RuntimeError):  # a loop that was closed has no sleepers left to wake
                loop.call_soon_threadsafe(_wake, sleeper)

    async def sleep(self, seconds: float) -> None:
        """Wait for a number of seconds on this clock, which pass by themselves or when the clock is turned forward."""
        end = self.time() + seconds
        if seconds <= 0:
            await asyncio.sleep(0)
        while end > self.time():
            await self._wait_for(end)

    async def _wait_for(self, end: float) -> None:
        """Wait until shortly before a time, or until the clock is turned."""
        loop = asyncio.get_running_loop()
        sleeper = loop.create_future()
        with self._lock:
            self._sleepers[sleeper] = loop
        # The clock is read only now, so that no turn of it is missed.
        left = end - self.time()
        timer = loop.call_later(max(0.0, left - _LATE if left > 2 * _LATE else left), _wake, sleeper)
        try:
            await sleeper
        finally:
            timer.cancel()
            with self._lock:
                del self._sleepers[sleeper]


def _wake(sleeper: "asyncio.Future[None]") -> None:
    if not sleeper.done():
        sleeper.set_result(None)


class Calendar:
    """Dates in UTC for the times of a clock; the calendar begins with the real date at which it is made.

    Args:
        clock: the clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        #: The date at which this calendar began.
        self.born = datetime.now(UTC)
        self._began = clock()

    def when(self, seconds: float) -> datetime:
        """The date, in UTC, of a time on the clock."""
        return self.born + timedelta(seconds=seconds - self._began)

    def now(self) -> datetime:
        """The date now, in UTC."""
        return self.when(self.clock())
