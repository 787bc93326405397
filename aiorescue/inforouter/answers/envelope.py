"""infoRouter's answers: one XML document whose root says whether it worked, or bytes.

The root's name varies (`root`, `response`, `Response`) and so does the case of `success`; a failure is a
bracketed code at the start of `error`, an `errorCode` attribute or header on newer servers, or neither. Success
is only what says so.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar, cast
from xml.etree import ElementTree as ET

from aiorescue import errors
from aiorescue.inforouter.answers.codes import bracketed, numbered
from aiorescue.inforouter.answers.element import Element
from aiorescue.operation import Answer, Content, Family, Operation, Outcome, OutcomeClass, Service

R = TypeVar("R")

_CODE = re.compile(r"\[(\d+)\]\s*")
_PARTIAL = "[log]"
#: So many items of a partial failure are in the message; all are in its `log`.
_NAMED = 3


class InfoRouterOperation(Operation[R]):
    """An operation of infoRouter: it reads its result from the root element of the answer."""

    __slots__ = ()

    #: A success that failed for some items is a result whose `log` says so, and no error.
    partial_is_success: ClassVar[bool] = False

    @classmethod
    def read(cls, root: Element) -> R:
        """The typed result of a success. Raises KeyError or ValueError for what the answer lacks."""
        return None  # type: ignore[return-value]  # R is None for the operations that do not override this


def understand(operation: type[Operation[Any]], answer: Answer) -> Outcome[Any]:
    """The outcome of an answer: bytes as they are, a document by its root."""
    if isinstance(answer.result, bytes) or operation.spec.content is Content.NOTHING:
        return Outcome(OutcomeClass.OK, value=answer.result)
    try:
        root = Element.of(answer.result) if isinstance(answer.result, ET.Element) else None
    except RecursionError:
        return Outcome(OutcomeClass.FINAL, error=errors.ProtocolError, detail="the answer is too deep", ambiguous=True)
    if root is None or not ("success" in root or "error" in root):
        return Outcome(
            OutcomeClass.FINAL, error=errors.ProtocolError, detail="the answer says neither success nor error"
        )
    if root.true("tryagain"):
        # Said with success and without it; either way this part did not arrive as it was sent.
        return Outcome(OutcomeClass.TRANSIENT, error=errors.ServiceError, word="tryagain", detail="damaged on its way")
    if not root.true("success"):
        refusal = failure(operation, root)
        no = operation.spec.false_on
        return (
            Outcome(OutcomeClass.OK, value=False, word=refusal.word)
            if no and issubclass(refusal.error, no)
            else refusal
        )
    declared = cast("type[InfoRouterOperation[Any]]", operation)
    if root.get("error").startswith(_PARTIAL) and not declared.partial_is_success:
        return failure(operation, root)
    try:
        return Outcome(OutcomeClass.OK, value=declared.read(root))
    except (KeyError, ValueError, OverflowError) as problem:
        return Outcome(
            OutcomeClass.FINAL, error=errors.ProtocolError, detail=f"the answer lacks {problem}", ambiguous=True
        )


def failure(operation: type[Operation[Any]], root: Element) -> Outcome[Any]:
    """The outcome of an answer that says no."""
    text, number = root.get("error"), root.get("errorCode")
    if text.startswith(_PARTIAL):
        log = root.log
        named = "; ".join(f"{entry.item}: {entry.error}" for entry in log[:_NAMED])
        return Outcome(
            OutcomeClass.FINAL,
            word=_PARTIAL,
            error=errors.PartialFailure,
            detail=f"{len(log)} items failed",
            quote=named,
            more={"log": log},
        )
    return _refused(operation, text, number)


def refusal(operation: type[Operation[Any]], headers: Mapping[str, str]) -> Outcome[Any] | None:
    """What 9.x says of a failure in headers, where the body has no place for it; the HTTP status may be 200."""
    number = headers.get("X-InfoRouter-ErrorCode", "").strip()
    if not number.strip("0"):
        return None
    return _refused(operation, headers.get("X-InfoRouter-Error", ""), number)


def _refused(operation: type[Operation[Any]], text: str, number: str) -> Outcome[Any]:
    bracket = _CODE.match(text)
    if bracket is not None:
        found, word = bracketed(int(bracket[1])), f"[{bracket[1]}]"
        text = text[bracket.end() :]
    else:
        coded = number.isdecimal() and number.strip("0") != ""
        found, word = numbered(int(number) if coded else 0), number if coded else text
    error = found.error
    if error is errors.NotLoggedIn and operation.spec.family is Family.LOGINS:
        error = errors.AuthenticationError  # a login has no ticket that could have ended
    return Outcome(found.outcome_class, word=word, error=error, detail="" if text else found.hint, quote=text)


INFOROUTER = Service(
    name="infoRouter",
    namespace="http://tempuri.org/",
    asmx="/srv.asmx",
    understand=understand,
    refusal=refusal,
    hints={
        400: "which is its answer to a required text that is empty",
        415: "which is its answer to bytes by GET",
    },
    answers_as_elements=True,
    omits_absent=True,
    identity_first=True,
    validates_requests=False,
)
