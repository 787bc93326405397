"""Nothing that comes unasked on a connection becomes the answer to a call, or costs one."""

import asyncio
import random
import socket
import ssl
from collections import defaultdict
from typing import Self

import aiohttp
import pytest

from aiorescue import AuthCode, Binding, Login, RescueClient, RetryPolicy, errors
from aiorescue.call.repeats import Repeats
from aiorescue.emulator import Emulator
from aiorescue.rescue import CreateGroup
from tests.lab.proxy import HALF, INTERIM, LATE_408, RUBBISH, UNASKED, Disturbance, Proxy
from tests.support import AUTHORITY, serving, trusting

CODE = AuthCode("fixedtech0000")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 18\r\n\r\nOK\n\nPINCODE:%b"


def issued(service: Emulator) -> dict[str, set[str]]:
    """The PINs that the emulator issued, by tracking field."""
    found = defaultdict(set)
    for entry in service.ledger:
        found[entry.tracking].add(entry.pin)
    return found


async def nothing_lent():
    return None


async def lent_with_a_jar(connector: aiohttp.TCPConnector | None = None):
    return aiohttp.ClientSession(connector=connector)


async def lent_without_a_jar(connector: aiohttp.TCPConnector | None = None):
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


@pytest.mark.parametrize("make", [nothing_lent, lent_with_a_jar, lent_without_a_jar])
@pytest.mark.parametrize("kind", [*UNASKED, Disturbance.CLOSE], ids=lambda kind: kind.name)
async def test_what_lies_on_an_idle_connection_costs_no_call(service: Emulator, kind: Disturbance, make):
    http = await make()
    async with Proxy(service.url, kinds=(kind,)) as proxy:
        async with RescueClient(
            CODE, base_url=proxy.url, pace=None, http=http, retry=RetryPolicy(attempts=1)
        ) as client:
            for number in range(5):
                pins = await asyncio.gather(*(client.request_pin_code(tracking=f"{number}.{i}") for i in range(3)))
                assert [{pin.code} for pin in pins] == [issued(service)[f"{number}.{i}"] for i in range(3)]
                assert not any(pin.possibly_orphaned for pin in pins)
                await proxy.settle()
        assert len(service.ledger) == proxy.disturbed[kind] == 15
    if http is not None:
        await http.close()


@pytest.mark.parametrize("binding", [Binding.SOAP11, Binding.TEXT_POST, Binding.HTTP_GET])
async def test_no_call_of_thousands_gets_the_answer_of_another(service: Emulator, binding: Binding):
    """Answers come again while other calls are under way on the same connections, too."""
    chance = random.Random(4)
    told, got = 0, {}
    async with (
        Proxy(service.url, kinds=(Disturbance.REPEAT,), share=0.1, delay=lambda: chance.random() / 20) as proxy,
        RescueClient(CODE, base_url=proxy.url, pace=None, binding=binding, retry=RetryPolicy(first=0.0)) as client,
    ):
        numbers = iter(range(1000))

        async def work() -> None:
            nonlocal told
            for number in numbers:
                pin = await client.request_pin_code(tracking=str(number))
                got[str(number)] = pin.code
                told += pin.possibly_orphaned
                await asyncio.sleep(chance.random() / 100)

        await asyncio.gather(*(work() for _ in range(20)))
        assert proxy.disturbed[Disturbance.REPEAT] > 50
    pins = issued(service)
    assert [tracking for tracking, code in got.items() if code not in pins[tracking]] == []
    assert len(service.ledger) - len(got) <= told


@pytest.mark.parametrize("binding", [Binding.SOAP11, Binding.SOAP12, Binding.TEXT_POST, Binding.TEXT_GET])
async def test_a_call_that_met_the_answer_of_another_leaves_its_own_answer_to_no_call(
    service: Emulator, binding: Binding
):
    async with (
        Proxy(service.url, kinds=(Disturbance.REPEAT,), delay=lambda: 0.05) as proxy,
        RescueClient(
            CODE, base_url=proxy.url, pace=None, max_connections=1, binding=binding, retry=RetryPolicy(attempts=1)
        ) as client,
    ):
        await client.get_account()
        proxy.share, service.latency = 0.0, 0.2  # the account comes again while the first PIN is waited for
        with pytest.raises(errors.ProtocolError):
            await client.request_pin_code(tracking="first")
        pin = await client.request_pin_code(tracking="second")
        assert pin.code in issued(service)["second"]


