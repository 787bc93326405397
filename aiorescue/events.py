"""Events: what a client does, as it happens, for a program that wants to watch it.

A listener is any callable that takes one `Event`: ``RescueClient(…, on_event=listener)``. It is called at once, on the
event loop, in the task that the event happened in; so it must be quick. What it raises is logged and goes no further.
`aiorescue.logs.log_event` and `aiorescue.otel.OpenTelemetry` are listeners like any other.

No event holds a secret: identities are named as in `RescueClient.identities`, operations by the vendor's names, and
neither parameters nor results are in them.
"""

import logging
from asyncio import CancelledError
from collections.abc import Callable, Iterable
from itertools import count

from aiorescue.operation import frozen

__all__ = [
    "AttemptBegan",
    "AttemptEnded",
    "CallBegan",
    "CallEnded",
    "Event",
    "Hub",
    "IdentityRefused",
    "JobProgressed",
    "Listener",
    "LoggedIn",
    "LoggedOut",
    "OutageBegan",
    "OutageEnded",
    "PaceChanged",
    "Rejected",
    "Retrying",
    "SessionEnded",
    "SessionOpened",
    "Waited",
]

# A program that configures no logging hears nothing: else Python would print warnings by its handler of last resort.
logging.getLogger("aiorescue").addHandler(logging.NullHandler())
_log = logging.getLogger("aiorescue.events")
_numbers = count(1)


@frozen(kw_only=True)
class Event:
    """The base of all events.

    Attributes:
        at: when it happened, in seconds of the client's clock (`time.monotonic`, unless another clock was given).
    """

    at: float


Listener = Callable[[Event], None]


# --- calls ------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class CallEvent(Event):
    """The base of all events of one call.

    Attributes:
        call: number of the call, unique in this process; all events of one call carry it.
        operation: the vendor's name of the operation (``"requestPINCode"``).
        identity: name of the identity that calls; empty for calls without credentials.
    """

    call: int
    operation: str
    identity: str


@frozen(kw_only=True)
class CallBegan(CallEvent):
    """A call begins: its values were checked, and it now waits for its turn.

    Attributes:
        binding: the binding it goes over (``"soap11"``).
        service: name of the service (``"LogMeIn Rescue"``).
    """

    binding: str
    service: str


@frozen(kw_only=True)
class Waited(CallEvent):
    """A call has waited for its turn, which has come.

    Attributes:
        family: the rate family whose pace it waited for (``"pins"``).
        seconds: how long it waited.
    """

    family: str
    seconds: float


@frozen(kw_only=True)
class AttemptBegan(CallEvent):
    """A request of a call is about to be sent.

    Attributes:
        attempt: 1 for the first attempt of the call.
        method: the HTTP method.
        url: where the request goes, without its query.
    """

    attempt: int
    method: str
    url: str


@frozen(kw_only=True)
class AttemptEnded(CallEvent):
    """An attempt has an outcome.

    Attributes:
        attempt: 1 for the first attempt of the call.
        outcome: the outcome's class (``"ok"``, ``"transient"``, ``"throttled"``, ``"authentication"``, ``"final"``), or
            ``"cancelled"``.
        status: the service's own word, or None where it said none.
        http_status: the HTTP status, or None where no answer came.
        seconds: from sending to the outcome.
        error: name of the exception type that stands for the outcome; None for a result.
        ambiguous: whether the operation may have been carried out although no good answer came.
    """

    attempt: int
    outcome: str
    status: str | None
    http_status: int | None
    seconds: float
    error: str | None
    ambiguous: bool


@frozen(kw_only=True)
class Rejected(CallEvent):
    """The service rejected a request because calls come too fast; the call waits for its next turn.

    Attributes:
        family: the rate family (``"pins"``).
        rejections: how often this call has been rejected so far.
    """

    family: str
    rejections: int


@frozen(kw_only=True)
class Retrying(CallEvent):
    """A transient outcome is about to be tried again.

    Attributes:
        attempt: the attempt that ended so.
        status: the service's own word, or None where it said none.
        error: name of the exception type that it would have been.
        seconds: how long the call pauses before its next attempt.
    """

    attempt: int
    status: str | None
    error: str
    seconds: float


