"""TLS with certificates of a private authority and of the client, and the way through a proxy."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
import trustme

from aiorescue import AuthCode, Binding, InfoRouterClient, Login, RescueClient, RetryPolicy, errors
from aiorescue.emulator import Emulator
from aiorescue.rescue import CreateGroup
from tests.lab.forward_proxy import ForwardProxy
from tests.lab.proxy import RUBBISH, Proxy
from tests.support import AUTHORITY, IMPATIENT, serving, trusting

CODE, TECH = AuthCode("fixedtech0000"), Login("tech@example.com", "secret")


@pytest.fixture(autouse=True)
def _no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def over_tls(service: Emulator, context: ssl.SSLContext) -> AsyncIterator[str]:
    """The emulator behind TLS; gives its base URL."""
    async with Proxy(service.url, share=0.0, context=context) as proxy:
        yield proxy.url


async def test_the_certificate_of_a_private_authority(service: Emulator):
    async with (
        over_tls(service, serving("127.0.0.1")) as url,
        RescueClient(CODE, base_url=url, ssl=trusting(AUTHORITY)) as client,
        InfoRouterClient(TECH, base_url=url, ssl=trusting(AUTHORITY)) as docs,
    ):
        assert (await client.request_pin_code()).code
        assert await docs.is_valid_ticket()


@pytest.mark.parametrize(
    ("served", "trusted", "message"),
    [
        (serving("127.0.0.1"), trusting(), r"issuer certificate.*; ssl= takes an ssl\.SSLContext that trusts"),
        (serving("127.0.0.1"), trusting(trustme.CA()), r"CERTIFICATE_VERIFY_FAILED .*ssl= takes"),
        (serving("example.com"), trusting(AUTHORITY), "IP address mismatch.*127.0.0.1"),
        (
            serving("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1)),
            trusting(AUTHORITY),
            "certificate has expired",
        ),
    ],
    ids=["no authority", "another authority", "another name", "expired"],
)
async def test_a_certificate_that_is_not_right_is_refused_without_a_retry(
    service: Emulator, served: ssl.SSLContext, trusted: ssl.SSLContext, message: str
):
    async with over_tls(service, served) as url, RescueClient(CODE, base_url=url, ssl=trusted) as client:
        with pytest.raises(errors.ConnectionFailed, match=f"TLS failed: .*{message}") as caught:
            await client.request_pin_code()
    assert (caught.value.attempts, caught.value.possibly_orphaned) == (1, 0)
    assert service.requests.count == 0


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def demanding(version: ssl.TLSVersion) -> ssl.SSLContext:
    """TLS of a server that wants a certificate of the client."""
    context = serving("127.0.0.1")
    context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    AUTHORITY.configure_trust(context)
    return context


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_client_certificate_is_shown(service: Emulator, version: ssl.TLSVersion):
    shown = trusting(AUTHORITY)
    AUTHORITY.issue_cert("program@example.com").configure_cert(shown)
    async with over_tls(service, demanding(version)) as url, RescueClient(CODE, base_url=url, ssl=shown) as client:
        assert (await client.request_pin_code()).code


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("foreign", [False, True], ids=["none", "one of another authority"])
@pytest.mark.parametrize("binding", [Binding.SOAP11, Binding.TEXT_GET])
async def test_a_server_that_wants_a_client_certificate_is_named_as_the_reason(
    service: Emulator, version: ssl.TLSVersion, foreign: bool, binding: Binding
):
    shown = trusting(AUTHORITY)
    if foreign:
        trustme.CA().issue_cert("program@example.com").configure_cert(shown)
    async with (
        over_tls(service, demanding(version)) as url,
        RescueClient(CODE, base_url=url, ssl=shown, retry=IMPATIENT, pace=None, binding=binding) as client,
    ):
        with pytest.raises(errors.ConnectionFailed, match=r"demand a client certificate: ssl= takes") as caught:
            await client.request_pin_code()
    assert "broke" not in str(caught.value)
    assert service.requests.count == 0


@contextmanager
def alerting(context: ssl.SSLContext) -> Iterator[str]:
    """A server that says why it refuses a handshake, which asyncio's does not; gives its base URL."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
                with context.wrap_socket(connection, server_side=True) as encrypted:
                    encrypted.recv(1)
            except ssl.SSLError:
                connection.close()
            except OSError:
                return

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"https://127.0.0.1:{listening.getsockname()[1]}"
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_reason_that_a_server_gives_is_shown(version: ssl.TLSVersion):
    with alerting(demanding(version)) as url:
        async with RescueClient(CODE, base_url=url, ssl=trusting(AUTHORITY), retry=IMPATIENT) as client:
            with pytest.raises(errors.ConnectionFailed, match=r"TLS .*demand a client certificate: ssl= takes"):
                await client.request_pin_code()


