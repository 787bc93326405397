"""One pace for several processes, wherever they share it: `RedisPace` with a real Redis, and `HostPace`."""

import asyncio
import gc
import logging
import signal
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from aiorescue import AuthCode, Login, Pace, RescueClient, errors
from aiorescue.emulator import Emulator
from aiorescue.operation import Family
from aiorescue.pace.shared import books
from aiorescue.pace.shared.books import BooksAwayError
from aiorescue.pace.shared.interval import SharedIntervalPacer
from aiorescue.pace.shared.pacers import BookPacers
from aiorescue.pace.shared.window import SharedWindowPacer
from aiorescue.rescue import RequestPinCode
from tests.lab.sharing import ACCOUNT, CODE, Sharing, answer, taken

ROOT = Path(__file__).parent.parent.parent


# --- taking turns -----------------------------------------------------------------------------------


async def test_two_processes_take_turns_at_one_rate(sharing: Sharing):
    one, other = sharing.pacers(pins=10.0), sharing.pacers(pins=10.0)
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


async def test_what_one_learns_all_know(sharing: Sharing):
    one, other = sharing.pacers(pins=100.0), sharing.pacers(pins=100.0)
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


async def test_a_gap_is_widened_once_for_all_who_kept_it(sharing: Sharing):
    # Each process has a slot reserved ahead: of four that meet a gap too small, only the first says something new.
    together = [sharing.pacers(pins=100.0) for _ in range(4)]
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


async def test_the_first_call_of_a_process_has_room_behind_it(sharing: Sharing):
    # It opens the connection and arrives late, which the next process cannot know.
    one, other = sharing.pacers(pins=2.0), sharing.pacers(pins=2.0)
    first, second = one.make(ACCOUNT, Family.PINS), other.make(ACCOUNT, Family.PINS)
    # An answer that says nothing of the pace is an answer, too.
    moments = [await answer(pacer, accepted=None) for pacer in (first, second, first, second)]
    apart = [later - earlier for earlier, later in pairwise(moments)]
    assert apart[0] >= 0.99
    assert apart[1] >= 0.99
    assert apart[2] < 0.9
    await one.aclose()
    await other.aclose()


async def test_a_slot_too_soon_after_a_late_call_is_not_used(sharing: Sharing):
    shared = sharing.pacers(pins=5.0)
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


async def test_a_cancelled_call_leaves_its_slot_to_the_next_in_line(sharing: Sharing):
    shared = sharing.pacers(pins=0.5)  # slow, so that a busy machine does not miss a slot
    pacer = shared.make(ACCOUNT, Family.PINS)
    first = await answer(pacer)
    waiting = asyncio.ensure_future(taken(pacer))
    behind = asyncio.ensure_future(answer(pacer))
    await asyncio.sleep(0.1)
    waiting.cancel()
    assert await behind - first < 3
    await shared.aclose()


async def test_a_cancellation_is_never_swallowed(sharing: Sharing):
    # wait_for of Python 3.11 does, when what it waits for ends in the same moment; redis-py uses it for its timeouts.
    shared = sharing.pacers(pins=1000.0)
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


async def test_logins_of_all_processes_are_counted_together(sharing: Sharing):
    one, other = sharing.pacers(logins=3), sharing.pacers(logins=3)
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


async def test_the_books_hold_no_secret(sharing: Sharing, service: Emulator):
    credentials = [AuthCode(CODE), Login("tech@example.com", "secret")]
    async with RescueClient(credentials, base_url=service.url, pace=sharing.pace(Pace(pins=1000.0))) as client:
        for identity in client.identities:
            await client.call_as(identity, RequestPinCode())
    kept = sharing.content()
    assert kept.count(":logins:") + kept.count("-logins-") == 1
    for secret in (CODE, "tech@example.com", "secret"):
        assert secret not in kept


async def test_a_call_that_is_cancelled_while_it_asks_the_books_leaves_its_slot_to_the_next(sharing: Sharing):
    shared = sharing.pacers(pins=0.05)  # a slot that was lost would cost twenty seconds
    pacer = shared.make(ACCOUNT, Family.PINS)
    pacer._begun = True  # the connection is open, so no room is left behind the first slot
    asking = asyncio.ensure_future(taken(pacer))
    while pacer._asking is None:
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    assert asking.cancelled()
    now = sharing.now()
    assert await answer(pacer) < now + 5
    await shared.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_closed_while_a_cancelled_call_asks_the_books_nothing_is_left(sharing: Sharing):
    shared = sharing.pacers(pins=1.0)
    pacer = shared.make(ACCOUNT, Family.PINS)
    asking = asyncio.ensure_future(taken(pacer))
    while pacer._asking is None:
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    await shared.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_unlimited_family_is_never_kept_waiting_by_slow_books(sharing: Sharing, monkeypatch):
    # Each slot is that of the moment at which the books were asked, so that it is always a little late.
    shared = sharing.pacers()
    pacer = shared.make(ACCOUNT, Family.LINKS)
    ask, asked = shared._books.slot, []

    async def slowly(key: str, request):
        asked.append(key)
        found = await ask(key, request)
        await asyncio.sleep(0.02)
        return found

    monkeypatch.setattr(shared._books, "slot", slowly)
    for _ in range(3):
        await answer(pacer)
    assert len(asked) <= 6
    await shared.aclose()


