"""The pool of a login's server sessions: which call gets which session, and when one more is logged in.

Theory of operation
===================

The service lets a user log in ten times in three minutes, so that a login is worth more than a little waiting. A call
therefore takes the first of these that there is: a free session that is alive; a login of its own, if the budget has
one for it; the next session that another call puts back. Calls that wait stand in line, and whatever comes free goes to
the first of them: a session, the right to log in, or the outcome of a login that failed for all of them.

The budget tells two kinds of login apart. While no session is alive, a login helps every call in line and is begun in
any case, one at a time (*single flight*); if all are used up it waits for its turn in the pace. A login that only
adds one more session is begun only at once, and while the share `MORE_SESSIONS` of the budget is not used up, or
`BESIDE_STUCK` if no session that is alive answers. The rest is kept for sessions that end: when they all end under two
hundred calls, one login brings the calls back. Where other processes share the pace, only the attempt shows whether a
login can be had at once; if it cannot, the call that tried it stands in line with the others.

A refused login is remembered (`Standing`), because many wrong passwords in a row lock an account: all calls that wait
fail with that one refusal, and those that come later fail without a request. As long as a session is alive, calls go
out in it all the same. A login that was refused because there were too many (``LimitReached``) is remembered for a
short time only.

A logout stands in line, too, until a call puts back the session that it is to end. It never logs in, so that it is
passed over where the right to log in comes free, and it is over once no session is alive.
"""

import asyncio
import sys
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any

import attrs

from aiorescue.identity.session import ServerSession, SessionService
from aiorescue.identity.single_flight import SingleFlight
from aiorescue.identity.standing import Standing, heed_login, set_aside
from aiorescue.operation import Outcome, OutcomeClass
from aiorescue.pace.pace import LOGIN_WINDOW
from aiorescue.pace.turns import NoTurnAtOnceError

#: The share of the logins that may be made for more sessions, while others are alive.
MORE_SESSIONS = 0.6
#: The same while those that are alive are stuck: an outage makes all of them so, and may end with none of them alive.
BESIDE_STUCK = 0.8

#: What a call in line is given: a session, the outcome of a login that failed, or None to look again.
_Given = ServerSession | Outcome[Any] | None


@attrs.define(eq=False)
class _Waiting:
    """A call in line.

    Attributes:
        given: what it is given.
        only_alive: whether it wants a session that is alive, and none to log in.
    """

    given: asyncio.Future[_Given]
    only_alive: bool


