"""Identities: one set of credentials at work in one client.

An identity completes an operation, authorizes each attempt and learns from its outcome. It sends no calls; logins and
logouts go out through a function that it is given. Logins with server sessions are in `login.py`. An identity whose
credentials the service has refused is *set aside* for a while (`standing.py`): its calls fail without a request.
"""

from collections.abc import Awaitable
from typing import Any, Protocol

import attrs

from aiorescue import errors
from aiorescue.clock import SystemClock
from aiorescue.identity.credentials import AuthCode, Login
from aiorescue.identity.standing import SetAside, Standing, heed, is_login_limit
from aiorescue.identity.waiting import Waiting
from aiorescue.operation import Needs, Operation, Outcome, status
from aiorescue.pace.pace import PacedAccount
from aiorescue.wire import ANONYMOUS, Authorization, Response

#: An enum member kept in a global: in Python 3.11 looking it up in its enum takes ten times as long.
_NEEDS_IDENTITY = Needs.IDENTITY

Sent = tuple[Outcome[Any], Response | None]


@attrs.define(eq=False)  # not frozen, as `Outcome`: each attempt makes one
class Lease:
    """What one attempt goes out with; it must be released when the attempt is over.

    Attributes:
        operation: the operation, completed with what the identity knows.
        authorization: the cookie, code or ticket of the request.
    """

    operation: Operation[Any]
    authorization: Authorization


class Send(Protocol):
    """Sends a login or another operation of an identity's own."""

    def __call__(
        self, account: PacedAccount, operation: Operation[Any], authorization: Authorization, *, at_once: bool = False
    ) -> Awaitable[Sent]:
        """Send an operation with an authorization, once, at the pace of an account.

        Args:
            account: whose pace it is sent at.
            operation: the operation.
            authorization: the cookie, code or ticket of the request.
            at_once: whether it is of use only at once.

        Raises:
            NoTurnAtOnceError: it is of use only at once, and would have to wait for its turn; nothing was sent.
        """


class IdentityObserver(Protocol):
    """Receives logins, logouts and refusals of identities; the client's `Observer` makes events of them."""

    def logged_in(self, identity: str, seconds: float, outcome: Outcome[Any]) -> None:
        """Receive the outcome of an identity's login, and the seconds that it took."""

    def logged_out(self, identity: str) -> None:
        """Receive that a server session or ticket of an identity was ended."""

    def session_opened(self, identity: str) -> None:
        """Receive that a server session of an identity was opened by a login."""

    def session_ended(self, identity: str) -> None:
        """Receive that a server session of an identity has ended, by a logout, by its age or by the server."""

    def refused(self, identity: str, word: str | None, seconds: float) -> None:
        """Receive that an identity was refused with a status word, and the seconds for which it is set aside."""


class Identity(Protocol):
    """One set of credentials at work in one client."""

    @property
    def name(self) -> str:
        """A name for messages, such as an e-mail address or "auth code 2"; never a secret."""

    @property
    def account(self) -> PacedAccount:
        """The account whose calls the service counts: the key of the identity's pace."""

    @property
    def state(self) -> str:
        """``"ready"``, ``"refused"`` or ``"waiting"``; see `StandingIdentity.state`."""

    @property
    def waiting(self) -> Waiting:
        """The calls that wait for their turn as this identity."""

    def refusal(self, operation: Operation[Any]) -> SetAside | None:
        """The outcome of a call that need not be sent, because its credentials have been refused; else None."""

    def complete(self, operation: Operation[Any]) -> Operation[Any]:
        """The operation, with the identity's own name and password where it takes them and has none.

        Raises:
            errors.CredentialsMissing: the operation needs credentials that the identity lacks.
        """

    def needs_login(self, operation: Operation[Any]) -> bool:
        """Whether a call that began now would have to wait for a login."""

    async def lease(self, operation: Operation[Any]) -> Lease | Outcome[Any]:
        """What an attempt goes out with, after a login if one is needed; or the outcome of a login that failed."""

    def is_current(self, lease: Lease) -> bool:
        """Whether a request that waited with a lease may still go out with it: its code or ticket is not refused."""

    def release(self, lease: Lease, outcome: Outcome[Any] | None, response: Response | None) -> bool:
        """End a lease and learn from its outcome.

        Args:
            lease: the lease that `lease` gave.
            outcome: what became of the attempt; None if it was cancelled.
            response: the response to it, if one came.

        Returns:
            True if the session or ticket has ended and a repetition would go out with a new one.
        """

    async def log_out(self) -> None:
        """Log out of every session or ticket that this identity logged in itself."""


