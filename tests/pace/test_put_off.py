"""Processes that share a pace keep the gap to a call that another one of them sent late."""

import asyncio
import json
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiorescue.operation import Family
from aiorescue.pace.limit import Limit
from aiorescue.pace.shared.books import Books, LateUse, SlotRequest, furthest
from aiorescue.pace.shared.host_state import look, put_off, read
from aiorescue.pace.shared.interval import SharedIntervalPacer
from tests.lab.hidden_limits import LimitedService, MinimumInterval
from tests.lab.sharing import ACCOUNT, MemoryBooks, Sharing
from tests.lab.virtual_time import LoopClock, run
from tests.pace.test_hidden_limits import NETWORK, BusyClock, drive, share

GAP = 0.5


async def slot(books: Books, process: str, *, not_before: float = 0.0) -> float:
    request = SlotRequest(process=process, version=None, limit="", gap=GAP, not_before=not_before, room=0.0)
    moment = (await books.slot("key", request)).moment
    assert moment is not None
    return moment


async def tell(books: Books, process: str, moment: float, late: float) -> None:
    await books.put_off("key", LateUse(process=process, moment=moment, used=moment + late, gap=GAP))


async def moments(books: Books, *processes: str) -> list[float]:
    found = [await books.look("key", process) for process in processes]
    return [math.nan if moment is None else moment for moment in found]


def about(*expected: float):
    return pytest.approx(list(expected), abs=1e-5)


# --- in the books -----------------------------------------------------------------------------------


async def test_the_slots_behind_a_late_one_keep_their_gap_to_it(sharing: Sharing):
    shared = sharing.pacers()
    books = shared._books
    first, second, third = [await slot(books, process) for process in ("a", "b", "c")]
    await tell(books, "b", second, 0.1)
    assert await moments(books, "a", "b", "c") == about(first, second + 0.1, third + 0.1)
    await tell(books, "b", second, 0.15)  # its answer shows that it arrived later still
    assert await moments(books, "a", "b", "c") == about(first, second + 0.15, third + 0.15)
    assert await slot(books, "a") == pytest.approx(third + 0.15 + GAP, abs=1e-5)
    await shared.aclose()


async def test_a_late_slot_puts_off_the_next_one_of_its_own_process(sharing: Sharing):
    shared = sharing.pacers()
    books = shared._books
    first = await slot(books, "a")
    second, third = await slot(books, "b"), await slot(books, "a")
    await tell(books, "a", first, 0.1)
    assert await moments(books, "b", "a") == about(second + 0.1, third + 0.1)
    await shared.aclose()


async def test_slots_that_keep_their_gap_to_a_late_one_stay(sharing: Sharing):
    shared = sharing.pacers()
    books = shared._books
    first = await slot(books, "a")
    second = await slot(books, "b", not_before=first + GAP + 0.2)
    await tell(books, "a", first, 0.1)
    assert await moments(books, "b") == about(second)
    assert await books.look("key", "unknown") is None
    await shared.aclose()


@pytest.mark.parametrize(("field", "value"), [("slots", "rubbish"), ("slots", "a nan b inf"), ("version", "-1")])
async def test_wrong_books_put_nothing_off_beyond_what_can_be_true(sharing: Sharing, field: str, value: str):
    shared = sharing.pacers()
    books = shared._books
    first = await slot(books, "a")
    sharing.spoil(field, value)
    await tell(books, "a", first, 1e9)
    assert not any(moment > first + furthest(GAP) for moment in await moments(books, "a", "b"))
    sharing.spoil_all(b"rubbish")
    await tell(books, "a", first, 0.1)
    assert await books.look("key", "a") is None
    await shared.aclose()


@given(
    slots=st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 20), max_size=6),
    moment=st.floats(0, 20),
    late=st.floats(0, 1e6),
)
def test_no_slot_comes_earlier_and_those_behind_are_a_gap_apart(slots: dict[str, float], moment: float, late: float):
    content = json.dumps({"format": 1, "slots": {**slots, "a": moment}}).encode()
    new, _ = put_off(content, LateUse(process="a", moment=moment, used=moment + late, gap=GAP))
    after = dict(read(new or content).slots)
    assert all(after[process] >= before for process, before in slots.items() if process != "a")
    assert after["a"] == look(new or content, "a")[1] == moment + min(late, furthest(GAP))
    behind = sorted(at for process, at in after.items() if process != "a" and slots[process] > moment + 0.001)
    assert all(second - first >= GAP * 0.999 for first, second in pairwise([after["a"], *behind]))


# --- in the pacers ----------------------------------------------------------------------------------


def test_processes_on_a_busy_machine_have_as_much_of_the_pace_as_one_would():
    """Each call that was late came too close to the next one, or gave its slot up: 89 % of the pace."""
    shares = []
    for seed in range(3):
        books, clock = MemoryBooks(), BusyClock(seed)
        service = LimitedService(MinimumInterval(lambda _: 0.1), NETWORK, seed)
        drive(
            service,
            lambda: [SharedIntervalPacer(Limit.known(10), books, "key", clock) for _ in range(4)],  # noqa: B023 - at once
            60,
        )
        shares.append(share(service, 4, 60, 10))
    assert min(got for got, _ in shares) >= 0.955
    assert max(rejected for _, rejected in shares) <= 0.012


@pytest.mark.parametrize("before", [0.007, 0.005, 0.0045, 0.003, 0.001])
def test_a_slot_whose_call_is_cancelled_while_it_is_looked_at_goes_to_the_next_call(before: float):
    async def calls() -> list[float]:
        books, clock = MemoryBooks(), LoopClock()
        pacer, other = (SharedIntervalPacer(Limit.known(2), books, "key", clock) for _ in range(2))
        sent = []

        async def call(pacer: SharedIntervalPacer) -> None:
            async with pacer.turn() as turn:
                sent.append(turn.sent)
                turn.answered(accepted=True)

        for one in (pacer, other) * 2:
            await call(one)
        waiting = [asyncio.create_task(call(pacer)) for _ in range(2)]
        await asyncio.sleep(sent[-1] + pacer.gap / 2 - before - clock.time())
        assert pacer._reserved is not None
        waiting[0].cancel()
        await asyncio.wait(waiting)
        await pacer.aclose()
        return sent

    sent = run(calls())
    assert len(sent) == 5
    assert sent[-1] - sent[-2] == pytest.approx(GAP, abs=0.02)


async def test_closing_ends_what_is_told_to_the_books(sharing: Sharing):
    shared = sharing.pacers(pins=10.0)
    pacer = shared.make(ACCOUNT, Family.PINS)
    assert isinstance(pacer, SharedIntervalPacer)
    async with pacer.turn() as turn:
        pacer._processes = 2
        pacer._put_off(pacer._under_way[turn], turn.sent + 0.01)
        assert pacer._telling
    await shared.aclose()
    assert not pacer._telling
