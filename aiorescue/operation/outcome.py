"""`Answer`, the service's reply taken apart, and `Outcome`, what became of one attempt at a call."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypeVar

import attrs

from aiorescue import errors
from aiorescue.operation.frozen import frozen
from aiorescue.operation.status import OutcomeClass

R_co = TypeVar("R_co", covariant=True)


class StreamedText(Protocol):
    """An answer's text in pieces, as it is too long for memory. Its reader must close or discard it."""

    def __iter__(self) -> Iterator[str]:
        """Yield the pieces, once. Reading blocks, so never iterate on an event loop."""

    def skip(self, characters: int) -> None:
        """Leave out the next characters of the text."""

    def close(self) -> None:
        """End the stream and free its resources; a second call does nothing. It may block."""

    def discard(self) -> None:
        """Close the stream in the background; safe to call on an event loop."""


@frozen
class Answer:
    """The service's reply over any binding, taken apart and not yet understood.

    Attributes:
        result: content of the result element: a status word, or a mapping for an XML document.
        fields: the other elements of the answer, by their SOAP names.
        from_page: True if the answer is a text page.
        body: text behind the status word of a text page.
        stream: text behind the status word of a text page, in place of `body` if it is too long for memory.
    """

    result: Any
    fields: Mapping[str, Any] = attrs.field(factory=dict)
    from_page: bool = False
    body: str = ""
    stream: StreamedText | None = None


_NOTHING: Mapping[str, Any] = MappingProxyType({})


@attrs.define  # not frozen, though no code changes it: each call makes one, and a frozen one takes four times as long
class Outcome(Generic[R_co]):
    """What became of one attempt at a call.

    Attributes:
        outcome_class: class of the outcome, which decides what the call does next.
        value: result of the call, if the outcome is OK.
        word: status word as the service wrote it; None if there is none.
        error: exception type to raise if the call ends with this outcome.
        detail: what happened, in words of this library; part of the exception's message.
        ambiguous: True if the request may have been carried out although no answer says so.
        retry_after: seconds that the service asks to wait; None if it does not.
        more: further attributes of the exception, by name.
        outputs: decoded outputs of an OK if the value is a function of them only, so that the answer can be learned.
        quote: the service's own text, or the beginning of an unreadable answer; it may hold secrets.
        too_large: True if the answer exceeds the limit of bytes and was not received to its end.
    """

    outcome_class: OutcomeClass
    value: R_co | None = attrs.field(default=None, repr=False)  # it may be a ticket or an auth code
    word: str | None = None
    error: type[errors.RescueError] = errors.RescueError
    detail: str = ""
    ambiguous: bool = False
    retry_after: float | None = None
    more: Mapping[str, Any] = _NOTHING
    outputs: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    quote: str = ""
    too_large: bool = False
