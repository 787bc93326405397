"""What the services allow, and what they say when they do not; time is turned by hand."""

import asyncio

import pytest

from aiorescue.emulator import Emulator
from aiorescue.emulator.people import EmulatedUser
from aiorescue.emulator.rules.rescue.ledger import FIRST_PIN, PIN_STEP, PINS
from tests.emulator.sockets import exchange, login, page, soap, until

PIN = "OK\n\nPINCODE:"


async def pin(service, code="fixedtech0000", *, cookie="", more=""):
    return await page(service, "requestPINCode", f"authcode={code}{more}", cookie=cookie)


# --- PINs -----------------------------------------------------------------------------------------


async def test_pins_are_six_digits_and_start_with_a_zero(service):
    assert await pin(service) == f"{PIN}012345"
    assert await pin(service) == f"{PIN}020264"


async def test_a_million_pins_are_all_different():
    assert len({(FIRST_PIN + PIN_STEP * number) % PINS for number in range(PINS)}) == PINS


async def test_version_1_is_a_number_over_soap_and_loses_the_zero(service):
    answer = await soap(service, "requestPINCode", "<sAuthCode>fixedtech0000</sAuthCode>")
    assert "<iPINCode>12345</iPINCode>" in answer.text


async def test_a_refused_number_is_zero_and_a_refused_string_is_empty(service):
    assert "<iPINCode>0</iPINCode>" in (await soap(service, "requestPINCode")).text
    assert "<sPINCode />" in (await soap(service, "requestPINCodeV3")).text


async def test_the_ledger_holds_every_pin_with_all_that_was_said(service, hands):
    fields = "".join(f"<sCField{i}>f{i}</sCField{i}>" for i in range(6))
    more = "<sTracking0>CASE-7</sTracking0><bNoTechConsole>true</bNoTechConsole><sAuthCode>fixedtech0000</sAuthCode>"
    await soap(service, "requestLensPINCodeV2", fields + more)
    (entry,) = service.ledger
    assert (entry.number, entry.pin, entry.user) == (1, "012345", "tech@example.com")
    assert (entry.operation, entry.tracking) == ("requestLensPINCodeV2", "CASE-7")
    assert (entry.custom_fields, entry.no_tech_console) == (("f0", "f1", "f2", "f3", "f4", "f5"), True)
    assert entry.time == hands.now


async def test_one_pin_a_second_by_default():
    async with Emulator() as service:
        assert (await pin(service)).startswith(PIN)
        assert await pin(service) == "POLLRATEEXCEEDED"


async def test_the_interval_counts_from_the_last_pin_that_was_issued(service, hands):
    service.limits.pin_rate = 1.0
    assert (await pin(service)).startswith(PIN)
    hands.now += 0.75
    assert await pin(service) == "POLLRATEEXCEEDED"
    hands.now += 0.25
    assert (await pin(service)).startswith(PIN)


async def test_on_request_a_refusal_starts_the_interval_anew(service, hands):
    service.limits.pin_rate, service.limits.count_rejected = 1.0, True
    await pin(service)
    hands.now += 0.75
    assert await pin(service) == "POLLRATEEXCEEDED"
    hands.now += 0.75
    assert await pin(service) == "POLLRATEEXCEEDED"
    hands.now += 1.0
    assert (await pin(service)).startswith(PIN)


async def test_the_rate_is_of_each_user_over_all_interfaces(service):
    service.limits.pin_rate = 1.0
    assert (await pin(service)).startswith(PIN)
    assert (await pin(service, "fixedsecond0000")).startswith(PIN)
    answer = await soap(service, "requestPINCodeV3", "<sAuthCode>fixedtech0000</sAuthCode>")
    assert "requestPINCode_PollRateExceeded" in answer.text


async def test_a_refused_request_takes_no_slot(service):
    service.limits.pin_rate = 1.0
    assert await pin(service, "nonsense") == "INVALID_SECRETAUTHCODE"
    assert (await pin(service)).startswith(PIN)


async def test_the_stock_runs_out():
    async with Emulator(pin_rate=None, pins=1) as service:
        assert (await pin(service)).startswith(PIN)
        assert await pin(service) == "OUTOFPINCODES"
        assert len(service.ledger) == 1


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("", "NOTLOGGEDIN"),
        ("nonsense", "INVALID_SECRETAUTHCODE"),
        ("fixedadmin0000", "NOTTECHNICIAN"),
        ("fixedoffline0000", "NOTECHCONSOLERUNNING"),
        ("fixeddisabled0000", "USER_DELETED_OR_DISABLED"),
        ("fixeddeleted0000", "USER_DELETED_OR_DISABLED"),
    ],
)
async def test_each_refusal_has_its_word(service, code, word):
    assert await pin(service, code) == word
    assert service.ledger == []


