"""`SharedWindowPacer`: lets all processes that share its books make a limited number of calls in a window of time."""

from aiorescue.clock import Clock
from aiorescue.pace.pace import LOGIN_WINDOW
from aiorescue.pace.shared.books import Books, Place
from aiorescue.pace.shared.pacer import SharedPacer
from aiorescue.pace.turns import NoTurnAtOnceError, Pacer, Priority, Turn
from aiorescue.pace.window import WindowPacer

#: Seconds by which a login may arrive later than it was sent.
_LOGIN_DELAY = 5.0


class SharedWindowPacer(SharedPacer[Place]):
    """Lets all processes together make a limited number of calls in a window of time: logins.

    Args:
        count: the number of calls in a window.
        books: where the processes share it.
        key: names the account and the family.
        own: counts the calls of this process, which stay within the number whatever becomes of the books.
        clock: the time.
    """

    def __init__(self, count: int, books: Books, key: str, own: WindowPacer, clock: Clock) -> None:
        super().__init__(clock)
        self._books = books
        self._key = key
        self._count = count
        self._own = own
        self._full_until = 0.0  # as far as the books said when they were last asked
        self._places: dict[Turn, str] = {}  # of calls under way
        self._unused: list[str] = []  # places in which nothing was sent

    def ready_at(self, priority: Priority = Priority.CALL) -> float:
        """The moment for which the books last said that a place comes free; now, if none of the places was waited for.

        How many calls the other processes have made since is known when the books are asked for a place.
        """
        if self._local is not None:
            return self._local.ready_at(priority)
        return max(self._clock.time(), self._full_until)

    def _make_local(self) -> Pacer:
        return self._own

    async def _wait_shared(self, turn: Turn) -> None:
        try:
            while (wait := await self._wait_for_place()) > 0:
                self._full_until = self._clock.time() + wait
                if turn.at_once:
                    raise NoTurnAtOnceError
                self.waits_until = self._full_until
                await self._clock.sleep(wait)
        finally:
            self.waits_until = None
        await self._own.wait(turn)
        self._places[turn] = self._unused.pop()

    async def _wait_for_place(self) -> float:
        """Seconds until the books, or this process's own calls, may have a free place; 0 if one was taken."""
        own = self._own.ready_at() - self._clock.time()
        return own if own > 0 else min((await self._answer_of(self._ask)).wait, LOGIN_WINDOW + _LOGIN_DELAY)

    async def _ask(self) -> Place:
        """Give unused places back to the books, and ask for a place, which is unused until a call is sent in it."""
        await self.leave()
        place = await self._books.place(self._key, self._count, LOGIN_WINDOW + _LOGIN_DELAY)
        if place.taken:
            self._unused.append(place.taken)
        return place

    def _settle_shared(self, turn: Turn, *, accepted: bool | None) -> None:
        """Learn nothing of the limit: the service reports a rejection as a failed login."""
        self._places.pop(turn, None)
        self._own.settle(turn, accepted=accepted)

    def take_back(self, turn: Turn) -> None:
        """Count the call no more: the service never saw it, and an outage must not use the window up."""
        self._local_turns.pop(turn, None)
        if (place := self._places.pop(turn, None)) is not None:
            self._unused.append(place)
        self._own.take_back(turn)

    async def leave(self) -> None:
        """Give places in which nothing was sent back to the other processes. Raises `BooksAwayError`."""
        if unused := tuple(self._unused):
            await self._books.give_back(self._key, unused)
            del self._unused[: len(unused)]
