"""The emulator's time: a monotonic clock that tests can turn."""

from collections.abc import Callable

import attrs


@attrs.define
class Clock:
    """Seconds on the base clock, plus what it was turned by."""

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
