"""Logins that are in force, of either service: server sessions by cookie, tickets by GUID."""

from collections.abc import Iterable

import attrs

from aiorescue.emulator.people import EmulatedUser
from aiorescue.emulator.rules.newest import Newest

#: Server sessions or tickets that are kept.
MOST_LOGINS = 100_000


@attrs.define
class LoginEntry:
    """A server session or ticket.

    Attributes:
        user: the user who logged in.
        used: time of the last call, in seconds on the emulator's clock.
    """

    user: EmulatedUser
    used: float


class LoginTable(Newest[LoginEntry]):
    """Server sessions by cookie, or tickets by GUID; an entry expires when it idles for too long.

    When there are too many to keep, the oldest ends.
    """

    def __init__(self) -> None:
        super().__init__(MOST_LOGINS)

    def live(self, key: str, now: float, ttl: float) -> LoginEntry | None:
        """The entry of a key, or None if there is none or it has idled for `ttl` seconds."""
        entry = self.get(key) if key else None
        if entry is not None and now - entry.used >= ttl:
            del self[key]
            return None
        return entry

    def end(self, keys: Iterable[str] | None) -> int:
        """Remove the entries of these keys, or all for None; returns how many were removed."""
        ended = list(self) if keys is None else [key for key in keys if key in self]
        for key in ended:
            del self[key]
        return len(ended)
