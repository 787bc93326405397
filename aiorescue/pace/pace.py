"""`Pace`: how fast the service lets each account call; `Pacers`: the pacers of one client, made from that."""

from abc import ABC, abstractmethod
from typing import Any, Literal
from weakref import WeakValueDictionary

import attrs

from aiorescue import errors
from aiorescue.clock import Clock, SystemClock
from aiorescue.operation import Family, frozen
from aiorescue.operation.number import is_number, is_whole
from aiorescue.pace.interval import IntervalPacer
from aiorescue.pace.limit import Limit
from aiorescue.pace.turns import Pacer
from aiorescue.pace.window import UnpacedPacer, WindowPacer

#: Seconds in which the service counts logins.
LOGIN_WINDOW = 180.0
#: Logins in that time, as documented.
DOCUMENTED_LOGINS = 10
#: Families in which the service answers a call that came too fast with a plain Error: there is nothing to learn from.
_SILENT = frozenset({Family.EMAIL_TEXTS, Family.REPORTS})


def _positive(_: object, field: "attrs.Attribute[Any]", value: Any) -> None:
    if value is not None and (not is_number(value) or value <= 0):
        raise errors.InvalidRequest(f"Pace: {field.name} must be a number above 0, or None for no pace, not {value!r}")


def _count(_: object, field: "attrs.Attribute[Any]", value: Any) -> None:
    if value is not None and (not is_whole(value) or value < 1):
        raise errors.InvalidRequest(
            f"Pace: {field.name} must be a whole number from 1 on, or None for no pace, not {value!r}"
        )


@frozen(kw_only=True)
class Pace:
    """How fast the service lets each identity call, in calls per second; None where no limit is known.

    Attributes:
        pins: PIN codes per second. Default 1.0, as documented.
        email_texts: calls of ``generateEmailText`` per second. Default 1.0, as documented.
        reports: reports per second. Default one a minute, as documented.
        logins: logins in three minutes. Default 10, as documented.
        auth_codes: calls of ``requestAuthCode`` per second. Default None: a limit exists, its value is not documented.
        links: calls of ``requestInvitationLink`` per second. Default None: a limit exists, its value is not documented.
    """

    pins: float | None = attrs.field(default=1.0, validator=_positive)
    email_texts: float | None = attrs.field(default=1.0, validator=_positive)
    reports: float | None = attrs.field(default=1 / 60, validator=_positive)
    logins: int | None = attrs.field(default=DOCUMENTED_LOGINS, validator=_count)
    auth_codes: float | None = attrs.field(default=None, validator=_positive)
    links: float | None = attrs.field(default=None, validator=_positive)

    def rate(self, family: Family) -> float | None:
        """Calls per second of a family whose limit is a gap between two calls."""
        rate: float | None = getattr(self, family.value)
        return rate


@frozen
class PacedAccount:
    """An account whose calls the service counts together: the key of a pace.

    Attributes:
        key: the auth code, or the e-mail address or name of a login; empty for calls without credentials. It may be a
            secret, so it is never shown.
    """

    key: str = attrs.field(default="", repr=False)


def check_shared(owner: object, _: "attrs.Attribute[Any]", value: Any) -> None:
    """Validator of the field ``pace`` of a `SharedPace`. Raises `errors.InvalidRequest`."""
    if not isinstance(value, Pace) and value != "auto":
        raise errors.InvalidRequest(f"{type(owner).__name__}: pace must be Pace(…) or 'auto', not {value!r}")


class SharedPace(ABC):
    """A pace setting whose pacers keep their books where several processes see them, such as `RedisPace`.

    Attributes:
        pace: what the service allows each identity; ``"auto"`` to find the limit of PIN codes.
    """

    pace: Pace | Literal["auto"]

    @abstractmethod
    def open(self, clock: Clock, service: str) -> "SharedPacers":
        """Make the pacers of one client; `service` is the base URL, which tells the accounts of two services apart."""


class SharedPacers(ABC):
    """The pacers of one client whose pace is a `SharedPace`."""

    @abstractmethod
    def make(self, account: PacedAccount, family: Family) -> Pacer:
        """The pacer of an account in a rate family."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close what the pacers opened, such as connections or files."""


