"""A login at work: its calls go out in server sessions from a pool (`pool.py`). See `session.py` for why."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from aiorescue import errors
from aiorescue.clock import Clock
from aiorescue.identity.credentials import Login
from aiorescue.identity.identity import (
    Identity,
    IdentityObserver,
    Lease,
    Send,
    StandingIdentity,
    given_credentials,
    with_login,
)
from aiorescue.identity.pool import SessionPool
from aiorescue.identity.session import ServerSession, SessionLease, SessionService
from aiorescue.identity.standing import SetAside, Standing, heed, heed_login
from aiorescue.operation import Needs, Operation, Outcome, OutcomeClass
from aiorescue.pace.pace import DOCUMENTED_LOGINS, PacedAccount
from aiorescue.pace.turns import NoTurnAtOnceError
from aiorescue.wire import ANONYMOUS, Response


class LoginIdentity(StandingIdentity):
    """A login, with a pool of server sessions that are opened as calls need them.

    Args:
        credentials: name and password.
        login: the login operation with them.
        logout: the logout operation.
        probe: a harmless operation that every user may call, to find out whether a session is alive.
        base_url: the client's base URL, below which the cookies of a session are sent.
        sessions: how many server sessions there may be.
        refused_for: seconds for which a refusal is remembered.
        logins: number of logins that the service allows in three minutes.
        may_log_in: whether the pace allows a login now.
        send: sends logins and logouts.
        clock: the client's clock.
        observer: receives logins, logouts and refusals.
    """

    def __init__(
        self,
        credentials: Login,
        *,
        login: Operation[Any],
        logout: Operation[Any],
        probe: Operation[Any],
        base_url: str,
        sessions: int,
        refused_for: float,
        logins: int = DOCUMENTED_LOGINS,
        may_log_in: Callable[[], bool] = lambda: True,
        send: Send,
        clock: Clock,
        observer: IdentityObserver | None = None,
    ) -> None:
        super().__init__(credentials.email, PacedAccount(credentials.email), Standing(clock, refused_for), observer)
        self.credentials = credentials
        self._service = SessionService(self.name, self.account, login, logout, probe, base_url, send, clock, observer)
        self._no_logins = Standing(clock, refused_for)  # the refusal of the last login; sessions may be alive still
        self._no_logins.when_refused = self._call_off
        self._no_explicit = Standing(clock, refused_for)  # the refusal of an operation that brought the password itself
        self._pool = SessionPool(self._service, sessions, self._no_logins, logins=logins, may_log_in=may_log_in)

    def complete(self, operation: Operation[Any]) -> Operation[Any]:
        """The operation, with name and password of this login where it takes them and has none."""
        return with_login(operation, self.credentials)

    def refusal(self, operation: Operation[Any]) -> SetAside | None:
        """The outcome of a call that need not be sent, because the login or its user was refused; else None."""
        if operation.spec.needs is Needs.NOTHING:
            # An explicit login is sent although calls were refused: the password may have been corrected. Refused
            # itself, it is not sent again either. Other credentials that an operation brings are not this login's.
            known = self._no_logins.refused is not None and self._carries_password(operation)
            return self._no_explicit.outcome() if known else None
        refused = self._standing_now().outcome()
        return None if refused is None or self._service.ends(operation) else refused

    def _standing_now(self) -> Standing:
        """The standing of the calls; that of the logins if a login was refused and no session is alive."""
        if self._no_logins.refused is not None and self._standing.refused is None and not self._pool.any_alive:
            return self._no_logins
        return self._standing

    def _more(self) -> str:
        return str(self._pool)

    def _carries_password(self, operation: Operation[Any]) -> bool:
        return given_credentials(operation) in ((None, None), (self.credentials.email, self.credentials.password))

    def needs_login(self, operation: Operation[Any]) -> bool:
        """Whether a call that began now would have to wait for a login: none of the sessions is alive."""
        own = operation.spec.needs is Needs.NOTHING or self._service.ends(operation)
        return not own and not self._pool.any_alive

    async def lease(self, operation: Operation[Any]) -> Lease | Outcome[Any]:
        """A lease of a server session, which is logged in before if need be; or the outcome of a failed login.

        A logout without a session to end has nothing to do: it is OK without a request.
        """
        if (refused := self.refusal(operation)) is not None:
            return refused
        begins = self._service.begins(operation)
        if operation.spec.needs is Needs.NOTHING and not begins:
            return Lease(operation, ANONYMOUS)
        ends = self._service.ends(operation)
        if ends:
            await self._pool.log_out_free(keep=1)  # the explicit logout itself ends the last one
        while True:
            session = await self._pool.acquire(may_open=begins, only_alive=ends)
            if not isinstance(session, ServerSession):
                return session
            try:
                lease = await self._lease_of(operation, session, needs_login=not (begins or ends))
            except BaseException:
                self._pool.put_back(session)
                raise
            if isinstance(lease, SessionLease):
                return lease
            # A failed login for one more session is no reason to fail while another session is alive.
            self._pool.put_back(session)
            if lease is not None and not self._pool.any_alive:
                return lease

    async def _lease_of(
        self, operation: Operation[Any], session: ServerSession, *, needs_login: bool
    ) -> SessionLease | Outcome[Any] | None:
        """A lease of a session; the outcome of a login that failed; None to look for another session.

        Another session is needed if this one turns out to have ended, or cannot be logged in at once beside others.
        """
        was_alive = session.is_usable
        await session.settle_doubt()
        if not session.is_usable:
            session.expire()
            if was_alive or self._service.ends(operation):
                return None
            if needs_login:
                try:
                    failure = await self._pool.log_in(session)
                except NoTurnAtOnceError:
                    return None
                return failure or SessionLease(operation, session.authorization, session, just_logged_in=True)
        return SessionLease(operation, session.authorization, session, just_logged_in=False)

    def release(self, lease: Lease, outcome: Outcome[Any] | None, response: Response | None) -> bool:
        """Put the leased session back after it was judged. Returns True if it has ended, or may have."""
        if not isinstance(lease, SessionLease):  # an operation that needs no session, such as one with its own password
            if outcome is not None:
                self._heed_explicit(lease.operation, outcome)
            return False
        has_ended = self.judge(lease, outcome, response)
        self._pool.put_back(lease.session)
        return has_ended

    def judge(self, lease: SessionLease, outcome: Outcome[Any] | None, response: Response | None) -> bool:
        """Let the leased session learn what became of a request. Returns True if it has ended, or may have."""
        # ASP.NET may still be executing this request, and blocks other requests of the same session.
        lease.session.stuck = outcome is None or outcome.ambiguous
        if outcome is None:
            return False
        if self._service.begins(lease.operation):
            if response is not None or outcome.ambiguous:
                self._pool.count_login()
            self._heed_explicit(lease.operation, outcome)
            if outcome.outcome_class is OutcomeClass.OK:
                self._standing.accept()
        else:
            heed(self._standing, outcome)
        return lease.session.judge(lease.operation, outcome, response, just_logged_in=lease.just_logged_in)

    def _heed_explicit(self, operation: Operation[Any], outcome: Outcome[Any]) -> None:
        if self._carries_password(operation):
            heed_login(self._no_logins, outcome)
            heed_login(self._no_explicit, outcome)

    async def log_out(self) -> None:
        """Log out of all sessions. One that the server has ended already is no failure."""
        await self._pool.log_out_free(keep=0)

    @asynccontextmanager
    async def hold(self) -> AsyncIterator["HeldSession"]:
        """Keep one session for several calls, which share what the server stores in it."""
        given = await self._pool.acquire()
        # Where no login is possible, the first call of the conversation finds that out and says so.
        session = given if isinstance(given, ServerSession) else self._pool.open()
        held = HeldSession(self, self._pool, session)
        try:
            yield held
        finally:
            held.put_back()


class HeldSession:
    """One server session of a login, as the identity of a conversation.

    If the session ends during the conversation, its calls fail: what the server stored in it is gone, so that no other
    session may take its place silently.

    Args:
        login: the login that the session belongs to.
        pool: the login's pool.
        session: the session, taken from the login's pool.
    """

    def __init__(self, login: LoginIdentity, pool: SessionPool, session: ServerSession) -> None:
        self.name = login.name
        self.account = login.account
        self.waiting = login.waiting
        self._login = login
        self._pool = pool
        self._session = session
        self._begun = False

    @property
    def state(self) -> str:
        """The state of the login."""
        return self._login.state

    def refusal(self, operation: Operation[Any]) -> SetAside | None:
        """The outcome of a call that need not be sent, because the login or its user was refused; else None."""
        return self._login.refusal(operation)

    def complete(self, operation: Operation[Any]) -> Operation[Any]:
        """The operation, with name and password of the login where it takes them and has none."""
        return self._login.complete(operation)

    def needs_login(self, operation: Operation[Any]) -> bool:
        """Whether a call that began now would have to wait for a login: the conversation has not begun."""
        return not self._begun and not self._session.is_usable

    async def lease(self, operation: Operation[Any]) -> Lease | Outcome[Any]:
        """A lease of the held session, which is logged in before the first call only."""
        await self._session.settle_doubt()
        just_logged_in = False
        while not self._session.is_usable:
            if self._begun:
                return Outcome(OutcomeClass.AUTHENTICATION, error=errors.NotLoggedIn, detail="the session has ended")
            self._session.expire()
            try:
                failure = await self._pool.log_in(self._session)
            except NoTurnAtOnceError:
                failure = await self._hold_another()
            else:
                just_logged_in = True
            if failure is not None:
                return failure
        self._begun = True
        return SessionLease(operation, self._session.authorization, self._session, just_logged_in)

    async def _hold_another(self) -> Outcome[Any] | None:
        """Hold the next free session in place of one that is not logged in; the outcome if none will be free."""
        self._pool.put_back(self._session)
        given = await self._pool.acquire()
        if not isinstance(given, ServerSession):
            self._session = self._pool.open()  # for a repetition; the one that was put back is not in the pool any more
            return given
        self._session = given
        await given.settle_doubt()
        return None

    def is_current(self, lease: Lease) -> bool:
        """Whether a request that waited with a lease may still go out with it: yes, no other call has the session."""
        return True

    def release(self, lease: Lease, outcome: Outcome[Any] | None, response: Response | None) -> bool:
        """Let the session learn from an answer; it stays held. Returns False: a repetition would go out in it, too."""
        if isinstance(lease, SessionLease):
            self._login.judge(lease, outcome, response)
        return False

    def put_back(self) -> None:
        """Give the session back to the login's pool: the conversation is over."""
        self._pool.put_back(self._session)

    async def log_out(self) -> None:
        """Do nothing: the login owns the session and logs out of it."""


def hold(identity: Identity) -> AbstractAsyncContextManager[Identity]:
    """The identity of a conversation: one held session of a login; any other identity as it is."""
    return identity.hold() if isinstance(identity, LoginIdentity) else nullcontext(identity)
