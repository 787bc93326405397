"""`WindowPacer`: a limited number of calls in a window of time. `UnpacedPacer`: no pace at all."""

import random
from collections import deque

from aiorescue.clock import Clock
from aiorescue.pace.limit import UNKNOWN
from aiorescue.pace.loop_lock import LoopLock
from aiorescue.pace.turns import NoTurnAtOnceError, Pacer, Priority, Turn


class UnpacedPacer(Pacer):
    """No pace: only a call that was rejected waits before its next attempt, for one to two seconds.

    Args:
        clock: the time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def ready_at(self, priority: Priority = Priority.CALL) -> float:
        """The moment at which a call that came now would be sent: now."""
        return self._clock.time()

    def again_at(self) -> float:
        """The moment by which a call that has just been rejected would be sent again: after the longest wait."""
        return self._clock.time() + 2 * UNKNOWN

    async def wait(self, turn: Turn) -> Turn:
        """Wait only where the call was rejected before."""
        if turn.rejections:
            await self._clock.sleep(UNKNOWN * (1 + random.random()))  # noqa: S311 - spreads, hides nothing
        turn.sent = self._clock.time()
        return turn

    def settle(self, turn: Turn, *, accepted: bool | None) -> None:
        """Learn nothing: there is no pace."""


class WindowPacer(Pacer):
    """Lets a limited number of calls begin in a window of time: logins.

    A rejection is not learned from, because the service reports it as a failed login.

    Args:
        count: the number of calls in a window.
        seconds: the length of the window.
        clock: the time.
    """

    def __init__(self, count: int, seconds: float, clock: Clock) -> None:
        self._count = count
        self._seconds = seconds
        self._clock = clock
        self._counted: deque[float] = deque()  # when each call in the window counts, oldest first
        self._under_way: dict[Turn, float] = {}
        self._line = LoopLock()

    def ready_at(self, priority: Priority = Priority.CALL) -> float:
        """The moment at which a call that came now would fit into the window, behind those that wait."""
        windows, calls = divmod(self._line.ahead(priority), self._count)
        return self._free_at(calls) + windows * self._seconds

    def ahead(self, priority: Priority = Priority.CALL) -> int:
        """How many calls stand in line before one that came now."""
        return self._line.ahead(priority)

    def _free_at(self, calls: int) -> float:
        """The moment at which one more call fits in, beside those in the window and `calls` others before it."""
        now, counted = self._clock.time(), tuple(self._counted)
        leaving = len(counted) + calls - self._count
        return now if leaving < 0 else max(now, counted[leaving] + self._seconds)

    async def wait(self, turn: Turn) -> Turn:
        """Wait until one more call fits into the window, then set its `Turn.sent`. Raises `NoTurnAtOnceError`."""
        line = self._line.here()
        await line.acquire(turn.priority)
        try:
            while (moment := self._free_at(0)) > (now := self._clock.time()):
                if turn.at_once:
                    raise NoTurnAtOnceError
                self.waits_until = moment
                await self._clock.sleep(moment - now)
            turn.sent = self._clock.time()
            self._count_at(turn.sent)
            self._under_way[turn] = turn.sent
        finally:
            self.waits_until = None
            line.release()
        return turn

    def settle(self, turn: Turn, *, accepted: bool | None) -> None:
        """Count the call from now on: the service may have counted it as late as its answer."""
        if self._uncount(turn):
            self._count_at(self._clock.time())

    def take_back(self, turn: Turn) -> None:
        """Count the call no more: the service never saw it, and an outage must not use the window up."""
        self._uncount(turn)

    def _uncount(self, turn: Turn) -> bool:
        """Take a call under way out of the window; returns whether it was in it."""
        counted = self._under_way.pop(turn, None)
        if counted is None:
            return False
        try:
            self._counted.remove(counted)
        except ValueError:
            return False
        return True

    def _count_at(self, moment: float) -> None:
        self._counted.append(moment)
        if len(self._counted) > self._count:
            self._counted.popleft()
