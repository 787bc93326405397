"""One pace for several processes, with a real Redis: `RedisPace`."""

import asyncio
import logging
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import redis

from aiorescue import AuthCode, Login, Pace, RescueClient
from aiorescue.clock import SystemClock
from aiorescue.emulator import Emulator
from aiorescue.operation import Family
from aiorescue.pace.pace import Account
from aiorescue.pace.shared.pacers import BookPacers, SharedIntervalPacer, SharedWindowPacer
from aiorescue.pace.shared.redis import RedisPace
from aiorescue.pace.turns import Pacer, Priority, Turn
from aiorescue.rescue import RequestPinCode
from tests.lab.redis_server import redis_server

ROOT = Path(__file__).parent.parent.parent
CODE = "fixedtech0000"
NOWHERE = "redis://:hidden-word@127.0.0.1:1/0"


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest.fixture(autouse=True)
def _empty(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()


def pacers(url: str, **pace: float | None) -> BookPacers:
    return RedisPace(url, pace=Pace(**pace)).open(SystemClock(), "http://service")


ACCOUNT = Account(CODE)


async def answer(pacer, *, accepted: bool | None = True, priority: Priority = Priority.CALL) -> float:
    """One call; the moment that Redis gave it, which a busy machine does not change."""
    async with pacer.turn(priority) as turn:
        slot = pacer._under_way.get(turn) if isinstance(pacer, SharedIntervalPacer) else None
        await asyncio.sleep(0.002)
        if accepted is not None:
            turn.answered(accepted=accepted)
    return turn.sent if slot is None else slot.moment


async def taken(pacer: Pacer) -> Turn:
    """A turn that was waited for, and is under way."""
    return await pacer.turn().__aenter__()


async def test_two_processes_take_turns_at_one_rate(redis_url: str):
    one, other = pacers(redis_url, pins=10.0), pacers(redis_url, pins=10.0)
    sent: list[tuple[float, int]] = []

    async def work(number: int, owner: BookPacers) -> None:
        pacer = owner.make(ACCOUNT, Family.PINS)
        for _ in range(8):
            sent.append((await answer(pacer), number))

    await asyncio.gather(work(1, one), work(2, other))
    moments = sorted(moment for moment, _ in sent)
    assert moments[-1] - moments[0] >= 15 * 0.1 - 0.01
    whose = [number for _, number in sorted(sent)]
    assert sum(a != b for a, b in pairwise(whose)) >= 10
    await one.aclose()
    await other.aclose()


async def test_what_one_learns_all_know(redis_url: str):
    one, other = pacers(redis_url, pins=100.0), pacers(redis_url, pins=100.0)
    first, second = one.make(ACCOUNT, Family.PINS), other.make(ACCOUNT, Family.PINS)
    assert isinstance(first, SharedIntervalPacer)
    assert isinstance(second, SharedIntervalPacer)
    for _ in range(5):
        await answer(first)
    before = first._limit.gap
    await answer(first, accepted=False)
    await answer(first)
    await answer(second)
    assert second._limit.gap > before
    assert second._limit.gap == pytest.approx(first._limit.gap, rel=0.01)
    await one.aclose()
    await other.aclose()


async def test_a_gap_is_widened_once_for_all_who_kept_it(redis_url: str):
    # Each process has a slot reserved ahead: of four that meet a gap too small, only the first says something new.
    together = [pacers(redis_url, pins=100.0) for _ in range(4)]
    all_of_them = [shared.make(ACCOUNT, Family.PINS) for shared in together]
    for pacer in all_of_them * 3:
        await answer(pacer)
    turns = [await taken(pacer) for pacer in all_of_them]
    for turn in turns:
        turn.answered(accepted=False)
    gaps = []
    for pacer in all_of_them:
        assert isinstance(pacer, SharedIntervalPacer)
        gaps.append(pacer._limit.gap)
        await answer(pacer)
        gaps.append(pacer._limit.gap)
    assert gaps[1] > gaps[0]
    assert gaps[-1] <= gaps[1]
    for shared in together:
        await shared.aclose()


async def test_the_first_call_of_a_process_has_room_behind_it(redis_url: str):
    # It opens the connection and arrives late, which the next process cannot know.
    one, other = pacers(redis_url, pins=2.0), pacers(redis_url, pins=2.0)
    first, second = one.make(ACCOUNT, Family.PINS), other.make(ACCOUNT, Family.PINS)
    # An answer that says nothing of the pace is an answer, too.
    moments = [await answer(pacer, accepted=None) for pacer in (first, second, first, second)]
    apart = [later - earlier for earlier, later in pairwise(moments)]
    assert apart[0] >= 0.99
    assert apart[1] >= 0.99
    assert apart[2] < 0.9
    await one.aclose()
    await other.aclose()


async def test_a_slot_too_soon_after_a_late_call_is_not_used(redis_url: str):
    shared = pacers(redis_url, pins=5.0)
    pacer = shared.make(ACCOUNT, Family.PINS)
    for _ in range(3):
        await answer(pacer)
    late = await taken(pacer)
    following = asyncio.ensure_future(answer(pacer))
    await asyncio.sleep(0.1)
    late.answered(accepted=True)
    not_before = pacer._not_before + pacer._offset  # an interval after the answer
    assert await following >= not_before - 0.01
    await shared.aclose()


async def test_a_cancelled_call_leaves_its_slot_to_the_next_in_line(redis_url: str):
    shared = pacers(redis_url, pins=0.5)  # slow, so that a busy machine does not miss a slot
    pacer = shared.make(ACCOUNT, Family.PINS)
    first = await answer(pacer)
    waiting = asyncio.ensure_future(taken(pacer))
    behind = asyncio.ensure_future(answer(pacer))
    await asyncio.sleep(0.1)
    waiting.cancel()
    assert await behind - first < 3
    await shared.aclose()


async def test_a_cancellation_is_never_swallowed(redis_url: str):
    # wait_for of Python 3.11 does, when what it waits for ends in the same moment; redis-py uses it for its timeouts.
    shared = pacers(redis_url, pins=1000.0)
    pacer = shared.make(ACCOUNT, Family.PINS)

    async def work() -> None:
        while True:
            await answer(pacer)

    for turns in range(300):
        task = asyncio.ensure_future(work())
        for _ in range(turns % 60 + 3):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task], timeout=1)
        assert task.cancelled()
    await shared.aclose()