def given_credentials(operation: Operation[Any]) -> tuple[str | None, str | None] | None:
    """The name and the password in an operation that takes them, each None if left out; None for other operations."""
    names = operation.spec.own_credentials
    return None if names is None else (getattr(operation, names[0]), getattr(operation, names[1]))


def with_login(operation: Operation[Any], login: Login | None) -> Operation[Any]:
    """Complete an operation that takes a name and a password with those of a login, if both were left out.

    Raises:
        errors.CredentialsMissing: both were left out, and there is no login.
        errors.InvalidRequest: one of them was given without the other.
    """
    if operation.spec.own_credentials is None:
        return operation
    user, password = operation.spec.own_credentials
    lacks = [name for name in (user, password) if getattr(operation, name) is None]
    if not lacks:
        return operation
    if len(lacks) == 1:
        raise errors.InvalidRequest(
            f"{operation.spec.name}: give both {user} and {password}, or none of them", operation=operation.spec.name
        )
    if login is None:
        raise errors.CredentialsMissing(
            f"{operation.spec.name} needs {user} and {password}: pass them, or give the client a Login",
            operation=operation.spec.name,
        )
    return attrs.evolve(operation, **{user: login.email, password: login.password})


def login_failed(name: str, outcome: Outcome[Any]) -> Outcome[Any]:
    """The outcome of a call that was not sent because the login before it failed."""
    why = f": {outcome.detail}" if outcome.detail else ""
    return attrs.evolve(outcome, detail=f"login as {name} failed{why}")


class StandingIdentity:
    """The part of an identity that knows how the service takes its credentials: what `RescueClient.identities` shows.

    Args:
        name: a name for messages, never a secret.
        account: the key of the identity's pace.
        standing: the memory of a refusal.
        observer: receives the identity's refusals.

    Attributes:
        name: a name for messages, such as an e-mail address or "auth code 2".
        account: the key of the identity's pace.
        waiting: the calls that wait for their turn as this identity.
    """

    def __init__(
        self, name: str, account: PacedAccount, standing: Standing, observer: IdentityObserver | None = None
    ) -> None:
        self.name = name
        self.account = account
        self.waiting = Waiting()
        self._standing = standing
        self._observer = observer
        standing.when_refused = self._call_off

    def _call_off(self) -> None:
        """End the waits of the calls that would fail now, after a refusal."""
        standing = self._standing_now()
        refused = standing.outcome()
        if refused is None:
            return
        self.waiting.call_off(refused)
        if self._observer is not None:
            self._observer.refused(self.name, refused.word, standing.seconds)

    @property
    def state(self) -> str:
        """``"ready"``; ``"refused"`` while a refusal is remembered; ``"waiting"`` after too many logins.

        An identity that is not ready sends nothing: its calls fail at once.
        """
        refused = self._standing_now().refused
        if refused is None:
            return "ready"
        return "waiting" if is_login_limit(refused) else "refused"

    @property
    def refused_until(self) -> float | None:
        """The moment until which calls are refused without a request, in seconds of the client's clock, or None."""
        return self._standing_now().until

    @property
    def why(self) -> str:
        """The service's reason for the refusal, with its status word; empty while the identity is ready."""
        refused = self._standing_now().refused
        if refused is None:
            return ""
        return f"{refused.detail or refused.quote or 'refused'} ({refused.word or refused.error.__name__})"

    def _standing_now(self) -> Standing:
        """The standing that decides at present whether calls are sent."""
        return self._standing

    def __repr__(self) -> str:
        details = "; ".join(filter(None, (self.state, self.why, self._more())))
        return f"<{type(self).__name__} {self.name!r}: {details}>"

    def needs_login(self, operation: Operation[Any]) -> bool:
        """Whether a call that began now would have to wait for a login: never, where nothing can log in."""
        return False

    def is_current(self, lease: Lease) -> bool:
        """Whether a request that waited with a lease may still go out with it: yes, where no other call can end it."""
        return True

    def _more(self) -> str:
        """What else the identity's repr shows."""
        return ""


