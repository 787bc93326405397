"""One pace for processes on many machines, kept in Redis. Needs the extra ``aiorescue[redis]``.

Each process hands out turns among its own calls and has at most one slot reserved ahead, so that processes take turns.
What is known of the limit is the same value as for one process (`limit.py`): it lives in Redis, each process improves
it by the answers that it saw, and whoever comes with an outdated one is told and tries again. Moments are those of
Redis' clock. Where Redis does not answer, each process paces for itself and looks for it again after a while.
"""

import asyncio
import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from inspect import signature
from typing import Any, Literal, TypeVar, cast

import attrs
import redis.asyncio
from redis.exceptions import RedisError

from aiorescue.clock import Clock
from aiorescue.operation import Family
from aiorescue.pace.interval import Answers, is_late
from aiorescue.pace.limit import Limit
from aiorescue.pace.pace import LOGIN_WINDOW, Pace, Pacer, Unpaced, first_limit, local_pacer
from aiorescue.pace.turns import Line, Priority, Turns

T = TypeVar("T")
_log = logging.getLogger("aiorescue.pace")

#: Seconds to wait for Redis, and for which a Redis that failed is left alone.
_PATIENCE, _AWAY = 1.0, 5.0
#: Milliseconds after which an unused pace is forgotten.
_FORGET = 24 * 3600 * 1000
#: How often an outdated limit is brought up to date before the slot is taken with the limit as it is.
_TRIES = 5
#: Seconds by which a slot may be used too late, at least.
_TARDY = 0.002
#: Seconds that opening a connection may take, so that a call which does it has so much more room behind it.
_OPENING = 0.5
#: Seconds by which a login may arrive later than it was sent.
_LOGIN_DELAY = 5.0

#: Newer versions of redis-py look for their own version on the disk with each connection, which blocks the loop.
_QUIET: dict[str, Any] = {"driver_info": None} if "driver_info" in signature(redis.asyncio.Redis).parameters else {}

_NOW = "local t = redis.call('TIME'); local now = t[1] + t[2] / 1000000\n"
#: Take the next slot: KEYS = the pace; ARGV = version and new value of the limit, gap, not before, room behind it.
_SLOT = f"""{_NOW}
local known = redis.call('HMGET', KEYS[1], 'version', 'limit', 'last', 'hold')
local version = known[1] or '0'
if ARGV[1] ~= version and ARGV[1] ~= 'any' then
  return {{'', version, known[2] or '', string.format('%.6f', now)}}
end
local hold = math.max(tonumber(known[4] or '0'), tonumber(ARGV[4]))
local slot = math.max(now, tonumber(known[3] or '0') + tonumber(ARGV[3]), hold)
if tonumber(ARGV[5]) > 0 then hold = math.max(hold, slot + tonumber(ARGV[3]) + tonumber(ARGV[5])) end
version = string.format('%d', tonumber(version) + 1)
redis.call('HSET', KEYS[1], 'version', version, 'limit', ARGV[2], 'last', string.format('%.6f', slot),
  'hold', string.format('%.6f', hold))
redis.call('PEXPIRE', KEYS[1], {_FORGET})
return {{string.format('%.6f', slot), version, ARGV[2], string.format('%.6f', now)}}
"""
#: Take a place in a window: KEYS = the window; ARGV = how many, seconds. Answers the seconds to wait, 0 if taken.
_PLACE = f"""{_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return string.format('%.6f', oldest[2] + ARGV[2] - now)
end
redis.call('ZADD', KEYS[1], now, string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], {_FORGET})
return '0'
"""


@attrs.frozen
class RedisPace:
    """A pace that processes on many machines share: ``RescueClient(…, pace=RedisPace("redis://…"))``.

    Auth codes are known to Redis by a digest only, logins by the digest of their name. While Redis is away each
    process paces for itself, and a warning is logged once.

    Attributes:
        url: where Redis is, as redis-py takes it; it may hold a password and is never shown.
        pace: what the service allows each identity, or ``"auto"``; the same for all who share.
        prefix: what the keys begin with.
    """

    url: str = attrs.field(repr=False)
    pace: Pace | Literal["auto"] = attrs.field(default=Pace(), kw_only=True)
    prefix: str = attrs.field(default="aiorescue:pace:", kw_only=True)

    def open(self, clock: Clock, service: str) -> "RedisPacers":
        """For one client of one service."""
        return RedisPacers(self, clock, service)


class Away(Exception):
    """Redis does not answer."""