async def test_an_answer_that_comes_while_a_long_one_in_its_place_is_decoded_is_not_the_next_calls(service: Emulator):
    async with (
        Proxy(service.url, kinds=(Disturbance.REPEAT,), delay=lambda: 0.05) as proxy,
        RescueClient(CODE, base_url=proxy.url, pace=None, max_connections=1, retry=RetryPolicy(attempts=1)) as client,
    ):
        await client.get_hierarchy()
        proxy.share, service.latency = 0.0, 0.2  # the hierarchy comes again while the first PIN is waited for
        calls = (client.request_pin_code(tracking=tracking) for tracking in ("first", "second"))
        first, second = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(first, errors.ProtocolError)
        assert second.code in issued(service)["second"]


@pytest.mark.parametrize("make", [lent_with_a_jar, lent_without_a_jar])
async def test_an_answer_that_one_client_did_not_get_comes_to_no_other_client_of_the_same_session(
    service: Emulator, make
):
    async with Proxy(service.url, kinds=(Disturbance.REPEAT,), delay=lambda: 0.05) as proxy, await make() as http:
        one, other = (
            RescueClient(CODE, base_url=proxy.url, pace=None, http=http, retry=RetryPolicy(attempts=1))
            for _ in range(2)
        )
        await one.get_account()
        proxy.share, service.latency = 0.0, 0.2  # the account comes again while the first PIN is waited for
        with pytest.raises(errors.ProtocolError):
            await one.request_pin_code(tracking="first")
        assert (await other.request_pin_code(tracking="second")).code in issued(service)["second"]


async def test_of_answers_that_come_in_the_place_of_others_no_pin_goes_to_two_calls(service: Emulator):
    told, got = 0, []
    async with (
        Proxy(service.url, kinds=(Disturbance.STALE,), share=0.3) as proxy,
        RescueClient(CODE, base_url=proxy.url, pace=None, retry=RetryPolicy(first=0.0, attempts=20)) as client,
    ):

        async def work() -> None:
            nonlocal told
            for _ in range(20):
                pin = await client.request_pin_code()
                got.append(pin.code)
                told += pin.possibly_orphaned

        await asyncio.gather(*(work() for _ in range(8)))
        assert proxy.disturbed[Disturbance.STALE] > 20
    assert len(got) == len(set(got)) == 160
    assert 0 < len(service.ledger) - 160 <= told


@pytest.mark.parametrize("kind", [Disturbance.CUT, Disturbance.CLOSE], ids=lambda kind: kind.name)
async def test_cut_answers_are_asked_for_again_and_counted(service: Emulator, kind: Disturbance):
    told = 0
    async with (
        Proxy(service.url, kinds=(kind,), share=0.3) as proxy,
        RescueClient(CODE, base_url=proxy.url, pace=None, retry=RetryPolicy(first=0.0, attempts=20)) as client,
    ):
        for number in range(100):
            pin = await client.request_pin_code(tracking=str(number))
            assert pin.code in issued(service)[str(number)]
            told += pin.possibly_orphaned
    assert len(service.ledger) - 100 <= told


