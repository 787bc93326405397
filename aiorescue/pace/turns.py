"""Turns: what a pacer hands out, and the order in which waiting calls get them."""

import asyncio
import enum
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Coroutine
from typing import Any

from aiorescue.clock import Clock


class Priority(enum.IntEnum):
    """Where a call stands among those that wait for a turn; the lower, the sooner."""

    RETRY = 0  # it had a turn before, and needs another one
    CALL = 1  # a program waits for its result
    BULK = 2  # a call of a bulk job: gets every other turn while a `CALL` waits


class NoTurnAtOnceError(Exception):
    """Ends the wait for a turn that is of use only at once (`Turn.at_once`): it would have to wait for its moment."""


class Turn:
    """One attempt's place in a pace: ``async with pacer.turn(priority) as turn``.

    Entering waits until the attempt may be sent; cancelled, the place goes to the next call in line. Within the block
    the attempt is made, and `answered` says what the service made of its speed. Leaving without that teaches the pacer
    nothing: the attempt failed for another reason, or was cancelled.

    Attributes:
        priority: where the call stands in line.
        rejections: how often this call has been rejected as too fast.
        at_once: whether the turn is of use only at once. Entering it raises `NoTurnAtOnceError` where it would have to
            wait for its moment.
        sent: the moment of sending, in seconds of the pacer's clock; set on entering.
    """

    __slots__ = ("_pacer", "_settled", "at_once", "priority", "rejections", "sent")

    def __init__(self, pacer: "Pacer", priority: Priority, rejections: int, at_once: bool) -> None:  # noqa: FBT001
        self._pacer = pacer
        self._settled = False
        self.at_once = at_once
        self.priority = priority
        self.rejections = rejections
        self.sent = 0.0

    def answered(self, *, accepted: bool) -> None:
        """Report to the pacer whether the service took the attempt or rejected it as too fast. Call it at most once."""
        self._settled = True
        self._pacer.settle(self, accepted=accepted)

    def give_back(self) -> None:
        """Report to the pacer that nothing was sent, in place of `answered`: a connection could not be made."""
        self._settled = True
        self._pacer.take_back(self)

    async def renew(self) -> None:
        """Wait for another place in the pace, before calls that had none: this one has passed unused."""
        self._pacer.settle(self, accepted=None)
        self._settled, self.priority = True, Priority.RETRY
        await self._pacer.wait(self)
        self._settled = False

    async def keep_gap(self) -> None:
        """Wait until the gap after the last late request is over: this turn is late, too, but needs no other place."""
        self.sent = await self._pacer.keep_gap()

    def __aenter__(self) -> "Coroutine[Any, Any, Turn]":
        if self.at_once:
            self._pacer.check_at_once(self)
        return self._pacer.wait(self)  # a coroutine of its own around it would cost each attempt half a microsecond

    async def __aexit__(self, *_: object) -> None:
        if not self._settled:
            self._settled = True
            self._pacer.settle(self, accepted=None)


