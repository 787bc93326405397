"""An identity whose credentials the service refuses is set aside and named; the others go on."""

import asyncio
import pickle
from datetime import date

import pytest

from aiorescue import AuthCode, InfoRouterClient, Login, Pace, RescueClient, Ticket, errors, events, rescue
from aiorescue.emulator import Emulator
from tests.lab.clocks import HandClock, QuickClock
from tests.support import IMPATIENT

GOOD, OTHER, WRONG = AuthCode("fixedtech0000"), Login("second@example.com", "secret"), AuthCode("planted-wrong-code")
TECH = Login("tech@example.com", "secret")
WRONG_LOGIN = Login("tech@example.com", "planted-typo")


def count(service: Emulator, operation: str) -> int:
    return service.requests.by_operation[operation]


def refused_in(results: list[object]) -> list[errors.AuthenticationError]:
    found = [one for one in results if isinstance(one, errors.AuthenticationError)]
    assert len([one for one in results if isinstance(one, BaseException)]) == len(found)
    return found


async def pins(client: RescueClient, number: int) -> list[object]:
    return await asyncio.gather(*(client.request_pin_code() for _ in range(number)), return_exceptions=True)


@pytest.mark.parametrize("credentials", [[GOOD, WRONG], [WRONG, GOOD], [OTHER, WRONG], [GOOD, WRONG_LOGIN]])
@pytest.mark.parametrize("pace", [None, Pace(pins=100.0)])
async def test_only_the_call_that_met_the_refusal_fails(service: Emulator, credentials: list, pace: Pace | None):
    async with RescueClient(credentials, base_url=service.url, pace=pace) as client:
        failed: list[errors.AuthenticationError] = []
        for _ in range(10):
            try:
                await client.request_pin_code()
            except errors.AuthenticationError as problem:
                failed.append(problem)
    assert len(failed) <= 1
    assert len(service.ledger) == 10 - len(failed)


async def test_calls_that_wait_for_a_refused_identity_go_out_as_another(service: Emulator):
    async with RescueClient([GOOD, WRONG], base_url=service.url, pace=Pace(pins=50.0)) as client:
        (problem,) = refused_in(await pins(client, 20))
        assert (problem.identity, problem.attempts, problem.refused_before) == ("auth code 2", 1, False)
        assert refused_in(await pins(client, 10)) == []
    assert len(service.ledger) == 29


@pytest.mark.parametrize("wrong", [WRONG, WRONG_LOGIN])
async def test_of_many_calls_that_meet_a_refusal_at_the_same_time_one_fails(service: Emulator, wrong: AuthCode | Login):
    service.latency = 0.02
    async with RescueClient([wrong, OTHER], base_url=service.url, pace=None) as client:
        assert len(refused_in(await pins(client, 20))) == 1
    assert len(service.ledger) == 19


async def test_when_all_are_refused_calls_raise_without_a_request(service: Emulator):
    credentials = [WRONG, AuthCode("another-wrong-code")]
    async with RescueClient(credentials, base_url=service.url, retry=IMPATIENT) as client:
        assert len(refused_in(await pins(client, 10))) == 10
        assert service.requests.count == 2
        for _ in range(3):
            with pytest.raises(errors.AuthenticationError, match="not sent") as caught:
                await client.request_pin_code()
            assert (caught.value.attempts, caught.value.identity) == (0, "auth code 1")
            assert caught.value.status == "requestPINCode_Invalid_SecretAuthCode"
        with pytest.raises(errors.AuthenticationError):
            await client.close_session(12345678)
    assert service.requests.count == 2


async def test_calls_that_wait_for_a_turn_fail_at_once_when_the_last_identity_is_refused(service: Emulator):
    clock = HandClock()
    async with RescueClient(WRONG, base_url=service.url, clock=clock) as client:
        # The clock stands still: a call that waits for its turn in the pace would never get one.
        results = await asyncio.wait_for(pins(client, 20), 10)
    assert len(refused_in(results)) == 20
    assert service.requests.count == 1


async def test_identities_show_name_and_state_and_no_secret(service: Emulator):
    async with RescueClient([GOOD, WRONG, OTHER], base_url=service.url, pace=None) as client:
        assert [one.name for one in client.identities] == ["auth code 1", "auth code 2", "second@example.com"]
        with pytest.raises(errors.AuthenticationError) as caught:
            await client.call_as(client.identities[1], rescue.RequestPinCode())
        assert [one.state for one in client.identities] == ["ready", "refused", "ready"]
        shown = repr(client.identities)
    assert "'auth code 2': refused" in shown
    assert "the auth code is wrong or was replaced by a newer one" in shown
    assert "0 of 4 server sessions" in shown
    for secret in ("planted", "fixedtech0000"):
        assert secret not in shown + str(caught.value) + repr(vars(caught.value))
    assert pickle.loads(pickle.dumps(caught.value)).identity == "auth code 2"


