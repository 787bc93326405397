"""Calls that wait for their turn as an identity, and are called off once the service refuses its credentials."""

import asyncio
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from aiorescue.identity.standing import SetAside
from aiorescue.pace.turns import Turn


class CalledOffError(Exception):
    """Ends the wait of a call whose identity was set aside.

    Attributes:
        outcome: the outcome of the call, of which nothing was sent.
    """

    def __init__(self, outcome: SetAside) -> None:
        super().__init__()
        self.outcome = outcome


class Waiting:
    """The calls that wait for their turn as one identity.

    Attributes:
        limits: for each waiting call the timeout by which its wait can be ended.
        refused: outcome with which waits were ended last.
    """

    def __init__(self) -> None:
        self.limits: set[asyncio.Timeout] = set()
        self.refused: SetAside | None = None

    def enter(self, turn: AbstractAsyncContextManager[Turn]) -> "Entering":
        """A turn that is entered unless the call is called off first."""
        return Entering(turn, self)

    def call_off(self, outcome: SetAside) -> None:
        """End the waits of all calls at once; the outcome becomes that of each call."""
        self.refused = outcome
        while self.limits:
            self.limits.pop().reschedule(0.0)


class Entering:
    """A turn that is entered unless the call is called off first: ``async with waiting.enter(turn) as turn``.

    Args:
        turn: the turn, or what enters it.
        waiting: the calls that wait as the same identity.

    Raises:
        CalledOffError: on entering: the identity was set aside.
    """

    def __init__(self, turn: AbstractAsyncContextManager[Turn], waiting: Waiting) -> None:
        self._turn = turn
        self._waiting = waiting

    async def __aenter__(self) -> Turn:
        limit = asyncio.timeout(None)  # without a time of its own: `Waiting.call_off` sets one
        self._waiting.limits.add(limit)
        try:
            async with limit:
                turn: Turn = await self._turn.__aenter__()
        except TimeoutError:
            refused = self._waiting.refused
            if refused is None or not limit.expired():
                raise
            raise CalledOffError(refused) from None
        finally:
            self._waiting.limits.discard(limit)
        return turn

    async def __aexit__(
        self, problem_type: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._turn.__aexit__(problem_type, problem, trace)
