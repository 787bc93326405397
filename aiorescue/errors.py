"""The exceptions of aiorescue.

They form one tree::

    RescueError
    ├── InvalidRequest            refused here, before anything was sent
    │   ├── UnsupportedBinding    the operation is not offered on that binding
    │   ├── CredentialsMissing    (also an AuthenticationError)
    │   └── DuplicateTracking     a bulk job has this tracking field twice
    ├── AuthenticationError       the service does not take these credentials; never retried
    │   ├── CredentialsMissing    no credentials to call with
    │   └── NotLoggedIn           the session or ticket is unknown or has ended
    ├── PermissionDenied          the identity is known, but not allowed to do this
    ├── PreconditionFailed        the service is not in a state for it
    │   ├── ActionFailed          mostly: the technician is offline
    │   ├── NoTechConsoleRunning  start the console or pass no_tech_console=True
    │   └── OutOfPinCodes         the account has no PIN codes left
    ├── InvalidParameter          a value that the service refused
    │   └── NotFound              there is no such thing, or the identity may not see it
    ├── RateLimited               gave up waiting for the service's rate limit
    ├── QueueTimeout              waited for longer than max_wait before it could be sent
    ├── ServiceError              an ERROR that outlived its retries, or an unknown word
    │   └── PartialFailure        some items of a bulk call failed; its log says which
    ├── ServiceFault              the service could not read the request
    ├── ProtocolError             an answer that cannot be read as one
    ├── RequestTimeout            no answer in time
    ├── ConnectionFailed          the service could not be reached, or hung up
    ├── AmbiguousOutcome          it may have happened; repeating it could do it twice
    └── JournalError              the journal of a bulk job cannot be used

Secrets (passwords, codes, tickets, cookies) are in no message and no attribute.
"""

import enum
from typing import Any

__all__ = [
    "ActionFailed",
    "AmbiguousOutcome",
    "AuthenticationError",
    "ConnectionFailed",
    "CredentialsMissing",
    "DuplicateTracking",
    "InvalidParameter",
    "InvalidRequest",
    "JournalError",
    "NoTechConsoleRunning",
    "NotFound",
    "NotLoggedIn",
    "OutOfPinCodes",
    "PartialFailure",
    "PermissionDenied",
    "PreconditionFailed",
    "ProtocolError",
    "QueueTimeout",
    "RateLimited",
    "RequestTimeout",
    "RescueError",
    "ServiceError",
    "ServiceFault",
    "UnsupportedBinding",
]


class RescueError(Exception):
    """The root of every error that aiorescue raises.

    Attributes:
        operation: the vendor's operation name (``"closeSession"``), or None outside a call.
        status: the service's own word, as it came (``"closeSessionRet_ActionFailed"``,
            ``"ACTIONFAILED"``, ``"[901]"``), or None where it said none.
        attempts: how many tries were made; 0 if nothing was sent.
        possibly_orphaned: how many of them may have been carried out although no good answer came.
    """

    operation: str | None
    status: str | None
    attempts: int
    possibly_orphaned: int = 0

    def __init__(
        self,
        message: str,
        *,
        operation: str | None = None,
        status: str | None = None,
        attempts: int = 0,
        **more: Any,
    ) -> None:
        # Only the message is in `args`: pickle then rebuilds from it and restores the rest.
        super().__init__(message)
        self.operation = operation
        self.status = status
        self.attempts = attempts
        self.__dict__.update(more)


class InvalidRequest(RescueError):
    """Refused before anything was sent; the message names the field and the limit."""


class UnsupportedBinding(InvalidRequest):
    """The operation is not offered on the binding that was asked for."""


class AuthenticationError(RescueError):
    """The service does not take the credentials. Raised at once, never retried.

    Refused credentials are remembered for a while (``refused_for``). Calls that come in that time fail with this error
    and `attempts` 0: no request was sent.

    Attributes:
        identity: the name of the identity that called, such as an e-mail address or ``"auth code 2"``; None outside a
            call. It is never a secret.
        refused_before: True if the credentials had been refused to an earlier call already. A client with several
            identities repeats such a call as another identity, and raises only the first refusal of each.
    """

    identity: str | None = None
    refused_before: bool = False


