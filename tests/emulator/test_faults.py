"""Every kind of scripted trouble: what the client sees, and whether the call was carried out."""

import asyncio
import contextlib

import pytest

from aiorescue.emulator import Emulator
from aiorescue.emulator.faults import KINDS
from tests.emulator.sockets import control, exchange, login, page, soap

CODE = "<sAuthCode>fixedtech0000</sAuthCode>"


async def ask(service):
    return await soap(service, "requestPINCodeV3", CODE)


async def test_a_word_instead_of_the_effect(service):
    service.fault("word", word="PollRateExceeded")
    assert "requestPINCode_PollRateExceeded" in (await ask(service)).text
    assert service.ledger == []
    assert "requestPINCode_OK" in (await ask(service)).text


async def test_a_word_on_every_binding(service):
    service.fault("word", times=2)
    assert await page(service, "closeSession", "session=12345678") == "ERROR"
    answer = await exchange(service.url, "GET", "/API/API.asmx/logout")
    assert ">logout_Error</logoutRet>" in answer.text


async def test_an_error_of_inforouter(service):
    service.fault("word", error="[901] gone & forgotten")
    answer = await exchange(service.url, "GET", "/srv.asmx/isValidTicket?AuthenticationTicket=x")
    assert '<root success="false" error="[901] gone &amp; forgotten" />' in answer.text


async def test_an_unknown_word(service):
    service.fault("unknown_word")
    assert "requestPINCode_Flabbergasted" in (await ask(service)).text


async def test_an_http_status_with_retry_after(service):
    service.fault("http", status=503, retry_after=2, body="busy")
    answer = await ask(service)
    assert (answer.status, answer.headers["Retry-After"], answer.text, answer.closed) == (503, "2", "busy", True)
    assert service.ledger == []


@pytest.mark.parametrize("kind", ["delay_before", "delay_after"])
async def test_a_delay_before_or_after_the_effect(service, kind, monkeypatch):
    delays = []

    async def sleep(seconds):
        delays.append((seconds, len(service.ledger)))

    monkeypatch.setattr("aiorescue.clock.sleep", sleep)
    service.fault(kind, seconds=0.1)
    assert "requestPINCode_OK" in (await ask(service)).text
    assert delays == [(0.1, 0 if kind == "delay_before" else 1)]