@pytest.mark.filterwarnings("ignore")  # redis-py leaves the connections of a loop that is gone to the garbage
def test_one_client_may_be_used_on_two_event_loops(sharing: Sharing):
    shared = sharing.pacers(pins=100.0)
    pacer = shared.make(ACCOUNT, Family.PINS)
    for _ in range(2):
        assert asyncio.run(answer(pacer))
    asyncio.run(shared.aclose())
    gc.collect()


# --- without books ----------------------------------------------------------------------------------


async def test_without_its_books_each_process_keeps_to_its_part_of_the_pace(sharing: Sharing, monkeypatch):
    all_of_them = [sharing.pacers(pins=20.0) for _ in range(4)]
    calling = [shared.make(ACCOUNT, Family.PINS) for shared in all_of_them]
    for pacer in calling * 3:
        await answer(pacer)

    async def away(*_: object) -> None:
        raise BooksAwayError

    for shared in all_of_them:
        monkeypatch.setattr(shared._books, "slot", away)
    sent: list[list[float]] = [[], [], [], []]

    async def work(number: int) -> None:
        last = calling[number]._last
        for _ in range(3):
            turn = await taken(calling[number])
            sent[number].append(turn.sent - last)
            last = turn.sent
            turn.answered(accepted=True)

    await asyncio.gather(*(work(number) for number in range(4)))
    for apart in sent:
        assert min(apart) >= 4 * 0.05 - 0.01
    for shared in all_of_them:
        await shared.aclose()


async def test_back_at_its_books_a_process_keeps_the_gap_to_its_last_call(sharing: Sharing, monkeypatch):
    shared = sharing.pacers(pins=5.0)
    pacer = shared.make(ACCOUNT, Family.PINS)

    async def away(*_: object) -> None:
        raise BooksAwayError

    with monkeypatch.context() as outage:
        outage.setattr(shared._books, "slot", away)
        for _ in range(2):
            alone = await answer(pacer)
    assert pacer.ready_at() >= alone + 0.2
    assert await answer(pacer) - pacer._offset >= alone + 0.2 - 0.01
    assert pacer._local is None
    await shared.aclose()


async def test_a_call_that_must_not_wait_is_sent_if_its_turn_has_come(sharing: Sharing, service: Emulator):
    pace = sharing.pace(Pace(pins=0.05))
    async with RescueClient(AuthCode(CODE), base_url=service.url, pace=pace) as client:
        await client.call(RequestPinCode(), max_wait=0)
        with pytest.raises(errors.QueueTimeout) as caught:
            await client.call(RequestPinCode(), max_wait=0)
        assert caught.value.expected_wait > 10
        assert client.expected_wait(RequestPinCode) > 10


async def test_it_comes_back_to_its_books(sharing: Sharing, caplog: pytest.LogCaptureFixture, monkeypatch):
    monkeypatch.setattr(books, "AWAY", 0.05)
    caplog.set_level(logging.INFO, "aiorescue")
    shared = sharing.pacers(pins=100.0)
    pacer = shared.make(ACCOUNT, Family.PINS)
    await answer(pacer)
    slot = shared._books.slot

    async def broken(*_: object) -> None:
        shared._books._reachability.check()
        raise shared._books._reachability.failed("the books are away")

    monkeypatch.setattr(shared._books, "slot", broken)
    for _ in range(10):
        await answer(pacer)
    monkeypatch.setattr(shared._books, "slot", slot)
    await asyncio.sleep(0.06)
    await answer(pacer)
    assert pacer._local is None
    await shared.aclose()
    told = [record for record in caplog.records if record.name == "aiorescue.pace"]
    assert [record.levelname for record in told] == ["WARNING", "INFO"]


# --- real processes ---------------------------------------------------------------------------------


async def _worker(service: Emulator, sharing: Sharing, rate: float, seconds: float) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "tests.lab.pace_worker", service.url, sharing.place, str(rate), str(seconds)]
    return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)


async def test_four_processes_share_one_rate_fairly(sharing: Sharing):
    rate, seconds = 20.0, 5.0
    async with Emulator(pin_rate=rate, latency=0.015) as service:
        workers = [await _worker(service, sharing, rate, seconds) for _ in range(4)]
        pins = [int((await worker.communicate())[0]) for worker in workers]
        words = [request.word for request in service.requests]
    # How much of the rate they use is measured by `python -m benchmarks pace-real`. If they did not share it, three of
    # four calls would be rejected; if the shares were not fair, one process would get next to nothing.
    assert sum(pins) >= 20
    assert sum("PollRate" in word for word in words) <= 0.25 * len(words)
    assert min(pins) >= 0.4 * sum(pins) / 4


async def test_a_killed_process_blocks_no_other(sharing: Sharing):
    async with (
        Emulator(pin_rate=50, latency=0.005) as service,
        RescueClient(AuthCode(CODE), base_url=service.url, pace=sharing.pace(Pace(pins=50.0))) as client,
    ):
        workers = [await _worker(service, sharing, 50, 0) for _ in range(3)]
        while len(service.ledger) < 30:
            await asyncio.sleep(0.02)
        for worker in workers:
            worker.send_signal(signal.SIGKILL)
            await worker.wait()
            for _ in range(5):
                assert await client.request_pin_code()
