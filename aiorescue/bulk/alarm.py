"""`Alarm`: waits for the earliest of the moments that were asked for, by the client's clock."""

import asyncio
from collections.abc import Callable

from aiorescue.clock import Clock


class Alarm:
    """Calls a function at a moment. An earlier moment takes the place of a later one, which is then not waited for.

    Args:
        clock: the client's clock.
        ring: the function; it is called in the event loop, and asks for the next moment if there is one.
    """

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._moment = 0.0
        self.task: asyncio.Task[None] | None = None  # waits for the moment

    def at(self, moment: float) -> None:
        """Have the function called at a moment, unless it will be called before that anyway."""
        if self.task is not None:
            if self._moment <= moment:
                return
            self.task.cancel()
        self._moment = moment
        self.task = asyncio.get_running_loop().create_task(self._sleep_until(moment))
        self.task.add_done_callback(self._woken)

    async def _sleep_until(self, moment: float) -> None:
        await self._clock.sleep(max(moment - self._clock.time(), 0.0))

    def _woken(self, task: "asyncio.Task[None]") -> None:
        if self.task is task:
            self.task = None
            self._ring()
