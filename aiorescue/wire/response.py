"""`read`: from a response to an outcome, by the HTTP status, then the binding's codec, then the service's `understand`.

All text of a response that a message will quote is cleaned of secrets here and nowhere else. Whatever a server sends,
`read` returns an outcome: an answer that some decoder stumbles over is an `errors.ProtocolError`.
"""

from typing import Any

import attrs

from aiorescue import errors
from aiorescue.operation import Answer, Operation, Outcome, OutcomeClass
from aiorescue.wire import redirect
from aiorescue.wire.bounded import PIECE
from aiorescue.wire.codec import Codec
from aiorescue.wire.dates import seconds_until
from aiorescue.wire.message import Authorization, Response, Unreadable
from aiorescue.wire.redact import clean, cleaned, folded
from aiorescue.wire.untracked import take_apart

_OK, _REDIRECT, _BAD_REQUEST, _SERVER_ERROR = 200, 300, 400, 500
#: HTTP statuses of failures that another attempt may not meet.
TRANSIENT_STATUSES = frozenset({408, 429, 500, 501, 502, 503, 504})
#: Those of them that say that the request was not carried out: 408 comes from a server or proxy that has not received
#: all of it (RFC 9110, 15.5.9; the transport looks for one that was not meant for this request), 429 from a limit that
#: turned it away (RFC 6585, 4).
_NOT_CARRIED_OUT = frozenset({408, 429})
#: A 503 with a Retry-After comes from a proxy, or from IIS when its queue is full, before the service has the request
#: (RFC 9110, 15.6.4). Without a Retry-After it may come from an application that was stopped within the request.
_UNAVAILABLE = 503
#: How ASMX answers a GET or POST that it could not read: HTTP 500 and one of these, in plain text.
_UNREAD = (
    "Missing parameter",
    "Cannot convert",
    "Invalid method name",
    "A potentially dangerous Request",
    "Web Service method name is not valid",
)
_EXCERPT = 160
#: Seconds above which a Retry-After is ignored as nonsense: a hundred years.
_LONGEST_WAIT = 100 * 365.25 * 86_400


def read(
    codec: Codec[Any], operation: Operation[object], authorization: Authorization, response: Response
) -> Outcome[object]:
    """Decode and understand the response to an operation.

    Args:
        codec: codec of the operation on the binding of the request.
        operation: the operation that was called.
        authorization: what its request was authorized by; its secrets are removed from quoted text.
        response: the response.

    Returns:
        The outcome of the attempt. Its value may read from `Response.stream`.
    """
    try:
        outcome = _read(codec, operation, response)
        if outcome.outcome_class is OutcomeClass.OK:
            return outcome
        secrets = [*operation.secrets, *authorization.secrets]
        return attrs.evolve(
            outcome,
            word=None if outcome.word is None else clean(outcome.word, secrets)[:_EXCERPT],
            # Our own messages show no secret, even if a word of them is one; a decoder's may quote the answer.
            detail=clean(outcome.detail, secrets) if outcome.error is errors.ProtocolError else outcome.detail,
            quote=clean(outcome.quote, secrets),
            more=cleaned(outcome.more, secrets),
        )
    except MemoryError:
        raise
    except Exception as problem:  # noqa: BLE001 - a server can send what no decoder foresees
        return unforeseen(problem)


def unforeseen(problem: Exception) -> Outcome[object]:
    """The outcome of an answer at which a decoder raised an exception that is not `Unreadable`."""
    return Outcome(
        OutcomeClass.FINAL,
        error=errors.ProtocolError,
        # Without the message of the exception, which may quote the answer.
        detail=f"the answer cannot be read ({type(problem).__name__})",
        ambiguous=True,
    )