@pytest.mark.parametrize(("kind", "pins"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_connection_cut_without_a_byte(service, kind, pins):
    service.fault(kind)
    with pytest.raises(asyncio.IncompleteReadError) as problem:
        await ask(service)
    assert problem.value.partial == b""
    assert len(service.ledger) == pins


async def test_fewer_bytes_than_announced(service):
    service.fault("cut")
    with pytest.raises(asyncio.IncompleteReadError) as problem:
        await ask(service)
    assert problem.value.partial.startswith(b"<?xml")
    assert len(problem.value.partial) == problem.value.expected * 2 // 3
    assert len(service.ledger) == 1


async def test_a_shorter_answer_that_says_so(service):
    service.fault("truncate", at=50)
    answer = await ask(service)
    assert (answer.status, len(answer.body), len(service.ledger)) == (200, 50, 1)


async def test_an_answer_that_is_no_xml(service):
    service.fault("garble")
    answer = await ask(service)
    assert answer.status == 200
    assert b"<\x00>&" in answer.body
    assert len(service.ledger) == 1


async def test_html_with_status_200(service):
    service.fault("html")
    answer = await ask(service)
    assert (answer.status, answer.headers["Content-Type"], answer.body[:6]) == (200, "text/html", b"<html>")
    assert service.ledger == []


async def test_an_empty_answer(service):
    service.fault("empty")
    answer = await ask(service)
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, b"", "text/xml; charset=utf-8")


async def test_a_huge_answer(service):
    service.fault("huge", bytes=3_000_000)
    assert len((await ask(service)).body) == 3_000_000


async def test_entities_that_would_expand_without_end(service):
    service.fault("entities")
    answer = await ask(service)
    assert "<!DOCTYPE" in answer.text
    assert len(answer.body) < 2000
    assert len(service.ledger) == 1


async def test_a_redirect_to_a_login_page(service):
    service.fault("redirect")
    answer = await ask(service)
    assert (answer.status, answer.headers["Location"]) == (302, "/login?returnUrl=%2fAPI%2fAPI.asmx")


@pytest.mark.parametrize(("kind", "code"), [("fault_server", "soap:Server"), ("fault_client", "soap:Client")])
async def test_a_soap_fault(service, kind, code):
    service.fault(kind)
    answer = await ask(service)
    assert answer.status == 500
    assert f"<faultcode>{code}</faultcode>" in answer.text


async def test_an_expired_session(service):
    cookie = await login(service)
    service.fault("expire", "requestPINCode")
    assert await page(service, "requestPINCode", cookie=cookie) == "NOTLOGGEDIN"
    assert await page(service, "logout", cookie=cookie) == "NOTLOGGEDIN"


async def test_an_expired_ticket(service):
    text = (await exchange(service.url, "GET", "/srv.asmx/AuthenticateUser?UID=tech@example.com&PWD=secret")).text
    ticket = text.split('"')[7]
    service.fault("expire")
    answer = await exchange(service.url, "GET", f"/srv.asmx/isValidTicket?AuthenticationTicket={ticket}")
    assert "[901]" in answer.text


async def test_a_fault_may_be_told_to_carry_the_call_out(service):
    service.fault("http", status=500, effect=True)
    assert (await ask(service)).status == 500
    assert len(service.ledger) == 1


async def test_faults_come_in_order_and_meet_their_operation_only(service):
    service.fault("word", "startSession", word="Error")
    service.fault("http", "requestPINCodeV3", times=2, status=500)
    service.fault("word", "requestPINCodeV3", word="OutOfPINCodes")
    assert [(await ask(service)).status for _ in range(2)] == [500, 500]
    assert "OutOfPINCodes" in (await ask(service)).text
    assert "requestPINCode_OK" in (await ask(service)).text
    assert await page(service, "startSession", "session=12345678&node=1") == "ERROR"
    assert service.faults.script == []


@pytest.mark.parametrize("kind", KINDS)
async def test_every_request_is_counted_whatever_happens_to_it(service, kind):
    service.fault(kind, **({"seconds": 0.0} if kind.startswith("delay_") else {}))
    with contextlib.suppress(asyncio.IncompleteReadError):
        await ask(service)
    ((operation, binding, word),) = service.requests
    assert (operation, binding, len(service.requests)) == ("requestPINCodeV3", "soap11", 1)
    assert word


WRONG = [
    ({"kind": "earthquake"}, "no fault 'earthquake'"),
    ({"kind": "wrod"}, "did you mean word"),
    ({"kind": ["word"]}, "no fault"),
    ({"kind": "word", "status": 1}, "takes no status"),
    ({"kind": "http", "retryafter": 1}, "did you mean retry_after"),
    *(({"kind": "word", "times": times}, "times is") for times in (0, -1, True, 1.5, "2", None)),
    ({"kind": "word", "operation": "requestPinCode"}, "did you mean requestPINCode?"),
    ({"kind": "drop_after", "operation": "request_pin_code_v3"}, "did you mean requestPINCodeV3?"),
    ({"kind": "expire", "operation": "authenticateuser"}, "did you mean AuthenticateUser?"),
    ({"kind": "html", "operation": "somethingElse"}, "no operation 'somethingElse'"),
    *(({"kind": "html", "operation": operation}, "operation") for operation in (5, "", ["login"])),
    ({"kind": "word", "word": "PollRateExceded"}, "did you mean PollRateExceeded?"),
    ({"kind": "word", "operation": "login", "word": "PollRateExceeded"}, "login does not answer 'PollRateExceeded'"),
    ({"kind": "word", "word": "Nonsense"}, "no operation answers 'Nonsense'"),
    ({"kind": "word", "operation": "login", "word": "Flabbergasted"}, 'it answers .*LimitReached.*"unknown_word"'),
    ({"kind": "word", "word": 5}, "word of the fault word is text, not 5"),
    ({"kind": "unknown_word", "word": "\ud800"}, "word of the fault unknown_word is text"),
    ({"kind": "word", "error": None}, "error of the fault word is text"),
    *(
        ({"kind": "http", "status": status}, "status from 200 to 599")
        for status in (100, 600, "503", True, None, 503.0)
    ),
    *(({"kind": "http", "retry_after": after}, "retry_after") for after in (-1, "a\r\nSet-Cookie: a=b", [], True)),
    ({"kind": "redirect", "location": "/\r\nX: y"}, "an address in printable ASCII"),
    *(({"kind": "huge", "bytes": size}, "a number of bytes") for size in (-1, 2**40, "1", 1.5)),
    *(({"kind": kind, "at": -1}, "two thirds") for kind in ("cut", "truncate")),
    *(({"kind": "delay_before", "seconds": value}, "a number of seconds") for value in (-1, float("nan"), "1", 1e300)),
    ({"kind": "http", "effect": "yes"}, "True or False"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_a_fault_that_there_is_not_is_refused(arguments, message):
    service = Emulator()
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        service.fault(**arguments)
    assert service.faults.script == []


@pytest.mark.parametrize("arguments", [arguments for arguments, _ in WRONG if "nan" not in repr(arguments)])
async def test_the_control_plane_refuses_the_same_faults(service, arguments):
    status, told = await control(service, "POST", "faults", arguments)
    assert (status, list(told)) == (400, ["error"])
    assert service.faults.script == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"kind": "word", "operation": "requestPINCodeV3", "word": "OUTOFPINCODES"},
        {"kind": "word", "operation": "AuthenticateUser", "word": "Error"},
        {"kind": "word", "operation": "GetDocument", "error": "[901] gone"},
        {"kind": "http", "retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"},
        {"kind": "http", "retry_after": 1.5, "status": 200},
        {"kind": "cut", "operation": None, "at": 0},
    ],
)
def test_a_fault_that_there_is_is_accepted(arguments):
    service = Emulator()
    service.fault(**arguments)
    assert len(service.faults.script) == 1