async def test_a_job_that_calls_as_a_refused_identity_gets_the_refusal_without_a_request(service: Emulator):
    async with RescueClient([GOOD, WRONG], base_url=service.url, pace=None) as client:
        for _ in range(3):
            with pytest.raises(errors.AuthenticationError) as caught:
                await client.call_as(client.identities[1], rescue.RequestPinCode())
            assert caught.value.identity == "auth code 2"
    assert service.requests.count == 1


@pytest.mark.parametrize(("refused_for", "requests"), [(0.0, 3), (60.0, 2), (300.0, 1), (None, 1), (float("inf"), 1)])
async def test_a_refusal_is_remembered_as_long_as_refused_for_says(
    service: Emulator, refused_for: float | None, requests: int
):
    clock = QuickClock()
    async with RescueClient(WRONG, base_url=service.url, pace=None, clock=clock, refused_for=refused_for) as client:
        for seconds in (0, 0, 61):
            clock.skipped += seconds
            with pytest.raises(errors.AuthenticationError):
                await client.request_pin_code()
    assert service.requests.count == requests


@pytest.mark.parametrize("refused_for", [-1.0, float("nan")])
def test_refused_for_is_a_time(refused_for: float):
    with pytest.raises(errors.InvalidRequest, match="refused_for"):
        RescueClient(GOOD, refused_for=refused_for)


async def test_an_identity_comes_back_when_its_refusal_is_forgotten(service: Emulator):
    clock = QuickClock()
    async with RescueClient(
        [WRONG_LOGIN, GOOD], base_url=service.url, pace=None, clock=clock, refused_for=60.0
    ) as client:
        with pytest.raises(errors.AuthenticationError):
            await client.request_pin_code()
        await client.request_pin_code()
        service.state.users["tech@example.com"].password = WRONG_LOGIN.password
        assert 59 < client.identities[0].refused_until - clock.time() <= 60
        clock.skipped += 61
        assert (client.identities[0].state, client.identities[0].refused_until) == ("ready", None)
        for _ in range(3):
            await client.request_pin_code()
    assert count(service, "login") == 2


async def test_a_deleted_user_is_set_aside_though_the_session_lives(service: Emulator):
    async with RescueClient([OTHER, GOOD], base_url=service.url, pace=None) as client:
        await client.request_pin_code()
        service.state.users["second@example.com"].deleted = True
        with pytest.raises(errors.AuthenticationError) as caught:
            await client.request_pin_code()
        assert caught.value.identity == "second@example.com"
        for _ in range(5):
            await client.request_pin_code()
    assert [entry.user for entry in service.ledger] == ["second@example.com"] + ["tech@example.com"] * 5


async def test_a_wrong_password_is_one_request_for_all_who_come_later(service: Emulator):
    async with RescueClient(WRONG_LOGIN, base_url=service.url, retry=IMPATIENT) as client:
        for _ in range(12):
            with pytest.raises(errors.AuthenticationError) as caught:
                await asyncio.wait_for(client.close_session(12345678), 10)
            assert caught.value.identity == "tech@example.com"
            assert "planted" not in str(caught.value)
        with pytest.raises(errors.AuthenticationError):
            await client.report("SESSION", date(2026, 1, 1), date(2026, 1, 2), node=1)
        assert service.requests.count == 1


async def test_an_explicit_login_is_sent_although_calls_were_refused_and_heals(service: Emulator):
    async with RescueClient(WRONG_LOGIN, base_url=service.url) as client:
        with pytest.raises(errors.AuthenticationError):
            await client.close_session(12345678)
        service.state.users["tech@example.com"].password = WRONG_LOGIN.password
        await client.login()
        await client.close_session(12345678)
        assert client.identities[0].state == "ready"


@pytest.mark.parametrize("credentials", [None, WRONG_LOGIN])
async def test_explicit_logins_with_a_wrong_password_are_one_request(service: Emulator, credentials: Login | None):
    async with RescueClient(credentials, base_url=service.url) as client:
        for _ in range(12):
            with pytest.raises(errors.AuthenticationError):
                await asyncio.wait_for(client.login(WRONG_LOGIN.email, WRONG_LOGIN.password), 10)
    assert service.requests.count == 1


