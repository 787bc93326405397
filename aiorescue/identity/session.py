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

``NotLoggedInAsAdmin`` is ambiguous. It also comes, in a session that is well and alive, when the user of the login is
no administrator. The two cases are told apart by the moment: if it is the answer to the very call that the session was
logged in for, the login cannot have ended yet, so the user is no administrator, and the session is kept. From then on
the word says nothing about the life of that session. It takes a new login to forget this.

A session can be *stuck*. When a call gets no answer, because it was cancelled or timed out, the server may still be
executing it and holds the lock until it is done. The next request in that session would wait for the lock and time out
as well. A stuck session is therefore taken last: after every free one, and after a new one if there may be one more.
If all of them are stuck, the one that has been so for longest is the most likely to be free again.

Logins are done in *single flight*: while one is under way, calls that need a login wait for its outcome. If the
service refuses it, they all fail with that one refusal, because many wrong passwords in a row lock an account. A
refusal is remembered by its number (the *generation* of a refusal). A call notes how many refusals there had been when
it came; if there are more when its turn to log in has come, the password it would send has been refused since, and it
fails without a request. A call that comes later tries the login again, because the password may have been corrected.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import attrs

from aiorescue import errors
from aiorescue.clock import Clock
from aiorescue.identity.identity import Lease, Sent, login_failed
from aiorescue.operation import Operation, Outcome, OutcomeClass
from aiorescue.wire import ANONYMOUS, Authorization, Response

#: Seconds after which an idle server session is not used any more; the service ends it after 20 minutes.
IDLE_LIMIT = 19 * 60.0


@attrs.frozen(eq=False)
class SessionService:
    """How the server sessions of one login are begun and ended.

    Attributes:
        name: the login's name, for messages.
        login: the operation that logs in, with name and password.
        logout: the operation that logs out.
        send: sends one of them, once, at the pace of the login's account.
        clock: the client's clock.
    """

    name: str
    login: Operation[Any]
    logout: Operation[Any]
    send: Callable[[Operation[Any], Authorization], Awaitable[Sent]]
    clock: Clock

    def begins(self, operation: Operation[Any]) -> bool:
        """Whether the operation logs in."""
        return type(operation) is type(self.login)

    def ends(self, operation: Operation[Any]) -> bool:
        """Whether the operation logs out."""
        return type(operation) is type(self.logout)


class ServerSession:
    """One ASP.NET session of a login, which owns its life: it logs in, expires, and is judged by the answers to calls.

    Attributes:
        stuck: a call in it got no answer, so that the server may still hold its lock.
    """

    def __init__(self, service: SessionService) -> None:
        self._service = service
        self._cookie = ""
        self._last_used = 0.0
        # An answer right after the login said that the user is no administrator: from then on it is no sign of an end.
        self._user_is_no_admin = False
        self.stuck = False

    @property
    def is_logged_in(self) -> bool:
        """Whether it has a cookie, expired or not."""
        return bool(self._cookie)

    @property
    def is_usable(self) -> bool:
        """Whether it has a cookie that the server should still know."""
        return bool(self._cookie) and self._service.clock.time() - self._last_used <= IDLE_LIMIT

    @property
    def authorization(self) -> Authorization:
        """The cookie for a request in this session; empty before a login."""
        return Authorization(cookie=self._cookie)

    async def login(self) -> Outcome[Any]:
        """Log in and keep the cookie. Returns the outcome of the login, worded for the calls that waited for it."""
        outcome, response = await self._service.send(self._service.login, ANONYMOUS)
        if outcome.outcome_class is not OutcomeClass.OK:
            return login_failed(self._service.name, outcome)
        return self._keep_cookie(response)

    async def logout(self) -> None:
        """Log out. The server may have ended the session already, so the outcome does not matter."""
        authorization = self.authorization
        self.expire()  # first: while the logout is under way no call may go out in this session
        await self._service.send(self._service.logout, authorization)

    def expire(self) -> None:
        """Forget the cookie: the next call in this session needs a login."""
        self._cookie = ""

    def judge(
        self, operation: Operation[Any], outcome: Outcome[Any], response: Response | None, *, just_logged_in: bool
    ) -> bool:
        """Learn from the answer to a call in this session.

        Args:
            operation: the call.
            outcome: what became of it.
            response: the response to it, if one came.
            just_logged_in: the session was logged in for this very call.

        Returns:
            True if the answer says that the session has ended.
        """
        if outcome.outcome_class is OutcomeClass.OK:
            self._last_used = self._service.clock.time()
            if self._service.begins(operation):
                self._keep_cookie(response)
            elif self._service.ends(operation):
                self.expire()
        elif outcome.error is errors.NotLoggedIn:
            if just_logged_in:
                self._user_is_no_admin = True
            elif not self._user_is_no_admin:
                self.expire()
                return True
        return False

    def _keep_cookie(self, response: Response | None) -> Outcome[Any]:
        """Take the cookie of a login that is OK. A login in a live session brings none, and the old one stays."""
        cookie = _cookie_of(response) or self._cookie
        if not cookie:
            return Outcome(
                OutcomeClass.FINAL, error=errors.ProtocolError, detail="the login is OK but brought no cookie"
            )
        self._cookie = cookie
        self._last_used = self._service.clock.time()
        self._user_is_no_admin = False
        return Outcome(OutcomeClass.OK)


@attrs.define(eq=False)
class SessionLease(Lease):
    """A lease of a server session, which no other call uses until it is released.

    Attributes:
        session: the leased session.
        just_logged_in: it was logged in for this very attempt.
    """

    session: ServerSession
    just_logged_in: bool


def _cookie_of(response: Response | None) -> str:
    """All cookies that a login sets, as one Cookie header: beside the session's there may be a load balancer's."""
    if response is None:
        return ""
    return "; ".join(cookie.partition(";")[0].strip() for cookie in response.cookies)
