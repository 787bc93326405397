"""Identities: logins, leases, several identities on one pool, tickets, and how a client is closed."""

import asyncio

import aiohttp
import pytest

from aiorescue import (
    AuthCode,
    Binding,
    InfoRouterClient,
    Login,
    Pace,
    RescueClient,
    RetryPolicy,
    Ticket,
    errors,
    rescue,
)
from aiorescue.emulator import Emulator
from tests.lab.clocks import QuickClock
from tests.support import IMPATIENT

TECH, SECOND = Login("tech@example.com", "secret"), Login("second@example.com", "secret")


def count(service: Emulator, operation: str) -> int:
    return service.requests.by_operation[operation]


async def test_many_calls_share_a_few_logins(service: Emulator):
    service.latency = 0.01
    async with RescueClient(TECH, base_url=service.url, pace=None) as client:
        await asyncio.gather(*(client.request_pin_code() for _ in range(40)))
        assert count(service, "login") == 4
    assert count(service, "logout") == 4


async def test_calls_one_after_the_other_need_one_login(service: Emulator):
    async with RescueClient(TECH, base_url=service.url, pace=None) as client:
        for _ in range(5):
            await client.request_pin_code()
    assert (count(service, "login"), count(service, "logout")) == (1, 1)


async def test_sessions_bounds_the_logins(service: Emulator):
    service.latency = 0.01
    async with RescueClient(TECH, base_url=service.url, pace=None, sessions=1) as client:
        await asyncio.gather(*(client.request_pin_code() for _ in range(10)))
    assert count(service, "login") == 1


async def test_a_wrong_password_is_tried_once_for_all_who_wait(service: Emulator):
    service.latency = 0.05
    async with RescueClient(Login("tech@example.com", "wrong"), base_url=service.url, retry=IMPATIENT) as client:
        results = await asyncio.gather(*(client.close_session(1) for _ in range(20)), return_exceptions=True)
    assert [type(result) for result in results] == [errors.AuthenticationError] * 20
    assert service.requests.count == 1


async def test_a_login_that_is_cancelled_is_done_by_the_next(service: Emulator):
    service.latency = 0.05
    async with RescueClient(TECH, base_url=service.url, pace=None) as client:
        first = asyncio.create_task(client.request_pin_code())
        second = asyncio.create_task(client.request_pin_code())
        await asyncio.sleep(0.01)
        first.cancel()
        assert len((await second).code) == 6
        with pytest.raises(asyncio.CancelledError):
            await first


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_two_logins_on_one_pool_are_never_mixed(host: str):
    async with Emulator(host=host, pin_rate=None) as service, aiohttp.ClientSession() as http:
        url = f"http://{host}:{service.port}"
        options = {"base_url": url, "http": http, "pace": None}
        async with RescueClient(TECH, **options) as one, RescueClient(SECOND, **options) as two:
            for number in range(3):
                await asyncio.gather(
                    *(one.request_pin_code(tracking=f"tech {number}.{i}") for i in range(3)),
                    *(two.request_pin_code(tracking=f"second {number}.{i}") for i in range(3)),
                )
        assert len(service.ledger) == 18
        assert all(entry.user == f"{entry.tracking.split()[0]}@example.com" for entry in service.ledger)
        assert not http.closed


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_two_logins_of_one_client_are_never_mixed(host: str):
    async with (
        Emulator(host=host, pin_rate=None) as service,
        RescueClient([TECH, SECOND], base_url=f"http://{host}:{service.port}", pace=None) as client,
    ):
        for number in range(3):
            await asyncio.gather(
                *(
                    client.call_as(identity, rescue.RequestPinCode(tracking=f"{identity.name} {number}.{i}"))
                    for identity in client.identities
                    for i in range(3)
                )
            )
        assert len(service.ledger) == 18
        assert all(entry.user == entry.tracking.split()[0] for entry in service.ledger)


async def test_several_identities_of_one_client_share_the_work(service: Emulator):
    async with RescueClient([TECH, SECOND], base_url=service.url, pace=Pace(pins=20.0)) as client:
        await asyncio.gather(*(client.request_pin_code() for _ in range(8)))
    users = [entry.user for entry in service.ledger]
    assert (users.count(TECH.email), users.count(SECOND.email)) == (4, 4)


