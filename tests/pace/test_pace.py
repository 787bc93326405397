"""The pace: each promise, in virtual time. How close it comes to a hidden limit is measured in `benchmarks`."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from aiorescue import Pace, errors
from aiorescue.operation import Family
from aiorescue.pace.interval import IntervalPacer
from aiorescue.pace.limit import Limit
from aiorescue.pace.pace import PacedAccount, Pacers, local_pacer
from aiorescue.pace.turns import Pacer, Priority, Turn
from aiorescue.pace.window import UnpacedPacer, WindowPacer
from tests.lab.virtual_time import LoopClock, run


def virtually(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    def wrapped() -> None:
        run(test())

    wrapped.__name__ = test.__name__
    return wrapped


def now() -> float:
    return asyncio.get_running_loop().time()


def known(rate: float | None) -> IntervalPacer:
    return IntervalPacer(Limit.known(rate), LoopClock())


async def answer(
    pacer: Pacer, *, accepted: bool | None = True, after: float = 0.01, priority: Priority = Priority.CALL
) -> float:
    """One call; the moment when it was sent."""
    async with pacer.turn(priority) as turn:
        moment = now()
        await asyncio.sleep(after)
        if accepted is not None:
            turn.answered(accepted=accepted)
    return moment


async def taken(pacer: Pacer, priority: Priority = Priority.CALL, *, rejections: int = 0) -> Turn:
    """A turn that was waited for, and is under way."""
    turn = pacer.turn(priority, rejections=rejections)
    return await turn.__aenter__()


# --- slots ----------------------------------------------------------------------------------------


@virtually
async def test_calls_are_an_interval_apart():
    pacer = known(10)
    sent = [await answer(pacer) for _ in range(20)]
    assert all(0.1 <= b - a < 0.12 for a, b in pairwise(sent[1:]))


@virtually
async def test_slots_come_in_order_of_arrival():
    pacer, order = known(10), []

    async def call(number: int) -> None:
        await answer(pacer)
        order.append(number)

    await asyncio.gather(*(call(number) for number in range(20)))
    assert order == list(range(20))


@pytest.mark.parametrize("at", [0.0, 0.05, 0.3, 0.55, 1.0, 1.5])
def test_a_cancelled_call_gives_its_slot_back(at: float):
    async def scenario() -> None:
        pacer = known(1)
        await answer(pacer)
        waiting = [asyncio.ensure_future(answer(pacer)) for _ in range(4)]
        await asyncio.sleep(at)
        for task in waiting[:3]:
            task.cancel()
        sent_before = sum(task.done() for task in waiting)
        await asyncio.wait(waiting)
        # Two gaps after the first call if one had been sent before, one if none had.
        assert waiting[3].result() < 1.1 * (1 + sent_before)
        assert pacer.ready_at() < waiting[3].result() + 1.1

    run(scenario())


@virtually
async def test_a_call_cancelled_in_the_moment_of_its_turn_passes_it_on():
    pacer = known(10)
    first = await taken(pacer)
    tasks = [asyncio.ensure_future(taken(pacer)) for _ in range(3)]
    await asyncio.sleep(0)
    first.answered(accepted=True)
    await asyncio.sleep(0.1)
    while not tasks[0].done():
        await asyncio.sleep(1e-4)
    tasks[1].cancel()  # it has just been given the turn
    tasks[2].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(3):
        await taken(pacer)


@virtually
async def test_a_thousand_cancelled_calls_leave_nothing():
    pacer = known(1)
    await answer(pacer)
    waiting = [asyncio.ensure_future(taken(pacer)) for _ in range(1000)]
    await asyncio.sleep(0.5)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert pacer.ready_at() < 1.1
    assert await answer(pacer) < 1.1


@virtually
async def test_a_pacer_has_no_tasks_of_its_own():
    pacer = known(1)
    await answer(pacer)
    slot = asyncio.ensure_future(taken(pacer))
    await asyncio.sleep(0.5)
    assert asyncio.all_tasks() == {asyncio.current_task(), slot}
    slot.cancel()


@virtually
async def test_identities_do_not_wait_for_each_other():
    pacers = Pacers(Pace(), LoopClock())
    one, other = PacedAccount("one"), PacedAccount("other")
    await answer(pacers.of(one, Family.PINS))
    assert pacers.of(one, Family.PINS).ready_at() > now() + 0.9
    assert pacers.of(other, Family.PINS).ready_at() == now()
    assert pacers.of(one, Family.EMAIL_TEXTS).ready_at() == now()
    assert pacers.of(one, None).ready_at() == now()
    assert pacers.of(one, Family.PINS) is pacers.of(one, Family.PINS)


@virtually
async def test_a_slot_without_a_wait_takes_no_turn_of_the_loop():
    pacer, began = known(None), now()
    for _ in range(2000):
        (await taken(pacer)).answered(accepted=True)
    assert now() == began  # each turn of the loop adds a microsecond


# --- what it learns -------------------------------------------------------------------------------


@virtually
async def test_a_rejection_is_waited_out():
    pacer = known(10)
    await answer(pacer)
    rejected = await answer(pacer, accepted=False)
    assert await answer(pacer) >= rejected + 0.1


@virtually
async def test_a_rejection_widens_the_gap_and_successes_narrow_it():
    pacer = known(10)
    for _ in range(20):
        await answer(pacer)
    before = pacer.limit.gap
    await answer(pacer, accepted=False)
    wide = pacer.limit.gap
    assert before < wide < 0.12
    for _ in range(50):
        await answer(pacer)
    assert before < pacer.limit.gap < wide


@virtually
async def test_below_the_rate_that_is_known_nothing_is_tried():
    pacer = known(10)
    for _ in range(3000):
        await answer(pacer)
    assert pacer.limit.gap == 0.1


@virtually
async def test_calls_that_come_seldom_teach_nothing():
    pacer = IntervalPacer(Limit.discover(1.0), LoopClock())
    for _ in range(50):
        await answer(pacer)
        await asyncio.sleep(60)
    assert pacer.limit.gap == 0.5  # the first call's step


@virtually
async def test_answers_without_a_verdict_teach_nothing():
    pacer = known(10)
    gap = pacer.limit.gap
    for _ in range(50):
        await answer(pacer, accepted=None)
    assert pacer.limit.gap == gap


@virtually
async def test_a_call_that_is_late_holds_the_next_one_up():
    pacer = known(10)
    for _ in range(30):
        await answer(pacer)
    late = await answer(pacer, after=0.4)
    assert await answer(pacer) >= late + 0.4 + 0.1 - 0.02


@pytest.mark.parametrize("guard", [0.0, 0.004])
def test_what_an_answer_took_more_than_usual_delays_the_next_call_as_far_as_the_guard_goes(guard: float):
    async def check() -> None:
        pacer = IntervalPacer(Limit(gap=0.1 + guard, floor=0.1), LoopClock())
        for _ in range(15):
            await answer(pacer, after=0.01)
            await answer(pacer, after=0.02)
        left = pacer.limit.guard  # each success narrows it a little
        slow = await answer(pacer, after=0.03)
        assert await answer(pacer) == pytest.approx(slow + 0.1 + 2 * left, abs=0.0002)

    run(check())


@virtually
async def test_a_lost_call_holds_the_others_up_for_a_second_at_most():
    pacer = known(10)
    for _ in range(30):
        await answer(pacer)
    lost = await taken(pacer)
    assert await answer(pacer) < lost.sent + 1.3
    assert await answer(pacer) < lost.sent + 1.5


@virtually
async def test_a_network_that_has_become_slow_is_found_usual():
    pacer = known(10)
    for _ in range(50):
        await answer(pacer)
    for _ in range(60):
        await answer(pacer, after=0.08)
    sent = [await answer(pacer, after=0.08) for _ in range(10)]
    assert sent[-1] - sent[0] < 9 * 0.11


@virtually
async def test_auto_begins_at_the_documented_rate_and_doubles_with_each_success():
    pacer = local_pacer("auto", Family.PINS, LoopClock())
    sent = [await answer(pacer) for _ in range(4)]
    assert [b - a for a, b in pairwise(sent)] == pytest.approx([0.5, 0.25, 0.125], abs=0.02)


@virtually
async def test_a_limit_that_nobody_knew_of_is_learned_from_its_first_rejection():
    pacer = known(None)
    sent = [await answer(pacer) for _ in range(20)]
    assert sent[-1] < 0.21
    rejected = await answer(pacer, accepted=False)
    assert await answer(pacer) >= rejected + 0.5


# --- priority -----------------------------------------------------------------------------------------


@virtually
async def test_an_interactive_call_overtakes_a_bulk_job():
    pacer = known(1)
    bulk = [asyncio.ensure_future(answer(pacer, priority=Priority.BULK)) for _ in range(64)]
    await asyncio.sleep(10.5)
    came = now()
    assert await answer(pacer) - came < 2.1  # behind one of the job's at most
    for task in bulk:
        task.cancel()
    await asyncio.gather(*bulk, return_exceptions=True)


@virtually
async def test_a_bulk_job_keeps_every_other_slot_however_many_call():
    pacer, served = known(1), []

    async def take_turns(priority: Priority) -> None:
        while True:
            await answer(pacer, priority=priority)
            served.append(priority)

    priorities = [Priority.CALL] * 32 + [Priority.BULK] * 4
    tasks = [asyncio.ensure_future(take_turns(priority)) for priority in priorities]
    await asyncio.sleep(200)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert served.count(Priority.BULK) == pytest.approx(len(served) / 2, abs=2)


@virtually
async def test_a_call_that_was_turned_away_goes_first():
    pacer = known(1)
    await answer(pacer)
    waiting = [asyncio.ensure_future(answer(pacer)) for _ in range(10)]
    await asyncio.sleep(0.5)
    again = await answer(pacer, priority=Priority.RETRY)
    assert sum(task.done() for task in waiting) <= 1
    assert again < 2.1
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


@virtually
async def test_ready_at_counts_those_who_wait():
    pacer = known(1)
    await answer(pacer)
    waiting = [asyncio.ensure_future(answer(pacer, priority=Priority.BULK)) for _ in range(10)]
    await asyncio.sleep(0)
    assert pacer.ready_at() == pytest.approx(2, abs=0.1)
    assert pacer.ready_at(Priority.BULK) == pytest.approx(11, abs=0.3)
    assert pacer.ready_at(Priority.RETRY) == pytest.approx(2, abs=0.1)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


# --- the settings ---------------------------------------------------------------------------------


@virtually
async def test_ten_logins_go_at_once_and_the_eleventh_waits_for_three_minutes():
    pacer = local_pacer(Pace(), Family.LOGINS, LoopClock())
    assert isinstance(pacer, WindowPacer)
    sent = await asyncio.gather(*(answer(pacer, accepted=None, after=2.0) for _ in range(25)))
    assert sent[9] < 0.1
    # The service may have counted the first login as late as its answer came.
    assert sent[10] >= 180
    assert all(sum(start <= other < start + 180 for other in sent) <= 10 for start in sent)


@virtually
async def test_a_cancelled_login_gives_its_place_back():
    pacer = WindowPacer(1, 180, LoopClock())
    await answer(pacer)
    waiting = asyncio.ensure_future(taken(pacer))
    await asyncio.sleep(10)
    waiting.cancel()
    assert await answer(pacer) < 181


@virtually
async def test_a_login_that_found_no_connection_gives_its_place_back():
    pacer = WindowPacer(1, 180, LoopClock())
    async with pacer.turn() as turn:
        await asyncio.sleep(10)
        turn.give_back()
    assert await answer(pacer) < 11
    assert await answer(pacer) >= 190


@virtually
async def test_none_does_not_pace_but_a_rejected_call_waits():
    pacer = local_pacer(None, Family.PINS, LoopClock())
    assert isinstance(pacer, UnpacedPacer)
    sent = await asyncio.gather(*(taken(pacer) for _ in range(1000)))
    assert max(turn.sent for turn in sent) < 0.01
    began = now()
    await taken(pacer, Priority.RETRY, rejections=1)
    assert 1 <= now() - began <= 2


@pytest.mark.parametrize(
    ("family", "gap"), [(Family.PINS, 1), (Family.EMAIL_TEXTS, 1), (Family.REPORTS, 60), (Family.LINKS, 0)]
)
def test_the_documented_rates_are_the_start(family: Family, gap: float):
    pacer = local_pacer(Pace(), family, LoopClock())
    assert isinstance(pacer, IntervalPacer)
    assert gap <= pacer.limit.gap <= gap * 1.025


@pytest.mark.parametrize("value", [0, -1.0, float("nan")])
def test_a_pace_of_nothing_is_refused(value: float):
    with pytest.raises(errors.InvalidRequest):
        Pace(pins=value)


def test_a_setting_that_is_none_is_refused():
    with pytest.raises(errors.InvalidRequest, match="pace must be"):
        Pacers(1.0, LoopClock())  # type: ignore[arg-type]


def test_virtual_time_notices_when_everybody_waits_for_ever():
    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="deadlock"):
        run(wait())
