"""`IntervalPacer`: keeps a gap between two calls, and learns from their answers how large it must be."""

from aiorescue.clock import Clock
from aiorescue.pace.latency import TICK, Latency
from aiorescue.pace.limit import Limit
from aiorescue.pace.loop_lock import LoopLock
from aiorescue.pace.turns import Pacer, Priority, Turn


class IntervalPacer(Pacer):
    """Keeps a gap between two calls of this process, and learns from their answers how large it must be.

    It may belong to several clients, which may be used on several event loops: each loop has a line of its own.

    Args:
        limit: what is known of the service's limit; improved in place.
        clock: the client's clock.
        last: the moment of the last call before this pacer was made, on that clock.
    """

    def __init__(self, limit: Limit, clock: Clock, *, last: float = float("-inf")) -> None:
        self.limit = limit
        self._clock = clock
        self._line = LoopLock()
        self._latency = Latency()
        self._last = last  # the moment of the last slot
        self._not_before = float("-inf")
        self._under_way: dict[Turn, bool] = {}  # sent and not settled, oldest first, and whether each tests the gap

    @property
    def gap(self) -> float:
        """Seconds that calls are apart at present."""
        return self.limit.gap

    def ready_at(self, priority: Priority = Priority.CALL) -> float:
        """The moment at which a call that came now would be sent."""
        return max(self._due(), self._clock.time()) + self._line.ahead(priority) * self.limit.gap

    def earliest(self, priority: Priority = Priority.CALL) -> float:
        """The moment at which a call that came now would be sent if the gap were as small as it may become."""
        floor = self.limit.floor
        return max(self._last + floor, self._clock.time()) + self._line.ahead(priority) * floor

    def ahead(self, priority: Priority = Priority.CALL) -> int:
        """How many calls stand in line before one that came now."""
        return self._line.ahead(priority)

    async def wait(self, turn: Turn) -> Turn:
        """Wait for the next slot; cancelled, it is left to the next call in line."""
        line = self._line.here()
        await line.acquire(turn.priority)
        try:
            await self._slot()
            self._take(turn)
        finally:
            line.release()
        return turn

    def _due(self) -> float:
        return max(self._last + self.limit.gap, self._not_before)

    async def _slot(self) -> None:
        time, sleep = self._clock.time, self._clock.sleep
        while True:
            if (wait := self._due() - time()) > 0:
                # While the gap is being halved, the answer that does it may come before the slot.
                await sleep(wait if not self.limit.starting else max(wait / 2, min(wait, TICK)))
            elif self.limit.gap and self._latency.is_late(tuple(self._under_way), time()):
                # It would arrive just before the next one, which would then be rejected.
                await sleep(max((self._latency.mean or 0.0) / 4, TICK))
            else:
                return

    def _take(self, turn: Turn) -> None:
        now, due = self._clock.time(), self._due()
        first = self._last == float("-inf")
        # A slot that no call wanted for a while says nothing of the limit. The very first begins a search.
        tested = first or now - due <= self.limit.gap / 10
        # Timers go off up to a tick too late: that must not add up.
        self._last = now if first or now - due > max(TICK, self.limit.gap / 10) else max(due, now - TICK)
        turn.sent = now
        self._under_way[turn] = tested

    def settle(self, turn: Turn, *, accepted: bool | None) -> None:
        """Improve the limit and the estimate of the latency by an answer; `accepted` is None if it says nothing."""
        tested = self._under_way.pop(turn, False)
        if accepted is None:
            return
        now, sent = self._clock.time(), turn.sent
        late = self._latency.observe(now - sent)
        searched = self.limit.searched
        stale, deviation = sent < self.limit.changed, self._latency.deviation
        if accepted:
            under_way = len(self._under_way)
            self.limit.success(sent, now, tested=tested, stale=stale, deviation=deviation, under_way=under_way)
        else:
            self.limit.rejection(sent, now, stale=stale, deviation=deviation)
        if self.limit.searched != searched:
            self.new_rate = 1 / self.limit.gap
        # What the answer took more than usual may have been lost on the way there; the next call would come too soon.
        excess = now - sent - (self._latency.mean or 0.0)
        if accepted and not late:
            # Where the way there is steady, the guard has become small: then it was lost on the way back.
            excess = min(excess, self.limit.guard)
        self._not_before = max(self._not_before, sent + excess + self.limit.gap)
