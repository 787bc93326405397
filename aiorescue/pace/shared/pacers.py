"""`BookPacers`: the pacers of one client whose pace is in books that processes share.

`interval` and `window` hold the pacers, `aiorescue.pace.shared.books` explains what the books hold. In the books, a
process is an event loop in which clients are used: those that are open in it have their books, and the pacers of each
account, in common. If each had a pacer of its own, it would count as a process that is new to the books, behind whose
first call the time of opening a connection is left free: a client for each request would get half of the pace.
"""

import asyncio
from collections.abc import Callable, Hashable
from contextlib import suppress
from hashlib import blake2b
from typing import Any, Literal
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

from aiorescue.clock import Clock, SystemClock
from aiorescue.operation import Family
from aiorescue.pace.pace import LOGIN_WINDOW, Pace, PacedAccount, SharedPacers, first_limit, rates_of
from aiorescue.pace.shared.books import Books, BooksAwayError
from aiorescue.pace.shared.interval import SharedIntervalPacer
from aiorescue.pace.shared.pacer import SharedPacer
from aiorescue.pace.shared.window import SharedWindowPacer
from aiorescue.pace.turns import Pacer
from aiorescue.pace.window import UnpacedPacer, WindowPacer

#: Seconds that a client which is closed may take to leave the books. If it cannot, the others forget it after a while.
_LEAVING = 0.1


def digest_of(account: PacedAccount, service: str) -> str:
    """What stands in the books for an account of a service, because its key may be a secret."""
    known = f"{service}\n{account.key}".encode()
    return blake2b(known, digest_size=16, person=b"aiorescue.pace").hexdigest()


class OpenBooks:
    """Books that the clients of one event loop have in common, and the pacers that keep them.

    Args:
        books: the books.

    Attributes:
        clients: the clients that use them and are not closed.
        is_closed: whether the last of those has closed them.
    """

    def __init__(self, books: Books) -> None:
        self.books = books
        self.clients: WeakSet[BookPacers] = WeakSet()
        self.is_closed = False
        self._pacers: WeakValueDictionary[str, SharedPacer[Any]] = WeakValueDictionary()

    def pacer(self, key: str, make: Callable[[Books, str], SharedPacer[Any]], client: "BookPacers") -> SharedPacer[Any]:
        """The pacer of an account and a family; made if no open client has it."""
        pacer = self._pacers.get(key)
        if pacer is None:
            pacer = self._pacers[key] = make(self.books, key)
        pacer.clients.add(client)
        return pacer

    def without(self, client: "BookPacers", pacers: "dict[str, SharedPacer[Any]]") -> list[SharedPacer[Any]]:
        """Take a client from its pacers. Returns those that no other client has; one that comes now gets new ones."""
        for pacer in pacers.values():
            pacer.clients.discard(client)
        unused = {key: pacer for key, pacer in pacers.items() if not pacer.clients}
        for key, pacer in unused.items():
            if self._pacers.get(key) is pacer:
                del self._pacers[key]
        return list(unused.values())


#: The books that are open in each event loop, by their place.
_OF_LOOP: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[Hashable, OpenBooks]] = WeakKeyDictionary()


class BookPacers(SharedPacers):
    """The pacers of one client whose pace is in books that processes share.

    Args:
        pace: what the service allows each identity, or ``"auto"``.
        books: where the processes share it.
        clock: the client's clock. With one of its own, as in tests, the client has nothing in common with others.
        service: base URL of the service.
        place: tells where the books are: clients of one event loop that have equal places share their pacers.
    """

    def __init__(
        self, pace: Pace | Literal["auto"], books: Books, clock: Clock, service: str, *, place: Hashable
    ) -> None:
        self._pace = pace
        self._books = books
        self._clock = clock
        self._service = service
        self._place = place
        self._open: OpenBooks | None = None
        self._made: dict[str, SharedPacer[Any]] = {}

    def make(self, account: PacedAccount, family: Family) -> Pacer:
        """The pacer of an account in a rate family."""
        pace, clock = self._pace, self._clock
        if family is Family.LOGINS:
            logins = rates_of(pace).logins
            if logins is None:
                return UnpacedPacer(clock)
            own = WindowPacer(logins, LOGIN_WINDOW, clock)
            return self._common(
                self._key(account, family, logins),
                lambda books, key: SharedWindowPacer(logins, books, key, own, clock),
            )
        limit = first_limit(pace, family)
        # Processes that were given another limit share another pace.
        return self._common(
            self._key(account, family, "auto" if limit.starting else limit.floor),
            lambda books, key: SharedIntervalPacer(limit, books, key, clock),
        )

    def _common(self, key: str, make: Callable[[Books, str], SharedPacer[Any]]) -> Pacer:
        """The pacer that the clients of the running event loop have in common."""
        if self._open is None:
            self._open = self._find_books()
            self._open.clients.add(self)
        pacer = self._made[key] = self._open.pacer(key, make, self)
        return pacer

    def _find_books(self) -> OpenBooks:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return OpenBooks(self._books)
        if type(self._clock) is not SystemClock:
            return OpenBooks(self._books)
        of_loop = _OF_LOOP.setdefault(loop, WeakValueDictionary())
        opened = of_loop.get(self._place)
        if opened is None or opened.is_closed:
            opened = of_loop[self._place] = OpenBooks(self._books)
        return opened

    def _key(self, account: PacedAccount, family: Family, limit: float | str) -> str:
        return f"{digest_of(account, self._service)}:{family.value}:{limit}"

    async def aclose(self) -> None:
        """End the requests to the books that cancelled calls have left, leave the books, and close them.

        What other clients use is left to them.
        """
        opened, self._open = self._open or OpenBooks(self._books), None
        unused, self._made = opened.without(self, self._made), {}
        try:
            for pacer in unused:
                await pacer.aclose()
            with suppress(BooksAwayError, TimeoutError):
                async with asyncio.timeout(_LEAVING):
                    for pacer in unused:
                        await pacer.leave()
        finally:
            opened.clients.discard(self)
            if not opened.clients:
                opened.is_closed = True
                await opened.books.aclose()
