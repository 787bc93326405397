"""Arguments of bulk jobs that cannot be used are refused at once, by name, before anything is sent or made."""

import math
from pathlib import Path

import pytest

from aiorescue import AuthCode, RescueClient, errors
from aiorescue.bulk import Journal, issue, issue_staged
from aiorescue.emulator import Emulator
from aiorescue.rescue import RequestPinCode

CODE = AuthCode("fixedtech0000")
REQUESTS = [RequestPinCode(tracking="CASE-1")]

RUN = [
    ({"binding": "soap11"}, "binding must be one of Binding.SOAP11, .*, not 'soap11'"),
    *[
        ({"in_flight": value}, "in_flight must be a whole number from 1 on, not ")
        for value in (0, 1.5, "8", True, None)
    ],
    *[
        ({"patience": value}, "patience must be a number of seconds from 0 on, not ")
        for value in ("x", math.nan, -1, True, None)
    ],
    ({"on_event": 5}, "on_event must be a function that takes an event, not int"),
]
JOB = [
    *[({"job": value}, "the name of a job must be a text, not ") for value in (5, b"spring", [])],
    *[({"journal": value}, "a journal is the path of a file, .*, not ") for value in (5, b"pins.journal")],
]


@pytest.mark.parametrize(("options", "message"), RUN + JOB)
async def test_an_argument_that_cannot_be_used_is_named_before_anything_is_sent(
    service: Emulator, tmp_path: Path, options: dict, message: str
):
    journal = tmp_path / "pins.journal"
    async with RescueClient(CODE, base_url=service.url, pace=None) as client:
        with pytest.raises(errors.InvalidRequest, match=message):
            issue(client, REQUESTS, **{"journal": journal, **options})
    assert not service.requests.count
    assert not journal.exists()


@pytest.mark.parametrize(("options", "message"), RUN)
async def test_a_staged_job_takes_the_same_arguments(service: Emulator, tmp_path: Path, options: dict, message: str):
    async with RescueClient(CODE, base_url=service.url) as client, Journal(tmp_path / "pins.journal", "job") as store:
        with pytest.raises(errors.InvalidRequest, match=message):
            issue_staged(client, store, **options)


@pytest.mark.parametrize("requests", [None, 5, REQUESTS[0], RequestPinCode])
async def test_requests_that_are_none_are_named(service: Emulator, requests: object):
    async with RescueClient(CODE, base_url=service.url) as client:
        with pytest.raises(errors.InvalidRequest, match="requests must be an iterable or an async iterable of PIN"):
            issue(client, requests)


async def test_patience_without_an_end_waits_and_a_job_without_a_name_is_that_of_the_address(
    service: Emulator, tmp_path: Path
):
    async with RescueClient(CODE, base_url=service.url, pace=None) as client:
        for name in (None, "", service.url):
            job = issue(client, REQUESTS, journal=tmp_path / "pins.journal", job=name, patience=math.inf)
            assert [issued.error async for issued in job] == [None]
    assert len(service.ledger) == 1


@pytest.mark.parametrize(("path", "name"), [("pins.journal", 5), ("pins.journal", None), (5, "job"), (None, 5)])
def test_a_journal_with_another_kind_of_name_or_path_is_not_made(path: object, name: object, tmp_path: Path):
    with pytest.raises(errors.InvalidRequest):
        Journal(tmp_path / path if isinstance(path, str) else path, name)
    assert not list(tmp_path.iterdir())


async def test_more_in_flight_than_there_are_numbers_is_as_many_as_connections(service: Emulator):
    async with RescueClient(CODE, base_url=service.url, pace=None) as client:
        requests = (RequestPinCode(tracking=f"CASE-{number}") for number in range(300))
        found = [issued.error async for issued in issue(client, requests, in_flight=10**30)]
    assert found == [None] * 300
