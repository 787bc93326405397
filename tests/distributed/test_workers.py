"""Distributed jobs with real worker processes: kills, freezes, and a database that goes away."""

import asyncio
import signal
from collections import Counter

import pytest

from aiorescue import AuthCode, Binding, Login, Pace, RescueClient, errors
from aiorescue.bulk import distributed
from aiorescue.bulk.distributed.database import connected
from aiorescue.rescue import RequestPinCode
from tests.lab.distributed.worker import CODES

pytestmark = pytest.mark.timeout(240)


def requests(count, name="CASE"):
    return [RequestPinCode(tracking=f"{name}-{n}", no_tech_console=True) for n in range(count)]


async def followed(database, job="spring"):
    async with asyncio.timeout(200):
        return [one async for one in distributed.results(database, job, follow=True)]


async def issued_of(database, most, job="spring"):
    async with asyncio.timeout(100):
        while (await distributed.status(database, job)).issued < most:
            await asyncio.sleep(0.1)


async def check(database, service, results, count, job="spring"):
    """Each request has exactly one recorded PIN, and no more PINs were lost than were declared."""
    assert Counter(one.key for one in results) == {one.tracking: 1 for one in requests(count)}
    issued = {entry.pin: entry.tracking for entry in service.ledger}
    assert all(issued[one.pin.code] == one.key for one in results)
    orphans = len(service.ledger) - count
    declared = (await distributed.status(database, job)).possibly_orphaned
    assert orphans <= declared, (orphans, declared)
    return orphans


async def test_each_request_gets_one_pin_though_workers_are_killed_under_load(database, workers, rescue_emulator):
    rescue_emulator.limits.pin_rate = 20.0
    await distributed.submit(database, "spring", requests(600), identities=CODES)
    running = [await workers() for _ in range(3)]
    for killed in range(3):
        await issued_of(database, 100 * (killed + 1))
        running[0].kill()
        await running.pop(0).wait()
        running.append(await workers())
    results = await followed(database)
    await check(database, rescue_emulator, results, 600)


async def test_a_worker_that_was_frozen_goes_on(database, workers, rescue_emulator):
    rescue_emulator.limits.pin_rate = 20.0
    await distributed.submit(database, "spring", requests(300), identities=CODES)
    frozen, _ = await workers(), await workers()
    await issued_of(database, 60)
    frozen.send_signal(signal.SIGSTOP)  # with all identities, if the other worker has not taken its share yet
    await asyncio.sleep(3)
    frozen.send_signal(signal.SIGCONT)
    await check(database, rescue_emulator, await followed(database), 300)


async def test_a_database_that_restarts_twice_costs_no_pin(database, postgres, workers, rescue_emulator):
    rescue_emulator.limits.pin_rate = 20.0
    await distributed.submit(database, "spring", requests(400), identities=CODES)
    for _ in range(2):
        await workers()
    for issued in (80, 200):
        await issued_of(database, issued)
        await asyncio.to_thread(postgres.restart)
    await check(database, rescue_emulator, await followed(database), 400)


async def test_rows_of_a_refused_identity_go_to_others(database, rescue_emulator):
    rescue_emulator.limits.pin_rate = 50.0
    await distributed.submit(database, "spring", requests(60), identities=["tech", "disabled"])
    codes = {name: AuthCode(f"fixed{name}0000") for name in ("tech", "disabled")}
    await distributed.work(database, codes, base_url=rescue_emulator.url, pace=Pace(pins=50), until_done=True)
    await check(database, rescue_emulator, await followed(database), 60)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"patience": None}, "patience must be a number of seconds from 0 on, not None"),
        ({"pace": "auto"}, "pace must be Pace"),
        ({"timeout": "5"}, "timeout must be"),
        ({"on_event": 5}, "on_event must be"),
        ({"until_done": "yes"}, "until_done must be True or False, not 'yes'"),
        ({"credentials": {"tech": "fixedtech0000"}}, "credentials must be aiorescue's AuthCode.*, not str"),
        ({"credentials": {"tech": None}}, "credentials must be .*, not NoneType"),
        ({"credentials": [AuthCode("fixedtech0000")]}, "credentials must be a mapping of names"),
    ],
)
async def test_a_worker_names_an_argument_that_it_cannot_use_before_it_looks_for_the_database(arguments, message):
    given = {"credentials": {"tech": AuthCode("fixedtech0000")}, **arguments}
    with pytest.raises(errors.InvalidRequest, match=message):
        await distributed.work("postgresql://127.0.0.1:1/none", given.pop("credentials"), **given)


