"""Secrets appear in no message, repr, log line, URL or pickle, whatever happens."""

import asyncio
import json
import logging
import os
import pickle
import re
import subprocess
import sys
import traceback
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from html import escape, unescape
from urllib.parse import quote_plus, unquote_plus

import pytest

from aiorescue import AuthCode, Binding, InfoRouterClient, Login, RescueClient, Ticket, errors, inforouter, rescue
from aiorescue.emulator import Emulator
from aiorescue.inforouter.answers.element import LogEntry
from aiorescue.wire.redact import clean, cleaned
from tests.support import IMPATIENT

SECRETS = ("s3cr3t-c0de", "hunter2&<>", "hunter2", "3f2a1b4c-5d6e-7f8a-9b0c-1d2e3f4a5b6c")
FAULTS = [
    ("word", {"word": "Error"}),
    ("word", {"word": "Invalid_SecretAuthCode"}),
    ("http", {"status": 503, "body": "You sent {0}."}),
    ("http", {"status": 400, "body": "x" * 150 + "{0} {1} {2}"}),
    ("fault_client", {"text": "Cannot read {0}"}),
    ("unknown_word", {"word": "Bad_{0}"}),
    ("drop_before", {}),
    ("html", {}),
    ("cut", {}),
]


def assert_no_secret(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text


def everything_about(problem: BaseException | None) -> str:
    """All that a log or a debugger would print of it, hidden contexts included."""
    told = []
    while problem is not None:
        told += [str(problem), repr(problem), repr(vars(problem)), *traceback.format_exception(problem)]
        problem = problem.__cause__ or problem.__context__
    return "\n".join(told)


def test_values_that_hold_secrets_do_not_show_them():
    values = [
        AuthCode(SECRETS[0]),
        Login("tech@example.com", SECRETS[1]),
        Ticket(SECRETS[3]),
        rescue.Login("tech@example.com", SECRETS[1]),
        rescue.RequestAuthCode("tech@example.com", SECRETS[1]),
        inforouter.AuthenticateUser("tech", SECRETS[1]),
        inforouter.RenewTicket("tech", SECRETS[1], old_ticket=SECRETS[3]),
        inforouter.LogOut(SECRETS[3]),
        inforouter.TicketHolder(ticket=SECRETS[3]),
    ]
    assert_no_secret(repr(values))


@pytest.mark.parametrize(("kind", "options"), FAULTS)
@pytest.mark.parametrize("binding", Binding)
async def test_no_failure_shows_a_secret(
    service: Emulator, caplog: pytest.LogCaptureFixture, kind: str, options: dict, binding: Binding
):
    caplog.set_level(logging.DEBUG)
    clients = [
        (SECRETS[0], RescueClient(AuthCode(SECRETS[0]), base_url=service.url, binding=binding, retry=IMPATIENT)),
        (SECRETS[1], RescueClient(Login("me", SECRETS[1]), base_url=service.url, binding=binding, retry=IMPATIENT)),
        (SECRETS[1], InfoRouterClient(Login("me", SECRETS[1]), base_url=service.url, binding=binding, retry=IMPATIENT)),
        (SECRETS[3], InfoRouterClient(Ticket(SECRETS[3]), base_url=service.url, binding=binding, retry=IMPATIENT)),
    ]
    for secret, client in clients:
        echo = (secret, quote_plus(secret), escape(secret))
        said = {name: value.format(*echo) if isinstance(value, str) else value for name, value in options.items()}
        service.fault(kind, times=5, **said)
        operation = rescue.CloseSession(1) if isinstance(client, RescueClient) else inforouter.LogOut()
        async with client:
            try:
                await client.call(operation)
            except errors.RescueError as problem:
                assert_no_secret(everything_about(problem))
                again = pickle.loads(pickle.dumps(problem))
                assert (type(again), str(again), vars(again)) == (type(problem), str(problem), vars(problem))
            service.faults.script.clear()
        assert_no_secret(repr(client) + repr(client.identities))
    # The emulator's side is not ours, and the HTTP library's debug lines are.
    assert_no_secret("\n".join(record.getMessage() for record in caplog.records))


async def test_a_refused_connection_shows_no_secret_of_a_get():
    async with Emulator() as service:
        url = service.url
    async with RescueClient(AuthCode(SECRETS[0]), base_url=url, binding=Binding.TEXT_GET, retry=IMPATIENT) as client:
        with pytest.raises(errors.ConnectionFailed) as caught:
            await client.close_session(1)
    assert_no_secret(everything_about(caught.value))


@pytest.mark.parametrize("error", [getattr(errors, name) for name in errors.__all__])
def test_every_error_is_picklable_with_all_it_carries(error: type[errors.RescueError]):
    problem = error("what happened", operation="closeSession", status="ERROR", attempts=3, possibly_orphaned=1)
    again = pickle.loads(pickle.dumps(problem))
    assert (type(again), str(again), vars(again)) == (error, "what happened", vars(problem))


@pytest.mark.parametrize("secret", ["said 'a&b'>", "<said 'a&b'> x", "wrong & right", "50% off", "a  b"])
@pytest.mark.parametrize(
    "spelt",
    [
        lambda text: text,
        escape,
        lambda text: text.replace("&", "&amp;").replace("<", "&lt;"),  # as many a page does it
        lambda text: escape(escape(text)),
        quote_plus,
        lambda text: escape(quote_plus(text)),
    ],
)
def test_a_secret_is_found_in_any_spelling(secret: str, spelt: Callable[[str], str]):
    said = clean(f"Sorry, you said {spelt(secret)}, did you?", [secret])
    for shown in (said, unescape(said), unescape(unescape(said)), unquote_plus(said)):
        assert secret not in shown


CODED: dict[str, Callable[[str], str]] = {
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in numbers": lambda text: "".join(f"\\u{ord(sign):04x}" for sign in text),
    "JavaScript": lambda text: "".join(f"%u{ord(sign):04X}" for sign in text),
    "a program": lambda text: repr(text.encode())[2:-1],
    "SQL": lambda text: text.replace("'", "''"),
    "shell": lambda text: re.sub(r"(\W)", r"\\\1", text),
    "capitals": str.upper,
    "hexadecimal": lambda text: text.encode().hex(),
    "UTF-16": lambda text: text.encode("utf-16-le").decode("latin-1"),
    "UTF-16 in hexadecimal": lambda text: text.encode("utf-16-be").hex().upper(),
    "UTF-16 in base64": lambda text: b64encode(text.encode("utf-16-le")).decode(),
    **{f"base64, {n}": lambda text, n=n: b64encode(b"me:"[:n] + text.encode()).decode() for n in range(4)},
    "base64 in a URL": lambda text: quote_plus(urlsafe_b64encode(text.encode()).decode()),
}


@pytest.mark.parametrize("secret", ["4ahx~c0de?80u0>x", "Schlüssel: \"grün\" & 'blau'", "pass\\word\t12345"])
@pytest.mark.parametrize("coded", CODED.values(), ids=CODED)
def test_a_secret_is_found_in_any_coding(secret: str, coded: Callable[[str], str]):
    assert coded(secret) not in clean(f"The value {coded(secret)} is odd.", [secret])
    item = (LogEntry("/a", f"no {coded(secret)}"),)
    assert coded(secret) not in cleaned({"log": item}, [secret])["log"][0].error


@pytest.mark.parametrize("length", range(4, 11))
def test_the_beginning_of_a_secret_where_an_answer_was_cut_is_not_shown(length: int):
    assert clean(f"You said {'s3cr3t-c0de'[:length]}", ["s3cr3t-c0de"]) == "You said ***"


async def test_our_own_words_are_no_secret(service: Emulator):
    async with RescueClient(AuthCode("wrong"), base_url=service.url) as client:
        with pytest.raises(errors.AuthenticationError, match="the auth code is wrong or was replaced by a newer one"):
            await client.close_session(1)


HEAD = b"HTTP/1.1 200 OK\r\nSet-Cookie: ASP.NET_SessionId=s3cr3t-c0de; path=/\r\nContent-"
BROKEN = {
    "in the headers": HEAD + b"Le",
    "a header that is none": HEAD + b"Le\x00ngth: 3\r\n\r\nOK\n",
    "in the body": HEAD + b"Length: 30\r\n\r\nOK",
    "a status line that is none": b"s3cr3t-c0de\r\n\r\n",
    "a status that is none": b"HTTP/1.1 s3cr3t-c0de OK\r\n\r\n",
    "a chunk that is none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ns3cr3t-c0de\r\n",
}


@pytest.mark.parametrize("binding", [Binding.TEXT_GET, Binding.TEXT_POST])
@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN)
async def test_a_cookie_that_the_service_sets_is_in_no_message(sent: bytes, binding: Binding):
    async def speak(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, RescueClient(AuthCode("code"), base_url=url, retry=IMPATIENT) as client:
        with pytest.raises(errors.RescueError) as caught:
            await client.call(rescue.CloseSession(1), binding=binding)
    assert_no_secret(everything_about(caught.value))


def test_without_the_extensions_of_aiohttp_no_message_shows_a_cookie_either():
    test = f"{__file__}::{test_a_cookie_that_the_service_sets_is_in_no_message.__name__}"
    told = {**os.environ, "AIOHTTP_NO_EXTENSIONS": "1"}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", test], env=told, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout
    assert f"{2 * len(BROKEN)} passed" in ran.stdout
