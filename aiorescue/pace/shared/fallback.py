"""What all shared paces have in common: one line for each process, and a pace of its own while the books are away."""

from abc import abstractmethod
from collections.abc import Callable

from aiorescue.clock import Clock
from aiorescue.pace.turns import Pacer, PrioritySemaphore, Turn


class BooksAwayError(Exception):
    """The place where processes share a pace cannot be reached."""


class SharedPacer(Pacer):
    """A pacer whose books are elsewhere; while they cannot be reached, a local pacer takes its place.

    Args:
        make_local: makes the local pacer.
        clock: the time.
    """

    def __init__(self, make_local: Callable[[], Pacer], clock: Clock) -> None:
        self._clock = clock
        self._line = PrioritySemaphore()
        self._make_local = make_local
        self._local: Pacer | None = None
        self._local_turns: dict[Turn, Pacer] = {}  # under way, with the local pacer that gave each

    async def wait(self, turn: Turn) -> Turn:
        """Wait for the next slot of all processes, or of this one while the books are away."""
        await self._line.acquire(turn.priority)
        try:
            try:
                await self._wait_shared(turn)
            except BooksAwayError:
                if self._local is None:
                    self._local = self._make_local()
                await self._local.wait(turn)
                self._local_turns[turn] = self._local
            else:
                self._local = None  # what it learned for one process is not true of all together
        finally:
            self._line.release()
        return turn

    @abstractmethod
    async def _wait_shared(self, turn: Turn) -> None:
        """Wait for the next slot of all processes. Raises `BooksAwayError`."""

    def settle(self, turn: Turn, *, accepted: bool | None) -> None:
        """Learn from an answer."""
        local = self._local_turns.pop(turn, None)
        if local is not None:
            local.settle(turn, accepted=accepted)
        else:
            self._settle_shared(turn, accepted=accepted)

    @abstractmethod
    def _settle_shared(self, turn: Turn, *, accepted: bool | None) -> None:
        """Learn from an answer to a turn that the shared books gave."""
