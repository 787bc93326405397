"""What becomes of a request that got no answer: `failed` makes an outcome of the exception that ended it."""

import asyncio
import re
import ssl
import sys
from traceback import walk_tb
from typing import Any, TypeVar

import aiohttp
from aiohttp.http_exceptions import TransferEncodingError

from aiorescue import errors
from aiorescue.call.transport.tls import TLS_ENDED, TLSBrokenError, explain_tls
from aiorescue.call.transport.trust import UnaskedError
from aiorescue.operation import Outcome, OutcomeClass

E = TypeVar("E", bound=Exception)

#: First HTTP status that is the server's fault.
_SERVER_ERROR = 500
#: HTTP status by which a proxy asks for a user and a password.
PROXY_AUTHENTICATION = 407
#: What stands before the part of an answer that an exception of aiohttp's parsers quotes.
_QUOTED = re.compile(r"[:\"]| '")
#: Where aiohttp takes a connection from its pool or opens one, with a proxy's CONNECT, before it writes a request.
_CONNECT = aiohttp.BaseConnector.connect.__code__

#: What reading an answer raises where it is not all there; aiohttp's Python parser raises the second one for a chunk.
UNFINISHED = aiohttp.ClientPayloadError, TransferEncodingError

#: Packages whose exceptions are about an answer.
_NOT_OF_THE_PROGRAM = frozenset({"aiohttp", "aiohappyeyeballs", "aiorescue", "multidict", "yarl"})


class HungUpError(Exception):
    """The connection broke. It replaces its cause, after which aiohttp would repeat a GET by itself."""


class LentClosedError(Exception):
    """The program has closed the session that it lends."""


class ProxyRefusedError(Exception):
    """A proxy answered in the place of the service.

    Attributes:
        status: HTTP status of its answer.
    """

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


def failed(problem: Exception, base_url: str, seconds: float) -> Outcome[object]:
    """The outcome of a request that got no answer.

    Args:
        problem: the exception that ended it.
        base_url: where requests go.
        seconds: the timeout of the request.
    """
    if isinstance(problem, HungUpError) and isinstance(problem.__cause__, Exception):
        problem = problem.__cause__
    match problem:
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError() | UnaskedError():
            return _never_left(problem, base_url)
        case LentClosedError():
            return LENT_CLOSED
        case ProxyRefusedError() | aiohttp.ClientHttpProxyError():
            return _refused_by_proxy(problem.status, base_url)
        case aiohttp.ClientError() | OSError() if was_connecting(problem):
            return _never_left(problem, base_url)
        case TimeoutError():
            why = f"no answer within {seconds:g} s"
            return lost(OutcomeClass.TRANSIENT, errors.RequestTimeout, why, ambiguous=True)
        case _ if isinstance(problem, UNFINISHED):
            why = "the answer stops before its end"
            return lost(OutcomeClass.TRANSIENT, errors.ProtocolError, why, ambiguous=True)
        case aiohttp.ClientResponseError():
            return lost(OutcomeClass.FINAL, errors.ProtocolError, _not_http(problem), ambiguous=True)
    return _broke(problem)


def was_connecting(problem: BaseException) -> bool:
    """Whether a problem arose before its request was begun, while aiohttp took or opened a connection.

    aiohttp raises the same exceptions where a proxy does not answer a CONNECT as where the service does not answer a
    request. The place where they were raised tells them apart, also where a middleware of the program sends a request
    in another task, and costs nothing for a request that is answered.
    """
    return any(frame.f_code is _CONNECT for frame, _ in walk_tb(problem.__traceback__))


def _not_http(problem: aiohttp.ClientResponseError) -> str:
    """What aiohttp's parser did not understand, without a part of the answer."""
    # Its text may go on with what was sent, cookies and all; of a chunk, aiohttp's Python parser says no more.
    is_chunk = _cause(problem, TransferEncodingError) is not None
    return f"not HTTP: {'Bad chunk' if is_chunk else _QUOTED.split(problem.message)[0]}"


def _never_left(problem: Exception, base_url: str) -> Outcome[object]:
    """The outcome of a request that found no connection to go out on."""
    cause = TLS_ENDED if _is_handshake(problem, base_url) else reason(problem)
    outcome_class, why = OutcomeClass.TRANSIENT, f"cannot connect to {base_url}: {cause}"
    match problem:
        case UnaskedError():
            why = f"{base_url} sends data before it is asked"
        case aiohttp.ClientSSLError():
            # A certificate does not get better by asking again.
            outcome_class, why = OutcomeClass.FINAL, reason(problem)
        case aiohttp.ClientProxyConnectionError():
            why = f"cannot connect to the proxy {problem.host}:{problem.port}: {reason(problem)}"
        case aiohttp.ClientResponseError():
            why = f"the proxy's answer to a CONNECT for {base_url} is {_not_http(problem)}"
        case aiohttp.ServerDisconnectedError():
            why = f"the proxy hung up on a CONNECT for {base_url}"
        case aiohttp.ClientOSError() if not isinstance(problem, aiohttp.ClientConnectorError):
            why = f"the proxy hung up on a CONNECT for {base_url}: {reason(problem)}"
    return lost(outcome_class, errors.ConnectionFailed, why)


