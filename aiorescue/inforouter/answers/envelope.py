"""What an answer of infoRouter means: one XML document whose root says whether the call succeeded, or bytes.

The root's tag varies (`root`, `response`, `Response`) and so does the case of `success`. A failure is a bracketed
code at the beginning of `error`, on newer servers an `errorCode` attribute or header, or neither. A call has
succeeded only if its answer says so.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, cast
from xml.etree import ElementTree as ET

import attrs

from aiorescue import errors
from aiorescue.inforouter.answers.codes import bracketed, numbered
from aiorescue.inforouter.answers.element import Element
from aiorescue.operation import Answer, Content, Family, Operation, Outcome, OutcomeClass

_CODE = re.compile(r"\[(\d{1,9})\]\s*", re.ASCII)
#: Digits of the longest errorCode that is read as a number.
_LONGEST_CODE = 9
#: What `error` begins with if a bulk call failed for some of its items.
_PARTIAL = "[log]"
#: Items of a partial failure that its message names; its `log` has all of them.
_NAMED = 3


class _ReadsElement(Protocol):
    """An infoRouter operation type, as `understand` sees it."""

    partial_is_success: ClassVar[bool]

    @classmethod
    def read(cls, root: Element) -> Any: ...


def understand(operation: type[Operation[Any]], answer: Answer) -> Outcome[Any]:
    """The outcome of an answer: bytes are a result as they are, a document is judged by its root."""
    if isinstance(answer.result, bytes) or operation.spec.content is Content.NOTHING:
        return Outcome(OutcomeClass.OK, value=answer.result)
    try:
        root = Element.of(answer.result) if isinstance(answer.result, ET.Element) else None
        if root is None or not ("success" in root or "error" in root):
            return _unreadable("the answer says neither success nor error")
        return _judge(operation, root)
    except RecursionError:
        return _unreadable("the elements of the answer are nested too deeply")
    except KeyError as missing:
        return _unreadable(f"the answer lacks {missing}")
    except (ValueError, OverflowError) as problem:
        return _unreadable(f"the answer cannot be read: {problem}")


def _judge(operation: type[Operation[Any]], root: Element) -> Outcome[Any]:
    """The outcome of a document by its root. Raises what `read` of an operation does."""
    if root.true("tryagain"):
        # Servers write it with success and without; either way the chunk did not arrive as it was sent.
        return Outcome(
            OutcomeClass.TRANSIENT, error=errors.ServiceError, word="tryagain", detail="the chunk arrived damaged"
        )
    success, error = root.get("success").strip().lower(), root.get("error").strip()
    if success not in ("true", "1"):  # any other word is no success
        refused = failure(operation, root)
        if success not in ("false", "0") and not refused.word:
            refused = attrs.evolve(refused, ambiguous=True)  # it does not say failure either
        false_on = operation.spec.false_on
        if false_on and issubclass(refused.error, false_on):
            return Outcome(OutcomeClass.OK, value=False, word=refused.word)
        return refused
    reader = cast("type[_ReadsElement]", operation)
    if _is_partial(error) and not reader.partial_is_success:
        return failure(operation, root)
    return Outcome(OutcomeClass.OK, value=reader.read(root))


def _is_partial(error: str) -> bool:
    """Whether an error text says that a call failed for some of its items; the service is not sure of its case."""
    return error[: len(_PARTIAL)].lower() == _PARTIAL


def _unreadable(detail: str) -> Outcome[Any]:
    """The outcome of an answer that has no readable result, though the call may have been carried out."""
    return Outcome(OutcomeClass.FINAL, error=errors.ProtocolError, detail=detail, ambiguous=True)


def failure(operation: type[Operation[Any]], root: Element) -> Outcome[Any]:
    """The outcome of an answer that says that the call failed, for all or for some of its items."""
    text = root.get("error").strip()
    if _is_partial(text):
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
    return _by_code(operation, text, root.get("errorCode"))


def refusal(operation: type[Operation[Any]], headers: Mapping[str, str]) -> Outcome[Any] | None:
    """The outcome of a failure that stands in the headers of an answer; None where they tell of none.

    Servers of version 9 send it where the body has no place for it: with bytes. The HTTP status may be 200.
    """
    number = headers.get("X-InfoRouter-ErrorCode", "").strip()
    if not number.strip("0"):
        return None
    return _by_code(operation, headers.get("X-InfoRouter-Error", ""), number)


def _by_code(operation: type[Operation[Any]], text: str, number: str) -> Outcome[Any]:
    """The outcome of a failure by its code: the bracket that begins its text, else its errorCode."""
    bracket = _CODE.match(text)
    if bracket is not None:
        verdict, word = bracketed(int(bracket[1])), f"[{bracket[1]}]"
        text = text[bracket.end() :]
    else:
        coded = number.isascii() and number.isdecimal() and number.strip("0") != "" and len(number) <= _LONGEST_CODE
        verdict, word = numbered(int(number) if coded else 0), number if coded else text
    error = verdict.error
    if error is errors.NotLoggedIn and operation.spec.family is Family.LOGINS:
        error = errors.AuthenticationError  # a login has no ticket that could have ended
    return Outcome(verdict.outcome_class, word=word, error=error, detail="" if text else verdict.hint, quote=text)
