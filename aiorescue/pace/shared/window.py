"""`SharedWindowPacer`: lets all processes that share its books make a limited number of calls in a window of time."""

from collections.abc import Callable

from aiorescue.clock import Clock
from aiorescue.pace.pace import LOGIN_WINDOW
from aiorescue.pace.shared.books import Books
from aiorescue.pace.shared.pacer import SharedPacer
from aiorescue.pace.turns import NoTurnAtOnceError, Pacer, Priority, Turn

#: Seconds by which a login may arrive later than it was sent.
_LOGIN_DELAY = 5.0


class SharedWindowPacer(SharedPacer):
    """Lets all processes together make a limited number of calls in a window of time: logins.

    Args:
        count: the number of calls in a window.
        books: where the processes share it.
        key: names the account and the family.
        make_local: makes the pacer for the time that the books are away.
        clock: the time.
    """

    def __init__(self, count: int, books: Books, key: str, make_local: Callable[[], Pacer], clock: Clock) -> None:
        super().__init__(clock)
        self._books = books
        self._key = key
        self._count = count
        self._new_local_pacer = make_local
        self._full_until = 0.0  # as far as the books said when they were last asked

    def ready_at(self, priority: Priority = Priority.CALL) -> float:
        """The moment for which the books last said that a place comes free; now, if none of the places was waited for.

        How many calls the other processes have made since is known when the books are asked for a place.
        """
        if self._local is not None:
            return self._local.ready_at(priority)
        return max(self._clock.time(), self._full_until)

    def _make_local(self) -> Pacer:
        return self._new_local_pacer()

    async def _wait_shared(self, turn: Turn) -> None:
        seconds = LOGIN_WINDOW + _LOGIN_DELAY
        try:
            while (wait := min(await self._books.place(self._key, self._count, seconds), seconds)) > 0:
                self._full_until = self._clock.time() + wait
                if turn.at_once:
                    raise NoTurnAtOnceError
                self.waits_until = self._full_until
                await self._clock.sleep(wait)
        finally:
            self.waits_until = None
        turn.sent = self._clock.time()

    def _settle_shared(self, turn: Turn, *, accepted: bool | None) -> None:
        """Learn nothing: the service reports a rejection as a failed login."""