async def test_an_auth_code_travels_without_a_cookie(service: Emulator):
    seen: list[str | None] = []

    async def note(_: aiohttp.ClientSession, __: object, params: aiohttp.TraceRequestStartParams) -> None:
        seen.append(params.headers.get("Cookie"))

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(note)
    async with (
        aiohttp.ClientSession(trace_configs=[trace]) as http,
        RescueClient(AuthCode("fixedtech0000"), base_url=service.url, http=http, pace=None) as client,
    ):
        await asyncio.gather(*(client.request_pin_code() for _ in range(3)))
    assert seen == [None] * 3
    assert (count(service, "login"), count(service, "logout")) == (0, 0)


async def test_a_session_that_idled_for_nearly_20_minutes_is_logged_in_anew(service: Emulator):
    clock = QuickClock()
    async with RescueClient(TECH, base_url=service.url, pace=None, clock=clock) as client:
        await client.request_pin_code()
        clock.skipped += 3600
        service.clock.advance(3600)
        await client.request_pin_code()
    assert count(service, "login") == 2
    assert [request.word for request in service.requests if request.operation == "requestPINCode"] == ["OK", "OK"]


async def test_a_dead_session_is_an_authentication_failure_after_one_request(service: Emulator):
    async with RescueClient(TECH, base_url=service.url, pace=None, retry=IMPATIENT) as client:
        await client.request_pin_code()
        before = service.requests.count
        service.fault("expire")
        with pytest.raises(errors.NotLoggedIn):
            await client.request_pin_code()
        assert service.requests.count == before + 1
        await client.request_pin_code()  # the next call logs in


async def test_relogin_heals_a_dead_session_with_one_login_and_one_repetition(service: Emulator):
    async with RescueClient(TECH, base_url=service.url, pace=None, relogin=True) as client:
        await client.request_pin_code()
        service.fault("expire")
        await client.request_pin_code()
        assert count(service, "login") == 2
        assert count(service, "requestPINCode") == 3
        service.fault("expire", times=2, operation="requestPINCode")
        with pytest.raises(errors.NotLoggedIn):
            await client.request_pin_code()
    assert count(service, "login") == 3
    assert count(service, "requestPINCode") == 5


async def test_no_administrator_is_no_dead_session(service: Emulator):
    async with RescueClient(SECOND, base_url=service.url, relogin=True) as client:
        for user in service.state.users.values():
            if user.email == "second@example.com":
                user.administrator = False
        for _ in range(4):
            with pytest.raises(errors.NotLoggedIn):
                await client.close_session(12345678)
    assert count(service, "login") == 1


async def test_logins_keep_to_ten_in_three_minutes(service: Emulator):
    clock = QuickClock()
    async with RescueClient(TECH, base_url=service.url, clock=clock) as client:
        for _ in range(10):
            await client.login()
        assert clock.skipped == 0
        service.clock.advance(180)
        await client.login()
    assert 170 < clock.skipped <= 180


async def test_logins_that_found_no_service_are_not_among_the_ten(unused_tcp_port: int):
    clock = QuickClock()
    url = f"http://127.0.0.1:{unused_tcp_port}"
    async with RescueClient(TECH, base_url=url, clock=clock, retry=RetryPolicy(attempts=1)) as client:
        for _ in range(11):
            with pytest.raises(errors.ConnectionFailed):
                await client.is_any_tech_available_on_channel(1)
        async with Emulator(port=unused_tcp_port):
            await client.is_any_tech_available_on_channel(1)
    assert clock.skipped < 10


async def test_a_client_without_credentials_becomes_the_one_who_logs_in(service: Emulator):
    async with RescueClient(base_url=service.url) as client:
        with pytest.raises(errors.CredentialsMissing):
            await client.close_session(12345678)
        assert service.requests.count == 0
        await client.login("tech@example.com", "secret")
        await client.close_session(12345678)
        with pytest.raises(errors.InvalidRequest, match="another login"):
            await client.login("second@example.com", "secret")
    assert count(service, "logout") == 1