async def test_without_a_console_it_takes_the_flag(service):
    assert (await pin(service, "fixedoffline0000", more="&notechconsole=1")).startswith(PIN)


async def test_lens_needs_lens(service):
    fields = "<sAuthCode>fixednolens0000</sAuthCode>"
    assert "requestPINCode_NoAccessToLens" in (await soap(service, "requestLensPINCodeV2", fields)).text
    assert "requestPINCode_OK" in (await soap(service, "requestPINCodeV3", fields)).text


# --- who calls ------------------------------------------------------------------------------------


async def test_a_server_session_lasts_twenty_idle_minutes(service, hands):
    cookie = await login(service)
    for _ in range(3):
        hands.now += 19 * 60
        assert (await pin(service, "", cookie=cookie)).startswith(PIN)
    hands.now += 20 * 60
    assert await pin(service, "", cookie=cookie) == "NOTLOGGEDIN"


async def test_the_emulators_own_clock_can_be_turned(service):
    cookie = await login(service)
    service.clock.advance(20 * 60)
    assert await page(service, "logout", cookie=cookie) == "NOTLOGGEDIN"
    with pytest.raises(ValueError, match="forward"):
        service.clock.advance(-1)


async def test_two_logins_are_two_sessions(service):
    first, second = await login(service), await login(service, "second@example.com")
    assert first != second
    assert await page(service, "logout", cookie=first) == "OK"
    await pin(service, "", cookie=second)
    assert [entry.user for entry in service.ledger] == ["second@example.com"]


async def test_the_eleventh_login_in_three_minutes_is_refused(service, hands):
    for _ in range(10):
        assert await page(service, "login", "email=tech@example.com&pwd=secret") == "OK"
        hands.now += 1
    assert await page(service, "login", "email=TECH@example.com&pwd=secret") == "LIMITREACHED"
    assert await page(service, "login", "email=second@example.com&pwd=secret") == "OK"
    hands.now += 170
    assert await page(service, "login", "email=tech@example.com&pwd=secret") == "OK"


async def test_wrong_passwords_count_as_logins(service):
    for _ in range(10):
        assert await page(service, "login", "email=tech@example.com&pwd=wrong") == "INVALID"
    assert await page(service, "login", "email=tech@example.com&pwd=secret") == "LIMITREACHED"


@pytest.mark.parametrize("email", ["disabled@example.com", "deleted@example.com", "nobody@example.com", ""])
async def test_whoever_is_gone_cannot_log_in(service, email):
    assert await page(service, "login", f"email={email}&pwd=secret") == "INVALID"


async def test_a_requested_code_replaces_the_one_requested_before(service):
    codes = []
    for _ in range(2):
        answer = await page(service, "requestAuthCode", "email=tech@example.com&pwd=secret")
        assert answer.startswith("OK\n\nAUTHCODE:")
        codes.append(answer[13:])
    assert [len(code) for code in codes] == [80, 80]
    assert await pin(service, codes[0]) == "INVALID_SECRETAUTHCODE"
    assert (await pin(service, codes[1])).startswith(PIN)
    assert (await pin(service)).startswith(PIN)  # the fixed one stays


async def test_users_can_be_added_and_changed(service):
    service.state.add_user(EmulatedUser("new@example.com", "pw", auth_code="newcode"))
    assert (await pin(service, "newcode")).startswith(PIN)
    service.state.users["new@example.com"].disabled = True
    assert await pin(service, "newcode") == "USER_DELETED_OR_DISABLED"


async def test_a_parameter_given_twice_arrives_joined_with_a_comma(service):
    await pin(service, more="&tracking0=a&Tracking0=b")
    assert service.ledger[0].tracking == "a,b"


# --- sessions -------------------------------------------------------------------------------------

ADMIN = "&authcode=fixedadmin0000"


async def test_a_session_is_started_once_and_closed_once(service):
    assert await page(service, "startSession", f"session=12345679&node=1{ADMIN}") == "OK"
    assert await page(service, "startSession", f"session=12345679&node=1{ADMIN}") == "ACTIONFAILED"
    assert await page(service, "closeSession", f"session=12345679{ADMIN}") == "OK"
    assert await page(service, "closeSession", f"session=12345679{ADMIN}") == "ACTIONFAILED"
    assert service.state.sessions[12345679] == "closed"


async def test_a_waiting_session_can_be_closed(service):
    assert await page(service, "closeSession", f"session=12345680{ADMIN}") == "OK"