class AnonymousIdentity(StandingIdentity):
    """An identity without credentials, for operations that need none."""

    def __init__(self) -> None:
        super().__init__("anonymous", PacedAccount(), Standing(SystemClock(), 0.0))

    def refusal(self, operation: Operation[Any]) -> SetAside | None:
        """None: there are no credentials that could have been refused."""
        return None

    def complete(self, operation: Operation[Any]) -> Operation[Any]:
        """The operation as it is. Raises `errors.CredentialsMissing` if it needs an identity."""
        if operation.spec.needs is Needs.IDENTITY:
            raise errors.CredentialsMissing(
                f"{operation.spec.name} needs an identity to call as: give the client credentials",
                operation=operation.spec.name,
            )
        return with_login(operation, None)

    async def lease(self, operation: Operation[Any]) -> Lease | Outcome[Any]:
        """A lease without cookie, code or ticket."""
        return Lease(operation, ANONYMOUS)

    def release(self, lease: Lease, outcome: Outcome[Any] | None, response: Response | None) -> bool:
        """End a lease that held nothing; there is no session that could have ended."""
        return False

    async def log_out(self) -> None:
        """Do nothing: no session was opened."""


class CodeIdentity(StandingIdentity):
    """An auth code: it travels with each call, so that calls need no server session and run side by side.

    Args:
        credentials: the code.
        name: a name for messages.
        standing: the memory of a refusal.
        observer: receives the identity's refusals.
    """

    def __init__(
        self, credentials: AuthCode, name: str, standing: Standing, observer: IdentityObserver | None = None
    ) -> None:
        super().__init__(name, PacedAccount(credentials.code), standing, observer)
        self._authorization = Authorization(code=credentials.code)

    def complete(self, operation: Operation[Any]) -> Operation[Any]:
        """The operation as it is. Raises `errors.CredentialsMissing` if it needs a name and a password."""
        return operation if operation.spec.own_credentials is None else with_login(operation, None)

    def refusal(self, operation: Operation[Any]) -> SetAside | None:
        """The outcome of a call with a code that has been refused; None if it may be sent."""
        return self._standing.outcome() if operation.spec.needs is _NEEDS_IDENTITY else None

    async def lease(self, operation: Operation[Any]) -> Lease | Outcome[Any]:
        """A lease with the code, where the operation takes one; never with a cookie. A refused code is not sent."""
        if operation.spec.needs is not _NEEDS_IDENTITY:
            return Lease(operation, ANONYMOUS)
        return self._standing.outcome() or Lease(operation, self._authorization)

    def is_current(self, lease: Lease) -> bool:
        """Whether a request that waited with a lease may still go out with it: its code was not refused meanwhile."""
        return lease.authorization is not self._authorization or self._standing.refused is None

    def release(self, lease: Lease, outcome: Outcome[Any] | None, response: Response | None) -> bool:
        """End a lease; a code that is refused is set aside. Returns False, as there is no session to end."""
        if outcome is None or outcome.outcome_class is status.OK:
            return False  # as almost always
        if lease.authorization is self._authorization:
            heed(self._standing, outcome)
        return False

    async def log_out(self) -> None:
        """Do nothing: no session was opened."""
