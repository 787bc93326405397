"""`Limit`: what is known of a limit that the service does not show; learned from answers, without clock and waiting.

The gap between two calls has two ways to move. While little is known it is *searched*: multiplied or divided until one
gap was accepted and a smaller one rejected, and then a gap between those two is tried, until they are close together.
Once found, it is *kept* by a weighted up-down staircase: each rejection widens the gap by a step, each success
narrows it by a fraction of the step, so small that rejections settle at the wanted share. The step is additive and as
large as the deviation of the latency: that is what a gap must make room for, however long it is.
"""

import math

import attrs

#: Seconds between two calls where a rejection is the first sign of a limit.
UNKNOWN = 1.0
#: The share of rejections that the staircase settles at.
TARGET = 0.005
#: The step of the staircase in shares of the gap: at least, at most.
_FINEST, _COARSEST = 1 / 500, 1 / 20
#: Successes without a rejection after which the limit may have risen, and is searched anew.
_QUIET = 400
#: What each success leaves of the alarm that each rejection raises by one, and the alarm above which the search begins
#: anew: two rejections in a row, or three among a handful of calls, mean that the limit has fallen.
_CALMING, _ALARM = 0.8, 1.9
#: The factors by which a search steps away from a gap: from nothing, and when the limit may have risen.
_DOUBLE, _RISEN = 2.0, 1.05
#: Where the limit has fallen: how much wider than before the next gap is at least and at most; and how much wider than
#: the time since the last accepted call, which was not enough.
_FALLEN, _FALLEN_MOST, _MORE = 1.5, 4.0, 1.6
#: The search is over when the accepted gap is at most this many times the rejected one.
_FOUND = 1.045
#: How far the next gap lies from the accepted one on the way to the rejected one. A true bisection would need fewer
#: steps, and more rejections.
_NEXT = 0.25
#: Successes that a step of the search needs at least. Seconds that a step takes before the first rejection, and at most
#: after it; so long that a burst which the service forgives is not taken for its rate.
_LEAST_SUCCESSES, _FIRST_STEP, _LONGEST_STEP = 2, 0.1, 2.0
#: The rejection in a row at which the search no longer believes what it found before.
_FOOLED = 3


