"""Answers that come late, or with rubbish behind them, go to no other call, and what they cost is counted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from aiorescue import AuthCode, Binding, Pace, RescueClient, RetryPolicy, errors
from aiorescue.emulator import Emulator
from tests.lab.proxy import RUBBISH, Disturbance, Proxy

CODE = AuthCode("fixedtech0000")


def page(body: bytes) -> bytes:
    """An answer of a text page."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def pin(number: int) -> bytes:
    """The answer with a PIN."""
    return page(b"OK\n\nPINCODE:%06d" % number)


STRAY, TOO_FAST = pin(666666), page(b"POLLRATEEXCEEDED")
OPTIONS = {"pace": None, "binding": Binding.TEXT_POST, "retry": RetryPolicy(first=0.0)}


@pytest.mark.parametrize("binding", [Binding.SOAP11, Binding.SOAP12, Binding.TEXT_POST, Binding.TEXT_GET])
async def test_a_status_word_that_comes_again_makes_no_call_get_the_pin_of_another(service: Emulator, binding: Binding):
    async with (
        Proxy(service.url, kinds=(Disturbance.REPEAT,), delay=lambda: 0.05) as proxy,
        RescueClient(
            CODE, base_url=proxy.url, pace=None, max_connections=1, binding=binding, retry=RetryPolicy(attempts=1)
        ) as client,
    ):
        service.fault("word", "requestPINCode")
        with pytest.raises(errors.ServiceError):
            await client.request_pin_code(tracking="first")
        proxy.share, service.latency = 0.0, 0.2  # the word comes again while the second answer is waited for
        got = {}
        for tracking in ("second", "third"):
            try:
                got[tracking] = (await client.request_pin_code(tracking=tracking)).code
            except errors.ServiceError as problem:
                assert problem.possibly_orphaned
        issued = {entry.tracking: entry.pin for entry in service.ledger}
    assert "third" in got
    assert {tracking: issued[tracking] for tracking in got} == got


@asynccontextmanager
async def answering(*answers: bytes | tuple[bytes, bytes]) -> AsyncIterator[str]:
    """A server that answers with one after another; of two together, the second comes in a packet of its own."""
    left, writers = iter(answers), []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]))
                answer = next(left)
                for part in answer if isinstance(answer, tuple) else (answer,):
                    writer.write(part)
                    await asyncio.sleep(0.02)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in writers:
            writer.close()


@pytest.mark.parametrize(
    ("answers", "orphans", "pace"),
    [
        ([TOO_FAST, pin(1)], 0, Pace(pins=50.0)),
        ([(TOO_FAST, pin(1)), pin(2)], 1, None),  # the word was that of an earlier request
        (
            [(pin(7), STRAY), TOO_FAST, TOO_FAST, pin(1)],
            2,
            Pace(pins=50.0),
        ),  # so may these have been: such things happen here
    ],
    ids=["too fast", "own answer behind it", "after a sign"],
)
async def test_a_rejection_that_may_be_that_of_another_request_is_counted(
    answers: list[bytes], orphans: int, pace: Pace | None
):
    async with answering(*answers) as url, RescueClient(CODE, base_url=url, **OPTIONS | {"pace": pace}) as client:
        if answers[0] != TOO_FAST and STRAY in answers[0]:
            await client.request_pin_code()
            await asyncio.sleep(0.05)
        found = await client.request_pin_code()
        assert found.possibly_orphaned == orphans
        assert client.stats().possibly_orphaned == orphans


async def test_the_first_answer_of_a_client_goes_to_no_other_call_if_it_comes_again():
    async with (
        answering((pin(1), pin(1)), pin(2), pin(3)) as url,
        RescueClient(CODE, base_url=url, **OPTIONS) as client,
    ):
        assert [(await client.request_pin_code()).code for _ in range(3)] == ["000001", "000002", "000003"]


async def test_an_answer_to_one_client_that_comes_again_is_not_that_to_another_one_on_the_same_pool():
    async with answering(pin(1), pin(2), (pin(3), pin(3)), pin(4), pin(5)) as url, aiohttp.ClientSession() as http:
        one, other = (RescueClient(CODE, base_url=url, http=http, **OPTIONS) for _ in range(2))
        async with one, other:
            assert [(await one.request_pin_code()).code for _ in range(3)] == ["000001", "000002", "000003"]
            found = await other.request_pin_code()
            # Its first request and the repeated one reach the server on two connections, in either order.
            assert (found.code in ("000004", "000005"), found.possibly_orphaned) == (True, 1)


async def test_the_own_answer_behind_one_that_turned_the_request_away_is_counted():
    turned_away = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"
    options = OPTIONS | {"retry": RetryPolicy(first=0.1)}
    async with (
        answering(pin(7), (turned_away, pin(1)), pin(2)) as url,
        RescueClient(CODE, base_url=url, **options) as client,
    ):
        await client.request_pin_code()
        found = await client.request_pin_code()
        assert (found.code, found.possibly_orphaned) == ("000002", 1)


@pytest.mark.parametrize("lent", [False, True])
@pytest.mark.parametrize("binding", [Binding.SOAP11, Binding.SOAP12])
async def test_rubbish_in_the_packet_of_an_answer_costs_nothing_in_xml(service: Emulator, binding: Binding, lent: bool):
    http = aiohttp.ClientSession() if lent else None
    async with (
        Proxy(service.url, kinds=(Disturbance.BEHIND,)) as proxy,
        RescueClient(
            CODE, base_url=proxy.url, pace=None, binding=binding, http=http, retry=RetryPolicy(attempts=1)
        ) as client,
    ):
        for number in range(5):
            found = await client.request_lens_pin_code_v2(tracking=str(number))
            assert (service.ledger[-1].tracking, service.ledger[-1].pin) == (str(number), found.code)
            assert not found.possibly_orphaned
        assert proxy.connections == 5
    if http is not None:
        await http.close()


@pytest.mark.parametrize("rest", [RUBBISH, b"6"], ids=["rubbish", "the last digit"])
async def test_what_stands_behind_the_end_of_a_text_may_belong_to_it(rest: bytes):
    async with (
        answering(page(b"OK\n\nPINCODE:12345") + rest) as url,
        RescueClient(CODE, base_url=url, **OPTIONS) as client,
    ):
        with pytest.raises(errors.ProtocolError) as caught:
            await client.request_pin_code()
    assert caught.value.possibly_orphaned == 1
