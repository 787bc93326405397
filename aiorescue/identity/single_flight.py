"""Single flight: of many tasks that need a piece of work at one time, one does it and the others share its outcome."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiorescue.operation import Outcome


class SingleFlight:
    """At most one run of a piece of work at a time; tasks that come during a run share its outcome."""

    def __init__(self) -> None:
        self._running: asyncio.Future[Outcome[Any] | None] | None = None

    @property
    def busy(self) -> bool:
        """Whether a run has begun and not ended."""
        return self._running is not None

    async def join(self) -> Outcome[Any] | None:
        """Wait for the run under way and return its outcome; None if no run is under way, or if it was cancelled."""
        # Shielded: a task that stops waiting must not cancel the future that the others wait for.
        return await asyncio.shield(self._running) if self._running is not None else None

    async def lead(self, work: Callable[[], Awaitable[Outcome[Any]]]) -> Outcome[Any]:
        """Run the work and share its outcome. Call it only while not `busy`."""
        running: asyncio.Future[Outcome[Any] | None] = asyncio.get_running_loop().create_future()
        self._running = running
        outcome = None
        try:
            outcome = await work()
            return outcome
        finally:
            self._running = None
            running.set_result(outcome)
