"""A server in a thread of its own, with an event loop of its own, for tests that have no running loop or block it."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from threading import Thread


class ServerThread:
    """A thread that starts a server, runs its event loop, and stops the server when it is asked to.

    Args:
        start: starts the server.
        stop: stops it.
    """

    def __init__(self, start: Callable[[], Awaitable[object]], stop: Callable[[], Awaitable[object]]) -> None:
        self._start, self._stop = start, stop
        self._started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = Thread(target=self._run, name="aiorescue-emulator", daemon=True)

    def start(self) -> None:
        """Start the server, and return when it listens; raises what its start raises."""
        self._thread.start()
        try:
            self._started.result()
        except BaseException:
            # Interrupted under way, the thread may still be about to start: it stops as soon as it has.
            self._started.add_done_callback(_halt)
            if self._started.done():  # the start failed, and the thread is about to end
                self._thread.join()
            raise

    def stop(self) -> None:
        """Stop the server, and return when it has stopped."""
        _halt(self._started)
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        halted = asyncio.Event()
        try:
            await self._start()
        except BaseException as problem:  # noqa: BLE001 - raised in the thread that waits for the start
            self._started.set_exception(problem)
            return
        try:
            self._started.set_result((asyncio.get_running_loop(), halted))
            await halted.wait()
        finally:
            await self._stop()


def _halt(started: "Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]") -> None:
    if started.exception() is None:
        loop, halted = started.result()
        loop.call_soon_threadsafe(halted.set)
