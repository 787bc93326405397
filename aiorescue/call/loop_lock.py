"""`LoopLock`: a lock for clients that are used on one event loop after another."""

import asyncio
from weakref import WeakKeyDictionary

from aiorescue.pace.turns import PrioritySemaphore


class LoopLock:
    """A lock between the tasks of one event loop. Another event loop has a lock of its own.

    One lock for all would belong to the loop on which a task first had to wait for it, and would stay locked if that
    loop ended while a task held it.
    """

    def __init__(self) -> None:
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, PrioritySemaphore] = WeakKeyDictionary()

    def here(self) -> PrioritySemaphore:
        """The lock of the running event loop: one place."""
        return self._locks.setdefault(asyncio.get_running_loop(), PrioritySemaphore())
