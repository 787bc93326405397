"""The rate: one pacer for each identity and family, which learns how close to the limit it may go.

The service enforces a minimum interval and we see its clock only through its answers. So a pacer keeps a guard on
top of the interval: each rejection widens it, each success narrows it by a fraction so small that rejections settle
at the wanted share (a weighted up-down staircase).
"""

import asyncio
import random
from collections import deque
from typing import Any, Literal, Protocol

import attrs

from aiorescue import errors
from aiorescue.call.clock import Clock
from aiorescue.operation import Family

#: Seconds between two calls where a rejection is the first that is heard of a limit.
_UNKNOWN_LIMIT = 1.0
#: The share of rejections that a pacer settles at.
_TARGET = 0.01
#: Successes before `"auto"` takes the next step towards the limit.
_PROBE = 3
#: The share of the interval at which that search ends, and the fine learning begins.
_FINE = 1 / 40


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

    def pacer(self, family: Family, clock: Clock) -> "Pacer":
        """A new pacer for one identity."""
        if family is Family.LOGINS:
            return Unpaced(clock) if self.logins is None else Window(self.logins, LOGIN_WINDOW, clock)
        rate: float | None = getattr(self, family.value)
        return Interval(1 / rate if rate else 0.0, clock)


#: Seconds in which the service counts logins.
LOGIN_WINDOW = 180.0

PaceSetting = Pace | Literal["auto"] | None


class Pacer(Protocol):
    """Hands out slots in order of arrival."""

    def ready_at(self) -> float:
        """When a call that came now would be sent."""

    async def slot(self, rejections: int = 0) -> float:
        """Wait for a slot; cancelled, it is given back. Returns the moment of sending, for `answered`."""

    def answered(self, sent: float, *, accepted: bool | None) -> None:
        """An answer came: accepted, rejected as too fast, or none of both (None)."""


