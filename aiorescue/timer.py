"""Waiting to the millisecond."""

import asyncio

#: Seconds by which asyncio's timers are late: it waits in whole milliseconds, rounded up, at times twice.
_LATE = 0.0025


async def sleep(seconds: float) -> None:
    """Wait on the event loop; for the last moment apart, as the end of a long wait is rounded up by more."""
    time = asyncio.get_running_loop().time
    end = time() + seconds
    if seconds > 2 * _LATE:
        await asyncio.sleep(seconds - _LATE)
        seconds = end - time()
    await asyncio.sleep(seconds)
