"""Server sessions: what the session cookie of a login names, and when it may be used.

Theory of operation
===================

A login with name and password opens a *server session* in ASP.NET. The answer to the login sets a session cookie, and
each later request that brings the cookie is carried out in that session. The server keeps more there than the fact
that a user is logged in: the settings of a report (area, dates, time zone, output) are part of the session, too. Calls
with an auth code need none of this. The code travels with each request, so they carry no cookie.

ASP.NET holds a lock on a session while it executes a request of it. Two requests with one cookie are therefore carried
out one after the other, however many connections they come over. A client that makes many calls at a time needs
several sessions, so a login here opens up to a given number of them, each at the first call that finds no other free.
The number is small because logins are limited, too: the service allows ten in three minutes.

For each attempt a call takes a *lease*: a session that no other call uses, and the cookie to send. The attempt ends,
the lease is released, and the session goes back to the others. A *conversation* (`hold`) keeps one session for several
calls that depend on what the server stores in it.

A session ends in one of three ways. We log out. The server ends it after 20 idle minutes; we stop using it a minute
earlier. An operator or a restart ends it at any moment, which shows only in the answer to the next call:
``NotLoggedIn``, or ``NotLoggedInAsAdmin`` where the operation needs an administrator. That call fails with this answer
after exactly one request, unless the client may repeat it (``relogin=True``), and the next call logs in anew. A
session in a conversation that ends is not replaced, since what the server stored in it is gone.

``NotLoggedIn`` is unambiguous: the session has ended. ``NotLoggedInAsAdmin`` is not. It also comes in a session that
is well and alive, when the user of the login is no administrator. What is known of the user decides. Once an operation
for administrators has been carried out, the user is one, and the word means that the session has ended. As long as
that is unknown, the session is *in doubt*, and before the next call in it a harmless operation for every user is sent
(`SessionService.probe`). If that is answered with ``NotLoggedIn``, the session has ended. Any other answer shows that
it is alive, so the user is no administrator, and from then on the word says nothing about the life of a session.

The cookies of a session are kept as a cookie jar keeps them (`Cookies`). The login sets the first; each later answer
in the session may renew, add or remove some, as a sliding login or a load balancer does.

A session can be *stuck*. When a call gets no answer, because it was cancelled or timed out, the server may still be
executing it and holds the lock until it is done. The next request in that session would wait for the lock and time out
as well. A stuck session is therefore taken last: after every free one, and after a new one if there may be one more.
If all of them are stuck, the one that has been so for longest is the most likely to be free again.

Logins are scarce, too, and a login that fails helps no call. How they are begun is described in `pool.py`.
"""

from functools import lru_cache
from typing import Any

import attrs

from aiorescue import errors
from aiorescue.clock import Clock
from aiorescue.identity.cookies import Cookies
from aiorescue.identity.identity import IdentityObserver, Lease, Send, login_failed
from aiorescue.operation import Operation, Outcome, OutcomeClass
from aiorescue.pace.pace import PacedAccount
from aiorescue.wire import ANONYMOUS, Authorization, Response

#: Seconds after which an idle server session is not used any more; the service ends it after 20 minutes.
IDLE_LIMIT = 19 * 60.0

#: How the status word ends that says that no administrator is logged in.
_AS_ADMIN = "NOTLOGGEDINASADMIN"


@attrs.define(eq=False)
class SessionService:
    """How the server sessions of one login are begun and ended.

    Attributes:
        name: the login's name, for messages.
        account: the login's account, at whose pace these operations are sent.
        login: the operation that logs in, with name and password.
        logout: the operation that logs out.
        probe: a harmless operation that every user may call.
        base_url: the client's base URL.
        send: sends one of these operations, once, at that pace.
        clock: the client's clock.
        observer: receives logins and logouts.
        user_is_admin: whether the user of the login is an administrator; None while that is unknown.
    """

    name: str
    account: PacedAccount
    login: Operation[Any]
    logout: Operation[Any]
    probe: Operation[Any]
    base_url: str
    send: Send
    clock: Clock
    observer: IdentityObserver | None = None
    user_is_admin: bool | None = None

    @property
    def url(self) -> str:
        """The URL below which the requests of a session go."""
        return f"{self.base_url}{self.login.spec.service.asmx.rpartition('/')[0]}/"

    def begins(self, operation: Operation[Any]) -> bool:
        """Whether the operation logs in."""
        return type(operation) is type(self.login)

    def ends(self, operation: Operation[Any]) -> bool:
        """Whether the operation logs out."""
        return type(operation) is type(self.logout)


