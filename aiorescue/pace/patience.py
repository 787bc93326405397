"""`Patience`: a bound on the time that a call may wait before it is sent: for its turn, a login, a server session."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import TypeVar

from aiorescue.clock import Clock
from aiorescue.pace.turns import Pacer, Priority, PrioritySemaphore, Turn

R = TypeVar("R")


class QueuedTooLongError(Exception):
    """The turn of a call did not come in time, or cannot.

    Attributes:
        position: the place that the call had in line when it came; 1 for the next turn.
        expected_wait: seconds of waiting that the call had to expect when it came, or that it has waited, if more.
        at_once: whether the call did not queue at all, because its turn could not have come in time.
        for_login: whether the turn is that of a login which the call needs before it can be sent.
        for_place: what the call waited for one of, if not for a turn: its place in that line did not come.
    """

    def __init__(
        self,
        position: int,
        expected_wait: float,
        *,
        at_once: bool,
        for_login: bool = False,
        for_place: str = "",
    ) -> None:
        super().__init__()
        self.for_login = for_login
        self.for_place = for_place
        self.position = position
        self.expected_wait = expected_wait
        self.at_once = at_once

    def explain(self, max_wait: float) -> str:
        """The reason in words; `max_wait` is the bound in seconds."""
        did = "cannot be sent" if self.at_once else "was not sent"
        place = f"came as number {self.position} in the queue of the pace, which takes {self.expected_wait:.1f} s"
        if self.for_place:
            why = f"{self.for_place}, and it waits as number {self.position}"
        elif self.for_login and not self.at_once:
            why = f"no server session was free for it, and a login {place}"
        else:
            why = f"{'a login that it needs' if self.for_login else 'it'} {place}"
        return f"{did} within max_wait={max_wait:g} s: {why}"


class _TimeOverError(Exception):
    """The time that a call may wait is over."""


class Patience:
    """The time that one call may wait before it is sent: for turns in the pace, a login, a session, a connection.

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
        self._limit: asyncio.Timeout | None = None
        self._alarm: asyncio.Task[None] | None = None
        self._since = 0.0

    @asynccontextmanager
    async def turn(self, pacer: Pacer, priority: Priority, *, rejections: int) -> AsyncIterator[Turn]:
        """A turn, as `Pacer.turn` gives it. Raises `QueuedTooLongError`."""
        turn = pacer.turn(priority, rejections=rejections)
        earliest, began, left = pacer.earliest(priority), self._clock.time(), self._left
        position, expected = pacer.ahead(priority) + 1, max(0.0, pacer.ready_at(priority) - began)
        if earliest > began + left:
            raise QueuedTooLongError(position, expected, at_once=True)
        self._left = max(left, pacer.delay)
        try:
            await self._in_time(turn.__aenter__())
        except _TimeOverError:
            raise QueuedTooLongError(position, max(expected, left), at_once=False) from None
        self._left = max(0.0, left - (self._clock.time() - began))
        try:
            yield turn
        finally:
            await turn.__aexit__()

    async def again(self, wait: Awaitable[None], pacer: Pacer) -> None:
        """Wait once more with a turn that has passed: `Turn.renew` or `Turn.keep_gap`. Raises `QueuedTooLongError`."""
        position, left = pacer.ahead(Priority.RETRY) + 1, self._left
        try:
            await self._in_time(wait)
        except _TimeOverError:
            raise QueuedTooLongError(position, left, at_once=False) from None

    def check_login(self, logins: Pacer) -> None:
        """Raise `QueuedTooLongError` if a login that the call needs cannot be sent in time."""
        expected = logins.ready_at() - self._clock.time()
        if expected > self._left:
            raise QueuedTooLongError(logins.ahead() + 1, expected, at_once=True, for_login=True)

    async def within(self, wait: Awaitable[R], logins: Pacer) -> R:
        """What a wait for a server session gives, which may need a login.

        The time stands still while a login's own request is under way: it is not broken off, and has its own timeout.

        Raises:
            QueuedTooLongError: the time was over first.
        """
        came, began = logins.ahead() + 1, self._clock.time()
        current = _CURRENT.set(self)
        self._left = max(self._left, logins.delay)
        try:
            return await self._in_time(wait)
        except _TimeOverError:
            waited = self._clock.time() - began
            expected = max(waited, logins.ready_at() - self._clock.time())
            raise QueuedTooLongError(came, expected, at_once=False, for_login=True) from None
        finally:
            _CURRENT.reset(current)

    async def place(self, places: PrioritySemaphore, priority: Priority, taken: str) -> None:
        """Wait for one of the places that calls share. Raises `QueuedTooLongError` if the time was over first.

        Args:
            places: the places.
            priority: where the call stands in line.
            taken: says, for the error, that all places are taken.
        """
        if not places.is_full:
            await places.acquire(priority)
            return
        position, left = places.ahead(priority) - places.taken + 1, self._left
        try:
            await self._in_time(places.acquire(priority))
        except _TimeOverError:
            raise QueuedTooLongError(position, left, at_once=False, for_place=taken) from None

    async def _in_time(self, wait: Awaitable[R]) -> R:
        """What a wait gives. Raises `_TimeOverError` if the time that is left was over first."""
        try:
            # The time is that of the clock; asyncio's own timeout only ends the wait.
            async with asyncio.timeout(None) as limit:
                self._limit = limit
                self._go_on()
                try:
                    return await wait
                finally:
                    self._stand_still()
                    self._limit = None
        except TimeoutError:
            if not limit.expired():
                raise
            raise _TimeOverError from None

    def _go_on(self) -> None:
        """Let the time of `_in_time` run from now on."""
        self._since = self._clock.time()
        self._alarm = asyncio.get_running_loop().create_task(self._clock.sleep(self._left))
        self._alarm.add_done_callback(self._ring)

    def _ring(self, alarm: asyncio.Task[None]) -> None:
        if alarm is self._alarm and self._limit is not None and not alarm.cancelled():
            self._limit.reschedule(asyncio.get_running_loop().time())

    def _stand_still(self) -> None:
        """Stop the time of `_in_time`, and count what has run."""
        if self._alarm is None:
            return
        self._alarm.cancel()
        self._alarm = None
        self._left = max(0.0, self._left - (self._clock.time() - self._since))
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(None)

    @contextmanager
    def _paused(self) -> Iterator[None]:
        self._stand_still()
        try:
            yield
        finally:
            if self._limit is not None:
                self._go_on()


#: The patience of the call that the current task makes, while that waits for a server session.
_CURRENT: ContextVar[Patience | None] = ContextVar("patience", default=None)


@contextmanager
def sending() -> Iterator[None]:
    """Let the time of the current task's call stand still: a login that it needs is under way."""
    patience = _CURRENT.get()
    if patience is None:
        yield
    else:
        with patience._paused():  # noqa: SLF001 - of this file
            yield
