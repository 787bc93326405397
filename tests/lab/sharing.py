"""The two ways in which processes share a pace, as tests need them: with books that can be read and spoilt."""

import asyncio
import json
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any, Protocol, cast

import attrs
import redis

from aiorescue import HostPace, Pace, RedisPace
from aiorescue.clock import SystemClock
from aiorescue.pace.pace import PacedAccount, SharedPace
from aiorescue.pace.shared.books import Books, LateUse, Place, SlotAnswer, SlotRequest
from aiorescue.pace.shared.host_state import give_back, leave, look, put_off, take_place, take_slot
from aiorescue.pace.shared.interval import SharedIntervalPacer
from aiorescue.pace.shared.pacers import BookPacers
from aiorescue.pace.turns import Pacer, Priority, Turn

SERVICE = "http://service"
CODE = "fixedtech0000"
ACCOUNT = PacedAccount(CODE)
#: Seconds that a transaction takes in `MemoryBooks`.
_TAKES = 0.002


async def answer(pacer: Pacer, *, accepted: bool | None = True, priority: Priority = Priority.CALL) -> float:
    """One call; the moment that the books gave it, which a busy machine does not change."""
    async with pacer.turn(priority) as turn:
        slot = pacer._under_way.get(turn) if isinstance(pacer, SharedIntervalPacer) else None
        await asyncio.sleep(0.002)
        if accepted is not None:
            turn.answered(accepted=accepted)
    return turn.sent if slot is None else slot.moment


async def taken(pacer: Pacer) -> Turn:
    """A turn that was waited for, and is under way."""
    return await pacer.turn().__aenter__()


class ProcessClock(SystemClock):
    """The clock of a process that a test simulates: pacers with another clock have nothing in common with its own."""


class Sharing(Protocol):
    """A way to share a pace.

    Attributes:
        place: a Redis URL or a folder.
    """

    place: str

    def pace(self, pace: Pace) -> SharedPace:
        """The setting."""

    def pacers(self, **pace: float | None) -> BookPacers:
        """The pacers of one process."""

    def spoil(self, field: str, value: str) -> None:
        """Set a field of the only books: "version", "limit", "slots" (as "process moment …") or "hold"."""

    def spoil_all(self, content: bytes) -> None:
        """Replace the only books by that."""

    def spoil_logins(self, value: str) -> None:
        """Replace the moments of the only window by that."""

    def now(self) -> float:
        """The time on the shared clock."""

    def content(self) -> str:
        """All that is kept, names included."""


class RedisSharing:
    """Through Redis."""

    def __init__(self, url: str) -> None:
        self.place = url
        self._redis = redis.Redis.from_url(url)

    def pace(self, pace: Pace) -> SharedPace:
        """The setting."""
        return RedisPace(self.place, pace=pace)

    def pacers(self, **pace: float | None) -> BookPacers:
        """The pacers of one process."""
        return RedisPace(self.place, pace=Pace(**cast("Any", pace))).open(ProcessClock(), SERVICE)

    def _key(self) -> str:
        (key,) = self._redis.keys()
        return cast("str", key)

    def spoil(self, field: str, value: str) -> None:
        """Set a field."""
        self._redis.hset(self._key(), field, value)

    def spoil_all(self, content: bytes) -> None:
        """Put a text where the hash was."""
        key = self._key()
        self._redis.delete(key)
        self._redis.set(key, content)

    def spoil_logins(self, value: str) -> None:
        """Replace the members; a score that is no number becomes a text."""
        key = self._key()
        self._redis.delete(key)
        if value == "nan":
            self._redis.set(key, value)
        else:
            self._redis.zadd(key, {"spoilt": float(value)})

    def now(self) -> float:
        """Redis' time."""
        seconds, micro = self._redis.time()
        return seconds + micro / 1e6

    def content(self) -> str:
        """Keys and hashes."""
        keys = cast("list[bytes]", self._redis.keys())
        return repr([(key, self._redis.hgetall(key) if self._redis.type(key) == b"hash" else "") for key in keys])

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()


class HostSharing:
    """Through the files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.place = str(folder)
        self._folder = folder

    def pace(self, pace: Pace) -> SharedPace:
        """The setting."""
        return HostPace(directory=self._folder, pace=pace)

    def pacers(self, **pace: float | None) -> BookPacers:
        """The pacers of one process."""
        return HostPace(directory=self._folder, pace=Pace(**cast("Any", pace))).open(ProcessClock(), SERVICE)

    def file(self) -> Path:
        """The only file."""
        (file,) = self._folder.iterdir()
        return file

    def spoil(self, field: str, value: str) -> None:
        """Set a field, as the number that it looks like if it does."""
        given: dict[str, Any] = json.loads(self.file().read_bytes())
        words = value.split()
        if field == "slots" and len(words) % 2 == 0:
            given["slots"] = {who: _number(moment) for who, moment in zip(words[::2], words[1::2], strict=True)}
        else:
            given[field] = value if field == "limit" else _number(value)
        self.file().write_text(json.dumps(given))

    def spoil_all(self, content: bytes) -> None:
        """Replace the file's content."""
        self.file().write_bytes(content)

    def spoil_logins(self, value: str) -> None:
        """Replace the moments."""
        self.spoil_all(json.dumps({"format": 1, "places": [float(value)]}).encode())

    def now(self) -> float:
        """The machine's time."""
        return time.monotonic()

    def content(self) -> str:
        """Names and contents."""
        return repr([(file.name, file.read_bytes()) for file in self._folder.iterdir()])

    def close(self) -> None:
        """Do nothing: no file is open."""


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


class MemoryBooks(Books):
    """Books in memory, for processes that a test simulates on one event loop, whose clock they share."""

    def __init__(self) -> None:
        self._content = b""

    async def slot(self, key: str, request: SlotRequest) -> SlotAnswer:
        """Take the next slot."""
        await asyncio.sleep(_TAKES)
        content, answer = take_slot(self._content, request, asyncio.get_running_loop().time())
        self._content = self._content if content is None else content
        return attrs.evolve(answer, own_now=answer.now)

    async def put_off(self, key: str, late: LateUse) -> None:
        """Put off the slots behind one that was used late."""
        await asyncio.sleep(_TAKES)
        content, _ = put_off(self._content, late)
        self._content = self._content if content is None else content

    async def look(self, key: str, process: str) -> float | None:
        """The moment of a process's last slot."""
        await asyncio.sleep(_TAKES)
        return look(self._content, process)[1]

    async def leave(self, key: str, process: str) -> None:
        """Count a process no longer among those that share the slots."""
        await asyncio.sleep(_TAKES)
        content, _ = leave(self._content, process)
        self._content = self._content if content is None else content

    async def place(self, key: str, count: int, seconds: float) -> Place:
        """Take one of `count` places in a window of `seconds`."""
        await asyncio.sleep(_TAKES)
        content, place = take_place(self._content, count, seconds, asyncio.get_running_loop().time())
        self._content = self._content if content is None else content
        return place

    async def give_back(self, key: str, taken: Collection[str]) -> None:
        """Make places free again in which nothing was sent."""
        await asyncio.sleep(_TAKES)
        self._content, _ = give_back(self._content, taken)

    async def aclose(self) -> None:
        """Close nothing."""