class SessionPool:
    """The server sessions of one login, which are opened as calls need them.

    Args:
        service: how sessions are begun and ended.
        most: how many sessions there may be.
        no_logins: the memory of a refused login.
        logins: number of logins that the service allows in three minutes.
        may_log_in: whether the pace allows a login now.
    """

    def __init__(
        self,
        service: SessionService,
        most: int,
        no_logins: Standing,
        *,
        logins: int,
        may_log_in: Callable[[], bool],
    ) -> None:
        self._service = service
        self._clock = service.clock
        self._most = most
        self._no_logins = no_logins
        self._sessions: list[ServerSession] = []  # all there are, leased or free
        self._free: list[ServerSession] = []  # in the order in which they were put back
        self._line: OrderedDict[_Waiting, None] = OrderedDict()  # one that is cancelled leaves it at no cost
        self._flight = SingleFlight()
        self._logging_in: ServerSession | None = None  # a session that a call was given in order to log it in
        self._logins, self._may_log_in = logins, may_log_in
        # When the last logins were made. A program may allow more of them than a deque can hold.
        self._made: deque[float] = deque(maxlen=min(logins, sys.maxsize))

    @property
    def any_alive(self) -> bool:
        """Whether the server should still know one of the sessions, free or leased."""
        return any(session.is_usable for session in self._sessions)

    def _recent_logins(self) -> int:
        since = self._clock.time() - LOGIN_WINDOW
        return sum(made > since for made in self._made)

    def count_login(self) -> None:
        """Count a login that was made, with its answer now."""
        self._made.append(self._clock.time())

    def __str__(self) -> str:
        alive = sum(session.is_usable for session in self._sessions)
        sessions = f"{alive} of {self._most} server sessions"
        if not self._line:
            return sessions
        used = f"{self._recent_logins()} of {self._logins} logins in three minutes made"
        return f"{sessions}; {len(self._line)} calls wait for one ({used})"

    async def acquire(self, *, may_open: bool = False, only_alive: bool = False) -> ServerSession | Outcome[Any]:
        """A session that no other call uses, alive or to be logged in; or why there will be none.

        Args:
            may_open: True to take a session that is not logged in, whatever the budget says, for an explicit login.
            only_alive: a session that is alive is wanted, to log out of it. If there is none, the outcome is OK.
        """
        if may_open and len(self._sessions) < self._most and not any(one.is_usable for one in self._free):
            return self.open()
        while True:
            given = self._offer(only_alive=only_alive) if not self._line else None
            if given is None:
                given = await self._wait_in_line(only_alive=only_alive)
            if given is not None:
                return given

    def _offer(self, *, only_alive: bool) -> _Given:
        """Take what there is for the next call in line: a session, or why there is none; None if it has to wait."""
        self._drop_expired()
        if responsive := [one for one in self._free if not one.stuck]:
            return self._take(responsive[-1])
        if not only_alive and self._logging_in is None and len(self._sessions) < self._most:
            refused = self._no_logins.outcome()
            if refused is not None and not self.any_alive:
                return refused
            if refused is None and self._recent_logins() < self._budget() and self._may_log_in():
                return self._open_to_log_in()
        if self._free:  # all are stuck: the one that has been so for longest is the most likely to be free again
            return self._take(self._free[0])
        if only_alive:
            return None if self.any_alive else Outcome(OutcomeClass.OK)
        if self._logging_in is None and not self._sessions:
            return self._open_to_log_in()  # the login waits for its turn in the pace
        return None

    def _drop_expired(self) -> None:
        for session in [one for one in self._free if not one.is_usable]:
            self._free.remove(session)
            self._drop(session)

    def _budget(self) -> float:
        """The number of logins in three minutes below which one more may be begun."""
        alive = [one for one in self._sessions if one.is_usable]
        if not alive:
            return self._logins
        return self._logins * (BESIDE_STUCK if all(one.stuck for one in alive) else MORE_SESSIONS)

    def _open_to_log_in(self) -> ServerSession:
        self._logging_in = self.open()
        return self._logging_in

    def open(self) -> ServerSession:
        """Make one more session, which is not logged in yet."""
        session = ServerSession(self._service)
        self._sessions.append(session)
        return session

    def _take(self, session: ServerSession) -> ServerSession:
        self._free.remove(session)
        session.stuck = False
        return session

    def put_back(self, session: ServerSession) -> None:
        """Give a session to the calls in line, or keep it for the next; one that is not logged in is dropped."""
        if self._logging_in is session:
            self._logging_in = None
        if session.is_usable:
            self._free.append(session)
        elif session in self._sessions:
            self._drop(session)
        self._serve_line()

    def _drop(self, session: ServerSession) -> None:
        """Remove a session that has ended, or that the server ends about now because it was idle for too long."""
        self._sessions.remove(session)
        session.expire()

    async def _wait_in_line(self, *, only_alive: bool) -> _Given:
        waiting = _Waiting(asyncio.get_running_loop().create_future(), only_alive)
        self._line[waiting] = None
        self._serve_line()
        try:
            return await waiting.given
        except asyncio.CancelledError:
            if not waiting.given.cancelled() and isinstance(given := waiting.given.result(), ServerSession):
                self.put_back(given)  # it was given in the same moment
            self._line.pop(waiting, None)
            self._serve_line()
            raise

    def _serve_line(self) -> None:
        """Give what there is to the first calls in line."""
        passed_over: list[_Waiting] = []
        while self._line:
            waiting = next(iter(self._line))
            if waiting.given.done():
                pass  # cancelled, and its task has not run since
            elif (given := self._offer(only_alive=waiting.only_alive)) is not None:
                waiting.given.set_result(given)
            elif waiting.only_alive:
                passed_over.append(waiting)
            else:
                break
            del self._line[waiting]
        for waiting in reversed(passed_over):
            self._line[waiting] = None
            self._line.move_to_end(waiting, last=False)

    def _fail_line(self, outcome: Outcome[Any]) -> None:
        """Give the outcome of a login that failed to all calls in line, unless they may wait for a live session."""
        if self.any_alive:
            return
        line, self._line = self._line, OrderedDict()
        for waiting in line:
            if not waiting.given.done():
                waiting.given.set_result(Outcome(OutcomeClass.OK) if waiting.only_alive else outcome)

    async def log_in(self, session: ServerSession) -> Outcome[Any] | None:
        """Log a session in, one at a time. Returns None, or the outcome of a login that failed, shared or our own.

        Raises:
            NoTurnAtOnceError: other sessions are alive, and the login would have to wait for its turn in the pace.
        """
        while self._flight.busy:
            shared = await self._flight.join()
            if shared is not None and shared.outcome_class is not OutcomeClass.OK:
                return _shared(shared)
        if (refused := self._no_logins.outcome()) is not None:
            return refused
        outcome = await self._flight.lead(lambda: self._log_in_now(session))
        if self._logging_in is session:
            self._logging_in = None
        if outcome.outcome_class is OutcomeClass.OK:
            self._serve_line()
            return None
        self._fail_line(_shared(outcome))
        return outcome

    async def _log_in_now(self, session: ServerSession) -> Outcome[Any]:
        try:
            outcome = await session.login(at_once=self.any_alive)
        except NoTurnAtOnceError:
            raise  # nothing was sent
        except BaseException:
            self.count_login()  # only now: before, it may have waited for its turn
            raise
        self.count_login()
        heed_login(self._no_logins, outcome)
        return outcome

    async def log_out_free(self, *, keep: int) -> None:
        """Log out of all free sessions but some. One that the server has ended already is no failure."""
        live = [session for session in self._free if session.is_logged_in]
        for session in live[: max(0, len(live) - keep)]:
            if session not in self._free:
                continue  # a call has taken it during the logout before
            self._free.remove(session)
            try:
                await session.logout()
            finally:
                self.put_back(session)


def _shared(outcome: Outcome[Any]) -> Outcome[Any]:
    """The outcome of a failed login for a call that sent nothing itself: one that was refused is not sent again."""
    return set_aside(outcome) if outcome.outcome_class is OutcomeClass.AUTHENTICATION else outcome