class Pacer(ABC):
    """Hands out the turns of one account in one rate family, in order of priority and of arrival.

    Attributes:
        new_rate: calls per second from now on, after a limit was found or has changed; the call runner reads it, and
            sets it back to None.
        delay: seconds that it may take to find the next turn, even if that has come.
        waits_until: moment at which the call that is first in line will be sent, while it waits for room in a window of
            calls; None otherwise.
    """

    delay = 0.0
    waits_until: float | None = None
    new_rate: float | None = None
    _clock: Clock
    _last_late = float("-inf")  # when the last late request was sent, or will be

    @property
    def gap(self) -> float:
        """Seconds that calls of this process are apart at present; 0 where no gap is kept."""
        return 0.0

    def turn(self, priority: Priority = Priority.CALL, *, rejections: int = 0, at_once: bool = False) -> Turn:
        """A turn to enter with ``async with``.

        Args:
            priority: where the call stands in line.
            rejections: how often this call has been rejected as too fast.
            at_once: whether the turn is of use only at once; see `Turn`.
        """
        return Turn(self, priority, rejections, at_once)

    @abstractmethod
    def ready_at(self, priority: Priority = Priority.CALL) -> float:
        """The moment at which a call that came now would be sent, in seconds of the clock."""

    def again_at(self) -> float:
        """The moment by which a call that has just been rejected as too fast would be sent again."""
        return self.ready_at(Priority.RETRY)

    def earliest(self, priority: Priority = Priority.CALL) -> float:
        """A moment before which a call that came now cannot be sent, whatever is learned of the limit until then."""
        return self.ready_at(priority)

    def ahead(self, priority: Priority = Priority.CALL) -> int:
        """How many calls stand in line before one that came now."""
        return 0

    def check_at_once(self, turn: Turn) -> None:
        """Raise `NoTurnAtOnceError` if a turn would have to wait, as far as that is known. Called by the turn."""
        if self.ready_at(turn.priority) > self._clock.time():
            raise NoTurnAtOnceError

    @abstractmethod
    async def wait(self, turn: Turn) -> Turn:
        """Wait until a turn may be used, set its `Turn.sent`, and return it. Called by the turn."""

    async def keep_gap(self) -> float:
        """Wait until the gap after the last late request is over, and return the moment. Called by a late turn."""
        now = self._clock.time()
        self._last_late = max(now, self._last_late + self.gap)
        if self._last_late > now:
            await self._clock.sleep(self._last_late - now)
        return self._clock.time()

    @abstractmethod
    def settle(self, turn: Turn, *, accepted: bool | None) -> None:
        """Learn from the end of a turn: accepted, rejected as too fast, or neither (None). Called by the turn."""

    def take_back(self, turn: Turn) -> None:
        """Learn that a turn ended unused, although its moment has passed. Called by the turn."""
        self.settle(turn, accepted=None)


class PrioritySemaphore:
    """A semaphore with priorities: places are given in order of priority, and of arrival within one priority.

    While calls of a bulk job and others wait, every other place goes to `Priority.BULK`: a call waits for one place of
    the bulk job at most before its own, and the job keeps half of its speed, however many calls there are.

    ``async with`` takes a place as a call and gives it back.

    Args:
        places: number of places that can be held at once.

    Attributes:
        taken: number of places that are held.
    """

    def __init__(self, places: int = 1) -> None:
        self._places = places
        self.taken = 0
        # Of each priority the calls in line, first come first; one that is cancelled leaves from the middle at no cost.
        self._waiting = tuple(OrderedDict[asyncio.Future[None], None]() for _ in Priority)
        self._bulk_is_next = False

    @property
    def is_full(self) -> bool:
        """Whether all places are held."""
        return self.taken >= self._places

    def ahead(self, priority: Priority) -> int:
        """How many places are given out before the one of a call that came now."""
        retries, calls, bulk = (len(waiting) for waiting in self._waiting)
        first = retries + self.taken
        if priority is Priority.RETRY:
            return first
        return first + calls + (bulk if priority is Priority.BULK else min(bulk, calls + self._bulk_is_next))

    async def __aenter__(self) -> None:
        await self.acquire(Priority.CALL)

    async def __aexit__(self, *_: object) -> None:
        self.release()

    async def acquire(self, priority: Priority) -> None:
        """Wait for a place. If the wait is cancelled, no place is taken."""
        if self.taken < self._places:
            self.taken += 1
            return
        waiting = self._waiting[priority]
        given = asyncio.get_running_loop().create_future()
        waiting[given] = None
        try:
            await given
        except asyncio.CancelledError:
            if given.cancelled():
                waiting.pop(given, None)  # `release` may have taken it out of the line already
            else:  # the place was given in the same moment
                self.release()
            raise

    def release(self) -> None:
        """Give a place back; the next call in line gets it."""
        while (given := self._next()) is not None:
            if not given.done():  # else it was cancelled, and its task has not run since
                given.set_result(None)
                return
        self.taken -= 1

    def _next(self) -> asyncio.Future[None] | None:
        retries, calls, bulk = self._waiting
        if retries:
            return retries.popitem(last=False)[0]
        if calls and not (bulk and self._bulk_is_next):
            self._bulk_is_next = True
            return calls.popitem(last=False)[0]
        self._bulk_is_next = False
        return bulk.popitem(last=False)[0] if bulk else None
