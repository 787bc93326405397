"""`Allowance`: how many rows an identity may hold at once, over all the jobs that it works on."""

import asyncio


class Allowance:
    """Room for rows that are claimed and not ended, shared by the lanes of an identity, in the order in which they ask.

    An identity that claimed rows of each of many jobs would hold them all, and leave none to other identities.

    Args:
        most: the most rows held at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._free = asyncio.Semaphore(most)
        self._asking = asyncio.Lock()

    async def take(self, most: int) -> int:
        """Wait for room for as many rows, or for all the room if that is less; returns for how many it is."""
        count, taken = min(most, self._most), 0
        try:
            async with self._asking:
                while taken < count:
                    await self._free.acquire()
                    taken += 1
        except BaseException:
            self.give_back(taken)
            raise
        return count

    def give_back(self, count: int = 1) -> None:
        """Make room again for rows that have ended."""
        for _ in range(count):
            self._free.release()