@pytest.mark.parametrize("user", [None, "jane:s3cr:t%é"], ids=["open", "with a password"])
@pytest.mark.parametrize("encrypted", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("by_environment", [False, True], ids=["argument", "environment"])
async def test_the_way_goes_through_a_proxy(
    service: Emulator, user: str | None, encrypted: bool, by_environment: bool, monkeypatch: pytest.MonkeyPatch
):
    async with (
        over_tls(service, serving("rescue.example.com")) as url,
        ForwardProxy(user) as proxy,
    ):
        port = url.rpartition(":")[2] if encrypted else service.url.rpartition(":")[2]
        base = f"{'https' if encrypted else 'http'}://rescue.example.com:{port}"
        before = "" if user is None else "jane:s3cr%3At%25%C3%A9@"
        way = f"http://{before}127.0.0.1:{proxy.port}"
        options = {"proxy": way}
        if by_environment:
            monkeypatch.setenv("https_proxy" if encrypted else "http_proxy", way)
            options = {"trust_env": True}
        async with RescueClient(
            CODE, base_url=base, ssl=trusting(AUTHORITY), allow_plain_http=True, retry=IMPATIENT, pace=None, **options
        ) as client:
            for _ in range(3):
                assert (await client.request_pin_code()).code
        if encrypted:
            assert proxy.asked == [f"CONNECT rescue.example.com:{port} HTTP/1.1"] * 2  # one behind the first PIN
        else:
            assert proxy.asked == [f"POST {base}/API/API.asmx HTTP/1.1"] * 3


@pytest.mark.parametrize("encrypted", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("given", ["", "jane:s3cret@"], ids=["none", "a wrong one"])
async def test_a_password_that_a_proxy_wants_is_named_and_not_shown(encrypted: bool, given: str):
    async with ForwardProxy("jane:other") as proxy:
        base = f"{'https' if encrypted else 'http'}://rescue.example.com:1"
        async with RescueClient(
            CODE, base_url=base, proxy=f"http://{given}127.0.0.1:{proxy.port}", allow_plain_http=True
        ) as client:
            with pytest.raises(
                errors.ConnectionFailed, match=r"the proxy refused .* HTTP 407; it wants a user"
            ) as caught:
                await client.request_pin_code()
        assert (caught.value.attempts, caught.value.possibly_orphaned) == (1, 0)
        assert proxy.refused == 1
        shown = f"{caught.value!r} {client!r} {client._transport._route!r}"
        assert "s3cret" not in shown
        assert "407" in shown


@pytest.mark.parametrize(("status", "attempts"), [("403 Forbidden", 1), ("502 Bad Gateway", 4)])
async def test_a_proxy_that_does_not_reach_the_host_is_named(status: str, attempts: int):
    async with (
        ForwardProxy(status=status) as proxy,
        RescueClient(
            CODE,
            base_url="https://rescue.example.com",
            proxy=f"http://127.0.0.1:{proxy.port}",
            retry=IMPATIENT,
            pace=None,
        ) as client,
    ):
        with pytest.raises(
            errors.ConnectionFailed, match=f"the proxy refused the way to .*: HTTP {status[:3]}"
        ) as caught:
            await client.request_pin_code()
    assert (caught.value.attempts, caught.value.possibly_orphaned) == (attempts, 0)


async def in_a_task(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """A middleware of the program, as one with a timeout."""
    return await asyncio.create_task(handler(request))


@asynccontextmanager
async def through(proxy: ForwardProxy, base_url: str, lent: type | None, **options) -> AsyncIterator[RescueClient]:
    """A client that goes through a proxy, with a pool of its own or with a lent session that has such a cookie jar."""
    options |= {"base_url": base_url, "allow_plain_http": True, "retry": IMPATIENT, "pace": None}
    url = f"http://127.0.0.1:{proxy.port}"
    if lent is None:
        async with RescueClient(CODE, proxy=url, **options) as client:
            yield client
        return
    async with (
        aiohttp.ClientSession(cookie_jar=lent(), proxy=url, middlewares=(in_a_task,)) as http,
        RescueClient(CODE, http=http, **options) as client,
    ):
        yield client


NO_TUNNELS = {
    "nothing": (b"", "the proxy hung up on a CONNECT for https://rescue.example.com"),
    "the beginning of one": (b"HTTP/1.1 200 O", "the proxy hung up on a CONNECT for https://rescue.example.com"),
    "rubbish": (RUBBISH, "the proxy's answer to a CONNECT for https://rescue.example.com is not HTTP"),
    "a long header": (b"HTTP/1.1 200 OK\r\nX: " + bytes(70_000), "the proxy's answer to a CONNECT for .* is not HTTP"),
}


@pytest.mark.parametrize(("answer", "message"), NO_TUNNELS.values(), ids=NO_TUNNELS)
@pytest.mark.parametrize("binding", [Binding.TEXT_POST, Binding.TEXT_GET])
@pytest.mark.parametrize("lent", [None, aiohttp.CookieJar, aiohttp.DummyCookieJar])
async def test_a_proxy_that_makes_no_tunnel_has_passed_no_request_on(
    answer: bytes, message: str, binding: Binding, lent: type | None
):
    async with (
        ForwardProxy(instead=answer) as proxy,
        through(proxy, "https://rescue.example.com", lent, binding=binding) as client,
    ):
        for _ in range(2):
            with pytest.raises(errors.ConnectionFailed, match=message) as caught:
                await client.call(CreateGroup(337364))
            assert (caught.value.attempts, caught.value.possibly_orphaned) == (IMPATIENT.attempts, 0)
        assert len(proxy.asked) == 2 * IMPATIENT.attempts


@pytest.mark.parametrize("lent", [None, aiohttp.CookieJar, aiohttp.DummyCookieJar])
async def test_a_proxy_that_hangs_up_on_a_request_may_have_passed_it_on(lent: type | None):
    async with ForwardProxy(instead=b"") as proxy, through(proxy, "http://rescue.example.com", lent) as client:
        with pytest.raises(errors.AmbiguousOutcome, match="the connection broke"):
            await client.call(CreateGroup(337364))
        assert len(proxy.asked) == 1


async def test_a_proxy_that_is_not_there_is_named():
    async with ForwardProxy() as proxy:
        port = proxy.port
    async with RescueClient(
        CODE,
        base_url="https://rescue.example.com",
        proxy=f"http://jane:s3cret@127.0.0.1:{port}",
        retry=RetryPolicy(attempts=1),
    ) as client:
        with pytest.raises(errors.ConnectionFailed, match=f"cannot connect to the proxy 127.0.0.1:{port}: ") as caught:
            await client.request_pin_code()
    assert "s3cret" not in str(caught.value)


async def test_the_environment_counts_only_where_it_is_trusted(service: Emulator, monkeypatch: pytest.MonkeyPatch):
    async with ForwardProxy() as proxy:
        monkeypatch.setenv("http_proxy", f"127.0.0.1:{proxy.port}")
        async with RescueClient(CODE, base_url=service.url, pace=None) as client:
            await client.request_pin_code()
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        async with RescueClient(CODE, base_url=service.url, pace=None, trust_env=True) as client:
            await client.request_pin_code()
        assert proxy.asked == []
        monkeypatch.delenv("no_proxy")
        async with RescueClient(CODE, base_url=service.url, pace=None, trust_env=True) as client:
            await client.request_pin_code()
        assert len(proxy.asked) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ssl": True}, r"ssl must be an ssl\.SSLContext, not bool"),
        ({"ssl": "ca.pem"}, r"ssl must be an ssl\.SSLContext, not str"),
        ({"proxy": 3128}, "proxy must be text like http://host, not int"),
        ({"proxy": "socks5://jane:s3cret@127.0.0.1"}, r"proxy must be like http://host, not '127\.0\.0\.1'"),
        ({"proxy": "127.0.0.1:3128"}, "proxy must be like http://host"),
        ({"proxy": "http://jane:s3cret@127.0.0.1/path"}, "proxy must be like .* without a path"),
        ({"proxy": "http://jane:s3cret \n@127.0.0.1"}, r"must hold no spaces .* has ' ': '127\.0\.0\.1'"),
    ],
)
def test_a_way_that_cannot_be_gone_is_refused(options: dict, message: str):
    with pytest.raises(errors.InvalidRequest, match=message) as caught:
        RescueClient(CODE, **options)
    assert "s3cret" not in str(caught.value)


async def test_a_lent_session_goes_its_own_way():
    async with aiohttp.ClientSession() as http:
        for options in ({"ssl": trusting()}, {"proxy": "http://127.0.0.1:3128"}, {"trust_env": True}):
            with pytest.raises(
                errors.InvalidRequest, match="http= goes its own way: set ssl, proxy and trust_env there"
            ):
                RescueClient(CODE, http=http, **options)


@pytest.mark.parametrize("jar", [aiohttp.CookieJar, aiohttp.DummyCookieJar])
async def test_the_proxy_of_a_lent_session_is_used(service: Emulator, jar: type):
    async with (
        ForwardProxy() as proxy,
        aiohttp.ClientSession(cookie_jar=jar(), proxy=f"http://127.0.0.1:{proxy.port}") as http,
        RescueClient(CODE, base_url=service.url, http=http, pace=None) as client,
    ):
        assert (await client.request_pin_code()).code
    assert proxy.asked == [f"POST {service.url}/API/API.asmx HTTP/1.1"]
