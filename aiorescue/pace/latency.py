"""Latency: how long answers usually take, and whether one is late."""

from collections.abc import Iterable

import attrs

from aiorescue.pace.turns import Turn

#: Seconds for which a call that is late on its way holds up the next one, at most.
_HOLD = 1.0
#: Seconds below which lateness does not matter, and between two looks at what has changed while waiting.
TICK = 0.001


@attrs.define
class Latency:
    """A running estimate of the round trip, as TCP keeps it (Jacobson): a mean, and the mean deviation from it.

    A late answer moves both a little, so that after a while a slower network counts as usual.

    Attributes:
        mean: seconds that an answer takes; None before the second one.
        deviation: seconds by which answers are earlier or later, on average.
        begun: whether an answer has come.
    """

    mean: float | None = None
    deviation: float = 0.0
    begun: bool = False

    @property
    def limit(self) -> float:
        """Seconds after which an answer is late."""
        return (self.mean or 0.0) + max(4 * self.deviation, TICK)

    def observe(self, seconds: float) -> bool:
        """Take the seconds that an answer took into the estimate. Returns whether it was late."""
        if not self.begun:
            # The first call opens the connection: when it arrived is unknown, and how long answers usually take, too.
            self.begun = True
            return True
        if self.mean is None:
            self.mean, self.deviation = seconds, seconds / 8
            return False
        late = seconds > self.limit
        error = min(seconds, self.limit) - self.mean
        self.mean += error / 8
        self.deviation += (abs(error) - self.deviation) / 8
        return late

    def is_late(self, under_way: Iterable[Turn], now: float) -> bool:
        """Whether the oldest turn under way is late; `under_way` has the oldest first."""
        oldest = next(iter(under_way), None)
        if oldest is None:
            return False
        age = now - oldest.sent
        # How long the first one takes is unknown: it is waited for.
        limit = self.limit if self.begun else 0.0
        return limit < age < limit + _HOLD