async def test_session_actions_need_an_administrator(service):
    assert await page(service, "closeSession", "session=12345678&authcode=fixedplain0000") == "NOTLOGGEDINASADMIN"
    assert await page(service, "closeSession", "session=12345678") == "NOTLOGGEDINASADMIN"


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("session=abc&node=1", "INVALIDPARAM_SESSION"),
        ("node=1", "INVALIDPARAM_SESSION"),
        ("session=12345678&node=x", "INVALIDPARAM_NODE"),
        ("session=1&node=1", "ACTIONFAILED"),
    ],
)
async def test_the_text_page_names_the_parameter_that_is_no_number(service, query, word):
    assert await page(service, "startSession", query + ADMIN) == word


# --- infoRouter -----------------------------------------------------------------------------------


async def docs(service, method, query="", *, cookie=""):
    answer = await exchange(
        service.url, "GET", f"/srv.asmx/{method}?{query}", {"Cookie": f"ticket={cookie}"} if cookie else {}
    )
    return answer.text.partition("\n")[2]


async def ticket(service):
    return (await docs(service, "AuthenticateUser", "UID=Tech@Example.com&PWD=secret")).split('"')[3]


VALID = '<root success="true" userid="42" username="tech@example.com"'
YES, NO = '<root success="true" />', '<root success="false" error="[901] Session expired or Invalid ticket" />'


async def test_a_ticket_lasts_thirty_days_and_checking_does_not_prolong_it(service, hands):
    mine = await ticket(service)
    hands.now += 29 * 86400
    assert (await docs(service, "isValidTicket", f"AuthenticationTicket={mine}")).startswith(VALID)
    hands.now += 86400
    assert await docs(service, "isValidTicket", f"AuthenticationTicket={mine}") == NO
    assert await docs(service, "LogOut", f"AuthenticationTicket={mine}") == NO


async def test_the_parameter_goes_before_the_cookie(service):
    mine, other = await ticket(service), await ticket(service)
    assert await docs(service, "LogOut", f"AuthenticationTicket={mine}", cookie=other) == YES
    assert (await docs(service, "isValidTicket", cookie=other)).startswith(VALID)
    assert await docs(service, "isValidTicket", cookie=mine) == NO


async def test_a_renewed_ticket_is_another_one_and_the_old_one_ends(service):
    old = await ticket(service)
    new = (await docs(service, "RenewTicket", f"UID=tech@example.com&PWD=secret&OldTicket={old}")).split('"')[3]
    assert (await docs(service, "isValidTicket", f"AuthenticationTicket={new}")).startswith(VALID)
    assert await docs(service, "isValidTicket", f"AuthenticationTicket={old}") == NO


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("UID=tech@example.com&PWD=secret&OldTicket=abc", 'error="invalid ticket format"'),
        ("UID=tech@example.com&PWD=wrong", 'error="[900] Authentication failed"'),
        ("UID=tech@example.com&PWD=secret&OldTicket=00000000-0000-0000-0000-000000000000", 'success="true"'),
        ("UID=tech@example.com&PWD=secret", 'success="true"'),
    ],
)
async def test_renewing_checks_the_format_then_the_password_and_forgives_a_dead_ticket(service, query, said):
    assert said in await docs(service, "RenewTicket", query)


async def test_the_system_administrator_gets_no_ticket(service):
    assert "[902]" in await docs(service, "AuthenticateUser", "UID=sysadmin@example.com&PWD=secret")


async def test_a_name_and_a_password_are_required(service):
    answer = await exchange(service.url, "GET", "/srv.asmx/AuthenticateUser?UID=tech@example.com")
    assert (answer.status, answer.text) == (500, "Missing parameter: {0}.\n")


# --- one after the other --------------------------------------------------------------------------


async def test_calls_of_one_server_session_run_one_after_the_other(service):
    cookie = await login(service)
    service.fault("delay_before", "requestPINCode", seconds=0.2)
    slow = asyncio.create_task(page(service, "requestPINCode", "tracking0=slow", cookie=cookie))
    await until(lambda: service.requests.by_operation["requestPINCode"])
    await page(service, "requestPINCode", "tracking0=other&authcode=fixedtech0000")
    await page(service, "requestPINCode", "tracking0=quick", cookie=cookie)
    await slow
    assert [entry.tracking for entry in service.ledger] == ["other", "slow", "quick"]


async def test_latency_lies_half_before_and_half_after_the_effect(monkeypatch):
    delays = []

    async def sleep(seconds):
        delays.append((seconds, len(service.ledger)))

    monkeypatch.setattr("aiorescue.clock.sleep", sleep)
    async with Emulator(pin_rate=None, latency=0.1) as service:
        await page(service, "requestPINCode", "authcode=fixedtech0000")
    assert delays == [(0.05, 0), (0.05, 1)]
