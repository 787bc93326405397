"""The control plane: JSON over HTTP for those who are not in the same process."""

import json

import pytest

from tests.emulator.sockets import exchange, login, page


async def control(service, method, path, body=None):
    payload = b"" if body is None else json.dumps(body).encode()
    answer = await exchange(service.url, method, f"/_emulator/{path}", {}, payload)
    return answer.status, json.loads(answer.body)


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
    assert await page(service, "requestPINCode", "authcode=fixedtech0000") == "OK\n\nPINCODE:012345"


async def test_what_there_is_not_is_a_404_that_lists_what_there_is(service):
    status, told = await control(service, "GET", "nope")
    assert status == 404
    assert "GET /_emulator/ledger" in told["error"]


async def test_json_that_is_none_is_a_400(service):
    answer = await exchange(service.url, "POST", "/_emulator/limits", {}, b"{")
    assert answer.status == 400
