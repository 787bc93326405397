"""What comes of an operation: an answer taken apart, and what became of one attempt. Data and types only."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypeVar

import attrs

from aiorescue import errors
from aiorescue.operation.status import OutcomeClass

R_co = TypeVar("R_co", covariant=True)


class StreamedText(Protocol):
    """A text too long for the memory, in pieces. Whoever has it closes it."""

    def __iter__(self) -> Iterator[str]:
        """The pieces, once. It takes a while: not on an event loop."""

    def skip(self, characters: int) -> None:
        """Leave out the first ones."""

    def close(self) -> None:
        """Nothing more is read. A second time does nothing. It may take a while, too."""

    def discard(self) -> None:
        """The same from an event loop, which does not wait."""


@attrs.frozen
class Answer:
    """An answer taken apart, whatever binding it came over; not yet understood.

    Attributes:
        result: content of the result element: a word, or a mapping for an XML document.
        fields: the other elements of the answer, by SOAP name.
        from_page: it is a text page's.
        body: what follows the word on a text page.
        stream: the same, where it is too long for the memory.
    """

    result: Any
    fields: Mapping[str, Any] = attrs.field(factory=dict)
    from_page: bool = False
    body: str = ""
    stream: StreamedText | None = None


_NOTHING: Mapping[str, Any] = MappingProxyType({})


@attrs.define  # nobody changes one; but each call makes one, and a frozen one takes four times as long to make
class Outcome(Generic[R_co]):
    """What became of one attempt.

    Attributes:
        outcome_class: what to do next.
        value: the result, if OK.
        word: the service's own word, as it came.
        error: the exception type to raise if this is the end.
        detail: what happened, for the message; in our words.
        quote: the service's own text, or the beginning of an answer that is none; it may hold anything.
        ambiguous: the request left, and whether it was carried out is unknown.
        retry_after: seconds the service asks to wait.
        more: further attributes of the exception.
        too_large: the answer has more bytes than are received.
        outputs: the outputs of an OK that its value was made of, where it depends on them alone.
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
