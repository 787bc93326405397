"""Parameters: what an operation's fields are called on the wire, what they hold, and what they may not."""

import re
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Annotated, Any, get_args, get_origin

import attrs

from aiorescue import errors

#: What XML 1.0 cannot carry, not even as a reference: the server answers 400 without a body.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Plain = str | int | bool | bytes | None


@attrs.frozen
class Parameter:
    """One parameter on the wire.

    Attributes:
        soap: element name, and the field name of the ASMX GET and POST bindings.
        page_key: field name on the `.aspx` pages; empty where the page has none.
        holds: ``str``, ``int`` (32 bits), ``bool`` or ``bytes`` (base64, or a part of a form of several).
        max_length: the most characters the service takes, or None if no limit is known.
        secret: never shown in a message.
        choices: the only values that the service takes, if they are known.
        encode: makes the wire's value of the attribute's, where it is not the same.
        encode_on_page: how the text page writes it, where SOAP writes it differently.
        form_name: field name of the ASMX GET and POST bindings where it is not the element's.
        raw_xml: the text is an XML element, which SOAP carries as one, not escaped.
        send_empty: left out, it is sent empty in forms and queries: ASMX answers HTTP 500 where it is not there at all.
    """

    soap: str
    page_key: str = ""
    holds: type[str] | type[int] | type[bool] | type[bytes] = str
    max_length: int | None = None
    secret: bool = False
    choices: tuple[Plain, ...] = ()
    encode: Callable[[Any], Plain] | None = None
    encode_on_page: Callable[[str], str] | None = None
    form_name: str = ""
    raw_xml: bool = False
    send_empty: bool = False
    # The characters a text may have without a closer look; none where not any text is taken.
    _room: int = attrs.field(init=False, repr=False, eq=False)

    @_room.default
    def _any_text(self) -> int:
        if self.holds is not str or self.choices:
            return -1
        return 2**31 if self.max_length is None else self.max_length

    def fits(self, value: Plain) -> bool:
        """Whether the wire can carry it."""
        # Nearly every value is one of the first two.
        if type(value) is str and len(value) <= self._room and value.isascii() and value.isprintable():
            return True
        if type(value) is bool and self.holds is bool and not self.choices:
            return True
        return self._problem(value) is None

    def check(self, name: str, value: Plain, operation: str) -> None:
        """Refuse what the wire cannot carry. Raises `errors.InvalidRequest`."""
        problem = self._problem(value)
        if problem is not None:
            raise errors.InvalidRequest(f"{operation}: {name} {problem}", operation=operation)

    def _problem(self, value: Plain) -> str | None:
        if value is None:
            return None
        if not isinstance(value, self.holds) or (self.holds is int and isinstance(value, bool)):
            return f"must be {self.holds.__name__}, not {type(value).__name__}"
        if self.choices and value not in self.choices:
            return f"must be one of {', '.join(str(choice) for choice in self.choices)}"
        if isinstance(value, str):
            return self._text_problem(value)
        if self.holds is int and isinstance(value, int) and not -(2**31) <= value < 2**31:
            return f"is {'too large' if self.secret else value}, but the service takes 32-bit numbers"
        return None

    def _text_problem(self, value: str) -> str | None:
        if self.max_length is not None and len(value) > self.max_length:
            return f"has {len(value)} characters, but the service takes {self.max_length}"
        if value.isascii() and value.isprintable():
            return None
        bad = _NOT_XML.search(value)
        if bad is None:
            return None
        return f"has a character that XML cannot carry (U+{ord(bad[0]):04X} at position {bad.start()}); remove it"


@attrs.frozen
class Repeated:
    """Several parameters of one kind under one attribute: the six custom fields."""

    parameters: tuple[Parameter, ...]


@attrs.frozen
class Slot:
    """Where one wire parameter gets its value from."""

    name: str  # for messages: "session", "custom_fields[2]"
    parameter: Parameter
    get: Callable[[Any], Plain]


@attrs.frozen
class Source:
    """An attribute, and the parameter that it fills; or the parameters, one after the other, where it holds several.

    Attributes:
        name: the attribute's.
        parameters: one, or as many as it can hold.
        get: the value, or the values.
        several: it holds several.
    """

    name: str
    parameters: tuple[Parameter, ...]
    get: Callable[[Any], Any]
    several: bool = False

    def slots(self) -> Iterator[Slot]:
        """One for each parameter."""
        if not self.several:
            yield Slot(self.name, self.parameters[0], self.get)
            return
        for index, parameter in enumerate(self.parameters):
            yield Slot(f"{self.name}[{index}]", parameter, _item(self.get, index))


def sources_of(cls: type) -> Iterator[Source]:
    """The sources of a class whose fields are marked with parameters."""
    for field in attrs.fields(cls):
        annotation: Any = field.type
        if get_origin(annotation) is not Annotated:
            continue
        for mark in get_args(annotation)[1:]:
            if isinstance(mark, Parameter):
                yield Source(field.name, (mark,), _said(field.name, mark.encode))
            elif isinstance(mark, Repeated):
                yield Source(field.name, mark.parameters, attrgetter(field.name), several=True)


def slots_of(cls: type) -> Iterator[Slot]:
    """The slots of a class whose fields are marked with parameters."""
    for source in sources_of(cls):
        yield from source.slots()


def _said(name: str, says: Callable[[Any], Plain] | None) -> Callable[[Any], Plain]:
    get = attrgetter(name)
    return get if says is None else lambda operation: says(get(operation))


def _item(several: Callable[[Any], Sequence[Plain]], index: int) -> Callable[[Any], Plain]:
    def get(operation: Any) -> Plain:
        values = several(operation)
        return values[index] if index < len(values) else None

    return get
