"""A login at work: server sessions kept by their cookies, each leased to one call at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from aiorescue import errors
from aiorescue.clock import Clock
from aiorescue.identity.credentials import Login
from aiorescue.identity.identity import Holder, Identity, Lease, Send, fill, login_failed
from aiorescue.identity.single_flight import SingleFlight
from aiorescue.operation import Needs, Operation, Outcome, OutcomeClass
from aiorescue.wire import ANONYMOUS, Authorization, Response

#: Seconds after which an idle server session is not trusted any more; the service ends it after 20 minutes.
IDLE_LIMIT = 19 * 60.0


class SessionIdentity:
    """A login that holds server sessions, each leased to one call at a time.

    ASP.NET runs the requests of one session one after the other, so calls in flight have one each, up to a limit.

    Args:
        credentials: name and password.
        login: the login operation with them.
        logout: the logout operation.
        sessions: how many server sessions, at most.
        send: sends logins and logouts.
        clock: the time.
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
        self.credentials = credentials
        self._login = login
        self._logout = logout
        self._send = send
        self._clock = clock
        self._free = asyncio.Semaphore(sessions)
        self._sessions = sessions
        self._opened = 0
        self._idle: list[Holder] = []
        self._flight = SingleFlight()
        self._logged_out = False
        self._refused = 0  # logins that the service refused
        self._refusal: Outcome[Any] | None = None  # the last of them

    def fill(self, operation: Operation[Any]) -> Operation[Any]:
        """Name and password, where they were left out."""
        return fill(operation, self.credentials)

    async def lease(self, operation: Operation[Any]) -> Lease | Outcome[Any]:
        """A session of its own, logged in before if there is none or it has idled for too long."""
        kind = type(operation)
        if operation.spec.needs is Needs.NOTHING and kind is not type(self._login):
            return Lease(operation, ANONYMOUS)
        arrived = self._refused
        await self._free.acquire()
        try:
            if kind is type(self._logout):
                await self._end_idle(keep=1)
            holder = self._pick()
        except BaseException:
            self._free.release()
            raise
        try:
            lease = await self.prepare(operation, holder, arrived)
        except BaseException:
            self._put_back(holder)
            raise
        if not isinstance(lease, Lease):
            self._put_back(holder)
        return lease

    def _pick(self) -> Holder:
        """The session used last that is not stuck; else one more, if there may be; else the one stuck longest."""
        free = [holder for holder in self._idle if not holder.stuck]
        live = [holder for holder in free if holder.cookie]
        if free:
            holder = (live or free)[-1]
        elif self._opened < self._sessions:
            self._opened += 1
            return Holder()
        else:
            holder = self._idle[0]
        self._idle.remove(holder)
        holder.stuck = False
        return holder

    @asynccontextmanager
    async def hold(self) -> AsyncIterator["HeldSession"]:
        """One session for several calls, which share what the server keeps for it."""
        await self._free.acquire()
        holder = self._pick()
        try:
            yield HeldSession(self, holder)
        finally:
            self._put_back(holder)

    async def prepare(
        self, operation: Operation[Any], holder: Holder, arrived: int | None = None
    ) -> Lease | Outcome[Any]:
        """A lease of that session, after a login if need be; `arrived`: the logins refused when the call came."""
        if holder.cookie and self._clock.time() - holder.used > IDLE_LIMIT:
            holder.cookie = ""
        # An explicit logout after an explicit logout is for the service to answer.
        signed_off = self._logged_out and type(operation) is type(self._logout)
        fresh = False
        if not holder.cookie and type(operation) is not type(self._login) and not signed_off:
            failure = await self._sign_on(holder, self._refused if arrived is None else arrived)
            if failure is not None:
                return failure
            fresh = True
        return Lease(operation, Authorization(cookie=holder.cookie), holder, fresh)

    async def _sign_on(self, holder: Holder, arrived: int) -> Outcome[Any] | None:
        """One login at a time; whoever waited while one was refused fails with it instead of trying the same."""
        while self._flight.busy:
            shared = await self._flight.join()
            if shared is not None and shared.outcome_class is not OutcomeClass.OK:
                return shared
        if self._refused > arrived:
            return self._refusal
        outcome = await self._flight.lead(lambda: self._open(holder))
        if outcome.outcome_class is OutcomeClass.AUTHENTICATION:
            self._refused += 1
            self._refusal = outcome
        return None if outcome.outcome_class is OutcomeClass.OK else outcome

    async def _open(self, holder: Holder) -> Outcome[Any]:
        outcome, response = await self._send(self, self._login, ANONYMOUS)
        if outcome.outcome_class is not OutcomeClass.OK:
            return login_failed(self.name, outcome)
        return self._adopt(holder, response)

    def _adopt(self, holder: Holder, response: Response | None) -> Outcome[Any]:
        cookies = _cookies(response)
        if not cookies and not holder.cookie:
            return Outcome(
                OutcomeClass.FINAL, error=errors.ProtocolError, detail="the login is OK but brought no cookie"
            )
        holder.cookie = cookies or holder.cookie  # a login in a live session brings none
        holder.used = self._clock.time()
        holder.no_admin = False
        self._logged_out = False
        return Outcome(OutcomeClass.OK)

    def release(self, lease: Lease, outcome: Outcome[Any] | None, response: Response | None) -> bool:
        """Put the session back, and note what its answer says of it."""
        holder = lease.holder
        if holder is None:
            return False
        dead = False
        if outcome is not None:
            dead = self.judge(lease, holder, outcome, response)
        # The server may be at it still, and lets nobody else into the session meanwhile.
        holder.stuck = outcome is None or outcome.ambiguous
        self._put_back(holder)
        return dead

    def judge(self, lease: Lease, holder: Holder, outcome: Outcome[Any], response: Response | None) -> bool:
        """Note what an answer says of its session. True if that one has ended."""
        kind = type(lease.operation)
        if outcome.outcome_class is OutcomeClass.OK:
            holder.used = self._clock.time()
            if kind is type(self._login):
                self._adopt(holder, response)
            elif kind is type(self._logout):
                holder.cookie = ""
                self._logged_out = True
        elif outcome.error is errors.NotLoggedIn:
            if lease.fresh:
                holder.no_admin = True
            elif not holder.no_admin:
                holder.cookie = ""
                return True
        return False

    def _put_back(self, holder: Holder) -> None:
        self._idle.append(holder)
        self._free.release()

    async def end(self) -> None:
        """Log out of all sessions. One that has ended already is no failure."""
        await self._end_idle(keep=0)

    async def _end_idle(self, *, keep: int) -> None:
        live = [holder for holder in self._idle if holder.cookie]
        for holder in live[: max(0, len(live) - keep)]:
            authorization = Authorization(cookie=holder.cookie)
            holder.cookie = ""
            await self._send(self, self._logout, authorization)


