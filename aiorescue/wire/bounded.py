"""`BoundedParser`: an expat parser whose time and memory stay in proportion to the document, whatever that holds.

A DOCTYPE is refused at once: the entities that it declares could make gigabytes of a few bytes. Expat begins a tag,
comment or instruction anew with each piece of the document until it has all of it, keeps every name that it meets, and
takes elements within elements without end. An answer of sixteen megabytes can so take minutes and gigabytes. No answer
of either service comes near the limits below; a document beyond one of them is refused.
"""

import math
from collections.abc import Callable
from typing import Any, Final
from xml.parsers import expat

from aiorescue.wire.message import Unreadable

#: Bytes or characters that are parsed at once, while no other thread can run.
PIECE: Final = 2**16
#: Bytes of the longest tag, comment or instruction.
LONGEST_TAG: Final = 2**22
#: Attributes of one element, counted by equals signs, in a tag that goes on from one piece to the next.
MOST_ATTRIBUTES: Final = 5_000
#: Different names of elements, attributes and namespaces.
MOST_NAMES: Final = 10_000
#: Elements within each other.
DEEPEST: Final = 200
#: Elements of one document: one for each sixteen bytes of the longest answer.
MOST_ELEMENTS: Final = 2**20
#: Those of a document that is kept as elements, which take more memory: one for each 32 bytes.
MOST_KEPT: Final = 2**19

Handler = Callable[..., object]

_OF_ELEMENTS = ("StartElementHandler", "EndElementHandler")


class BoundedParser:
    """An expat parser for UTF-8, with the methods and attributes that xmltodict and the readers of tables use.

    Handlers are attributes, as in `xml.parsers.expat`; that of declared namespaces is ignored.

    Args:
        separator: stands between namespace and name; None to leave names with their prefixes.
        most_elements: how many elements the document may have; None for any number.
    """

    def __init__(self, *, separator: str | None = None, most_elements: int | None = MOST_ELEMENTS) -> None:
        self._parser = expat.ParserCreate("utf-8", separator)
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._most_elements = math.inf if most_elements is None else most_elements
        self._handlers: dict[str, Handler] = {}
        self._taken = 0  # bytes that the parser has
        self._waiting: list[bytes] = []  # pieces that it does not have yet
        self._missing = 0  # bytes that must come before it gets them
        self._equals = 0  # equals signs in the tag that is not complete

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            super().__setattr__(name, value)
        elif name in _OF_ELEMENTS:
            self._handlers[name] = value
            if len(self._handlers) == len(_OF_ELEMENTS):
                self._handle_elements(*map(self._handlers.__getitem__, _OF_ELEMENTS))
        elif name != "StartNamespaceDeclHandler":
            setattr(self._parser, name, value)

    @property
    def owner(self) -> Any:
        """The object whose methods handle the elements."""
        return getattr(self._handlers["StartElementHandler"], "__self__", None)

    def Parse(self, data: bytes, last: bool = False) -> None:  # noqa: FBT001, FBT002, N802 - expat's own
        """Parse the next piece of the document; `last` says that there are no more.

        Raises:
            Unreadable: the document is beyond a limit.
            xml.parsers.expat.ExpatError: it is not well-formed.
        """
        self._waiting.append(data)
        self._missing -= len(data)
        if self._missing > 0 and not last:
            return
        data = b"".join(self._waiting)
        if not self._taken and b"\0" in data[:2]:
            raise Unreadable("the answer is not XML")  # expat would take it for UTF-16, which it is not
        self._waiting.clear()
        self._parser.Parse(data, last)
        self._taken += len(data)
        if len(self._parser.intern) > MOST_NAMES:
            raise _beyond("more than 10,000 names")
        self._check_tag(data)

    def _check_tag(self, data: bytes) -> None:
        """Look at the tag that is not complete: it is parsed anew when it is twice as long, and not with each piece."""
        length = self._taken - max(0, self._parser.CurrentByteIndex)
        self._missing = min(length, LONGEST_TAG + 1 - length) if length > PIECE else 0
        if length <= len(data):
            self._equals = 0  # it begins in this piece
        self._equals += data.count(b"=", max(0, len(data) - length))
        if length > LONGEST_TAG or self._equals > MOST_ATTRIBUTES:
            raise _beyond("a tag that is too long")

    def _handle_elements(self, begin: Handler, finish: Handler) -> None:
        """Set the handlers of elements. They count in variables, as attributes of an object take twice the time."""
        depth, left = 0, self._most_elements

        def start(name: str, attributes: Any) -> None:
            nonlocal depth, left
            depth += 1
            left -= 1
            if depth > DEEPEST:
                raise _beyond("elements that are nested too deeply")
            if left < 0:
                raise _beyond(f"more than {self._most_elements:,} elements")
            begin(name, attributes)

        def end(name: str) -> None:
            nonlocal depth
            depth -= 1
            finish(name)

        self._parser.StartElementHandler, self._parser.EndElementHandler = start, end


def _refuse_doctype(*_: object) -> None:
    raise Unreadable("the answer holds a DOCTYPE, which is refused")


def _beyond(what: str) -> Unreadable:
    return Unreadable(f"the answer holds {what}")
