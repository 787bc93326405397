"""The control plane: JSON over HTTP for those who are not in the same process."""

import asyncio
from urllib.parse import urlsplit

import pytest

from aiorescue.emulator import Emulator
from tests.emulator.sockets import JSON, control, exchange, login, page, soap


async def test_the_front_page_tells_the_state_and_the_ways(service):
    status, told = await control(service, "GET", "")
    assert status == 200
    assert told["url"] == service.url
    assert "POST /_emulator/faults" in told["help"]
    assert told["limits"]["session_ttl"] == 1200


async def test_the_ledger_can_be_read(service):
    await page(service, "requestPINCode", "authcode=fixedtech0000&tracking0=CASE-7&cfield0=Jane")
    _, (entry,) = await control(service, "GET", "ledger")
    assert entry["pin"] == "012345"
    assert (entry["tracking"], entry["custom_fields"][0]) == ("CASE-7", "Jane")


async def test_the_request_log_holds_no_secrets_and_not_the_control_plane(service):
    await page(service, "login", "email=tech@example.com&pwd=secret")
    await page(service, "requestPINCode", "authcode=fixedtech0000")
    _, log = await control(service, "GET", "requests")
    assert log["count"] == 2
    assert log["by_operation"] == {"login": 1, "requestPINCode": 1}
    assert log["recent"] == [["login", "text-get", "OK"], ["requestPINCode", "text-get", "OK"]]


async def test_limits_can_be_set(service):
    status, limits = await control(
        service, "POST", "limits", {"pin_rate": 50, "pins_left": 3, "session_ttl": 5, "latency": 0}
    )
    assert status == 200
    assert (limits["pin_rate"], limits["pins_left"], limits["session_ttl"]) == (50, 3, 5)
    assert (service.limits.pin_rate, service.latency) == (50, 0)
    assert (await control(service, "POST", "limits", {"pin_rate": None}))[1]["pin_rate"] is None


@pytest.mark.parametrize(
    "body",
    [{"speed": 1}, {"pin_rate": 0}, {"pin_rate": -1}, {"pin_rate": "fast"}, {"latency": None}, {"latency": True}, [1]],
)
async def test_a_limit_that_makes_no_sense_changes_nothing(service, body):
    before = repr(service.limits)
    status, told = await control(service, "POST", "limits", body)
    assert status == 400
    assert told["error"]
    assert repr(service.limits) == before


async def test_faults_can_be_scripted_and_forgotten(service):
    status, script = await control(service, "POST", "faults", {"kind": "word", "word": "Error", "times": 2})
    assert (status, script[0]["times"]) == (200, 2)
    assert await page(service, "logout") == "ERROR"
    assert (await control(service, "DELETE", "faults")) == (200, [])
    assert await page(service, "logout") == "NOTLOGGEDIN"


@pytest.mark.parametrize("body", [{"kind": "earthquake"}, {}, {"kind": "word", "status": 1}])
async def test_a_fault_that_there_is_not_is_a_400(service, body):
    status, told = await control(service, "POST", "faults", body)
    assert status == 400
    assert told["error"]


async def test_the_clock_can_be_turned_forward(service):
    cookie = await login(service)
    status, _ = await control(service, "POST", "clock", {"advance": 1200})
    assert status == 200
    assert await page(service, "logout", cookie=cookie) == "NOTLOGGEDIN"
    assert (await control(service, "POST", "clock", {"advance": -1}))[0] == 400
    assert (await control(service, "POST", "clock", {}))[0] == 400


async def test_all_sessions_and_tickets_can_be_ended(service):
    cookie = await login(service)
    await exchange(service.url, "GET", "/srv.asmx/AuthenticateUser?UID=tech@example.com&PWD=secret")
    assert await control(service, "POST", "expire") == (200, {"expired": 2})
    assert await page(service, "logout", cookie=cookie) == "NOTLOGGEDIN"


