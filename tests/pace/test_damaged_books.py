"""Shared paces whose books hold what cannot be true: rubbish, other versions, moments of another clock."""

import asyncio
from itertools import pairwise

import pytest

from aiorescue.operation import Family
from aiorescue.pace.shared.books import BooksAwayError
from tests.lab.sharing import ACCOUNT, Sharing, answer

DAMAGE = {
    "an unknown field": ("limit", '{"gap": 0.01, "floor": 0.01, "of_the_future": 1}'),
    "a limit that is none": ("limit", "rubbish"),
    "a limit of bytes": ("limit", "\udcff\udcfe".encode("utf-8", "surrogateescape").decode("latin-1")),
    "a limit that is a list": ("limit", "[1, 2]"),
    "a limit of texts": ("limit", '{"gap": "0.05"}'),
    "a limit without a gap": ("limit", "{}"),
    "a gap of a year": ("limit", '{"gap": 31536000.0}'),
    "a gap below the floor": ("limit", '{"gap": 0.0001, "floor": 0.0}'),
    "a negative gap": ("limit", '{"gap": -1.0}'),
    "a gap that is no number": ("limit", '{"gap": NaN}'),
    "an alarm without end": ("limit", '{"gap": 0.01, "alarm": 1e300}'),
    "a factor of nothing": ("limit", '{"gap": 0.01, "factor": 0}'),
    "deep nesting": ("limit", "[" * 100_000),
    "a number of 5,000 digits": ("limit", '{"gap": ' + "9" * 5000 + "}"),
    "a version that is none": ("version", "rubbish"),
    "a negative version": ("version", "-7"),
    "a version without end": ("version", "9" * 400),
    "slots that are none": ("slots", "rubbish"),
    "a slot that is no moment": ("slots", "other rubbish"),
    "an infinite slot": ("slots", "other inf"),
    "a slot that is no number": ("slots", "other nan"),
    "a slot in a thousand years": ("slots", "other 31557600000"),
    "a slot before time": ("slots", "other -5e9"),
    "a hold that is none": ("hold", "rubbish"),
    "an infinite hold": ("hold", "inf"),
    "a hold in a thousand years": ("hold", "31557600000"),
}


async def _goes_on(sharing: Sharing, spoil) -> None:
    """Two processes call, the books are spoilt, and they go on: no error, no long wait, one call each too soon."""
    both = [sharing.pacers(pins=100.0) for _ in range(2)]
    calling = [shared.make(ACCOUNT, Family.PINS) for shared in both]
    moments = [await answer(pacer) for pacer in calling * 2]
    spoil()
    async with asyncio.timeout(30):  # not for the years that the books may tell of
        after = sorted([await answer(pacer) for pacer in calling * 4])
    assert sum(b - a < 0.0099 for a, b in pairwise([max(moments), *after])) <= len(both)
    for shared, pacer in zip(both, calling, strict=True):
        assert pacer._local is None  # the books are in use
        await shared.aclose()


@pytest.mark.parametrize("damage", DAMAGE)
async def test_a_field_that_cannot_be_true_stops_no_process(sharing: Sharing, damage: str):
    await _goes_on(sharing, lambda: sharing.spoil(*DAMAGE[damage]))


@pytest.mark.parametrize("seconds", [1, 60, 3600, 1e6])
async def test_a_clock_that_was_set_back_stops_no_process(sharing: Sharing, seconds: float):
    def spoil() -> None:
        later = sharing.now() + seconds
        sharing.spoil("slots", f"one {later} two {later + 0.01} three {later + 0.02}")
        sharing.spoil("hold", str(later))

    await _goes_on(sharing, spoil)


async def test_a_hold_of_another_clock_is_dropped_and_not_waited_for(sharing: Sharing):
    shared = sharing.pacers(pins=100.0)
    pacer = shared.make(ACCOUNT, Family.PINS)
    for _ in range(2):
        await answer(pacer)
    sharing.spoil("hold", str(sharing.now() + 3600))
    # A machine that is busy delays both calls, but only between them would a hold that was believed be waited for.
    before = sharing.now()
    assert await answer(pacer) - before < 0.5
    await shared.aclose()


@pytest.mark.parametrize(
    "content", [b"", b"rubbish", b"{}", b"[]", b"\xff\xfe\x00", b"[" * 100_000, b'{"format": 99, "slots": 1}']
)
async def test_books_of_another_kind_stop_no_process(sharing: Sharing, content: bytes):
    await _goes_on(sharing, lambda: sharing.spoil_all(content))


async def test_what_a_process_knows_of_the_limit_outlives_its_books(sharing: Sharing):
    shared = sharing.pacers(pins=100.0)
    pacer = shared.make(ACCOUNT, Family.PINS)
    for accepted in (True, True, True, False, True):
        await answer(pacer, accepted=accepted)
    learned = pacer._limit.gap
    sharing.spoil_all(b"rubbish")
    await answer(pacer)
    assert pacer._limit.gap == pytest.approx(learned, rel=0.01)
    await shared.aclose()


@pytest.mark.parametrize("value", ["-inf", "31557600000", "nan"])
async def test_logins_of_the_future_are_not_waited_for(sharing: Sharing, value: str):
    shared, other = sharing.pacers(logins=1), sharing.pacers(logins=1)
    await answer(shared.make(ACCOUNT, Family.LOGINS), accepted=None)
    sharing.spoil_logins(value)
    await answer(other.make(ACCOUNT, Family.LOGINS), accepted=None)  # its own are counted, whatever the books hold
    await shared.aclose()
    await other.aclose()


async def test_a_process_that_loses_emptied_books_leaves_the_others_their_parts(sharing: Sharing, monkeypatch):
    both = [sharing.pacers(pins=20.0) for _ in range(2)]
    calling = [shared.make(ACCOUNT, Family.PINS) for shared in both]
    for pacer in calling * 3:
        await answer(pacer)
    sharing.spoil_all(b"rubbish")
    await answer(calling[0])  # it is alone in the new books

    async def away(*_: object) -> None:
        raise BooksAwayError

    monkeypatch.setattr(both[0]._books, "slot", away)
    alone = [await answer(calling[0]) for _ in range(3)]
    assert min(later - earlier for earlier, later in pairwise(alone)) >= 2 * 0.05 - 0.01
    for shared in both:
        await shared.aclose()
