"""What processes leave in the books that they share: those that are closed, forgotten, or that never sent a login."""

import asyncio

import pytest

from aiorescue import AuthCode, Login, Pace, RescueClient, RetryPolicy, errors
from aiorescue.emulator import Emulator
from aiorescue.operation import Family
from aiorescue.pace.shared.books import BooksAwayError
from aiorescue.rescue import RequestPinCode
from tests.lab.sharing import ACCOUNT, CODE, Sharing, answer, taken

NOWHERE = "http://127.0.0.1:1"
TECH = Login("tech@example.com", "secret")


async def test_clients_that_are_closed_after_a_call_do_not_make_the_others_wait(sharing: Sharing):
    pace = sharing.pace(Pace(pins=100.0))
    async with (
        Emulator(pin_rate=None) as service,
        RescueClient(AuthCode(CODE), base_url=service.url, pace=pace) as stays,
    ):
        await stays.request_pin_code()
        for _ in range(20):
            async with RescueClient(AuthCode(CODE), base_url=service.url, pace=pace) as short:
                await short.request_pin_code()
        await stays.request_pin_code()
        assert stays.expected_wait(RequestPinCode) < 5 * 0.01


async def test_the_slot_of_a_client_that_was_closed_is_kept(sharing: Sharing):
    closed, other = sharing.pacers(pins=4.0), sharing.pacers(pins=4.0)
    first = await answer(closed.make(ACCOUNT, Family.PINS))
    await closed.aclose()
    assert await answer(other.make(ACCOUNT, Family.PINS)) >= first + 0.25 - 0.001
    await other.aclose()


async def test_slots_beyond_those_that_the_books_have_room_for_are_the_oldest(sharing: Sharing):
    """Processes that were killed have not left: the slots of a thousand of them are in the books."""
    shared = sharing.pacers(pins=4.0)
    pacer = shared.make(ACCOUNT, Family.PINS)
    await answer(pacer)
    now = sharing.now()
    sharing.spoil("slots", " ".join(f"killed{number} {now - 100 + number / 20:.6f}" for number in range(1000)))
    moments = [await answer(pacer) for _ in range(3)]
    assert moments[1] >= moments[0] + 0.25 - 0.001
    assert moments[2] >= moments[1] + 0.25 - 0.001
    await shared.aclose()


async def test_logins_that_found_no_connection_leave_their_places_to_all(sharing: Sharing):
    pace, once = sharing.pace(Pace(pins=None, logins=2)), RetryPolicy(attempts=1)
    async with RescueClient(TECH, base_url=NOWHERE, pace=pace, retry=once) as away:
        for _ in range(5):
            with pytest.raises(errors.ConnectionFailed):
                await away.call(RequestPinCode(), max_wait=1)
    async with asyncio.timeout(10), RescueClient(TECH, base_url=NOWHERE, pace=pace, retry=once) as other:
        for _ in range(3):
            with pytest.raises(errors.ConnectionFailed):
                await other.call(RequestPinCode(), max_wait=1)


async def test_a_login_that_is_cancelled_while_it_asks_for_its_place_uses_none_up(sharing: Sharing, monkeypatch):
    shared = sharing.pacers(logins=2)
    pacer = shared.make(ACCOUNT, Family.LOGINS)
    place = shared._books.place

    async def slowly(*arguments):
        found = await place(*arguments)
        await asyncio.sleep(0.02)
        return found

    monkeypatch.setattr(shared._books, "place", slowly)
    for _ in range(4):
        login = asyncio.create_task(taken(pacer))
        await asyncio.sleep(0.01)
        login.cancel()
        await asyncio.wait([login])
        await asyncio.sleep(0.02)
    async with asyncio.timeout(10):
        await taken(pacer)
        await taken(pacer)
    await shared.aclose()


async def test_a_process_counts_its_own_logins_while_the_books_are_away_and_when_they_are_empty(
    sharing: Sharing, monkeypatch
):
    shared = sharing.pacers(logins=2)
    pacer = shared.make(ACCOUNT, Family.LOGINS)

    async def away(*_: object) -> None:
        raise BooksAwayError

    await taken(pacer)
    with monkeypatch.context() as outage:
        outage.setattr(shared._books, "place", away)
        await taken(pacer)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(taken(pacer), 0.3)
    sharing.spoil_all(b"")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(taken(pacer), 0.3)
    await shared.aclose()