def _read(codec: Codec[Any], operation: Operation[object], response: Response) -> Outcome[object]:
    refusal = operation.spec.service.refusal
    refused = refusal(type(operation), response.headers) if refusal is not None else None
    if refused is not None:
        return refused
    if response.status not in (_OK, _SERVER_ERROR):
        return _by_status(operation, response)
    answer: Answer | Outcome[object]
    try:
        if response.problem is not None:
            raise response.problem
        answer = codec.decode(response)
    except Unreadable as problem:
        answer = Outcome(
            OutcomeClass.TRANSIENT if problem.cut else OutcomeClass.FINAL,
            error=errors.ProtocolError,
            detail=str(problem),
            quote=_excerpt(operation, response),
            ambiguous=True,
            too_large=problem.too_large,
        )
    if response.status == _SERVER_ERROR:
        if isinstance(answer, Outcome) and answer.error is not errors.ProtocolError:
            return answer  # a SOAP fault
        return _by_status(operation, response)
    if isinstance(answer, Outcome):
        return answer
    outcome = _understood(operation, answer, response)
    if len(response.body) > PIECE and not operation.spec.service.keeps_answers:
        take_apart([answer.result, answer.fields])
    return outcome


def _understood(operation: Operation[object], answer: Answer, response: Response) -> Outcome[object]:
    outcome = operation.spec.service.understand(type(operation), answer)
    unknown = outcome.error is errors.ServiceError and outcome.outcome_class is OutcomeClass.FINAL
    if not outcome.quote and (unknown or outcome.error is errors.ProtocolError):
        return attrs.evolve(outcome, quote=_excerpt(operation, response))
    return outcome


def _by_status(operation: Operation[object], response: Response) -> Outcome[object]:
    status = response.status
    hint = operation.spec.service.hints.get(status)
    detail, quote = f"HTTP {status}{f', {hint}' if hint else ''}", _excerpt(operation, response)
    unread = status == _SERVER_ERROR and any(phrase in _beginning(response)[:_EXCERPT] for phrase in _UNREAD)
    if status in TRANSIENT_STATUSES and not unread:
        is_busy = status == _UNAVAILABLE and "Retry-After" in response.headers
        return Outcome(
            OutcomeClass.TRANSIENT,
            error=errors.ServiceError,
            detail=detail,
            quote=quote,
            ambiguous=not (status in _NOT_CARRIED_OUT or is_busy),
            retry_after=retry_after(response.headers.get("Retry-After"), response.headers.get("Date")),
        )
    ours = unread or _BAD_REQUEST <= status < _SERVER_ERROR
    not_carried_out = ours
    if _REDIRECT <= status < _BAD_REQUEST:
        not_carried_out = redirect.is_not_carried_out(operation.spec, status, response.headers)
        if not operation.spec.secret_answer and (to := redirect.shown(response.headers)):
            detail += f", a redirect to {to}"
    return Outcome(
        OutcomeClass.FINAL,
        error=errors.ServiceFault if ours else errors.ProtocolError,
        detail=detail,
        quote=quote,
        ambiguous=not not_carried_out,
    )


def retry_after(header: str | None, date: str | None = None) -> float | None:
    """Seconds to wait, from a Retry-After header in seconds or as a date; None if it is absent or unreadable.

    Args:
        header: the header.
        date: the Date header of the response.
    """
    if header is None:
        return None
    if header.isascii() and header.strip().isdecimal():
        seconds = float(header)
        return seconds if seconds <= _LONGEST_WAIT else None
    until = seconds_until(header, date)
    return None if until is None else max(0.0, until)


def _excerpt(operation: Operation[object], response: Response) -> str:
    """The beginning of the response's text, to be quoted; a remark instead if the answer is itself a secret."""
    if operation.spec.secret_answer:
        return "(not quoted, as it may show credentials)"
    # Cleaned later; a margin is kept so that no secret is cut in two and missed.
    return folded(_beginning(response))


def _beginning(response: Response) -> str:
    """The beginning of the response's text."""
    return attrs.evolve(response, body=response.body[: _EXCERPT * 8]).text