async def test_of_two_logins_at_once_the_client_takes_on_the_first_and_refuses_the_other(service: Emulator):
    users = ("tech@example.com", "second@example.com")
    async with RescueClient(base_url=service.url) as rescue, InfoRouterClient(base_url=service.url) as docs:
        for client, login in ((rescue, rescue.login), (docs, docs.authenticate_user)):
            first, second = await asyncio.gather(*(login(user, "secret") for user in users), return_exceptions=True)
            assert not isinstance(first, Exception)
            assert "already calls as another login" in str(second)
            assert [identity.name for identity in client.identities] == ["tech@example.com"]
    assert count(service, "logout") == count(service, "LogOut") == 2


async def test_a_client_without_credentials_calls_as_the_user_who_was_authenticated_last(service: Emulator):
    async with InfoRouterClient(base_url=service.url) as docs:
        for name in ("tech@example.com", "second@example.com", "tech@example.com"):
            await docs.authenticate_user(name, "secret")
            with pytest.raises(errors.AuthenticationError):
                await docs.authenticate_user("plain@example.com", "typo")
            assert (await docs.get_current_user()).user_name == name
    assert count(service, "LogOut") == 3
    async with InfoRouterClient(TECH, base_url=service.url) as docs:  # a client with credentials only asks for a ticket
        await docs.authenticate_user("second@example.com", "secret")
        assert (await docs.get_current_user()).user_name == "tech@example.com"


async def test_a_call_that_began_before_a_login_and_ends_after_it_leaves_the_login_in_place(service: Emulator):
    async with RescueClient(base_url=service.url) as client:
        service.fault("delay_before", "requestAuthCode", seconds=0.3)
        earlier = asyncio.create_task(client.request_auth_code("tech@example.com", "secret"))
        await asyncio.sleep(0.05)
        await client.login("tech@example.com", "secret")
        assert not earlier.done()
        await earlier
        await client.close_session(12345678)


async def test_a_call_that_began_before_a_user_logged_in_leaves_the_ticket_in_place(service: Emulator):
    async with InfoRouterClient(base_url=service.url) as docs:
        service.fault("delay_before", "ServerInfo", seconds=0.3)
        earlier = asyncio.create_task(docs.server_info())
        await asyncio.sleep(0.05)
        await docs.authenticate_user("tech@example.com", "secret")
        assert not earlier.done()
        await earlier
        assert (await docs.get_current_user()).user_name == "tech@example.com"


async def test_credentials_left_out_are_those_of_the_client(service: Emulator):
    async with RescueClient(TECH, base_url=service.url) as client:
        code = await client.request_auth_code()
        await client.call(rescue.Login())
        with pytest.raises(errors.InvalidRequest, match="both"):
            await client.request_auth_code("tech@example.com")
    async with RescueClient(AuthCode(code), base_url=service.url) as client:
        await client.close_session(12345678)
        with pytest.raises(errors.CredentialsMissing):
            await client.request_auth_code()


async def test_closing_waits_for_calls_in_flight_and_does_nothing_twice(service: Emulator):
    service.latency = 0.05
    client = RescueClient(TECH, base_url=service.url)
    call = asyncio.create_task(client.close_session(12345678))
    await asyncio.sleep(0.01)
    await client.aclose()
    assert call.done()
    assert call.exception() is None
    before = service.requests.count
    await client.aclose()
    assert service.requests.count == before
    with pytest.raises(errors.InvalidRequest, match="closed"):
        await client.close_session(12345679)


async def test_a_session_that_has_ended_is_no_failure_at_the_end(service: Emulator):
    async with RescueClient(TECH, base_url=service.url) as client:
        await client.close_session(12345678)
        service.fault("expire", operation="logout")
    assert count(service, "logout") == 1


@pytest.mark.parametrize("binding", [Binding.HTTP_GET, Binding.TEXT_GET])
async def test_an_implicit_login_never_travels_in_a_url(service: Emulator, binding: Binding):
    async with RescueClient(TECH, base_url=service.url, binding=binding) as client:
        await client.close_session(12345678)
    assert [(request.operation, request.binding) for request in service.requests] == [
        ("login", binding.without_url.value),
        ("closeSession", binding.value),
        ("logout", binding.without_url.value),
    ]


# --- infoRouter -----------------------------------------------------------------------------------