async def test_two_jobs_over_the_same_identities_share_one_pace(database, rescue_emulator):
    rescue_emulator.limits.pin_rate = 20.0
    for job in ("spring", "summer"):
        await distributed.submit(database, job, requests(60), identities=["tech"])
    codes = {"tech": AuthCode("fixedtech0000")}
    seen = []
    await distributed.work(
        database, codes, base_url=rescue_emulator.url, pace=Pace(pins=20), until_done=True, on_event=seen.append
    )
    assert len(rescue_emulator.ledger) == 120
    rejections = sum(type(event).__name__ == "Rejected" for event in seen)
    assert rejections <= 12
    assert len(await followed(database, "summer")) == 60


async def test_a_job_that_is_deleted_under_way_ends_and_another_one_goes_on(database, workers, rescue_emulator):
    rescue_emulator.limits.pin_rate = 20.0
    await distributed.submit(database, "winter", requests(1000, "W"), identities=CODES)
    await workers()
    await issued_of(database, 20, "winter")
    await distributed.delete(database, "winter")
    sent = len(rescue_emulator.ledger)
    await distributed.submit(database, "spring", requests(40), identities=CODES)
    results = await followed(database)
    assert len(results) == 40
    assert len(rescue_emulator.ledger) - sent < 40 + 4 * 41


async def test_a_worker_that_is_to_stop_gives_back_all_its_identities(database, rescue_emulator):
    rescue_emulator.limits.pin_rate = 20.0
    await distributed.submit(database, "spring", requests(400), identities=CODES)
    codes = {name: AuthCode(f"fixed{name}0000") for name in CODES}
    stop = asyncio.Event()
    working = asyncio.create_task(
        distributed.work(database, codes, base_url=rescue_emulator.url, pace=Pace(pins=20), stop=stop)
    )
    await issued_of(database, 20)
    stop.set()
    await working
    status = await distributed.status(database, "spring")
    assert (status.in_flight, status.possibly_orphaned) == (0, 0)
    assert status.issued == len(rescue_emulator.ledger)
    async with connected(database) as connection:
        owned = await connection.execute("SELECT count(*) FROM aiorescue.request WHERE owner IS NOT NULL")
        assert await owned.fetchone() == (0,)


@pytest.mark.parametrize("binding", [Binding.SOAP11, Binding.TEXT_POST])
async def test_an_identity_that_logged_in_too_often_rests_and_is_not_refused(database, rescue_emulator, binding):
    rescue_emulator.limits.pin_rate = 50.0
    for _ in range(10):
        async with RescueClient(Login("tech@example.com", "secret"), base_url=rescue_emulator.url) as client:
            await client.request_pin_code(no_tech_console=True)
    given = len(rescue_emulator.ledger)
    await distributed.submit(database, "spring", requests(5), identities=["north"])
    stop = asyncio.Event()
    tech = {"north": Login("tech@example.com", "secret")}
    working = asyncio.create_task(
        distributed.work(database, tech, base_url=rescue_emulator.url, stop=stop, binding=binding)
    )
    async with asyncio.timeout(60):
        while rescue_emulator.requests.by_operation["login"] < 11:
            await asyncio.sleep(0.05)
        await asyncio.sleep(1.5)
    stop.set()
    await working
    assert rescue_emulator.requests.by_operation["login"] == 11
    assert len(rescue_emulator.ledger) == given
    status = await distributed.status(database, "spring")
    assert (status.left, status.possibly_orphaned) == (5, 0)
