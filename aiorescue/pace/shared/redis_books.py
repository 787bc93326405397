"""`RedisBooks`: the books of a shared pace in Redis. Each transaction is a script, on Redis' clock."""

import asyncio
from collections.abc import Awaitable
from inspect import signature
from typing import Any, cast

import redis.asyncio
from redis.exceptions import RedisError

from aiorescue.clock import Clock
from aiorescue.pace.shared.books import (
    MOST,
    PATIENCE,
    ROUNDING,
    SEEN,
    SLACK,
    Books,
    Reachability,
    SlotAnswer,
    SlotRequest,
)

#: Milliseconds after which an unused pace is forgotten.
_FORGET = 24 * 3600 * 1000
#: Newer versions of redis-py look for their own version on the disk with each connection, which blocks the loop.
_QUIET: dict[str, Any] = {"driver_info": None} if "driver_info" in signature(redis.asyncio.Redis).parameters else {}

_NOW = "local t = redis.call('TIME'); local now = t[1] + t[2] / 1000000\n"
#: Take the next slot: KEYS = the books; ARGV = version, limit, gap, not before, room behind it, process.
_SLOT = f"""{_NOW}
if redis.call('TYPE', KEYS[1])['ok'] ~= 'hash' then redis.call('DEL', KEYS[1]) end
local known = redis.call('HMGET', KEYS[1], 'version', 'limit', 'slots', 'hold')
local version = known[1] or '0'
if #version > 12 or not string.match(version, '^%d+$') then version = '0' end
local gap = tonumber(ARGV[3])
local furthest = 2 * gap + {SLACK}
local slots = {{}}
for process, text in string.gmatch(known[3] or '', '(%S+) (%S+)') do
  local moment = tonumber(text)
  if moment and moment == moment and #slots < {MOST} then table.insert(slots, {{moment, process}}) end
end
table.sort(slots, function(a, b) return a[1] < b[1] end)
local seen = now - {SEEN} - 2 * gap * #slots
local last, others, kept = 0, 1, ''
for _, slot in ipairs(slots) do
  if slot[1] - math.max(last, now) > furthest + {ROUNDING} then break end
  last = slot[1]
  if slot[1] > seen and slot[2] ~= ARGV[6] then
    others = others + 1
    kept = kept .. slot[2] .. ' ' .. string.format('%.6f', slot[1]) .. ' '
  end
end
if ARGV[1] ~= version and ARGV[1] ~= '' then
  return {{'', version, known[2] or '', string.format('%.6f', now), others}}
end
local hold = tonumber(known[4] or '') or 0
if hold ~= hold or hold > math.max(now, last) + furthest + {ROUNDING} then hold = 0 end
hold = math.min(math.max(hold, tonumber(ARGV[4])), math.max(now, last) + furthest)
local slot = math.max(now, last + gap, hold)
if tonumber(ARGV[5]) > 0 then hold = math.max(hold, slot + gap + tonumber(ARGV[5])) end
version = string.format('%.0f', tonumber(version) + 1)
local moment = string.format('%.6f', slot)
redis.call('HSET', KEYS[1], 'version', version, 'limit', ARGV[2], 'slots', kept .. ARGV[6] .. ' ' .. moment,
  'hold', string.format('%.6f', hold))
redis.call('PEXPIRE', KEYS[1], {_FORGET})
return {{moment, version, ARGV[2], string.format('%.6f', now), others}}
"""
#: Take a place in a window: KEYS = the window; ARGV = how many, seconds. Answers the seconds to wait, 0 if taken.
_PLACE = f"""{_NOW}
if redis.call('TYPE', KEYS[1])['ok'] ~= 'zset' then redis.call('DEL', KEYS[1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + {SLACK}, '+inf')
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return string.format('%.6f', oldest[2] + ARGV[2] - now)
end
redis.call('ZADD', KEYS[1], now, string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], {_FORGET})
return '0'
"""


class RedisBooks(Books):
    """Books in Redis.

    Args:
        url: where Redis is.
        prefix: what the keys begin with.
        clock: the client's clock.

    Raises:
        ValueError: redis-py does not take the URL.
    """

    def __init__(self, url: str, prefix: str, clock: Clock) -> None:
        self._url = url
        self._prefix = prefix
        self._reachability = Reachability(clock)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connect()

    def _connect(self) -> None:
        """Make the client of Redis; it connects when it is first used."""
        # No socket_timeout: redis-py would use wait_for, which in Python 3.11 swallows a cancellation now and then.
        self._redis = redis.asyncio.Redis.from_url(
            self._url,
            decode_responses=True,
            encoding_errors="replace",  # the books may hold anything
            socket_timeout=None,
            socket_connect_timeout=PATIENCE,
            **_QUIET,
        )
        # It is not opened: parameters of the URL that the connection does not take are a TypeError now, and not later.
        self._redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        self._scripts = {text: self._redis.register_script(text) for text in (_SLOT, _PLACE)}

    async def slot(self, key: str, request: SlotRequest) -> SlotAnswer:
        """Take the next slot. Raises `BooksAwayError`."""
        version = "" if request.version is None else request.version
        moment, version, limit, now, processes = await self._run(
            _SLOT,
            f"{key}:slots",
            version,
            request.limit,
            request.gap,
            request.not_before,
            request.room,
            request.process,
        )
        return SlotAnswer(
            moment=float(moment) if moment else None,
            version=version,
            limit=limit,
            now=float(now),
            processes=int(processes),
        )

    async def place(self, key: str, count: int, seconds: float) -> float:
        """Take a place in a window of time. Raises `BooksAwayError`."""
        return float(await self._run(_PLACE, f"{key}:window", count, seconds))

    async def _run(self, script: str, key: str, *args: str | float) -> Any:
        self._reachability.check()
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            if self._loop is not None:
                self._connect()  # connections belong to the loop that they were opened on
            self._loop = loop
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await cast("Awaitable[Any]", self._scripts[script](keys=[self._prefix + key], args=args))
        except (RedisError, OSError) as problem:
            # Its text may hold the URL, so only its type is logged.
            raise self._reachability.failed(f"Redis does not answer ({type(problem).__name__})") from None
        self._reachability.answered("Redis answers")
        return answer

    async def aclose(self) -> None:
        """Close the connections, unless the event loop that they belong to is gone."""
        if self._loop is None or self._loop is asyncio.get_running_loop():
            await self._redis.aclose()
