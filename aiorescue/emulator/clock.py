"""The emulator's time: a monotonic clock that tests can turn, and the date that belongs to each of its times."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import attrs


@attrs.define
class Clock:
    """Clock that runs with a base clock and can be turned forward.

    Attributes:
        base: the clock underneath, in seconds.
        offset: seconds that the clock was turned forward in all.
    """

    base: Callable[[], float]
    offset: float = 0.0

    def __call__(self) -> float:
        """The time now, in seconds."""
        return self.base() + self.offset

    def advance(self, seconds: float) -> None:
        """Turn the clock forward. Raises ValueError for a step back."""
        if seconds < 0:
            raise ValueError(f"the clock runs forward only, not by {seconds} s")
        self.offset += seconds


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