class CredentialsMissing(AuthenticationError, InvalidRequest):
    """The operation needs credentials, and the client has none."""


class DuplicateTracking(InvalidRequest):
    """Two requests of one bulk job have one tracking field; the first of them gets the PIN.

    Attributes:
        tracking: the tracking field.
    """

    tracking: str = ""


class NotLoggedIn(AuthenticationError):
    """The server session or ticket is unknown or has ended."""


class PermissionDenied(RescueError):
    """The service knows the identity, which is not allowed to do this."""


class PreconditionFailed(RescueError):
    """The service is not in a state in which this can be done."""


class ActionFailed(PreconditionFailed):
    """The service could not act; mostly because the technician is offline."""


class NoTechConsoleRunning(PreconditionFailed):
    """No Technician Console is running; start one or pass ``no_tech_console=True``."""


class OutOfPinCodes(PreconditionFailed):
    """The account has no PIN codes left."""


class InvalidParameter(RescueError):
    """The service refused the value of a parameter."""


class NotFound(InvalidParameter):
    """There is no such thing, or the identity that calls may not see it."""


class RateLimited(RescueError):
    """The service kept saying that calls come too fast, until the deadline.

    Attributes:
        retry_after: seconds after which the next call has a chance, or None if unknown.
    """

    retry_after: float | None = None


class QueueTimeout(RescueError):
    """The call could not be sent within ``max_wait``: its turn, a server session, a login or a connection did not come.

    Attributes:
        position: the place that the call, or the login that it needs, had in the queue of the pace, or in that for a
            connection, when it came; 1 for the next one.
        expected_wait: seconds that it had to expect to wait when it came, or those that it has waited if they are more.
    """

    position: int = 1
    expected_wait: float = 0.0


class ServiceError(RescueError):
    """The service reported an unspecified error, or answered with an unknown word."""


class PartialFailure(ServiceError):
    """A call for many items failed for some of them; the others are done.

    Attributes:
        log: the items that failed, each with the service's reason.
    """

    log: tuple[tuple[str, str], ...] = ()


class ServiceFault(RescueError):
    """The service could not read the request; the same bytes would fail again."""


class ProtocolError(RescueError):
    """The answer cannot be read as one: HTML, empty, cut short, too large, or not what was asked for.

    Attributes:
        repeated: the answer is that of an earlier request.
    """

    repeated: bool = False


class RequestTimeout(RescueError):
    """The service did not answer in time."""


class ConnectionFailed(RescueError):
    """The service could not be reached, or closed the connection without an answer."""


class AmbiguousOutcome(RescueError):
    """The connection broke after the request had left: it may have happened, or not.

    Raised where a repetition could do it twice. The cause is named in the message.
    """


class JournalReason(enum.Enum):
    """Why the journal of a bulk job cannot be used."""

    OTHER_JOB = "the journal belongs to another job"
    OTHER_FIELDS = "a request was sent with other fields under its tracking field"
    OTHER_PROGRAM = "the file is a database of another program"
    NO_DATABASE = "the file is not a database"
    NEWER_VERSION = "a newer version of aiorescue made the journal"
    IN_USE = "another process uses the journal"
    CLOSED = "the journal is closed"
    DAMAGED = "something in the journal is not as it was written"
    LOG_MISSING = "the write-ahead log of a run that did not end by itself is not beside the journal"
    VANISHED = "the file was deleted or replaced while it was used"
    FAILED = "the file cannot be read or written"


class JournalError(RescueError):
    """The journal of a bulk job is of another job, damaged, or in use.

    Attributes:
        reason: why the journal cannot be used.
        finding: the message without its advice to the programmer.
    """

    reason: JournalReason = JournalReason.FAILED
    finding: str = ""
