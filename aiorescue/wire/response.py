"""From a response to an outcome: HTTP status, then the binding's decoder, then the service's own meaning.

Whatever is quoted for a person is cleaned of secrets here, at one place.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import attrs

from aiorescue import errors
from aiorescue.operation import Answer, Operation, Outcome, OutcomeClass
from aiorescue.wire.codec import Codec
from aiorescue.wire.learned import LearnedAnswer
from aiorescue.wire.message import Authorization, Response, Unreadable
from aiorescue.wire.redact import clean, folded

_OK, _BAD_REQUEST, _SERVER_ERROR = 200, 400, 500
#: Statuses that may be gone next time.
TRANSIENT_STATUSES = frozenset({408, 429, 500, 501, 502, 503, 504})
#: Of these, the ones that say that the request was not carried out.
_NOT_CARRIED_OUT = frozenset({408, 429, 501, 503})
#: How ASMX answers a GET or POST that it could not read: HTTP 500 and one of these, in plain text.
_UNREAD = (
    "Missing parameter",
    "Cannot convert",
    "Invalid method name",
    "A potentially dangerous Request",
    "Web Service method name is not valid",
)
_EXCERPT = 160


def read(
    codec: Codec, operation: Operation[object], authorization: Authorization, response: Response
) -> Outcome[object]:
    """What a response means."""
    usual = codec.usual  # once: a thread that reads a long answer may change it meanwhile
    if usual is not None and response.status == _OK and response.problem is None:
        known = usual.outcome(operation, response.body)
        if known is not None:
            return known
    outcome = _read(codec, operation, response)
    if outcome.outcome_class is OutcomeClass.OK:
        codec.usual = LearnedAnswer.of(operation.spec, response.body, outcome)
        return outcome
    secrets = [*operation.secrets, *authorization.secrets]
    word = None if outcome.word is None else clean(outcome.word, secrets)[:_EXCERPT]
    return attrs.evolve(outcome, word=word, quote=clean(outcome.quote, secrets))


def _read(codec: Codec, operation: Operation[object], response: Response) -> Outcome[object]:
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
        )
    if response.status == _SERVER_ERROR:
        if isinstance(answer, Outcome) and answer.error is not errors.ProtocolError:
            return answer  # a SOAP fault
        return _by_status(operation, response)
    return answer if isinstance(answer, Outcome) else _understood(operation, answer, response)


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
    unread = status == _SERVER_ERROR and any(phrase in response.text[:_EXCERPT] for phrase in _UNREAD)
    if status in TRANSIENT_STATUSES and not unread:
        return Outcome(
            OutcomeClass.TRANSIENT,
            error=errors.ServiceError,
            detail=detail,
            quote=quote,
            ambiguous=status not in _NOT_CARRIED_OUT,
            retry_after=retry_after(response.headers.get("Retry-After")),
        )
    ours = unread or _BAD_REQUEST <= status < _SERVER_ERROR
    return Outcome(
        OutcomeClass.FINAL, error=errors.ServiceFault if ours else errors.ProtocolError, detail=detail, quote=quote
    )


def retry_after(header: str | None) -> float | None:
    """Seconds to wait, from either form of the header; None if it is absent or unreadable."""
    if header is None:
        return None
    if header.isascii() and header.strip().isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _excerpt(operation: Operation[object], response: Response) -> str:
    """The beginning of the answer for a message, unless it may hold a secret of its own."""
    if operation.spec.secret_answer:
        return "(not quoted, as it may show credentials)"
    # Cleaned later; a margin is kept so that no secret is cut in two and passes unseen.
    beginning = attrs.evolve(response, body=response.body[: _EXCERPT * 8])
    return folded(beginning.text)
