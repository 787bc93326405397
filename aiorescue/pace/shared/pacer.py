"""`SharedPacer`: the base of the pacers whose books several processes share.

While the books are away, each process keeps a pace of its own.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from aiorescue.clock import Clock
from aiorescue.pace.loop_lock import LoopLock
from aiorescue.pace.pace import SharedPacers
from aiorescue.pace.shared.books import BooksAwayError
from aiorescue.pace.turns import Pacer, Priority, Turn

T = TypeVar("T")


class SharedPacer(Pacer, Generic[T]):
    """A pacer whose books are elsewhere; while they cannot be reached, a local pacer takes its place.

    What the books answer is of type `T`.

    Args:
        clock: the time.

    Attributes:
        clients: the clients that have the pacer in common; kept by `BookPacers`.
    """

    delay = 0.05

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.clients: WeakSet[SharedPacers] = WeakSet()
        # A client may go on in another event loop, and leave calls that never end behind in this one.
        self._line = LoopLock()
        self._local: Pacer | None = None
        self._local_turns: dict[Turn, Pacer] = {}  # under way, with the local pacer that gave each
        self._asking: asyncio.Task[T] | None = None

    def ahead(self, priority: Priority = Priority.CALL) -> int:
        """How many calls of this process stand in line before one that came now."""
        return self._line.ahead(priority)

    async def wait(self, turn: Turn) -> Turn:
        """Wait for the next slot of all processes, or of this one while the books are away."""
        line = self._line.here()
        await line.acquire(turn.priority)
        try:
            try:
                await self._wait_shared(turn)
            except BooksAwayError:
                if self._local is None:
                    self._local = self._make_local()
                await self._local.wait(turn)
                self._local_turns[turn] = self._local
                self._took_locally(turn)
            else:
                self._local = None  # what it learned for one process is not true of all together
        finally:
            line.release()
        return turn

    @abstractmethod
    def _make_local(self) -> Pacer:
        """A pacer for this process alone."""

    def _took_locally(self, turn: Turn) -> None:
        """Note a turn that the local pacer has given, so that the shared pace takes account of it later."""

    @abstractmethod
    async def _wait_shared(self, turn: Turn) -> None:
        """Wait for the next slot of all processes. Raises `BooksAwayError`."""

    async def _answer_of(self, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The books' answer. If the call that waits for it is cancelled, the next call in line gets the answer."""
        loop, asking = asyncio.get_running_loop(), self._asking
        if asking is None or asking.done() or asking.get_loop() is not loop:
            asking = self._asking = loop.create_task(ask())
            asking.add_done_callback(_retrieve_exception)
        return await asyncio.shield(asking)

    def settle(self, turn: Turn, *, accepted: bool | None) -> None:
        """Improve the limit by an answer, in the books of the pacer that gave the turn: the local or the shared one."""
        local = self._local_turns.pop(turn, None)
        if local is not None:
            local.settle(turn, accepted=accepted)
        else:
            self._settle_shared(turn, accepted=accepted)

    @abstractmethod
    def _settle_shared(self, turn: Turn, *, accepted: bool | None) -> None:
        """Learn from an answer to a turn that the shared books gave."""

    @abstractmethod
    async def leave(self) -> None:
        """Leave to the other processes what this one has in the books. Raises `BooksAwayError`."""

    async def aclose(self) -> None:
        """End the request to the books that a cancelled call has left under way."""
        asking, self._asking = self._asking, None
        await end(() if asking is None else (asking,))


async def end(asking: Iterable[asyncio.Task[Any]]) -> None:
    """End requests to the books; those of other event loops are left alone."""
    loop = asyncio.get_running_loop()
    if here := [task for task in asking if task.get_loop() is loop]:
        for task in here:
            task.cancel()
        await asyncio.wait(here)


def _retrieve_exception(asking: "asyncio.Task[Any]") -> None:
    """Retrieve the exception of a request whose call was cancelled, so that asyncio logs no complaint about it."""
    if not asking.cancelled():
        asking.exception()