@attrs.define(kw_only=True)
class Limit:
    """The gap to keep between two calls, and what it takes to improve it. All moments are of one clock.

    Attributes:
        gap: seconds to keep between two calls; 0 while no limit is known.
        floor: the smallest gap in seconds.
        factor: by which a step of the search multiplies or divides the gap while it has not met both an accepted and a
            rejected one; 1 when the search is over.
        too_small: the widest gap that the search saw rejected; 0 before the first.
        enough: the narrowest gap that the search saw accepted; infinite before the first.
        rises: how often the search made the gap wider in a row; None before its first rejection.
        patience: successes after which a step of the search is taken, if the gap is long enough to wait for them.
        changed: when the gap was last searched or widened. A call that kept the gap from before is *stale*: it says
            nothing of this one.
        successes: accepted calls since the gap was changed.
        alarm: recent rejections; each adds one, each success takes a fifth away.
        accepted: when the last accepted call was sent.
        apart: seconds between the last two accepted calls.
    """

    gap: float
    floor: float = 0.0
    factor: float = 1.0
    too_small: float = 0.0
    enough: float = math.inf
    rises: int | None = None
    patience: int = _LEAST_SUCCESSES
    changed: float = float("-inf")
    successes: int = 0
    alarm: float = 0.0
    accepted: float = float("-inf")
    apart: float = 0.0

    @classmethod
    def known(cls, rate: float | None, *, learns: bool = True) -> "Limit":
        """A limit whose rate is known; the gap begins a little wider than that rate needs.

        Args:
            rate: calls per second; None where no limit is known.
            learns: whether the service says that a call came too fast. Where it does not, the gap begins wider and
                stays as it is.
        """
        if rate is None:
            return cls(gap=0.0)
        if not learns:
            gap = 1 / rate + min(0.5, 0.025 / rate)
            return cls(gap=gap, floor=gap)
        return cls(gap=1 / rate + min(0.015, 0.025 / rate), floor=1 / rate)

    @classmethod
    def discover(cls, rate: float) -> "Limit":
        """A limit that is to be found: the search begins at this rate and looks for a faster one."""
        return cls(gap=1 / rate, factor=_DOUBLE)

    @property
    def guard(self) -> float:
        """Seconds by which the gap is wider than it has to be at least."""
        return self.gap - self.floor

    @property
    def searched(self) -> bool:
        """Whether the limit is being looked for: it is unknown, or has changed."""
        return self.factor > 1

    @property
    def starting(self) -> bool:
        """Whether a faster limit is being looked for, without a rejection so far."""
        return self.factor > 1 and self.rises is None

    def success(self, sent: float, now: float, *, tested: bool, stale: bool, deviation: float, under_way: int) -> None:
        """Improve the gap by a call that was accepted.

        Args:
            sent: when the call was sent.
            now: the time of its answer.
            tested: the call went out as soon as the gap allowed; one that came later says nothing of the gap.
            stale: the call kept a gap that has been changed since.
            deviation: seconds by which answers are earlier or later than usual, on average.
            under_way: calls that have no answer yet; a step of the search needs as many successes at least.
        """
        self.apart, self.accepted = sent - self.accepted, sent
        self.alarm *= _CALMING
        if not tested or stale or not self.gap:
            return
        self.successes += 1
        if self.factor == 1:
            self.gap = max(self.floor, self.gap - self._stair(deviation) * TARGET)
            if self.successes >= _QUIET and self.gap > self.floor * _RISEN:
                self.factor, self.rises, self.too_small = _RISEN, 0, 0.0
                self._narrow(now, deviation)
        elif self.successes >= max(under_way, self._successes_needed()):
            self._narrow(now, deviation)

    def rejection(self, sent: float, now: float, *, stale: bool, deviation: float) -> None:
        """Improve the gap by a call that was rejected as too fast; `success` describes the arguments."""
        self.alarm += 1
        if stale:
            return
        if not self.gap:
            self.gap, self.factor = UNKNOWN / _DOUBLE, _DOUBLE
        if self.factor > 1:
            self._widen(now, deviation)
            return
        if self.alarm > _ALARM:
            # The last two accepted calls were far enough apart; this one came too soon after the last of them.
            far = max(self.apart, (sent - self.accepted) * _MORE)
            self.factor, self.rises, self.too_small, self.enough = _DOUBLE, 1, self.gap, math.inf
            self.gap = min(max(self.gap * _FALLEN, far), self.gap * _FALLEN_MOST)
        else:
            # Rejections close to each other count more.
            self.gap += self._stair(deviation) * 2 ** (self.alarm - 1)
        self.changed, self.successes = now, 0

    def _successes_needed(self) -> float:
        """Successes with the present gap that the next step of the search needs."""
        if self.starting:
            return _FIRST_STEP / self.gap
        return max(_LEAST_SUCCESSES, min(self.patience, _LONGEST_STEP / self.gap))

    def _stair(self, deviation: float) -> float:
        """The step of the staircase in seconds: the deviation of the latency, within bounds that grow with the gap."""
        return min(max(deviation, self.gap * _FINEST), self.gap * _COARSEST)

    def _narrow(self, now: float, deviation: float) -> None:
        """Note that the search's gap was accepted, and try the next one."""
        self.enough, self.rises = self.gap, None if self.rises is None else 0
        self._try_next(now, deviation)

    def _widen(self, now: float, deviation: float) -> None:
        """Note that the search's gap was rejected, and try the next one."""
        self.rises = (self.rises or 0) + 1
        self.too_small = max(self.too_small, self.gap)
        if self.rises >= _FOOLED:
            # What was accepted before is too fast: a burst had been forgiven. So steps become larger and longer.
            self.factor, self.enough = _DOUBLE, math.inf
            self.patience *= 2 if self.rises == _FOOLED else 1
        self._try_next(now, deviation)

    def _try_next(self, now: float, deviation: float) -> None:
        """Set the gap that the search tries next, or end the search."""
        self.changed, self.successes = now, 0
        if self.too_small >= self.enough or self.enough == math.inf:
            self.gap, self.enough = self.gap * self.factor, math.inf
        elif not self.too_small:
            self.gap /= self.factor
        elif self.enough > self.too_small * _FOUND:
            self.gap = self.enough * (self.too_small / self.enough) ** _NEXT
        else:
            self.gap, self.factor, self.alarm = self.enough + self._stair(deviation), 1.0, 0.0
        if self.gap <= self.floor:
            self.gap, self.factor = self.floor, 1.0