class Link:
    """The connection to Redis, or the knowledge that there is none at the moment."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._clock = clock
        # No socket_timeout: redis-py would use wait_for, which in Python 3.11 swallows a cancellation now and then.
        self._redis = redis.asyncio.Redis.from_url(
            url, decode_responses=True, socket_timeout=None, socket_connect_timeout=_PATIENCE, **_QUIET
        )
        self._scripts = {text: self._redis.register_script(text) for text in (_SLOT, _PLACE)}
        self._again_at = float("-inf")
        self._is_away = False

    async def run(self, script: str, key: str, *args: str | float) -> Any:
        """Run a script. Raises Away."""
        if self._clock.time() < self._again_at:
            raise Away
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = await cast("Awaitable[Any]", self._scripts[script](keys=[key], args=args))
        except (RedisError, OSError) as problem:
            self._again_at = self._clock.time() + _AWAY
            if not self._is_away:
                self._is_away = True
                # Its text may hold the URL, so only its type is told.
                _log.warning("Redis does not answer (%s): this process paces for itself", type(problem).__name__)
            raise Away from None
        if self._is_away:
            self._is_away = False
            _log.info("Redis answers again: the pace is shared")
        return answer

    async def aclose(self) -> None:
        """Close the connection."""
        await self._redis.aclose()


class RedisPacers:
    """The pacers of one client."""

    def __init__(self, setting: RedisPace, clock: Clock, service: str) -> None:
        self._setting = setting
        self._clock = clock
        self._service = service
        self._link = Link(setting.url, clock)

    def make(self, identity: object, family: Family) -> Pacer:
        """A pacer for an identity and a family."""
        pace = self._setting.pace

        def local() -> Pacer:
            return local_pacer(pace, family, self._clock)

        if family is Family.LOGINS:
            logins = Pace().logins if pace == "auto" else pace.logins
            if logins is None:
                return Unpaced(self._clock)
            return RedisWindow(logins, self._link, self._key(identity, family, logins), local, self._clock)
        limit = first_limit(pace, family)
        # Who believes in another limit counts for himself.
        key = self._key(identity, family, "auto" if limit.starting else limit.floor)
        return RedisInterval(limit, self._link, key, local, self._clock)

    def _key(self, identity: object, family: Family, limit: float | str) -> str:
        who = getattr(getattr(identity, "account", identity), "key", "")
        digest = blake2b(f"{self._service}\n{who}".encode(), digest_size=16, person=b"aiorescue.pace").hexdigest()
        return f"{self._setting.prefix}{digest}:{family.value}:{limit}"

    async def aclose(self) -> None:
        """Close the connection."""
        await self._link.aclose()


class _Shared(Turns, ABC):
    """What both pacers have in common: a line of their own, and a local pacer for when Redis is away."""

    def __init__(self, link: Link, key: str, local: Callable[[], Pacer], clock: Clock) -> None:
        self._link = link
        self._key = key
        self._clock = clock
        self._line = Line()
        self._make_local = local
        self._local: Pacer | None = None
        self._sent_locally: dict[float, Pacer] = {}

    async def slot(self, priority: Priority = Priority.CALL, *, rejections: int = 0) -> float:
        """Wait for the next slot of all processes."""
        await self._line.enter(priority)
        try:
            try:
                sent = await self._shared_slot()
            except Away:
                if self._local is None:
                    self._local = self._make_local()
                sent = await self._local.slot(priority, rejections=rejections)
                self._sent_locally[sent] = self._local
            else:
                self._local = None  # what it learned, alone, is not true of all together
            return sent
        finally:
            self._line.leave()

    @abstractmethod
    async def _shared_slot(self) -> float:
        """The next slot, as Redis tells it. Raises `Away`."""

    def answered(self, sent: float, *, accepted: bool | None) -> None:
        """Learn from an answer."""
        local = self._sent_locally.pop(sent, None)
        if local is not None:
            local.answered(sent, accepted=accepted)
        else:
            self._heard(sent, accepted=accepted)

    @abstractmethod
    def _heard(self, sent: float, *, accepted: bool | None) -> None:
        """An answer to a slot that Redis gave."""


@attrs.frozen
class _Slot:
    """A slot that was reserved.

    Attributes:
        due: its moment on our clock.
        moment: the same on Redis'.
        tested: it had to be waited for.
        changed: when the gap that it keeps had been changed.
    """

    due: float
    moment: float
    tested: bool
    changed: float


@attrs.frozen
class _Heard:
    """An answer that Redis does not know of yet; `now` is of Redis' clock."""

    slot: _Slot
    now: float
    accepted: bool
    tested: bool
    scatter: float
    under_way: int

    def improve(self, limit: Limit) -> None:
        """Tell the limit."""
        stale = self.slot.changed != limit.changed
        if self.accepted:
            limit.success(
                self.slot.moment,
                self.now,
                tested=self.tested,
                stale=stale,
                scatter=self.scatter,
                under_way=self.under_way,
            )
        elif not stale:
            # Each process has a slot reserved ahead, so several may be rejected for one and the same gap: that is no
            # alarm yet.
            limit.rejection(self.slot.moment, self.now, stale=False, scatter=self.scatter)


