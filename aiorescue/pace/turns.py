"""Whose turn it is: order of arrival, with interactive calls ahead of a bulk job that they cannot starve."""

import asyncio
import enum
from collections import deque
from contextlib import suppress
from typing import Protocol, Self


class Priority(enum.IntEnum):
    """Where a call stands in line."""

    RETRY = 0  # it had its turn before and was turned away: it goes first
    CALL = 1  # somebody waits for it
    BULK = 2  # one of many: every other turn while somebody waits


class Line:
    """One at a time has the turn, or as many as there are places. Within a priority the order is that of arrival.

    While calls of both kinds wait, every other turn goes to the bulk job: a call waits for one turn of the job's at
    most before its own, and the job keeps half of its speed, however many call.
    """

    def __init__(self, places: int = 1) -> None:
        self._places = places
        self._taken = 0
        self._waiting: tuple[deque[asyncio.Future[None]], ...] = tuple(deque() for _ in Priority)
        self._bulk_is_next = False

    def ahead(self, priority: Priority) -> int:
        """How many turns come before that of a call that came now."""
        again, calls, bulk = (len(waiting) for waiting in self._waiting)
        first = again + self._taken
        if priority is Priority.RETRY:
            return first
        return first + calls + (bulk if priority is Priority.BULK else min(bulk, calls + self._bulk_is_next))

    async def enter(self, priority: Priority) -> None:
        """Wait for the turn. Cancelled, nothing is left behind."""
        if self._taken < self._places:
            self._taken += 1
            return
        waiting = self._waiting[priority]
        turn = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with suppress(ValueError):  # passed over already
                    waiting.remove(turn)
            else:  # it was given the turn in the same moment
                self.leave()
            raise

    def leave(self) -> None:
        """The turn is over: the next, please."""
        while (turn := self._next()) is not None:
            if not turn.done():  # or else it is cancelled, and its task has not run since
                turn.set_result(None)
                return
        self._taken -= 1

    def _next(self) -> asyncio.Future[None] | None:
        again, calls, bulk = self._waiting
        if again:
            return again.popleft()
        if calls and not (bulk and self._bulk_is_next):
            self._bulk_is_next = True
            return calls.popleft()
        self._bulk_is_next = False
        return bulk.popleft() if bulk else None


class SlotPacer(Protocol):
    """A pacer that hands out moments and hears of their answers."""

    async def slot(self, priority: Priority = Priority.CALL, *, rejections: int = 0) -> float:
        """Wait for the next moment of sending."""

    def answered(self, sent: float, *, accepted: bool | None) -> None:
        """Learn from the answer to what was sent at that moment."""


class Turn:
    """A place in the pace: ``async with pacer.turn(priority) as turn``.

    Attributes:
        sent: the moment of sending, on the client's clock.
    """

    __slots__ = ("_accepted", "_pacer", "_priority", "_rejections", "sent")

    def __init__(self, pacer: SlotPacer, priority: Priority, rejections: int) -> None:
        self._pacer = pacer
        self._priority = priority
        self._rejections = rejections
        self._accepted: bool | None = None
        self.sent = 0.0

    def answered(self, *, accepted: bool) -> None:
        """Tell whether the service accepted the call or rejected it as too fast."""
        self._accepted = accepted

    async def __aenter__(self) -> Self:
        self.sent = await self._pacer.slot(self._priority, rejections=self._rejections)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._pacer.answered(self.sent, accepted=self._accepted)


class Turns:
    """Turns for pacers that hand out moments."""

    def turn(self: SlotPacer, priority: Priority = Priority.CALL, *, rejections: int = 0) -> Turn:
        """Wait for a turn on entry; tell the pacer of its answer on exit."""
        return Turn(self, priority, rejections)
