"""`LoopLock`: a lock for what is used on several event loops."""

import asyncio
from weakref import WeakKeyDictionary, ref

from aiorescue.pace.turns import Priority, PrioritySemaphore


class LoopLock:
    """A lock between the tasks of one event loop. Another event loop has a lock of its own.

    One lock for all would belong to the loop on which a task first had to wait for it, and would stay locked if that
    loop ended while a task held it.
    """

    def __init__(self) -> None:
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, PrioritySemaphore] = WeakKeyDictionary()
        #: The loop that was asked for last, and its lock: nearly always that which is asked for next.
        self._last: tuple[ref[asyncio.AbstractEventLoop], PrioritySemaphore] | None = None

    def here(self) -> PrioritySemaphore:
        """The lock of the running event loop: one place."""
        loop, last = asyncio.get_running_loop(), self._last  # looked at once: another thread may replace it
        if last is not None and last[0]() is loop:
            return last[1]
        lock = self._locks.setdefault(loop, PrioritySemaphore())
        self._last = ref(loop), lock
        return lock

    def ahead(self, priority: Priority) -> int:
        """How many tasks of the running event loop have the lock before one that came now; 0 where no loop runs."""
        try:
            return self.here().ahead(priority)
        except RuntimeError:
            return 0
