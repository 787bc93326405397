"""A server session owns its life; an account is the key of a pace; being too large is a reason, not a text."""

import asyncio
from collections.abc import Callable

import pytest

from aiorescue import Login, errors, rescue
from aiorescue.identity.login import LoginIdentity, hold
from aiorescue.identity.session import IDLE_LIMIT, ServerSession, SessionLease, SessionService
from aiorescue.operation import Binding, Outcome, OutcomeClass
from aiorescue.pace.pace import PacedAccount
from aiorescue.pace.turns import NoTurnAtOnceError
from aiorescue.wire import ANONYMOUS, Response, Unreadable, codec, read
from tests.lab.clocks import QuickClock

OK = Outcome(OutcomeClass.OK)
ENDED = Outcome(OutcomeClass.AUTHENTICATION, error=errors.NotLoggedIn, word="NotLoggedIn")
NO_ADMINISTRATOR = Outcome(OutcomeClass.AUTHENTICATION, error=errors.NotLoggedIn, word="NotLoggedInAsAdmin")
FAILED = Outcome(OutcomeClass.TRANSIENT, error=errors.ServiceError)
CALL = rescue.CloseSession(1)


class Service:
    """Answers logins with a cookie, or without one."""

    def __init__(self, *headers: tuple[str, str]) -> None:
        self.sent: list = []
        self.response = Response(200, b"OK", dict(headers))
        self.clock = QuickClock()

    async def send(self, *sent, at_once: bool = False) -> tuple[Outcome, Response]:
        self.sent.append(sent)
        return OK, self.response

    def session(self) -> ServerSession:
        login, logout, probe = rescue.Login("me", "x"), rescue.Logout(), rescue.GetAccount()
        return ServerSession(
            SessionService("me", PacedAccount("me"), login, logout, probe, "https://host", self.send, self.clock)
        )


COOKIE = ("Set-Cookie", "ASP.NET_SessionId=abc; path=/; HttpOnly")


async def test_a_login_makes_it_usable_until_it_has_idled():
    service = Service(COOKIE)
    session = service.session()
    assert not session.is_usable
    assert (await session.login()).outcome_class is OutcomeClass.OK
    assert session.is_usable
    assert session.authorization.cookie == "ASP.NET_SessionId=abc"
    service.clock.skipped += IDLE_LIMIT + 1
    assert not session.is_usable
    assert session.is_logged_in


async def test_a_login_without_a_cookie_is_none():
    session = Service().session()
    outcome = await session.login()
    assert (outcome.error, session.is_logged_in) == (errors.ProtocolError, False)


async def test_not_logged_in_ends_it():
    session = Service(COOKIE).session()
    await session.login()
    assert session.judge(CALL, ENDED, None, just_logged_in=False)
    assert not session.is_logged_in


async def test_not_logged_in_ends_it_even_right_after_the_login():
    session = Service(COOKIE).session()
    await session.login()
    assert session.judge(CALL, ENDED, None, just_logged_in=True)
    assert not session.is_logged_in


async def test_that_no_administrator_is_logged_in_leaves_it_in_doubt_until_a_probe_has_settled_that():
    service = Service(COOKIE)
    session = service.session()
    await session.login()
    assert session.judge(CALL, NO_ADMINISTRATOR, None, just_logged_in=True)
    assert session.is_usable
    await session.settle_doubt()  # answered with OK: the session is alive
    assert isinstance(service.sent[-1][1], rescue.GetAccount)
    assert not session.judge(CALL, NO_ADMINISTRATOR, None, just_logged_in=False)
    sent = len(service.sent)
    await session.settle_doubt()
    assert (len(service.sent), session.is_usable) == (sent, True)


async def test_that_no_administrator_is_logged_in_ends_it_once_the_user_has_acted_as_one():
    session = Service(COOKIE).session()
    await session.login()
    assert not session.judge(CALL, OK, None, just_logged_in=True)
    assert session.judge(CALL, NO_ADMINISTRATOR, None, just_logged_in=False)
    assert not session.is_logged_in


async def test_a_logout_sends_the_cookie_and_forgets_it():
    service = Service(COOKIE)
    session = service.session()
    await session.login()
    await session.logout()
    assert service.sent[-1][2].cookie == "ASP.NET_SessionId=abc"
    assert not session.is_logged_in


def identity(send: Callable, clock: QuickClock, **options) -> LoginIdentity:
    return LoginIdentity(
        Login("me", "x"),
        login=rescue.Login("me", "x"),
        logout=rescue.Logout(),
        probe=rescue.GetAccount(),
        base_url="https://host",
        refused_for=300.0,
        send=send,
        clock=clock,
        **options,
    )


async def test_a_held_session_has_the_account_of_its_login_and_is_not_its_login():
    login = identity(Service(COOKIE).send, QuickClock(), sessions=1)
    async with hold(login) as held:
        assert held.account == login.account == PacedAccount("me")
        assert held != login


async def test_a_conversation_whose_login_failed_repeats_it_in_a_session_of_the_pool():
    service, answers, rate = Service(COOKIE), list[Outcome | Exception](), [True]

    async def send(*_: object, **__: object) -> tuple[Outcome, Response | None]:
        answer = answers.pop(0) if answers else OK
        if isinstance(answer, Exception):
            raise answer
        return answer, service.response if answer is OK else None

    login = identity(send, service.clock, sessions=2, may_log_in=lambda: rate[0])
    busy = await login.lease(CALL)
    assert isinstance(busy, SessionLease)
    async with login.hold() as held:
        rate[0] = False
        first_in_line = asyncio.create_task(login.lease(CALL))
        await asyncio.sleep(0)
        answers += [NoTurnAtOnceError(), FAILED]
        second_in_line = asyncio.create_task(held.lease(CALL))
        for _ in range(3):
            await asyncio.sleep(0)
        login.release(busy, ENDED, None)
        for waiting in (first_in_line, second_in_line):
            assert (await waiting).error is errors.ServiceError
        repeated = await held.lease(CALL)
        assert isinstance(repeated, SessionLease)
        held.release(repeated, OK, None)
    assert "1 of 2 server sessions" in repr(login)
    service.clock.skipped += IDLE_LIMIT + 1
    assert isinstance(await login.lease(CALL), SessionLease)


def test_an_account_does_not_show_its_key():
    assert "4ahx" not in repr(PacedAccount("4ahx80u0"))


@pytest.mark.parametrize("too_large", [True, False])
def test_too_large_is_a_reason_of_the_outcome(*, too_large: bool):
    response = Response(200, b"OK", problem=Unreadable("for whatever reason", too_large=too_large))
    outcome = read(codec(rescue.CloseSession, Binding.TEXT_POST), CALL, ANONYMOUS, response)
    assert (outcome.error, outcome.too_large) == (errors.ProtocolError, too_large)
