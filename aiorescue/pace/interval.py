"""The pacer that keeps a gap between two calls, and learns from their answers how large it must be."""

from collections.abc import Mapping

import attrs

from aiorescue.clock import Clock
from aiorescue.pace.limit import Limit
from aiorescue.pace.turns import Line, Priority, Turns

#: Seconds for which a call that is late on its way holds up the next one, at most.
_HOLD = 1.0
#: Seconds below which lateness does not matter, and between two looks at what has changed meanwhile.
_TICK = 0.001


@attrs.define
class Answers:
    """How long answers take, as TCP counts it: a mean, and the mean distance from it.

    An answer that is late moves both a little, so that a network that has become slow is found usual after a while.
    """

    usual: float | None = None
    scatter: float = 0.0
    any: bool = False

    @property
    def late(self) -> float:
        """Seconds after which an answer is late."""
        return (self.usual or 0.0) + max(4 * self.scatter, _TICK)

    def heard(self, took: float) -> bool:
        """An answer came after so many seconds; whether that was late."""
        if not self.any:
            # The first call opens the connection, so nobody knows when it arrived, nor what is usual.
            self.any = True
            return True
        if self.usual is None:
            self.usual, self.scatter = took, took / 8
            return False
        late = took > self.late
        off = min(took, self.late) - self.usual
        self.usual += off / 8
        self.scatter += (abs(off) - self.scatter) / 8
        return late


def is_late(under_way: Mapping[float, object], answers: Answers, now: float) -> bool:
    """Whether the oldest call under way is late; `under_way` has the moments of sending, oldest first."""
    if not under_way:
        return False
    age = now - next(iter(under_way))
    # Nobody knows how long the first one takes: it is waited for.
    late = answers.late if answers.any else 0.0
    return late < age < late + _HOLD


class Interval(Turns):
    """A gap between two calls, learned.

    Args:
        limit: what is known of the limit.
        clock: the time.
    """

    def __init__(self, limit: Limit, clock: Clock) -> None:
        self.limit = limit
        self._clock = clock
        self._line = Line()
        self._answers = Answers()
        self._last = float("-inf")  # the moment of the last slot
        self._not_before = float("-inf")
        self._under_way: dict[float, bool] = {}  # moments of sending, oldest first, and whether they test the gap

    def ready_at(self, priority: Priority = Priority.CALL) -> float:
        """When a call that came now would be sent."""
        return max(self._due(), self._clock.time()) + self._line.ahead(priority) * self.limit.gap

    async def slot(self, priority: Priority = Priority.CALL, *, rejections: int = 0) -> float:
        """Wait for the next slot; cancelled, it is left to the next one in line."""
        await self._line.enter(priority)
        try:
            await self._wait()
            return self._take()
        finally:
            self._line.leave()

    def _due(self) -> float:
        return max(self._last + self.limit.gap, self._not_before)

    async def _wait(self) -> None:
        time, sleep = self._clock.time, self._clock.sleep
        while True:
            if (wait := self._due() - time()) > 0:
                # While the gap is being halved, the answer that does it may come before the slot.
                await sleep(wait if not self.limit.starting else max(wait / 2, min(wait, _TICK)))
            elif self.limit.gap and is_late(self._under_way, self._answers, time()):
                # It would arrive just before the next one, which would then be rejected.
                await sleep(max((self._answers.usual or 0.0) / 4, _TICK))
            else:
                return

    def _take(self) -> float:
        now, due = self._clock.time(), self._due()
        first = self._last == float("-inf")
        # A slot that nobody wanted for a while tells nothing of the limit. The very first begins a search.
        tested = first or now - due <= self.limit.gap / 10
        # Timers go off up to a tick too late: that must not add up.
        self._last = now if first or now - due > max(_TICK, self.limit.gap / 10) else max(due, now - _TICK)
        while now in self._under_way:  # two slots in one tick of the clock
            now += 1e-9
        self._under_way[now] = tested
        return now

    def answered(self, sent: float, *, accepted: bool | None) -> None:
        """Learn from an answer."""
        tested = self._under_way.pop(sent, False)
        if accepted is None:
            return
        now = self._clock.time()
        late = self._answers.heard(now - sent)
        stale, scatter = sent < self.limit.changed, self._answers.scatter
        if accepted:
            under_way = len(self._under_way)
            self.limit.success(sent, now, tested=tested, stale=stale, scatter=scatter, under_way=under_way)
        else:
            self.limit.rejection(sent, now, stale=stale, scatter=scatter)
        if late or not accepted:
            # It arrived up to half a round trip ago, and the next one takes as long to arrive.
            self._not_before = max(self._not_before, now - (self._answers.usual or 0.0) + self.limit.gap)