def _cookies(response: Response | None) -> str:
    """All cookies that a login sets: next to the session's there may be a load balancer's."""
    if response is None:
        return ""
    return "; ".join(cookie.partition(";")[0].strip() for cookie in response.cookies)


class HeldSession:
    """A login's session that one caller keeps for several calls.

    Should it end meanwhile, what the server kept for it is gone, so no other takes its place unseen.

    Args:
        login: whose it is; to pacers the two are one caller.
        holder: the session.
    """

    def __init__(self, login: SessionIdentity, holder: Holder) -> None:
        self.name = login.name
        self.credentials = login.credentials
        self._login = login
        self._holder = holder
        self._begun = False

    def __eq__(self, other: object) -> bool:
        return (other._login if isinstance(other, HeldSession) else other) is self._login

    def __hash__(self) -> int:
        return hash(self._login)

    def fill(self, operation: Operation[Any]) -> Operation[Any]:
        """Name and password, where they were left out."""
        return self._login.fill(operation)

    async def lease(self, operation: Operation[Any]) -> Lease | Outcome[Any]:
        """The session, after a login before the first call."""
        if self._begun and not self._holder.cookie:
            return Outcome(
                OutcomeClass.AUTHENTICATION, error=errors.NotLoggedIn, detail="the session has ended meanwhile"
            )
        lease = await self._login.prepare(operation, self._holder)
        self._begun = self._begun or isinstance(lease, Lease)
        return lease

    def release(self, lease: Lease, outcome: Outcome[Any] | None, response: Response | None) -> bool:
        """Note what the answer says of the session; it stays with its keeper."""
        if outcome is not None:
            self._login.judge(lease, self._holder, outcome, response)
        return False

    async def end(self) -> None:
        """The login ends it."""


def hold(identity: Identity) -> AbstractAsyncContextManager[Identity]:
    """An identity whose calls share one server session; one that has none is as good as itself."""
    return identity.hold() if isinstance(identity, SessionIdentity) else nullcontext(identity)