class RedisInterval(_Shared):
    """A gap between two calls of all processes, learned by all."""

    def __init__(self, limit: Limit, link: Link, key: str, local: Callable[[], Pacer], clock: Clock) -> None:
        super().__init__(link, key, local, clock)
        self._first = limit
        self._limit, self._version = limit, "0"
        self._answers = Answers()
        self._offset = 0.0  # Redis' clock minus ours
        self._reserved: _Slot | None = None
        self._not_before = 0.0
        self._begun = False
        self._heard_of: list[_Heard] = []
        self._under_way: dict[float, _Slot] = {}

    def ready_at(self, priority: Priority = Priority.CALL) -> float:
        """When a call that came now would be sent, if no other process came before."""
        now = self._clock.time()
        due = self._reserved.due if self._reserved else self._not_before - self._offset
        return max(now, due) + self._line.ahead(priority) * self._limit.gap

    async def _shared_slot(self) -> float:
        while True:
            slot = self._reserved  # perhaps left by one that was cancelled
            if slot is None or self._is_lost(slot):
                slot = self._reserved = await self._reserve()
            if (wait := slot.due - self._clock.time()) > 0:
                await self._clock.sleep(wait)
            elif self._limit.gap and is_late(self._under_way, self._answers, self._clock.time()):
                await self._clock.sleep((self._answers.usual or 0.0) / 4 + 0.001)
            else:
                self._reserved = None
                return self._take(slot)

    def _is_lost(self, slot: _Slot) -> bool:
        """Too late to use it, as the next one belongs to another; or it would come too soon after a late call."""
        tardy = max(_TARDY, self._limit.gap / 20)
        return self._clock.time() > slot.due + tardy or self._not_before > slot.moment + tardy

    def _take(self, slot: _Slot) -> float:
        sent = self._clock.time()
        while sent in self._under_way:
            sent += 1e-9
        self._under_way[sent] = slot
        self._begun = True
        return sent

    async def _reserve(self) -> _Slot:
        """Bring the limit up to date and take the next slot."""
        for left in reversed(range(_TRIES)):
            limit = attrs.evolve(self._limit)
            heard, late = list(self._heard_of), self._not_before
            for one in heard:
                one.improve(limit)
            # The first call opens the connection, so it is late, and who comes next does not know.
            room = 0.0 if self._begun else min(limit.gap, _OPENING)
            asked = self._clock.time()
            answer: list[str] = await self._link.run(
                _SLOT, self._key, self._version if left else "any", _packed(limit), limit.gap, late, room
            )
            moment, version, packed, now = answer
            heard_at = self._clock.time()
            self._offset = float(now) - (asked + heard_at) / 2
            self._limit, self._version = _unpacked(packed) if packed else attrs.evolve(self._first), version
            if moment:
                del self._heard_of[: len(heard)]
                break
        return _Slot(
            float(moment) - self._offset,
            float(moment),
            tested=float(moment) > float(now),
            changed=self._limit.changed,
        )

    def _heard(self, sent: float, *, accepted: bool | None) -> None:
        slot = self._under_way.pop(sent, None)
        if slot is None or accepted is None:
            return
        now = self._clock.time()
        late = self._answers.heard(now - sent)
        tested = slot.tested and sent - slot.due <= self._limit.gap / 10
        shared_now = now + self._offset
        self._heard_of.append(_Heard(slot, shared_now, accepted, tested, self._answers.scatter, len(self._under_way)))
        if late or not accepted:
            self._not_before = max(self._not_before, shared_now - (self._answers.usual or 0.0) + self._limit.gap)


class RedisWindow(_Shared):
    """So many in a window of time, all processes together: logins."""

    def __init__(self, count: int, link: Link, key: str, local: Callable[[], Pacer], clock: Clock) -> None:
        super().__init__(link, key, local, clock)
        self._count = count

    def ready_at(self, priority: Priority = Priority.CALL) -> float:
        """Now, as far as this process knows."""
        return self._clock.time()

    async def _shared_slot(self) -> float:
        while True:
            answer: str = await self._link.run(_PLACE, self._key, self._count, LOGIN_WINDOW + _LOGIN_DELAY)
            if (wait := float(answer)) <= 0:
                return self._clock.time()
            await self._clock.sleep(wait)

    def _heard(self, sent: float, *, accepted: bool | None) -> None:
        """Nothing to learn."""


def _packed(limit: Limit) -> str:
    return json.dumps(attrs.asdict(limit))


def _unpacked(text: str) -> Limit:
    return Limit(**json.loads(text))
