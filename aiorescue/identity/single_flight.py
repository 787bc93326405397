"""One task does a piece of work, and the others wait and share its outcome."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiorescue.operation import Outcome


class SingleFlight:
    """One of many does it, the others wait and share what came of it."""

    def __init__(self) -> None:
        self._flight: asyncio.Future[Outcome[Any] | None] | None = None

    async def join(self) -> Outcome[Any] | None:
        """Wait for the one who is at it, if anybody is. None if nobody is, or the one was cancelled."""
        return await asyncio.shield(self._flight) if self._flight is not None else None

    async def lead(self, work: Callable[[], Awaitable[Outcome[Any]]]) -> Outcome[Any]:
        """Do it. Only when nobody is at it."""
        flight: asyncio.Future[Outcome[Any] | None] = asyncio.get_running_loop().create_future()
        self._flight = flight
        outcome = None
        try:
            outcome = await work()
            return outcome
        finally:
            self._flight = None
            flight.set_result(outcome)

    @property
    def busy(self) -> bool:
        """Whether somebody is at it."""
        return self._flight is not None