async def test_a_reset_forgets_everything(service):
    await page(service, "requestPINCode", "authcode=fixedtech0000")
    await page(service, "closeSession", "session=12345678&authcode=fixedtech0000")
    service.fault("html")
    service.limits.pins_left = 0
    assert (await control(service, "POST", "reset"))[0] == 200
    assert (service.ledger, len(service.requests), service.faults.script) == ([], 0, [])
    assert service.state.sessions[12345678] == "waiting"
    assert await page(service, "requestPINCode", "authcode=fixedtech0000") == "OK\n\nPINCODE:020264"


async def test_what_there_is_not_is_a_404_that_lists_what_there_is(service):
    status, told = await control(service, "GET", "nope")
    assert status == 404
    assert "GET /_emulator/ledger" in told["error"]


async def test_json_that_is_none_is_a_400(service):
    answer = await exchange(service.url, "POST", "/_emulator/limits", JSON, b"{")
    assert answer.status == 400


# --- who may use it -------------------------------------------------------------------------------


async def ask(service, method="GET", path="/_emulator/ledger", headers=(), body=b""):
    """The status of the answer to a request with exactly these headers."""
    host, port = service.host, service.port
    reader, writer = await asyncio.open_connection(host, port)
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    writer.write("\r\n".join([*lines, f"Content-Length: {len(body)}", "Connection: close", "", ""]).encode() + body)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST", "localhost.", "127.0.0.1:80", "[::1]", "[::1]:8765", "127.1.2.3"]
)
async def test_requests_to_this_machine_are_carried_out(service, host):
    assert await ask(service, headers=[("Host", host)]) == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "0.0.0.0"),
        *("", "localhost@evil.example", "evil.example@localhost", "localhost:80:80", "localhost/", "[::1", "[::2]"),
        *("localhost?", "localhost#", "2130706433", "evil.localhost", "secure.logmeinrescue.com", "[::ffff:10.0.0.1]"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/_emulator/ledger"), ("POST", "/_emulator/reset")])
async def test_a_name_that_is_not_this_machines_reaches_nothing(service, host, method, path):
    await page(service, "requestPINCode", "authcode=fixedtech0000")
    assert await ask(service, method, path, [("Host", host)]) == 403
    assert len(service.ledger) == 1


async def test_a_request_has_one_host(service):
    assert await ask(service, headers=[]) in (400, 403)
    assert await ask(service, headers=[("Host", "localhost"), ("Host", "evil.example")]) in (400, 403)


async def test_the_host_that_it_listens_on_is_its_own():
    async with Emulator(host="0.0.0.0") as service:  # the connection arrives at 127.0.0.1
        for host, status in (("0.0.0.0", 200), ("127.0.0.1", 200), ("192.0.2.1", 403), ("evil.example", 403)):
            assert await ask(service, headers=[("Host", host)]) == status


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1", "https://{host}", "http://{host}.evil", "", "file://"]
)
async def test_a_page_of_another_origin_reaches_nothing(service, origin):
    host = urlsplit(service.url).netloc
    headers = [("Host", host), ("Origin", origin.format(host=host))]
    await page(service, "requestPINCode", "authcode=fixedtech0000")
    assert await ask(service, "POST", "/_emulator/reset", headers) == 403
    assert await ask(service, headers=headers) == 403
    assert len(service.ledger) == 1


async def test_the_emulators_own_page_may_use_it(service):
    host = urlsplit(service.url).netloc
    assert await ask(service, "POST", "/_emulator/reset", [("Host", host), ("Origin", f"http://{host}")]) == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", None]
)
async def test_a_body_that_is_not_called_json_is_refused(service, kind):
    headers = [("Host", "localhost"), *([("Content-Type", kind)] if kind else [])]
    assert await ask(service, "POST", "/_emulator/limits", headers, b'{"pin_rate": 5}') == 415
    assert service.limits.pin_rate is None


