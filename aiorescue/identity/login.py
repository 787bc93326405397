"""A login at work: a small pool of server sessions, each leased to one call at a time. See `session.py` for why."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from aiorescue import errors
from aiorescue.clock import Clock
from aiorescue.identity.credentials import Login
from aiorescue.identity.identity import Identity, Lease, Send, Sent, with_login
from aiorescue.identity.session import ServerSession, SessionLease, SessionService
from aiorescue.identity.single_flight import SingleFlight
from aiorescue.operation import Needs, Operation, Outcome, OutcomeClass
from aiorescue.pace.pace import Account
from aiorescue.pace.turns import Priority, PrioritySemaphore
from aiorescue.wire import ANONYMOUS, Authorization, Response


class LoginIdentity:
    """A login, with a pool of server sessions that are opened as calls need them.

    Args:
        credentials: name and password.
        login: the login operation with them.
        logout: the logout operation.
        sessions: how many server sessions there may be.
        send: sends logins and logouts.
        clock: the client's clock.
    """

    def __init__(
        self,
        credentials: Login,
        *,
        login: Operation[Any],
        logout: Operation[Any],
        sessions: int,
        send: Send,
        clock: Clock,
    ) -> None:
        self.name = credentials.email
        self.account = Account(credentials.email)
        self.credentials = credentials

        def send_as_account(operation: Operation[Any], authorization: Authorization) -> Awaitable[Sent]:
            return send(self.account, operation, authorization)

        self._service = SessionService(self.name, login, logout, send_as_account, clock)
        self._places = PrioritySemaphore(sessions)  # which, unlike asyncio's, is bound to no event loop
        self._sessions = sessions
        self._opened = 0
        self._free: list[ServerSession] = []  # in the order in which they were put back
        self._login_flight = SingleFlight()
        self._logged_out = False  # by an explicit logout, with no login since
        self._refusals = 0
        self._last_refusal: Outcome[Any] | None = None

    def complete(self, operation: Operation[Any]) -> Operation[Any]:
        """The operation, with name and password of this login where it takes them and has none."""
        return with_login(operation, self.credentials)

    async def lease(self, operation: Operation[Any]) -> Lease | Outcome[Any]:
        """A lease of a server session, which is logged in before if need be; or the outcome of a failed login."""
        if operation.spec.needs is Needs.NOTHING and not self._service.begins(operation):
            return Lease(operation, ANONYMOUS)
        refusals = self._refusals
        await self._places.acquire(Priority.CALL)
        try:
            if self._service.ends(operation):
                await self._log_out_free(keep=1)
            session = self._take()
        except BaseException:
            self._places.release()
            raise
        try:
            lease = await self.prepare(operation, session, refusals)
        except BaseException:
            self._put_back(session)
            raise
        if not isinstance(lease, Lease):
            self._put_back(session)
        return lease

    def _take(self) -> ServerSession:
        """The free session used last that is not stuck; else a new one, if allowed; else the one stuck for longest."""
        responsive = [session for session in self._free if not session.stuck]
        if responsive:
            session = ([one for one in responsive if one.is_logged_in] or responsive)[-1]
        elif self._opened < self._sessions:
            self._opened += 1
            return ServerSession(self._service)
        else:
            session = self._free[0]
        self._free.remove(session)
        session.stuck = False
        return session

    def _put_back(self, session: ServerSession) -> None:
        self._free.append(session)
        self._places.release()

    @asynccontextmanager
    async def hold(self) -> AsyncIterator["HeldSession"]:
        """Keep one session for several calls, which share what the server stores in it."""
        await self._places.acquire(Priority.CALL)
        session = self._take()
        try:
            yield HeldSession(self, session)
        finally:
            self._put_back(session)

    async def prepare(
        self, operation: Operation[Any], session: ServerSession, refusals: int | None = None
    ) -> SessionLease | Outcome[Any]:
        """A lease of that session, which is logged in before if need be; or the outcome of a failed login.

        Args:
            operation: what the attempt is for.
            session: a session that was taken from the pool.
            refusals: how many logins had been refused when the call came; left out, as many as there are now.
        """
        if not session.is_usable:
            session.expire()
        just_logged_in = False
        if not session.is_logged_in and self._needs_login(operation):
            failure = await self._log_in(session, self._refusals if refusals is None else refusals)
            if failure is not None:
                return failure
            just_logged_in = True
        return SessionLease(operation, session.authorization, session, just_logged_in)

    def _needs_login(self, operation: Operation[Any]) -> bool:
        """Whether a login has to come first: not before a login, nor before a second explicit logout.

        What a logout without a session comes to is for the service to say.
        """
        return not (self._service.begins(operation) or (self._logged_out and self._service.ends(operation)))

    async def _log_in(self, session: ServerSession, refusals: int) -> Outcome[Any] | None:
        """Log in, one session at a time. Returns None, or the outcome of a login that failed, shared or our own."""
        while self._login_flight.busy:
            shared = await self._login_flight.join()
            if shared is not None and shared.outcome_class is not OutcomeClass.OK:
                return shared
        if self._refusals > refusals:
            return self._last_refusal
        outcome = await self._login_flight.lead(lambda: self._log_in_now(session))
        if outcome.outcome_class is OutcomeClass.AUTHENTICATION:
            self._refusals += 1
            self._last_refusal = outcome
        return None if outcome.outcome_class is OutcomeClass.OK else outcome

    async def _log_in_now(self, session: ServerSession) -> Outcome[Any]:
        outcome = await session.login()
        if outcome.outcome_class is OutcomeClass.OK:
            self._logged_out = False
        return outcome

    def release(self, lease: Lease, outcome: Outcome[Any] | None, response: Response | None) -> bool:
        """Put the leased session back after it was judged. Returns True if it has ended."""
        if not isinstance(lease, SessionLease):
            return False
        has_ended = outcome is not None and self.judge(lease, outcome, response)
        # ASP.NET may still be executing this request, and blocks other requests of the same session.
        lease.session.stuck = outcome is None or outcome.ambiguous
        self._put_back(lease.session)
        return has_ended

    def judge(self, lease: SessionLease, outcome: Outcome[Any], response: Response | None) -> bool:
        """Let the leased session learn from an answer. Returns True if it has ended."""
        has_ended = lease.session.judge(lease.operation, outcome, response, just_logged_in=lease.just_logged_in)
        if outcome.outcome_class is OutcomeClass.OK:
            if self._service.ends(lease.operation):
                self._logged_out = True
            elif self._service.begins(lease.operation) and lease.session.is_logged_in:
                self._logged_out = False
        return has_ended

    async def log_out(self) -> None:
        """Log out of all sessions. One that the server has ended already is no failure."""
        await self._log_out_free(keep=0)

    async def _log_out_free(self, *, keep: int) -> None:
        live = [session for session in self._free if session.is_logged_in]
        for session in live[: max(0, len(live) - keep)]:
            await session.logout()


class HeldSession:
    """One server session of a login, as the identity of a conversation.

    If the session ends during the conversation, its calls fail: what the server stored in it is gone, so that no other
    session may take its place silently.

    Args:
        login: the login that the session belongs to.
        session: the session, taken from the login's pool.
    """

    def __init__(self, login: LoginIdentity, session: ServerSession) -> None:
        self.name = login.name
        self.account = login.account
        self._login = login
        self._session = session
        self._begun = False

    def complete(self, operation: Operation[Any]) -> Operation[Any]:
        """The operation, with name and password of the login where it takes them and has none."""
        return self._login.complete(operation)

    async def lease(self, operation: Operation[Any]) -> Lease | Outcome[Any]:
        """A lease of the held session, which is logged in before the first call only."""
        if self._begun and not self._session.is_logged_in:
            return Outcome(
                OutcomeClass.AUTHENTICATION, error=errors.NotLoggedIn, detail="the session has ended meanwhile"
            )
        lease = await self._login.prepare(operation, self._session)
        self._begun = self._begun or isinstance(lease, Lease)
        return lease

    def release(self, lease: Lease, outcome: Outcome[Any] | None, response: Response | None) -> bool:
        """Let the session learn from an answer; it stays held. Returns False: a repetition would meet no other one."""
        if outcome is not None and isinstance(lease, SessionLease):
            self._login.judge(lease, outcome, response)
        return False

    async def log_out(self) -> None:
        """Do nothing: the login owns the session and logs out of it."""


def hold(identity: Identity) -> AbstractAsyncContextManager[Identity]:
    """The identity of a conversation: one held session of a login; any other identity as it is."""
    return identity.hold() if isinstance(identity, LoginIdentity) else nullcontext(identity)
