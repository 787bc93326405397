"""`LoopLock`: a lock for what is used on several event loops."""

import asyncio
from weakref import WeakKeyDictionary

from aiorescue.pace.turns import Priority, PrioritySemaphore


class LoopLock:
    """A lock between the tasks of one event loop. Another event loop has a lock of its own.

    One lock for all would belong to the loop on which a task first had to wait for it, and would stay locked if that
    loop ended while a task held it.
    """

    def __init__(self) -> None:
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, PrioritySemaphore] = WeakKeyDictionary()

    def here(self) -> PrioritySemaphore:
        """The lock of the running event loop: one place."""
        loop = asyncio.get_running_loop()
        lock = self._locks.get(loop)
        if lock is None:
            lock = self._locks[loop] = PrioritySemaphore()
        return lock

    def ahead(self, priority: Priority) -> int:
        """How many tasks of the running event loop have the lock before one that came now; 0 where no loop runs."""
        try:
            return self.here().ahead(priority)
        except RuntimeError:
            return 0