@frozen(kw_only=True)
class CallEnded(CallEvent):
    """A call is over.

    Attributes:
        outcome: ``"ok"``, ``"error"`` or ``"cancelled"``.
        error: name of the exception type that it raised; None for a result.
        status: the service's own word, or None where it said none.
        attempts: how many requests were sent.
        rejections: how many of them were rejected as too fast.
        possibly_orphaned: how many of them may have been carried out without a good answer.
        waited: seconds that it waited for its turns.
        seconds: from its beginning to its end.
    """

    outcome: str
    error: str | None
    status: str | None
    attempts: int
    rejections: int
    possibly_orphaned: int
    waited: float
    seconds: float


# --- identities and paces ---------------------------------------------------------------------------


@frozen(kw_only=True)
class LoggedIn(Event):
    """A login or an authentication for a ticket has an outcome.

    Attributes:
        identity: name of the identity.
        seconds: how long it took.
        error: name of the exception type that stands for a login that failed; None for one that went well.
        status: the service's own word, or None where it said none.
    """

    identity: str
    seconds: float
    error: str | None = None
    status: str | None = None


@frozen(kw_only=True)
class LoggedOut(Event):
    """A server session or a ticket was ended by the client.

    Attributes:
        identity: name of the identity.
    """

    identity: str


@frozen(kw_only=True)
class SessionOpened(Event):
    """A login opened a server session, in which calls go out from now on.

    Attributes:
        identity: name of the identity.
    """

    identity: str


@frozen(kw_only=True)
class SessionEnded(Event):
    """A server session is not used any more: after a logout, or because the service ended it.

    The service ends a session that was idle for 20 minutes. That shows at the next call, and so this event comes then.

    Attributes:
        identity: name of the identity.
    """

    identity: str


@frozen(kw_only=True)
class IdentityRefused(Event):
    """The service refuses the credentials of an identity, which is set aside.

    Attributes:
        identity: name of the identity.
        status: the service's own word, or None where it said none.
        seconds: for how long it is set aside.
    """

    identity: str
    status: str | None
    seconds: float


@frozen(kw_only=True)
class PaceChanged(Event):
    """The client has found out that the service allows more or fewer calls of a rate family than it assumed.

    Attributes:
        identity: name of the identity whose pace it is.
        family: the rate family (``"pins"``).
        rate: calls per second from now on.
    """

    identity: str
    family: str
    rate: float


# --- jobs -------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class JobProgressed(Event):
    """A bulk job has one more result: a PIN, or a request that failed.

    Attributes:
        job: name of the job.
        issued: PINs that this run has issued.
        from_journal: PINs that were issued in earlier runs.
        failed: requests that failed.
        possibly_orphaned: PINs that may have been issued without an answer.
        pin: whether the result is a PIN that was issued now.
        error: name of the exception type of a request that failed; None otherwise.
        status: the service's own word for it, or None.
    """

    job: str
    issued: int
    from_journal: int
    failed: int
    possibly_orphaned: int
    pin: bool
    error: str | None = None
    status: str | None = None


@frozen(kw_only=True)
class OutageBegan(Event):
    """A bulk job waits for a service that does not answer properly.

    Attributes:
        job: name of the job.
        error: what the service or the network said last.
        patience: seconds for which the job will wait.
    """

    job: str
    error: str
    patience: float


@frozen(kw_only=True)
class OutageEnded(Event):
    """The service answers a waiting job again.

    Attributes:
        job: name of the job.
        seconds: how long the outage lasted.
    """

    job: str
    seconds: float


# --- who listens ------------------------------------------------------------------------------------


class Hub:
    """The listeners of a client, or of a view of it with options of its own.

    Args:
        listeners: each is called with each event, in this order.
    """

    def __init__(self, listeners: Iterable[Listener] = ()) -> None:
        self._listeners = tuple(listeners)

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def has_others_than(self, listener: Listener) -> bool:
        """Whether any other listener than this one is called."""
        return any(one is not listener for one in self._listeners)

    def joined(self, listener: Listener | None) -> "Hub":
        """A hub that also calls `listener`, after the others; this hub itself if `listener` is None."""
        return self if listener is None else Hub((*self._listeners, listener))

    def emit(self, event: Event) -> None:
        """Call each listener. An exception of a listener is logged and goes no further."""
        for listener in self._listeners:
            try:
                listener(event)
            except (Exception, CancelledError):  # noqa: BLE001 - whatever a listener raises must not end the call
                _log.exception("a listener failed on %s", type(event).__name__)


def call_number() -> int:
    """A number for a call, unique in this process."""
    return next(_numbers)