async def test_logins_of_all_processes_are_counted_together(redis_url: str):
    one, other = pacers(redis_url, logins=3), pacers(redis_url, logins=3)
    first, second = one.make(ACCOUNT, Family.LOGINS), other.make(ACCOUNT, Family.LOGINS)
    assert isinstance(first, SharedWindowPacer)
    await answer(first, accepted=None)
    await answer(second, accepted=None)
    await answer(first, accepted=None)
    for pacer in (first, second):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await taken(pacer)
    await one.aclose()
    await other.aclose()


async def test_redis_learns_no_secret(redis_url: str, service: Emulator):
    credentials = [AuthCode(CODE), Login("tech@example.com", "secret")]
    pace = RedisPace(redis_url, pace=Pace(pins=1000.0))
    async with RescueClient(credentials, base_url=service.url, pace=pace) as client:
        for identity in client.identities:
            await client.call_as(identity, RequestPinCode())
    with redis.Redis.from_url(redis_url, decode_responses=True) as keeper:
        keys = list(keeper.keys())
        kept = repr([(key, keeper.hgetall(key) if keeper.type(key) == "hash" else "") for key in keys])
    assert len(keys) == 3  # PINs of both, logins of one
    for secret in (CODE, "tech@example.com", "secret"):
        assert secret not in kept
    assert "hidden-word" not in repr(RedisPace(NOWHERE))


async def test_without_redis_each_process_paces_for_itself(caplog: pytest.LogCaptureFixture):
    async with Emulator(pin_rate=20) as service:
        pace = RedisPace(NOWHERE, pace=Pace(pins=20.0))
        async with RescueClient(AuthCode(CODE), base_url=service.url, pace=pace) as client:
            with caplog.at_level(logging.INFO, "aiorescue"):
                pins = [await client.request_pin_code() for _ in range(10)]
        assert len(pins) == 10
        assert len(service.ledger) == 10
    warnings = [record for record in caplog.records if record.name == "aiorescue.pace"]
    assert len(warnings) == 1
    assert "hidden-word" not in caplog.text


async def test_it_comes_back_to_redis(redis_url: str, caplog: pytest.LogCaptureFixture, monkeypatch):
    monkeypatch.setattr("aiorescue.pace.shared.books.AWAY", 0.05)
    caplog.set_level(logging.INFO, "aiorescue")
    shared = pacers(redis_url, pins=100.0)
    pacer = shared.make(ACCOUNT, Family.PINS)
    await answer(pacer)

    async def broken(**_: object) -> None:
        raise redis.exceptions.ConnectionError("redis://:hidden-word@somewhere")

    with monkeypatch.context() as outage:
        outage.setattr(shared._books, "_scripts", dict.fromkeys(shared._books._scripts, broken))
        for _ in range(10):
            await answer(pacer)
    await asyncio.sleep(0.06)
    await answer(pacer)
    assert isinstance(pacer, SharedIntervalPacer)
    assert pacer._local is None
    await shared.aclose()
    told = [record for record in caplog.records if record.name == "aiorescue.pace"]
    assert [record.levelname for record in told] == ["WARNING", "INFO"]
    assert "hidden-word" not in caplog.text


async def test_four_processes_share_one_rate_fairly(redis_url: str):
    rate, seconds = 20.0, 5.0
    async with Emulator(pin_rate=rate, latency=0.015) as service:
        command = [sys.executable, "-m", "tests.lab.pace_worker", service.url, redis_url, str(rate), str(seconds)]
        workers = [
            await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT) for _ in range(4)
        ]
        pins = [int((await worker.communicate())[0]) for worker in workers]
        words = [request.word for request in service.requests]
    # How much of the rate they use is measured by `python -m benchmarks pace-real`. If they did not share it, three of
    # four calls would be rejected; if the shares were not fair, one process would get next to nothing.
    assert sum(pins) >= 20
    assert sum("PollRate" in word for word in words) <= 0.25 * len(words)
    assert min(pins) >= 0.4 * sum(pins) / 4
