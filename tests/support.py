"""Values that several tests use."""

import asyncio
import time

from aiorescue import RetryPolicy

#: Tries as often as by default, but does not wait in between.
IMPATIENT = RetryPolicy(first=0.0)


class QuickClock:
    """A clock on which waiting takes no time, and which can be turned."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def time(self) -> float:
        return time.monotonic() + self.skipped

    async def sleep(self, seconds: float) -> None:
        self.skipped += seconds
        await asyncio.sleep(0)