async def test_one_ticket_serves_all(service: Emulator):
    service.latency = 0.02
    async with InfoRouterClient(TECH, base_url=service.url) as docs:
        assert await asyncio.gather(*(docs.is_valid_ticket() for _ in range(20))) == [True] * 20
        assert count(service, "AuthenticateUser") == 1
    assert count(service, "LogOut") == 1


async def test_a_ticket_of_somebody_elses_is_never_logged_out(service: Emulator):
    async with InfoRouterClient(base_url=service.url) as docs:
        holder = await docs.authenticate_user("tech@example.com", "secret")
        async with InfoRouterClient(Ticket(holder.ticket), base_url=service.url) as guest:
            assert await guest.is_valid_ticket()
        assert count(service, "LogOut") == 0
        assert await docs.is_valid_ticket(holder.ticket)
    assert count(service, "LogOut") == 1


async def test_a_dead_ticket_of_somebody_elses_stays_invalid(service: Emulator):
    async with InfoRouterClient(Ticket("3f2a1b4c-5d6e-7f8a-9b0c-1d2e3f4a5b6c"), base_url=service.url) as docs:
        assert [await docs.is_valid_ticket() for _ in range(2)] == [False, False]
        with pytest.raises(errors.NotLoggedIn, match="there is no Login"):
            await docs.log_out()


async def test_a_dead_ticket_is_no_failure_at_the_end(service: Emulator):
    async with InfoRouterClient(TECH, base_url=service.url) as docs:
        await docs.is_valid_ticket()
        service.fault("expire", operation="LogOut")
    assert [request.word for request in service.requests][-1].startswith("[901]")


async def test_a_renewed_ticket_takes_the_place_of_the_old_one(service: Emulator):
    async with InfoRouterClient(TECH, base_url=service.url) as docs:
        first = await docs.authenticate_user()
        second = await docs.renew_ticket()
        assert await docs.is_valid_ticket()
        assert [await docs.is_valid_ticket(holder.ticket) for holder in (first, second)] == [False, True]
    assert count(service, "AuthenticateUser") == 1


async def test_an_empty_ticket_is_never_sent():
    with pytest.raises(errors.InvalidRequest, match="must not be empty"):
        Ticket("")


async def test_a_login_that_was_lost_is_no_doubt_about_the_call(service: Emulator):
    service.fault("drop_after", "login")
    async with RescueClient(TECH, base_url=service.url, pace=None, retry=IMPATIENT) as client:
        pin = await client.request_pin_code()
    assert pin.possibly_orphaned == 0
    assert count(service, "login") == 2


async def test_a_wrong_explicit_login_leaves_the_client_as_it_was(service: Emulator):
    async with RescueClient(base_url=service.url) as client:
        with pytest.raises(errors.AuthenticationError):
            await client.login("tech@example.com", "typo")
        await client.login("tech@example.com", "secret")
        await client.close_session(12345678)
    async with InfoRouterClient(base_url=service.url) as docs:
        with pytest.raises(errors.AuthenticationError):
            await docs.authenticate_user("tech@example.com", "typo")
        await docs.authenticate_user("tech@example.com", "secret")
        assert await docs.is_valid_ticket()
    assert count(service, "AuthenticateUser") == 2


async def test_a_retry_does_not_queue_behind_the_call_that_hangs(service: Emulator):
    service.fault("delay_before", "requestPINCode", seconds=30.0)
    async with RescueClient(TECH, base_url=service.url, pace=None, retry=IMPATIENT, timeout=0.5) as client:
        pin = await asyncio.wait_for(client.request_pin_code(), 10)
        assert pin.possibly_orphaned == 1
        assert count(service, "login") == 2
        service.state.expire()  # nothing to log out of at the end: the hanging session would not answer


async def test_logging_out_logs_nobody_in_and_leaves_nobody_logged_in(service: Emulator):
    service.latency = 0.02
    async with RescueClient(TECH, base_url=service.url, pace=None) as client:
        await asyncio.gather(*(client.request_pin_code() for _ in range(3)))
        logins = count(service, "login")
        service.fault("expire", "requestPINCode")
        with pytest.raises(errors.NotLoggedIn):
            await client.request_pin_code()
        await client.logout()
        assert count(service, "login") == logins
        assert count(service, "logout") == logins - 1
    assert count(service, "logout") == logins - 1