PaceSetting = Pace | SharedPace | Literal["auto"] | None


def rates_of(setting: Pace | Literal["auto"]) -> Pace:
    """The rates of a setting; with ``"auto"`` the documented ones."""
    return Pace() if setting == "auto" else setting


def local_pacer(setting: Pace | Literal["auto"] | None, family: Family, clock: Clock) -> Pacer:
    """A pacer that keeps its books in this process."""
    if setting is None:
        return UnpacedPacer(clock)
    if family is not Family.LOGINS:
        return IntervalPacer(first_limit(setting, family), clock)
    logins = rates_of(setting).logins
    return UnpacedPacer(clock) if logins is None else WindowPacer(logins, LOGIN_WINDOW, clock)


def is_searched(setting: Pace | Literal["auto"], family: Family) -> bool:
    """Whether the limit of a family is to be found out: with ``"auto"`` that of PINs."""
    return setting == "auto" and family is Family.PINS


def first_limit(setting: Pace | Literal["auto"], family: Family) -> Limit:
    """What is known of a family's limit before the first call."""
    if is_searched(setting, family):
        return Limit.discover(1.0)
    return Limit.known(rates_of(setting).rate(family), learns=family not in _SILENT)


#: The pacers of open clients by service, account, family and rate: clients of this process that call as one account
#: share its pace. One with a clock of its own, as in tests, has a pace of its own.
_OF_PROCESS: WeakValueDictionary[tuple[str, str, Family, float | str | None], Pacer] = WeakValueDictionary()


class Pacers:
    """The pacers of one client, made when they are first needed, or those of another client of this process.

    Args:
        setting: how fast the service may be called, and where that is kept.
        clock: the client's clock.
        service: base URL of the service, by which the accounts of two services are told apart.

    Raises:
        errors.InvalidRequest: the setting is of no type that a pace can have.
    """

    def __init__(self, setting: PaceSetting, clock: Clock, service: str = "") -> None:
        self._clock = clock
        self._service = service
        self._unpaced = UnpacedPacer(clock)
        self._pacers: dict[tuple[str, Family], Pacer] = {}  # by key: to hash a `PacedAccount` takes a Python call
        self._setting: Pace | Literal["auto"] | None = None
        self._shared: SharedPacers | None = None
        if isinstance(setting, SharedPace):
            self._setting = setting.pace
            self._shared = setting.open(clock, service)
        elif setting is None or setting == "auto" or isinstance(setting, Pace):
            self._setting = setting
        else:
            raise errors.InvalidRequest(
                f"pace must be Pace(…), HostPace(…), RedisPace(…), 'auto' or None, not {setting!r}"
            )

    @property
    def logins(self) -> int:
        """Logins of one user in three minutes: as the pace says, else as documented."""
        set_by_pace = self._setting.logins if isinstance(self._setting, Pace) else None
        return set_by_pace or DOCUMENTED_LOGINS

    def of(self, account: PacedAccount, family: Family | None) -> Pacer:
        """The pacer of an account in a rate family; calls without a family are not paced."""
        if family is None:
            return self._unpaced
        pacer = self._pacers.get((account.key, family))
        if pacer is None:
            pacer = self._pacers[account.key, family] = self._make(account, family)
        return pacer

    def _make(self, account: PacedAccount, family: Family) -> Pacer:
        if self._shared is not None:
            return self._shared.make(account, family)
        if self._setting is None or not account.key or type(self._clock) is not SystemClock:
            return local_pacer(self._setting, family, self._clock)
        rate = "auto" if is_searched(self._setting, family) else rates_of(self._setting).rate(family)
        known = self._service, account.key, family, rate
        pacer = _OF_PROCESS.get(known)
        if pacer is None:
            pacer = _OF_PROCESS[known] = local_pacer(self._setting, family, self._clock)
        return pacer

    async def aclose(self) -> None:
        """Leave the pace to other clients of this process, and close what a shared pace opened."""
        self._pacers.clear()
        if self._shared is not None:
            await self._shared.aclose()
