"""The rate: how fast each identity may call each family, and the pacer that sees to it.

How a limit is learned is in `limit.py`, how a gap is kept in `interval.py`, whose turn it is in `line.py`.
"""

import random
from collections import deque
from typing import Any, Literal, Protocol

import attrs

from aiorescue import errors
from aiorescue.clock import Clock
from aiorescue.operation import Family
from aiorescue.pace.interval import Interval
from aiorescue.pace.limit import UNKNOWN, Limit
from aiorescue.pace.turns import Line, Priority, Turn, Turns

#: Seconds in which the service counts logins.
LOGIN_WINDOW = 180.0
#: What comes too fast answers a plain Error here, so that there is nothing to learn from.
_SILENT = frozenset({Family.EMAIL_TEXTS, Family.REPORTS})


def _positive(_: object, field: "attrs.Attribute[Any]", value: Any) -> None:
    if value is not None and not value > 0:
        raise errors.InvalidRequest(f"Pace: {field.name} must be above 0, or None for no pace, not {value!r}")


@attrs.frozen(kw_only=True)
class Pace:
    """Calls per second that the service allows each identity; None where no limit is known.

    Attributes:
        pins: PIN codes (documented: one a second).
        email_texts: generateEmailText (documented: one a second).
        reports: reports (documented: one a minute).
        logins: logins in three minutes (documented: ten).
        auth_codes: requestAuthCode (a limit exists, its value is not documented).
        links: requestInvitationLink (the same).
    """

    pins: float | None = attrs.field(default=1.0, validator=_positive)
    email_texts: float | None = attrs.field(default=1.0, validator=_positive)
    reports: float | None = attrs.field(default=1 / 60, validator=_positive)
    logins: int | None = attrs.field(default=10, validator=_positive)
    auth_codes: float | None = attrs.field(default=None, validator=_positive)
    links: float | None = attrs.field(default=None, validator=_positive)

    def rate(self, family: Family) -> float | None:
        """Calls per second of a family that is paced by a gap."""
        rate: float | None = getattr(self, family.value)
        return rate


@attrs.frozen
class Account:
    """Whom the service counts calls for: the key of a pace.

    Attributes:
        key: the auth code, or the e-mail address or name of a login; empty for calls without credentials. It may be a
            secret, so it is never shown.
    """

    key: str = attrs.field(default="", repr=False)


class Pacer(Protocol):
    """Hands out slots in order of priority and arrival."""

    def ready_at(self, priority: Priority = Priority.CALL) -> float:
        """When a call that came now would be sent."""

    def turn(self, priority: Priority = Priority.CALL, *, rejections: int = 0) -> Turn:
        """A turn to be awaited with ``async with``."""

    async def slot(self, priority: Priority = Priority.CALL, *, rejections: int = 0) -> float:
        """Wait for a slot; cancelled, it is given back.

        Args:
            priority: where the call stands in line.
            rejections: how often this call was rejected as too fast.

        Returns:
            The moment of sending, for `answered`.
        """

    def answered(self, sent: float, *, accepted: bool | None) -> None:
        """An answer came: accepted, rejected as too fast, or none of both (None)."""


class SharedPace(Protocol):
    """A pace setting that keeps its pacers' books elsewhere, for several processes: `RedisPace`."""

    def open(self, clock: Clock, service: str) -> "SharedPacers":
        """For one client of one service."""


class SharedPacers(Protocol):
    """The other side of a `SharedPace`."""

    def make(self, identity: object, family: Family) -> Pacer:
        """A pacer for an identity and a family."""

    async def aclose(self) -> None:
        """Close the connections."""


PaceSetting = Pace | SharedPace | Literal["auto"] | None


class Unpaced(Turns):
    """No pace: only a call that was rejected waits before its next try."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def ready_at(self, priority: Priority = Priority.CALL) -> float:
        """Now."""
        return self._clock.time()

    async def slot(self, priority: Priority = Priority.CALL, *, rejections: int = 0) -> float:
        """Nothing to wait for, unless the call was rejected before."""
        if rejections:
            await self._clock.sleep(UNKNOWN * (1 + random.random()))  # noqa: S311 - spreads, hides nothing
        return self._clock.time()

    def answered(self, sent: float, *, accepted: bool | None) -> None:
        """Nothing to learn."""


class Window(Turns):
    """So many in a window of time: logins. A rejection is not learned from, it is an authentication failure."""

    def __init__(self, count: int, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._sent: deque[float] = deque(maxlen=count)
        self._line = Line()

    def ready_at(self, priority: Priority = Priority.CALL) -> float:
        """When the oldest has left the window."""
        now = self._clock.time()
        full = len(self._sent) == self._sent.maxlen
        return max(now, self._sent[0] + self._seconds) if full else now

    async def slot(self, priority: Priority = Priority.CALL, *, rejections: int = 0) -> float:
        """Wait until one more fits in."""
        await self._line.enter(priority)
        try:
            while (wait := self.ready_at() - self._clock.time()) > 0:
                await self._clock.sleep(wait)
            self._sent.append(self._clock.time())
            return self._sent[-1]
        finally:
            self._line.leave()

    def answered(self, sent: float, *, accepted: bool | None) -> None:
        """The service may have counted it as late as now."""
        if sent in self._sent:
            self._sent.remove(sent)
            self._sent.append(self._clock.time())


def local_pacer(setting: Pace | Literal["auto"] | None, family: Family, clock: Clock) -> Pacer:
    """A pacer that keeps its books in this process."""
    if setting is None:
        return Unpaced(clock)
    documented = Pace() if setting == "auto" else setting
    if family is Family.LOGINS:
        return Unpaced(clock) if documented.logins is None else Window(documented.logins, LOGIN_WINDOW, clock)
    return Interval(first_limit(setting, family), clock)


def first_limit(setting: Pace | Literal["auto"], family: Family) -> Limit:
    """What is known of a family's limit before the first call. Only PINs are worth looking for a faster one."""
    if setting == "auto" and family is Family.PINS:
        return Limit.unknown(1.0)
    pace = Pace() if setting == "auto" else setting
    return Limit.told(pace.rate(family), learns=family not in _SILENT)


class Pacers:
    """The pacers of one client, made when they are first needed.

    Args:
        setting: how fast.
        clock: the time.
        service: where the service is; identities that several clients share are told apart by it.
    """

    def __init__(self, setting: PaceSetting, clock: Clock, service: str = "") -> None:
        self._clock = clock
        self._unpaced = Unpaced(clock)
        self._pacers: dict[tuple[Account, Family], Pacer] = {}
        self._setting: Pace | Literal["auto"] | None = None
        self._shared: SharedPacers | None = None
        if setting is None or setting == "auto" or isinstance(setting, Pace):
            self._setting = setting
        elif hasattr(setting, "open"):
            self._shared = setting.open(clock, service)
        else:
            raise errors.InvalidRequest(f"pace must be Pace(…), RedisPace(…), 'auto' or None, not {setting!r}")

    def of(self, account: Account, family: Family | None) -> Pacer:
        """The pacer of an account for a family; without a family there is no pace."""
        if family is None:
            return self._unpaced
        pacer = self._pacers.get((account, family))
        if pacer is None:
            pacer = self._pacers[account, family] = self._make(account, family)
        return pacer

    def _make(self, account: Account, family: Family) -> Pacer:
        if self._shared is not None:
            return self._shared.make(account, family)
        return local_pacer(self._setting, family, self._clock)

    async def aclose(self) -> None:
        """Close what the setting opened."""
        if self._shared is not None:
            await self._shared.aclose()
