"""An event loop in virtual time: its clock jumps to the next timer, so that an hour passes in a second, repeatably."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

#: Virtual seconds that each turn of the loop takes: at zero, code that polls for a later moment would never see it.
TURN = 1e-6


class _Selector(selectors.DefaultSelector):
    """A selector that never waits: it adds the time for which the loop would have waited to its clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("deadlock: every task waits, and no timer is set")
        self.now += max(timeout, TURN)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time, for code without I/O; asyncio's sleeps and timeouts follow its clock."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual.now


class LoopClock:
    """An `aiorescue.clock.Clock` that follows the running event loop, in virtual time or real time."""

    def time(self) -> float:
        """Seconds on the clock of the running loop."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Sleep on the running loop."""
        await asyncio.sleep(seconds)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end as `asyncio.run` does, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