async def test_credentials_of_a_call_that_are_not_the_clients_do_not_set_it_aside(service: Emulator):
    async with RescueClient(TECH, base_url=service.url, pace=None) as client:
        for _ in range(2):
            with pytest.raises(errors.AuthenticationError):
                await client.request_auth_code("second@example.com", "wrong")
        assert client.identities[0].state == "ready"
        await client.close_session(12345678)


async def test_a_login_limit_is_no_refusal_of_the_credentials(service: Emulator):
    clock = QuickClock()
    service.fault("word", "login", word="LimitReached")
    async with RescueClient([TECH, GOOD], base_url=service.url, pace=None, clock=clock) as client:
        with pytest.raises(errors.AuthenticationError, match="ten logins"):
            await client.request_pin_code()
        assert client.identities[0].state == "waiting"
        for _ in range(3):
            await client.request_pin_code()
        assert count(service, "login") == 1
        clock.skipped += 21
        await client.request_pin_code()
        assert client.identities[0].state == "ready"
    assert count(service, "login") == 2


async def test_a_thousand_identities_are_used_in_turn_without_looking_at_each(service: Emulator):
    looked = 0
    async with RescueClient([AuthCode(f"code {n}") for n in range(1000)], base_url=service.url) as client:
        pacer_of = client._pacers.of

        def counted(*key):
            nonlocal looked
            looked += 1
            return pacer_of(*key)

        client._pacers.of = counted
        chosen = []
        for _ in range(1000):
            identity = client._choose(rescue.RequestPinCode())
            async with pacer_of(identity.account, rescue.RequestPinCode.spec.family).turn():
                chosen.append(identity)
    assert len(set(chosen)) == 1000
    assert looked < 4000


async def test_logins_logouts_and_refusals_are_seen(service: Emulator):
    seen: list[events.Event] = []
    async with RescueClient([TECH, WRONG], base_url=service.url, pace=None, on_event=seen.append) as client:
        await client.request_pin_code()
        with pytest.raises(errors.AuthenticationError):
            await client.call_as(client.identities[1], rescue.RequestPinCode())
        assert client.stats().logins == 1
    rare = [one for one in seen if isinstance(one, events.LoggedIn | events.LoggedOut | events.IdentityRefused)]
    assert [(type(one), one.identity) for one in rare] == [
        (events.LoggedIn, "tech@example.com"),
        (events.IdentityRefused, "auth code 2"),
        (events.LoggedOut, "tech@example.com"),
    ]
    assert rare[1].seconds == pytest.approx(300, abs=1)
    assert "planted" not in repr(seen)


async def test_an_inforouter_login_that_is_refused_is_seen_once(service: Emulator):
    seen: list[events.Event] = []
    async with InfoRouterClient(WRONG_LOGIN, base_url=service.url, on_event=seen.append) as docs:
        for _ in range(3):
            with pytest.raises(errors.AuthenticationError):
                await docs.get_current_user()
    kinds = [type(one).__name__ for one in seen]
    assert (kinds.count("LoggedIn"), kinds.count("IdentityRefused"), kinds.count("LoggedOut")) == (1, 1, 0)


# --- infoRouter -----------------------------------------------------------------------------------


async def test_a_wrong_password_of_inforouter_is_one_request_for_all(service: Emulator):
    service.latency = 0.02
    async with InfoRouterClient(WRONG_LOGIN, base_url=service.url) as docs:
        for _ in range(2):
            results = await asyncio.gather(*(docs.get_current_user() for _ in range(10)), return_exceptions=True)
            assert len(refused_in(results)) == 10
        assert docs.identities[0].state == "refused"
        assert service.requests.count == 1
        assert await docs.server_info()  # needs no ticket


async def test_a_ticket_whose_user_was_deleted_is_not_sent_again(service: Emulator):
    async with InfoRouterClient(TECH, base_url=service.url) as docs:
        ticket = (await docs.authenticate_user()).ticket
        service.state.users["tech@example.com"].deleted = True
        async with InfoRouterClient(Ticket(ticket), base_url=service.url) as guest:
            sent = service.requests.count
            for _ in range(3):
                with pytest.raises(errors.AuthenticationError, match="deleted"):
                    await guest.get_current_user()
            assert service.requests.count == sent + 1
            assert guest.identities[0].state == "refused"