class Wire:
    """A server whose answers a test writes itself, over TCP or TLS."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.context = context
        self.greeting: list[bytes] = []
        #: Answers in the place of the next PINs.
        self.instead: list[bytes] = []
        self.pins = iter(range(111111, 999999))
        self.writers: list[asyncio.StreamWriter] = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        if self.greeting:
            writer.write(self.greeting.pop())
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
                await reader.readexactly(length)
                writer.write(self.instead.pop() if self.instead else ANSWER % b"%d" % next(self.pins))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context)
        scheme = "https" if self.context else "http"
        self.url = f"{scheme}://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for writer in self.writers:
            writer.close()


OPTIONS = {"pace": None, "binding": Binding.TEXT_POST, "retry": RetryPolicy(first=0.0)}
STRAYS = {"answer": ANSWER % b"666666", "408": LATE_408, "103": INTERIM, "rubbish": RUBBISH, "half": HALF, "byte": b"H"}


@pytest.mark.parametrize("stray", STRAYS.values(), ids=STRAYS)
@pytest.mark.parametrize("read", [True, False], ids=["read by the loop", "unread"])
@pytest.mark.parametrize("over_tls", [False, True], ids=["TCP", "TLS"])
async def test_a_connection_is_looked_at_before_it_is_used(stray: bytes, read: bool, over_tls: bool):
    async with (
        Wire(serving("127.0.0.1") if over_tls else None) as server,
        RescueClient(CODE, base_url=server.url, ssl=trusting(AUTHORITY), **OPTIONS) as client,
    ):
        codes = [(await client.request_pin_code()).code]
        for _ in range(3):
            server.writers[-1].write(stray)
            if read:
                await asyncio.sleep(0.01)
            pin = await client.request_pin_code()
            assert not pin.possibly_orphaned
            codes.append(pin.code)
    assert codes == ["111111", "111112", "111113", "111114"]
    assert len(server.writers) == 4


def end(writer: asyncio.StreamWriter) -> None:
    """End a TCP connection, at once; `StreamWriter.close` does it in the next turn of the event loop."""
    writer.get_extra_info("socket").shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("make", [lent_with_a_jar, lent_without_a_jar])
@pytest.mark.parametrize(
    ("disturb", "over_tls"),
    [
        (end, False),
        (end, True),
        (lambda writer: writer.close(), True),
        (lambda writer: writer.write(RUBBISH), False),
        (lambda writer: writer.write(RUBBISH), True),
    ],
    ids=["ended", "ended, TLS", "ended by TLS", "rubbish", "rubbish, TLS"],
)
async def test_a_connection_that_the_program_has_used_is_looked_at_before_it_is_used(make, disturb, over_tls: bool):
    async with (
        Wire(serving("127.0.0.1") if over_tls else None) as server,
        await make(aiohttp.TCPConnector(ssl=trusting(AUTHORITY))) as http,
        RescueClient(CODE, base_url=server.url, http=http, **OPTIONS | {"retry": RetryPolicy(attempts=1)}) as client,
    ):
        async with http.post(server.url, data=b"...") as response:
            await response.read()
        disturb(server.writers[0])
        pin = await client.request_pin_code()
        assert (pin.code, pin.possibly_orphaned, len(server.writers)) == ("111112", 0, 2)


async def test_what_a_server_says_before_it_is_asked_is_no_answer():
    async with Wire() as server, RescueClient(CODE, base_url=server.url, **OPTIONS) as client:
        server.greeting = [ANSWER % b"666666"]
        pin = await client.request_pin_code()
        assert (pin.code, pin.possibly_orphaned) == ("111111", 0)


async def test_a_clean_connection_is_used_again(service: Emulator):
    async with (
        Proxy(service.url, share=0.0) as proxy,
        RescueClient(Login("tech@example.com", "secret"), base_url=proxy.url, pace=None) as client,
    ):
        for _ in range(5):
            await client.request_pin_code()
        assert proxy.connections == 2  # the first answer of a kind would not be known if it came again


async def test_a_late_408_does_not_cost_the_other_connections_their_use():
    async with Wire() as server, RescueClient(CODE, base_url=server.url, **OPTIONS) as client:
        await client.request_pin_code()
        server.writers[0].write(LATE_408)
        await asyncio.sleep(0.01)
        for _ in range(3):
            await client.request_pin_code()
        assert len(server.writers) == 2
        server.writers[1].write(RUBBISH)
        await asyncio.sleep(0.01)
        for _ in range(3):
            await client.request_pin_code()
        assert len(server.writers) == 5


def refusal(status: str, *headers: str) -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", "Content-Length: 0", *headers, "", "")).encode()


CROSSING = {
    "408": LATE_408,
    "408 in HTTP/1.0": LATE_408.replace(b"1.1 ", b"1.0 ").replace(b"Connection: close\r\n", b""),
    "408 that does not say that it closes": refusal("408 Request Timeout"),
    "429": refusal("429 Too Many Requests", "Connection: close"),
    "503": refusal("503 Service Unavailable", "Retry-After: 0", "Connection: close"),
}


@pytest.mark.parametrize("late", CROSSING.values(), ids=CROSSING)
async def test_a_late_refusal_that_crosses_a_request_does_not_say_that_it_was_not_carried_out(late: bytes):
    async with Wire() as server, RescueClient(CODE, base_url=server.url, **OPTIONS) as client:
        for _ in range(2):
            await client.request_pin_code()
        server.instead = [late]
        pin = await client.request_pin_code()
        assert (pin.code, pin.possibly_orphaned) == ("111113", 1)
        server.instead = [late]
        with pytest.raises(errors.AmbiguousOutcome, match="also says of an idle connection"):
            await client.call(CreateGroup(337364))


async def test_a_late_400_that_crosses_a_request_is_counted_and_one_on_a_new_connection_is_not():
    late = refusal("400 Bad Request", "Connection: close")
    async with Wire() as server, RescueClient(CODE, base_url=server.url, **OPTIONS) as client:
        for orphans in (0, 1):
            server.instead = [late]
            with pytest.raises(errors.ServiceFault, match="HTTP 400") as caught:
                await client.request_pin_code()
            assert caught.value.possibly_orphaned == orphans
            for _ in range(2):
                await client.request_pin_code()


REFUSED, CREATED = (
    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body) for body in (b"NOTLOGGEDIN", b"OK\n\n337364")
)


@pytest.mark.parametrize("repeated", [REFUSED, CREATED], ids=["a refusal", "an id"])
async def test_an_answer_that_comes_again_is_not_taken_for_that_of_a_call_which_creates(repeated: bytes):
    async with Wire() as server, RescueClient(CODE, base_url=server.url, **OPTIONS) as client:
        server.instead = [repeated]
        await asyncio.gather(client.call(CreateGroup(337364)), return_exceptions=True)
        server.instead = [CREATED]
        await client.call(CreateGroup(337364))
        assert len(server.writers) == 2


async def test_a_server_with_one_answer_has_one_connection_for_the_first_call_and_one_for_all_others():
    async with Wire() as server, RescueClient(CODE, base_url=server.url, **OPTIONS) as client:
        server.pins = iter([111111] * 6)
        pins = [await client.request_pin_code() for _ in range(6)]
        assert [(pin.code, pin.possibly_orphaned) for pin in pins] == [("111111", 0)] * 6
        assert len(server.writers) == 2


def test_a_server_with_one_answer_repeats_nothing():
    repeats = Repeats()
    assert not any(repeats.found("pins", b"012345") for _ in range(3))
    assert not repeats.found("pins", b"543210")
    assert repeats.found("pins", b"012345")
    assert repeats.found("pins", b"543210")


def test_a_server_with_one_answer_for_each_operation_repeats_nothing():
    repeats = Repeats()
    assert not any(repeats.found("pins", b"012345") or repeats.found("links", b"https://") for _ in range(3))
    assert not any(repeats.found("pins over forms", b"012345") for _ in range(3))


def test_an_answer_of_another_operation_is_a_repeated_one():
    repeats = Repeats()
    assert not repeats.found("pins", b"012345")
    assert not repeats.found("pins over forms", b"543210")
    assert repeats.found("pins over forms", b"012345")
    assert not repeats.found("pins", b"111111")
    assert repeats.found("lens pins", b"012345")


async def test_an_answer_that_is_never_right_is_an_error_that_counts_what_it_may_have_cost():
    async with Wire() as server, RescueClient(CODE, base_url=server.url, **OPTIONS) as client:
        server.pins = iter([111111, 222222, *[111111] * 10])
        await client.request_pin_code()
        await client.request_pin_code()
        with pytest.raises(errors.ProtocolError, match="answer is that of an earlier request") as caught:
            await client.request_pin_code()
    assert caught.value.possibly_orphaned == caught.value.attempts == RetryPolicy().attempts
