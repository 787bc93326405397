"""`RedisBooks`: the books of a shared pace in Redis. Each transaction is a script, on Redis' clock."""

import asyncio
from collections.abc import Awaitable, Collection
from inspect import signature
from typing import Any, cast

import redis.asyncio
from redis.exceptions import RedisError, ResponseError

from aiorescue.clock import Clock
from aiorescue.pace.shared.books import (
    LEFT,
    MOST,
    PATIENCE,
    ROUNDING,
    SAME,
    SEEN,
    SLACK,
    Books,
    LateUse,
    Place,
    Reachability,
    SlotAnswer,
    SlotRequest,
)

#: Milliseconds after which an unused pace is forgotten.
_FORGET = 24 * 3600 * 1000
#: Characters that are logged of an error.
_QUOTED = 200
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
local slots, joined = {{}}, 0
local function has_left(process) return string.sub(process, 1, 1) == '{LEFT}' end
for process, text in string.gmatch(known[3] or '', '(%S+) (%S+)') do
  local moment = tonumber(text)
  if moment and moment == moment and #slots < {MOST} then
    table.insert(slots, {{moment, process}})
    if not has_left(process) then joined = joined + 1 end
  end
end
table.sort(slots, function(a, b) return a[1] < b[1] end)
local seen, needed = now - {SEEN} - 2 * gap * joined, now - furthest
local last, others, kept = 0, 1, {{}}
for _, slot in ipairs(slots) do
  if slot[1] - math.max(last, now) > furthest + {ROUNDING} then break end
  last = slot[1]
  if slot[2] ~= ARGV[6] and slot[1] > (has_left(slot[2]) and needed or seen) then
    if not has_left(slot[2]) then others = others + 1 end
    table.insert(kept, slot[2] .. ' ' .. string.format('%.6f', slot[1]) .. ' ')
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
kept = table.concat(kept, '', math.max(1, #kept - {MOST - 2}))
redis.call('HSET', KEYS[1], 'version', version, 'limit', ARGV[2], 'slots', kept .. ARGV[6] .. ' ' .. moment,
  'hold', string.format('%.6f', hold))
redis.call('PEXPIRE', KEYS[1], {_FORGET})
return {{moment, version, ARGV[2], string.format('%.6f', now), others}}
"""
#: Put off the slots behind one that was used late: KEYS = the books; ARGV = process, slot, used, gap.
_PUT_OFF = f"""
if redis.call('TYPE', KEYS[1])['ok'] ~= 'hash' then return end
local moment, gap, slots, found = tonumber(ARGV[2]), tonumber(ARGV[4]), {{}}, {{}}
local last = math.min(tonumber(ARGV[3]), moment + 2 * gap + {SLACK})
for process, text in string.gmatch(redis.call('HGET', KEYS[1], 'slots') or '', '(%S+) (%S+)') do
  local slot = tonumber(text)
  if slot and slot == slot and #slots < {MOST} then table.insert(slots, {{slot, process}}) end
end
table.sort(slots, function(a, b) return a[1] < b[1] end)
for _, slot in ipairs(slots) do
  if slot[2] == ARGV[1] and slot[1] > moment - {SAME} and slot[1] < moment + gap / 2 then
    slot[1] = math.max(slot[1], last)
  elseif slot[1] >= moment + {SAME} then
    slot[1] = math.max(slot[1], last + gap)
    last = slot[1]
  end
  table.insert(found, slot[2] .. ' ' .. string.format('%.6f', slot[1]))
end
if #found > 0 then redis.call('HSET', KEYS[1], 'slots', table.concat(found, ' ')) end
"""
#: Find the last slot of a process: KEYS = the books; ARGV = process. Answers its moment, or an empty text.
_LOOK = """
if redis.call('TYPE', KEYS[1])['ok'] ~= 'hash' then return '' end
for process, moment in string.gmatch(redis.call('HGET', KEYS[1], 'slots') or '', '(%S+) (%S+)') do
  local slot = tonumber(moment)
  if process == ARGV[1] and slot and slot == slot and math.abs(slot) < math.huge then return moment end
end
return ''
"""
#: Mark a process as one that has left: KEYS = the books; ARGV = process.
_LEAVE = f"""
if redis.call('TYPE', KEYS[1])['ok'] ~= 'hash' then return end
local slots = {{}}
for process, moment in string.gmatch(redis.call('HGET', KEYS[1], 'slots') or '', '(%S+) (%S+)') do
  table.insert(slots, (process == ARGV[1] and '{LEFT}' or '') .. process .. ' ' .. moment)
end
redis.call('HSET', KEYS[1], 'slots', table.concat(slots, ' '))
"""
#: Take a place in a window: KEYS = the window; ARGV = how many, seconds. Answers the seconds to wait, 0
#: if taken, and the place.
_PLACE = f"""{_NOW}
if redis.call('TYPE', KEYS[1])['ok'] ~= 'zset' then redis.call('DEL', KEYS[1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + {SLACK}, '+inf')
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return {{string.format('%.6f', math.max(oldest[2] + ARGV[2] - now, 0.001)), ''}}
end
local place = string.format('%.6f', now)
redis.call('ZADD', KEYS[1], now, place)
redis.call('PEXPIRE', KEYS[1], {_FORGET})
return {{'0', place}}
"""
#: Give places back: KEYS = the window; ARGV = the places.
_GIVE_BACK = """
if redis.call('TYPE', KEYS[1])['ok'] == 'zset' then redis.call('ZREM', KEYS[1], unpack(ARGV)) end
"""
_SCRIPTS = (_SLOT, _PUT_OFF, _LOOK, _LEAVE, _PLACE, _GIVE_BACK)


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
        self._scripts = {text: self._redis.register_script(text) for text in _SCRIPTS}

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

    async def put_off(self, key: str, late: LateUse) -> None:
        """Put off the slots behind one that was used late. Raises `BooksAwayError`."""
        await self._run(_PUT_OFF, f"{key}:slots", late.process, late.moment, late.used, late.gap)

    async def look(self, key: str, process: str) -> float | None:
        """The moment of a process's last slot; None without one. Raises `BooksAwayError`."""
        moment = await self._run(_LOOK, f"{key}:slots", process)
        return float(moment) if moment else None

    async def leave(self, key: str, process: str) -> None:
        """Count a process no longer among those that share the slots. Raises `BooksAwayError`."""
        await self._run(_LEAVE, f"{key}:slots", process)

    async def place(self, key: str, count: int, seconds: float) -> Place:
        """Take a place in a window of time. Raises `BooksAwayError`."""
        wait, taken = await self._run(_PLACE, f"{key}:window", count, seconds)
        return Place(float(wait), taken)

    async def give_back(self, key: str, taken: Collection[str]) -> None:
        """Make places free again in which nothing was sent. Raises `BooksAwayError`."""
        await self._run(_GIVE_BACK, f"{key}:window", *taken)

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
        except ResponseError as problem:  # its text is the server's: no memory, a replica, no permission
            text = " ".join(str(problem).split())[:_QUOTED]
            raise self._reachability.failed(f"Redis answers with an error ({text})") from None
        except (RedisError, OSError) as problem:
            # Its text may hold the URL, so only its type is logged.
            raise self._reachability.failed(f"Redis does not answer ({type(problem).__name__})") from None
        self._reachability.answered("Redis answers")
        return answer

    async def aclose(self) -> None:
        """Close the connections, unless the event loop that they belong to is gone."""
        if self._loop is None or self._loop is asyncio.get_running_loop():
            await self._redis.aclose()
