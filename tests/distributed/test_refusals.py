"""Identities whose credentials the service refuses to one worker: what becomes of their rows, and how it ends."""

import asyncio

import pytest

from aiorescue import AuthCode, Pace, errors
from aiorescue.bulk import distributed
from aiorescue.cli.app import run
from aiorescue.rescue import RequestPinCode

WRONG, RIGHT = AuthCode("outdated1234"), AuthCode("fixedtech0000")


async def submit(database, *identities, job="spring"):
    given = [RequestPinCode(tracking=f"CASE-{n}", no_tech_console=True) for n in range(4)]
    await distributed.submit(database, job, given, identities=identities)


async def test_a_worker_until_done_ends_with_the_refusal_when_no_other_identity_may_serve_what_is_left(
    database, rescue_emulator
):
    rescue_emulator.limits.pin_rate = 50.0
    await submit(database, "north")
    await submit(database, "south", "north", job="summer")
    async with asyncio.timeout(40):
        with pytest.raises(errors.AuthenticationError, match="identity north is refused: "):
            await distributed.work(
                database,
                {"north": WRONG, "south": RIGHT},
                base_url=rescue_emulator.url,
                pace=Pace(pins=50),
                until_done=True,
            )
    assert (await distributed.status(database, "spring")).left == 4
    assert (await distributed.status(database, "summer")).left == 0


async def test_an_identity_whose_credentials_are_refused_to_one_worker_is_served_by_another(database, rescue_emulator):
    rescue_emulator.limits.pin_rate = 50.0
    names = ("a", "b", "c", "d")  # each of the two workers is to hold some of them
    for name in names:
        await submit(database, name, job=name)
    working = []

    def start(credentials):
        work = distributed.work(database, credentials, base_url=rescue_emulator.url, pace=Pace(pins=50))
        working.append(asyncio.create_task(work))

    async with asyncio.timeout(40):
        start({**dict.fromkeys(names, WRONG), "own": AuthCode("fixedsecond0000")})
        while rescue_emulator.requests.by_operation["requestPINCode"] < len(names):
            await asyncio.sleep(0.05)
        start(dict.fromkeys(names, RIGHT))
        for name in names:
            while (await distributed.status(database, name)).left:
                await asyncio.sleep(0.1)
    for one in working:
        one.cancel()
    await asyncio.wait(working)


def test_the_command_names_the_identity_that_is_refused(database, rescue_emulator, monkeypatch, capsys):
    monkeypatch.setenv("RESCUE_DATABASE", database)
    monkeypatch.setenv("RESCUE_BASE_URL", rescue_emulator.url)
    monkeypatch.setenv("RESCUE_AUTH_CODE_NORTH", "outdated1234")
    monkeypatch.setenv("RESCUE_AUTH_CODE_SOUTH", "fixedtech0000")
    asyncio.run(submit(database, "north"))
    assert run(["job", "work", "--until-done"]) == 3
    assert capsys.readouterr().err.startswith("aiorescue: identity north is refused: ")