class Unpaced:
    """No pace: only a call that was rejected waits before its next try."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def ready_at(self) -> float:
        """Now."""
        return self._clock.time()

    async def slot(self, rejections: int = 0) -> float:
        """Nothing to wait for, unless the call was rejected before."""
        if rejections:
            await self._clock.sleep(_UNKNOWN_LIMIT * (1 + random.random()))  # noqa: S311 - spreads, hides nothing
        return self._clock.time()

    def answered(self, sent: float, *, accepted: bool | None) -> None:
        """Nothing to learn."""


class Window:
    """So many in a window of time: logins. A rejection is not learned from, it is an authentication failure."""

    def __init__(self, count: int, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._sent: deque[float] = deque(maxlen=count)
        self._turn = asyncio.Lock()

    def ready_at(self) -> float:
        """When the oldest has left the window."""
        now = self._clock.time()
        full = len(self._sent) == self._sent.maxlen
        return max(now, self._sent[0] + self._seconds) if full else now

    async def slot(self, rejections: int = 0) -> float:
        """Wait until one more fits in."""
        del rejections
        async with self._turn:
            while (wait := self.ready_at() - self._clock.time()) > 0:
                await self._clock.sleep(wait)
            self._sent.append(self._clock.time())
            return self._sent[-1]

    def answered(self, sent: float, *, accepted: bool | None) -> None:
        """Nothing to learn."""


class Interval:
    """A minimum interval, kept with a guard that is learned.

    Args:
        interval: seconds between two calls; 0 until a rejection tells that there is a limit.
        clock: the time.
        probing: look for a shorter interval: halve it until the first rejection, then bisect.
    """

    def __init__(self, interval: float, clock: Clock, *, probing: bool = False) -> None:
        self._clock = clock
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._interval = interval
        self._step = min(0.005, interval / 20)
        self.guard = min(0.02, interval / 20)
        self._next = float("-inf")
        self._usual: float | None = None  # seconds from sending to the answer
        self._under_way: dict[float, None] = {}  # moments of sending, oldest first
        self._floor = 0.0  # of the guard
        self._streak = 0  # rejections in a row
        self._probing = probing
        self._search = 0.0  # seconds of the next step of the bisection
        self._accepted = 0

    @property
    def interval(self) -> float:
        """Seconds between two calls, guard included."""
        return self._interval + self.guard if self._interval else 0.0

    def ready_at(self) -> float:
        """The next slot, after those who wait already."""
        return max(self._next, self._clock.time()) + self._waiting * self.interval

    async def slot(self, rejections: int = 0) -> float:
        """Wait for the next slot."""
        del rejections  # the slot after a rejection is late enough for everyone
        self._waiting += 1
        try:
            async with self._turn:
                await self._due()
                sent = self._clock.time()
                while sent in self._under_way:  # two slots in one tick of the clock
                    sent += 1e-9
                self._next = sent + self.interval
                if self._interval:
                    self._under_way[sent] = None
                return sent
        finally:
            self._waiting -= 1

    async def _due(self) -> None:
        while (wait := self._next - self._clock.time()) > 0:
            await self._clock.sleep(wait)
        # A call that is late on its way would arrive just before the next one, which is then rejected.
        while self._usual is not None and self._under_way:
            age = self._clock.time() - next(iter(self._under_way))
            if not 2 * self._usual < age < 2 * self._usual + _UNKNOWN_LIMIT:
                break
            await self._clock.sleep(max(self._usual / 2, 0.001))
        while (wait := self._next - self._clock.time()) > 0:
            await self._clock.sleep(wait)

    def answered(self, sent: float, *, accepted: bool | None) -> None:
        """Learn from an answer."""
        now = self._clock.time()
        self._under_way.pop(sent, None)
        late = self._usual is not None and now - sent > 2 * self._usual
        if accepted is None:
            return
        if accepted:
            self._accept(now - sent, late=late)
        else:
            self._reject()
        if late or not accepted:
            # It arrived up to half a round trip ago, and the next one takes as long to arrive.
            self._next = max(self._next, now - (self._usual or 0.0) + self.interval)

    def _accept(self, took: float, *, late: bool) -> None:
        self._streak = 0
        if not late:
            self._usual = took if self._usual is None else self._usual + (took - self._usual) / 8
        self._accepted += 1
        if self._accepted % _PROBE == 0 and self._probing:
            self._set(self._interval / 2)
        elif self._accepted % _PROBE == 0 and self._search:
            self.guard -= self._search
        else:
            self.guard -= self._step * _TARGET / (1 - _TARGET)
        # Where the limit is documented nothing below it is tried; where it was searched for, it lies within a half.
        self.guard = max(self._floor, self.guard)

    def _reject(self) -> None:
        if not self._interval:
            self._set(_UNKNOWN_LIMIT)
        elif self._probing:
            self._probing = False
            self._set(self._interval * 2)
            self._search = self._interval / 4
            self._floor = -self._interval / 2
        elif self._search:
            self.guard += self._search
            self._search = self._search / 2 if self._search > self._interval * _FINE else 0.0
        else:
            # Each rejection in a row counts double: a limit that has fallen is found in a few calls.
            self.guard += self._step * 2**self._streak
        self._streak += 1

    def _set(self, interval: float) -> None:
        self._interval = interval
        self._step = min(0.005, interval / 20)
        self.guard = min(0.02, interval / 20)


class Pacers:
    """The pacers of one client, made when they are first needed."""

    def __init__(self, setting: PaceSetting, clock: Clock) -> None:
        self._setting = setting
        self._clock = clock
        self._pacers: dict[tuple[object, Family], Pacer] = {}
        self._unpaced = Unpaced(clock)

    def of(self, identity: object, family: Family | None) -> Pacer:
        """The pacer of an identity for a family; without a family there is no pace."""
        if family is None:
            return self._unpaced
        pacer = self._pacers.get((identity, family))
        if pacer is None:
            pacer = self._pacers[identity, family] = self._make(family)
        return pacer

    def _make(self, family: Family) -> Pacer:
        if self._setting is None:
            return Unpaced(self._clock)
        if self._setting == "auto":
            if family is Family.PINS:
                return Interval(1.0, self._clock, probing=True)
            return Pace().pacer(family, self._clock)
        return self._setting.pacer(family, self._clock)
