"""Who is calling: credentials, and what an identity does for a call.

An identity is one set of credentials at work in one client. It stamps calls and has no part in sending them:
logging in and out is done through a function that it is given.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import attrs

from aiorescue import errors
from aiorescue.identity.credentials import AuthCode, Login
from aiorescue.operation import Needs, Operation, Outcome
from aiorescue.wire import ANONYMOUS, Authorization, Response

_CALLER = Needs.IDENTITY
Sent = tuple[Outcome[Any], Response | None]
#: Sends an operation with a authorization, once, at its pace.
Send = Callable[["Identity", Operation[Any], Authorization], Awaitable[Sent]]


@attrs.define(eq=False)
class Holder:
    """A place for one server session."""

    cookie: str = attrs.field(default="", repr=False)
    used: float = 0.0
    #: It answered right after its login that no administrator is logged in: then that is no sign of its end.
    no_admin: bool = False
    #: A call on it got no answer; the next one would have to wait for the server to end that.
    stuck: bool = False


@attrs.define(eq=False)  # not frozen, as `Outcome`
class Lease:
    """What one attempt goes out with.

    Attributes:
        operation: the operation, completed with what the identity knows.
        authorization: who is calling.
        holder: the server session it keeps to itself meanwhile, if any.
        fresh: the session was logged in for this very attempt.
    """

    operation: Operation[Any]
    authorization: Authorization
    holder: Holder | None = None
    fresh: bool = False


class Identity(Protocol):
    """One caller."""

    @property
    def name(self) -> str:
        """For messages; no secret."""

    def fill(self, operation: Operation[Any]) -> Operation[Any]:
        """The operation with the caller's own credentials where it has none. Raises `errors.CredentialsMissing`."""

    async def lease(self, operation: Operation[Any]) -> Lease | Outcome[Any]:
        """What to go out with, after a login if need be; or the outcome of a login that failed."""

    def release(self, lease: Lease, outcome: Outcome[Any] | None, response: Response | None) -> bool:
        """The attempt is over (no outcome: cancelled). True if a repetition would meet another session."""

    async def end(self) -> None:
        """Log out what was logged in here."""


def fill(operation: Operation[Any], login: Login | None) -> Operation[Any]:
    """An operation that takes credentials, with those of a login where it has none."""
    if operation.spec.own_credentials is None:
        return operation
    user, password = operation.spec.own_credentials
    given = getattr(operation, user), getattr(operation, password)
    if None not in given:
        return operation
    if given != (None, None):
        raise errors.InvalidRequest(
            f"{operation.spec.name}: give both {user} and {password}, or none of them", operation=operation.spec.name
        )
    if login is None:
        raise errors.CredentialsMissing(
            f"{operation.spec.name} needs {user} and {password}: pass them, or give the client a Login",
            operation=operation.spec.name,
        )
    return attrs.evolve(operation, **{user: login.email, password: login.password})  # type: ignore[misc]


def login_failed(name: str, outcome: Outcome[Any]) -> Outcome[Any]:
    """The outcome of a login, for calls that did not get to be sent because of it."""
    why = f": {outcome.detail}" if outcome.detail else ""
    return attrs.evolve(outcome, detail=f"login as {name} failed{why}")


class AnonymousIdentity:
    """No credentials: only operations that need none."""

    name = "nobody"

    def fill(self, operation: Operation[Any]) -> Operation[Any]:
        """Nothing to fill in."""
        if operation.spec.needs is Needs.IDENTITY:
            raise errors.CredentialsMissing(
                f"{operation.spec.name} needs somebody to call as: give the client credentials",
                operation=operation.spec.name,
            )
        return fill(operation, None)

    async def lease(self, operation: Operation[Any]) -> Lease | Outcome[Any]:
        """No authorization."""
        return Lease(operation, ANONYMOUS)

    def release(self, lease: Lease, outcome: Outcome[Any] | None, response: Response | None) -> bool:
        """Nothing was taken."""
        return False

    async def end(self) -> None:
        """Nothing to end."""


class CodeIdentity(AnonymousIdentity):
    """An auth code: travels with each call, so that calls need no session and run side by side."""

    def __init__(self, credentials: AuthCode, name: str) -> None:
        self.name = name
        self.credentials = credentials
        self._authorization = Authorization(code=credentials.code)

    def fill(self, operation: Operation[Any]) -> Operation[Any]:
        """Nothing to fill in."""
        return operation if operation.spec.own_credentials is None else fill(operation, None)

    async def lease(self, operation: Operation[Any]) -> Lease | Outcome[Any]:
        """The code, for an operation that takes one. Never a cookie."""
        return Lease(operation, self._authorization if operation.spec.needs is _CALLER else ANONYMOUS)
