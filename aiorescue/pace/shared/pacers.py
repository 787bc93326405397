"""`BookPacers`: the pacers of one client whose pace is in books that processes share.

`interval` and `window` hold the pacers, `aiorescue.pace.shared.books` explains what the books hold.
"""

import asyncio
from contextlib import suppress
from hashlib import blake2b
from typing import Any, Literal

from aiorescue.clock import Clock
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


class BookPacers(SharedPacers):
    """The pacers of one client whose pace is in books that processes share.

    Args:
        pace: what the service allows each identity, or ``"auto"``.
        books: where the processes share it.
        clock: the client's clock.
        service: base URL of the service.
    """

    def __init__(self, pace: Pace | Literal["auto"], books: Books, clock: Clock, service: str) -> None:
        self._pace = pace
        self._books = books
        self._clock = clock
        self._service = service
        self._made: list[SharedPacer[Any]] = []

    def make(self, account: PacedAccount, family: Family) -> Pacer:
        """The pacer of an account in a rate family."""
        pace = self._pace
        if family is Family.LOGINS:
            logins = rates_of(pace).logins
            if logins is None:
                return UnpacedPacer(self._clock)
            own = WindowPacer(logins, LOGIN_WINDOW, self._clock)
            key = self._key(account, family, logins)
            pacer: SharedPacer[Any] = SharedWindowPacer(logins, self._books, key, own, self._clock)
        else:
            limit = first_limit(pace, family)
            # Processes that were given another limit share another pace.
            key = self._key(account, family, "auto" if limit.starting else limit.floor)
            pacer = SharedIntervalPacer(limit, self._books, key, self._clock)
        self._made.append(pacer)
        return pacer

    def _key(self, account: PacedAccount, family: Family, limit: float | str) -> str:
        return f"{digest_of(account, self._service)}:{family.value}:{limit}"

    async def aclose(self) -> None:
        """End the requests to the books that cancelled calls have left, leave the books, and close them."""
        try:
            for pacer in self._made:
                await pacer.aclose()
            with suppress(BooksAwayError, TimeoutError):
                async with asyncio.timeout(_LEAVING):
                    for pacer in self._made:
                        await pacer.leave()
        finally:
            await self._books.aclose()