def _is_handshake(problem: Exception, base_url: str) -> bool:
    """Whether the server ended a connection during its TLS handshake."""
    cause = getattr(problem, "os_error", None)
    ended = isinstance(cause, ConnectionError) and not isinstance(cause, ConnectionRefusedError)
    return ended and base_url.startswith("https:")


def _refused_by_proxy(status: int, base_url: str) -> Outcome[object]:
    """The outcome of a request that a proxy did not pass on."""
    why = f"the proxy refused the way to {base_url}: HTTP {status}"
    if status == PROXY_AUTHENTICATION:
        why += "; it wants a user and a password, as in proxy=http://user:password@host"
    outcome_class = OutcomeClass.TRANSIENT if status >= _SERVER_ERROR else OutcomeClass.FINAL
    return lost(outcome_class, errors.ConnectionFailed, why)


def _cause(problem: BaseException, wanted: type[E]) -> E | None:
    """The first exception of a type among a problem and its causes; None without one."""
    cause: BaseException | None = problem
    while cause is not None and not isinstance(cause, wanted):
        cause = cause.__cause__
    return cause


def _broke(problem: Exception) -> Outcome[object]:
    """The outcome of a request whose connection broke, or whose answer has a head that aiohttp cannot read."""
    if isinstance(problem, MemoryError | RuntimeError):
        raise problem  # no fault of an answer
    if not isinstance(problem, aiohttp.ClientError | OSError | HungUpError):
        if _is_of_the_program(problem):
            return _failed_in_program(problem)
        # Its text may quote the answer.
        why = f"the head of the answer cannot be read ({type(problem).__name__})"
        return lost(OutcomeClass.FINAL, errors.ProtocolError, why, ambiguous=True)
    broken = _cause(problem, TLSBrokenError)
    if broken is None:
        why = f"the connection broke: {reason(problem)}"
        return lost(OutcomeClass.TRANSIENT, errors.ConnectionFailed, why, ambiguous=True)
    outcome_class = OutcomeClass.FINAL if broken.refuses_client else OutcomeClass.TRANSIENT
    return lost(outcome_class, errors.ConnectionFailed, str(broken.strerror), ambiguous=not broken.refuses_client)


def cancelled(problem: asyncio.CancelledError) -> Outcome[object] | None:
    """The outcome of a request whose task was not cancelled, but what it waited for; None if that is not known."""
    if _is_of_the_program(problem):
        return _failed_in_program(problem)
    return LENT_CLOSED if was_connecting(problem) else None  # aiohttp cancels what waits in a pool that is closed


def _failed_in_program(problem: BaseException) -> Outcome[object]:
    """The outcome of a request for which code of the program raised an exception; see `_is_of_the_program`."""
    why = f"a middleware or trace of the session given as http= raised {type(problem).__name__}"
    return lost(OutcomeClass.FINAL, errors.RescueError, why, ambiguous=not was_connecting(problem))


def _is_of_the_program(problem: BaseException) -> bool:
    """Whether code of the program, which a lent session brings along, raised an exception, or what it calls did."""
    names = [frame.f_globals.get("__name__", "").partition(".")[0] for frame, _ in walk_tb(problem.__traceback__)]
    callers = (name for name in reversed(names) if name not in sys.stdlib_module_names)
    return next(callers, "aiohttp") not in _NOT_OF_THE_PROGRAM


def lost(
    outcome_class: OutcomeClass, error: type[errors.RescueError], detail: str, *, ambiguous: bool = False
) -> Outcome[object]:
    """The outcome of a request without an answer; ambiguous if it may have reached the service."""
    return Outcome(outcome_class, error=error, detail=detail, ambiguous=ambiguous)


def reason(problem: BaseException) -> str:
    """The reason in words, without the request: aiohttp's own texts can hold its URL."""
    cause: Any = getattr(problem, "certificate_error", None) or getattr(problem, "os_error", problem)
    if isinstance(cause, ssl.SSLError):
        return explain_tls(cause)
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return type(problem).__name__ if isinstance(problem, aiohttp.ClientError) else str(problem)


#: Outcome of a call that was not sent because the client is closed.
CLOSED = lost(OutcomeClass.FINAL, errors.InvalidRequest, "the client is closed; make a new one")
#: Outcome of a request that was not sent because the program has closed the session that it lends.
LENT_CLOSED = lost(OutcomeClass.FINAL, errors.ConnectionFailed, "the session given as http= is closed")
#: What sending gives where the call's turn in the pace passed, or its ticket ended, while all connections were in use.
NOT_BEGUN = Outcome[object](OutcomeClass.FINAL)
#: Outcome of a request that was under way when the client was closed.
INTERRUPTED = lost(
    OutcomeClass.FINAL, errors.ConnectionFailed, "the client was closed before the answer came", ambiguous=True
)