async def test_json_may_name_its_charset(service):
    headers = [("Host", "localhost"), ("Content-Type", "application/json; charset=utf-8")]
    assert await ask(service, "POST", "/_emulator/limits", headers, b'{"pin_rate": 5}') == 200


DEEP = 100_000


@pytest.mark.parametrize("path", ["limits", "faults", "clock", "sessions", "chat", "leave", "reset"])
@pytest.mark.parametrize(
    "body",
    [
        *(b"[" * DEEP, b'{"a":' * DEEP, b'{"pin_rate":' + b"[" * DEEP + b"]" * DEEP + b"}"),
        *(b"\xff", b"\0", b"[]", b"null", b'"x"', b"7" * 5000, b'{"advance": NaN}', b'{"latency": Infinity}'),
        b'{"text": "\\ud800"}',
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_json_that_makes_trouble_is_a_400(service, path, body):
    answer = await exchange(service.url, "POST", f"/_emulator/{path}", JSON, body)
    assert answer.status == 400, answer


@pytest.mark.parametrize(
    ("path", "body"),
    [
        *(("clock", {"advance": value}) for value in (-1, True, "1", None, 1e300)),
        *(("limits", {name: value}) for name in ("latency", "pins_left") for value in (1e300, [], {}, "x", -1)),
        *(("sessions", {"channel": value}) for value in (1, "x", None, [], 1902861083)),
        *(("sessions", {"custom_fields": value}) for value in (5, "x", None, [1], {"a": 1})),
        *(("sessions", {"pin": value}) for value in ("012345", "x", None, 12345, "٠١٢٣٤٥")),
        *(("chat", {"session": value}) for value in (1, True, None, "x", [])),
        *(("leave", {"session": value}) for value in (1, True, None, "x", [])),
        ("sessions", {"chanel": 1902861082}),
    ],
)
async def test_values_that_make_no_sense_are_a_400(service, path, body):
    status, told = await control(service, "POST", path, body)
    assert (status, list(told)) == (400, ["error"])


async def test_a_body_of_megabytes_is_a_413(service):
    assert (
        await ask(service, "POST", "/_emulator/limits", [("Host", "localhost"), *JSON.items()], b" " * 5_000_000) == 413
    )


# --- the ledger in pages --------------------------------------------------------------------------


async def ledger(service, query):
    answer = await exchange(service.url, "GET", f"/_emulator/ledger?{query}")
    return answer.headers, [entry["number"] for entry in answer.json]


@pytest.fixture
async def small():
    """An emulator that keeps five PINs, after it has issued eight."""
    async with Emulator(pin_rate=None, ledger_size=5) as service:
        for number in range(1, 9):
            await soap(
                service, "requestPINCodeV3", f"<sTracking0>{number}</sTracking0><sAuthCode>fixedtech0000</sAuthCode>"
            )
        yield service


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [4, 5, 6, 7, 8]),
        ("offset=0&limit=2", [4, 5]),
        ("offset=5", [6, 7, 8]),
        ("offset=5&limit=1", [6]),
        ("limit=0", []),
        ("offset=8", []),
        ("offset=999999999999&limit=999999999999", []),
    ],
)
async def test_the_ledger_comes_in_pages_and_tells_what_was_dropped(small, query, numbers):
    headers, found = await ledger(small, query)
    assert found == numbers
    assert (headers["Ledger-Issued"], headers["Ledger-Dropped"]) == ("8", "3")
    _, status = await control(small, "GET", "")
    assert (status["pins"], status["ledger"]) == (8, {"issued": 8, "dropped": 3, "size": 5})


@pytest.mark.parametrize("query", ["offset=-1", "limit=x", "offset=", "limit=1e3", "ofset=1", f"limit={'9' * 5000}"])
async def test_a_page_of_the_ledger_that_there_is_not_is_a_400(small, query):
    answer = await exchange(small.url, "GET", f"/_emulator/ledger?{query}")
    assert answer.status == 400
