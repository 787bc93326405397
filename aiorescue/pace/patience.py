"""`Patience`: a bound on the time that one call may stand in the queue of a pace."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiorescue.clock import Clock
from aiorescue.pace.turns import Pacer, Priority, Turn


class QueuedTooLongError(Exception):
    """The turn of a call did not come in time, or cannot.

    Attributes:
        position: the place that the call had in line when it came; 1 for the next turn.
        expected_wait: seconds of waiting that the call had to expect when it came, or that it has waited, if more.
        at_once: whether the call did not queue at all, because its turn could not have come in time.
        for_login: whether the turn is that of a login which the call needs before it can be sent.
    """

    def __init__(self, position: int, expected_wait: float, *, at_once: bool, for_login: bool = False) -> None:
        super().__init__()
        self.for_login = for_login
        self.position = position
        self.expected_wait = expected_wait
        self.at_once = at_once


class Patience:
    """The time that one call may stand in the queue of its pace, over all of its turns.

    A call whose turn cannot come in time, even if the pace were as fast as it may become, does not queue at all. Any
    other waits, and leaves the queue when the time is over; its place goes to the next call in line.

    Args:
        seconds: how long it may wait.
        clock: the pacer's clock.
    """

    def __init__(self, seconds: float, clock: Clock) -> None:
        self.seconds = seconds
        self._left = seconds
        self._clock = clock

    @asynccontextmanager
    async def turn(self, pacer: Pacer, priority: Priority, *, rejections: int) -> AsyncIterator[Turn]:
        """A turn, as `Pacer.turn` gives it. Raises `QueuedTooLongError`."""
        turn = pacer.turn(priority, rejections=rejections)
        earliest, began = pacer.earliest(priority), self._clock.time()
        position, expected = pacer.ahead(priority) + 1, max(0.0, pacer.ready_at(priority) - began)
        if earliest > began + self._left:
            raise QueuedTooLongError(position, expected, at_once=True)
        if not await self._enter(turn, max(self._left, pacer.delay)):
            raise QueuedTooLongError(position, max(expected, self._left), at_once=False)
        self._left = max(0.0, self._left - (self._clock.time() - began))
        try:
            yield turn
        finally:
            await turn.__aexit__()

    def check_login(self, logins: Pacer) -> None:
        """Raise `QueuedTooLongError` if a login that the call needs cannot be sent in time."""
        expected = logins.ready_at() - self._clock.time()
        if expected > self._left:
            raise QueuedTooLongError(logins.ahead() + 1, expected, at_once=True, for_login=True)

    async def _enter(self, turn: Turn, seconds: float) -> bool:
        """Enter a turn; False if the time was over first."""
        loop = asyncio.get_running_loop()
        waiting = True
        alarm = loop.create_task(self._clock.sleep(seconds))

        def ring(_: object) -> None:
            if waiting and not alarm.cancelled():
                limit.reschedule(loop.time())

        try:
            # The time is that of the clock; asyncio's own timeout only ends the wait.
            async with asyncio.timeout(None) as limit:
                alarm.add_done_callback(ring)
                await turn.__aenter__()
                waiting = False
        except TimeoutError:
            if not limit.expired():
                raise
            return False
        finally:
            waiting = False
            alarm.cancel()
        return True