class ServerSession:
    """One ASP.NET session of a login, which owns its life: it logs in, expires, and is judged by the answers to calls.

    Attributes:
        stuck: True after a call that got no answer: the server may still be executing it, and hold the session's lock.
    """

    def __init__(self, service: SessionService) -> None:
        self._service = service
        self._cookies = Cookies(service.url, service.clock)
        self._last_used = 0.0
        self._in_doubt = False
        self._counts_as_open = False
        self.stuck = False

    @property
    def is_logged_in(self) -> bool:
        """Whether the session has a cookie, expired or not."""
        return bool(self._cookies.header)

    @property
    def is_usable(self) -> bool:
        """Whether the session has a cookie that the server should still know."""
        return self.is_logged_in and self._service.clock.time() - self._last_used <= IDLE_LIMIT

    @property
    def authorization(self) -> Authorization:
        """The cookies for a request in this session; empty before a login."""
        return Authorization(cookie=self._cookies.header)

    async def login(self, *, at_once: bool = False) -> Outcome[Any]:
        """Log in and keep the cookies. Returns the outcome of the login, worded for the calls that waited for it.

        Args:
            at_once: whether the session is of use only at once.

        Raises:
            NoTurnAtOnceError: it is of use only at once, and the login would have to wait for its turn in the pace.
        """
        service = self._service
        began = service.clock.time()
        outcome, response = await service.send(service.account, service.login, ANONYMOUS, at_once=at_once)
        if service.observer is not None:
            service.observer.logged_in(service.name, service.clock.time() - began, outcome)
        if outcome.outcome_class is not OutcomeClass.OK:
            return login_failed(service.name, outcome)
        return self._begin(response)

    async def logout(self) -> None:
        """Log out. The server may have ended the session already, so the outcome does not matter."""
        service, authorization = self._service, self.authorization
        self.expire()  # first: while the logout is under way no call may go out in this session
        await service.send(service.account, service.logout, authorization)
        if service.observer is not None:
            service.observer.logged_out(service.name)

    def expire(self) -> None:
        """Forget the cookies: the next call in this session needs a login."""
        self._cookies.clear()
        self._in_doubt = False
        self._tell()

    def _tell(self) -> None:
        """Tell the observer if the session was opened or has ended since the last time."""
        is_open, was_open = self.is_logged_in, self._counts_as_open
        self._counts_as_open = is_open
        observer = self._service.observer
        if observer is None or is_open == was_open:
            return
        (observer.session_opened if is_open else observer.session_ended)(self._service.name)

    async def settle_doubt(self) -> None:
        """If the last answer left open whether the session has ended, find out by a harmless call."""
        if not self._in_doubt:
            return
        outcome, response = await self._service.send(self._service.account, self._service.probe, self.authorization)
        self._take_cookies(response)
        if outcome.error is errors.NotLoggedIn:
            self.expire()
        elif outcome.outcome_class is OutcomeClass.OK:
            self._last_used = self._service.clock.time()
            self._in_doubt = False
            self._service.user_is_admin = False

    def judge(
        self, operation: Operation[Any], outcome: Outcome[Any], response: Response | None, *, just_logged_in: bool
    ) -> bool:
        """Learn from the answer to a call in this session.

        Args:
            operation: the call.
            outcome: what became of it.
            response: the response to it, if one came.
            just_logged_in: True if the session was logged in for this very call.

        Returns:
            True if the session has ended or may have: a repetition would go out in one that is alive.
        """
        if outcome.error is errors.NotLoggedIn and outcome.outcome_class is OutcomeClass.AUTHENTICATION:
            if not _is_about_administrators(outcome):
                self.expire()
                return True
            self._take_cookies(response)
            return self._doubt(just_logged_in=just_logged_in)
        if outcome.outcome_class is OutcomeClass.OK:
            self._last_used = self._service.clock.time()
            if self._service.begins(operation):
                self._begin(response)
                return False
            if operation.spec.name == self._service.logout.spec.name:  # that of a raw call, too
                self.expire()
                return False
            self._in_doubt = False
        if not self._service.user_is_admin and _shows_administrator(operation, outcome):
            self._service.user_is_admin = True
        self._take_cookies(response)
        return False

    def _doubt(self, *, just_logged_in: bool) -> bool:
        """Judge the answer that no administrator is logged in. Returns True if the session may have ended."""
        if self._service.user_is_admin is False:
            return False
        if self._service.user_is_admin and not just_logged_in:
            self.expire()
        else:
            self._service.user_is_admin = None
            self._in_doubt = True
        return True

    def _take_cookies(self, response: Response | None) -> None:
        if response is not None and "Set-Cookie" in response.headers:
            self._cookies.update(response.cookies, response.headers.get("Date"))
            self._tell()

    def _begin(self, response: Response | None) -> Outcome[Any]:
        """Take the cookies of a login that is OK. A login in a live session brings none, and the old ones stay."""
        self._take_cookies(response)
        if not self.is_logged_in:
            return Outcome(
                OutcomeClass.FINAL, error=errors.ProtocolError, detail="the login is OK but brought no cookie"
            )
        self._last_used = self._service.clock.time()
        self._in_doubt = False
        return Outcome(OutcomeClass.OK)


def _is_about_administrators(outcome: Outcome[Any]) -> bool:
    return (outcome.word or "").upper().endswith(_AS_ADMIN)


def _shows_administrator(operation: Operation[Any], outcome: Outcome[Any]) -> bool:
    """Whether an answer shows that the user is an administrator: that was asked before anything was carried out."""
    carried_out = outcome.outcome_class is OutcomeClass.OK or outcome.error is errors.ActionFailed
    return carried_out and _is_for_administrators(operation.spec.words)


@lru_cache(maxsize=128)
def _is_for_administrators(words: tuple[str, ...]) -> bool:
    return any(word.upper().endswith(_AS_ADMIN) for word in words)


@attrs.define(eq=False)
class SessionLease(Lease):
    """A lease of a server session, which no other call uses until it is released.

    Attributes:
        session: the leased session.
        just_logged_in: True if the session was logged in for this very attempt.
    """

    session: ServerSession
    just_logged_in: bool
