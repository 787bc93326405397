"""`LoopLock`: a lock for clients that are used on one event loop after another."""

import asyncio
from weakref import WeakKeyDictionary


class LoopLock:
    """A lock between the tasks of one event loop. Another event loop has a lock of its own.

    `asyncio.Lock` belongs to the loop on which a task first had to wait for it, and stays locked if that loop ends
    while a task holds it.
    """

    def __init__(self) -> None:
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    def here(self) -> asyncio.Lock:
        """The lock of the running event loop."""
        return self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())
