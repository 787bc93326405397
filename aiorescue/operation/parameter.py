"""Parameters: an operation's values on the wire, their names and limits, and the fields that fill them."""

import re
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Annotated, Any, get_args, get_origin

import attrs

from aiorescue import errors
from aiorescue.operation.frozen import frozen

#: Characters that XML 1.0 cannot carry, not even as a reference: the server answers HTTP 400 without a body.
#: Named one by one, as the class of all others takes five milliseconds to compile; and compiled at the first use.
_NOT_XML = "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"
#: Bits of the longest number that a message shows; Python writes out no number of more than 4,300 digits.
_LONGEST_SHOWN = 64

Plain = str | int | bool | bytes | None


@frozen
class Parameter:
    """One parameter on the wire.

    Attributes:
        soap: element name over SOAP; also the field name of the ASMX forms, unless `form_name` gives another.
        page_key: field name on the text page; empty if the page does not take the parameter.
        holds: type of the wire's value: ``str``, ``int`` (32 bits), ``bool`` or ``bytes`` (base64, or a part of
            its own in a multipart form).
        max_length: most characters that the service takes; None if no limit is known.
        secret: True to keep the value out of every message.
        choices: the only values that the service takes; empty if they are not known.
        encode: makes the wire's value of the field's value; None if they are equal.
        encode_on_page: makes the text page's value of SOAP's value; None if they are equal.
        form_name: field name of the ASMX forms, if it differs from the element's name.
        raw_xml: True if the text is an XML element, which SOAP carries as an element and does not escape.
        send_empty: True to send an empty text in ASMX forms for a value left out; ASP.NET answers HTTP 500 to a form
            without the parameter.
        required: True if None is refused, because the field has no default.
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
    required: bool = False
    # Longest text that `fits` accepts without asking `_problem`; -1 if the parameter does not take just any text.
    _fast_length: int = attrs.field(init=False, repr=False, eq=False)

    @_fast_length.default
    def _longest_of_any_text(self) -> int:
        if self.holds is not str or self.choices:
            return -1
        return 2**31 if self.max_length is None else self.max_length

    def fits(self, value: Plain) -> bool:
        """Whether the wire can carry a value and the service takes it."""
        # A fast path beside `_problem` for nearly every value, 0.20 µs instead of 0.35; a PIN request has eight values.
        if type(value) is str and len(value) <= self._fast_length and value.isascii() and value.isprintable():
            return True
        if type(value) is bool and self.holds is bool and not self.choices:
            return True
        return self._problem(value) is None

    def check(self, name: str, value: Plain, operation: str = "") -> None:
        """Refuse a value that does not fit, and say why.

        Args:
            name: name of the field, for the message.
            value: the wire's value.
            operation: the vendor's name of the operation, for the message; empty leaves it out.

        Raises:
            errors.InvalidRequest: the value does not fit.
        """
        problem = self._problem(value)
        if problem is not None:
            where = f"{operation}: {name}" if operation else name
            raise errors.InvalidRequest(f"{where} {problem}", operation=operation or None)

    def _problem(self, value: Plain) -> str | None:
        if value is None and not self.required:
            return None
        if not isinstance(value, self.holds) or (self.holds is int and isinstance(value, bool)):
            return f"must be {self.holds.__name__}, not {type(value).__name__}"
        if self.choices and value not in self.choices:
            return f"must be one of {', '.join(str(choice) for choice in self.choices)}"
        if isinstance(value, str):
            return self._text_problem(value)
        if self.holds is int and isinstance(value, int) and not -(2**31) <= value < 2**31:
            hidden = self.secret or value.bit_length() > _LONGEST_SHOWN
            return f"is {'too large' if hidden else value}, but the service takes 32-bit numbers"
        return None

    def _text_problem(self, value: str) -> str | None:
        if self.max_length is not None and len(value) > self.max_length:
            return f"has {len(value)} characters, but the service takes {self.max_length}"
        if value.isascii() and value.isprintable():
            return None
        bad = re.search(_NOT_XML, value)
        if bad is None:
            return None
        return f"has a character that XML cannot carry (U+{ord(bad[0]):04X} at position {bad.start()}); remove it"


@frozen
class Repeated:
    """Several parameters that one field fills, item by item, such as the six custom fields."""

    parameters: tuple[Parameter, ...]


@frozen
class Slot:
    """Where one parameter gets its value from.

    Attributes:
        name: name of the field, with an index if it fills several parameters: ``"custom_fields[2]"``.
        parameter: the parameter.
        get: reads the parameter's value from an operation.
    """

    name: str
    parameter: Parameter
    get: Callable[[Any], Plain]


@frozen
class Source:
    """A field of an operation and the parameters that it fills.

    Attributes:
        name: name of the field.
        parameters: the parameter, or one parameter for each value that the field can hold.
        get: reads the value, or the sequence of values, from an operation.
        several: True if the field holds a sequence of values.
    """

    name: str
    parameters: tuple[Parameter, ...]
    get: Callable[[Any], Any]
    several: bool = False

    def slots(self) -> Iterator[Slot]:
        """Yield a slot for each parameter."""
        if not self.several:
            yield Slot(self.name, self.parameters[0], self.get)
            return
        for index, parameter in enumerate(self.parameters):
            yield Slot(f"{self.name}[{index}]", parameter, _item(self.get, index))


def sources_of(cls: type) -> Iterator[Source]:
    """Yield the sources of a class whose fields are annotated with parameters."""
    for field in attrs.fields(cls):
        annotation: Any = field.type
        if get_origin(annotation) is not Annotated:
            continue
        held, *marks = get_args(annotation)
        required = field.default is attrs.NOTHING and type(None) not in get_args(held)
        for mark in marks:
            if isinstance(mark, Parameter):
                parameter = attrs.evolve(mark, required=True) if required else mark
                yield Source(field.name, (parameter,), _encoded(field.name, mark.encode))
            elif isinstance(mark, Repeated):
                yield Source(field.name, mark.parameters, attrgetter(field.name), several=True)


def slots_of(cls: type) -> Iterator[Slot]:
    """Yield the slots of a class whose fields are annotated with parameters."""
    for source in sources_of(cls):
        yield from source.slots()


def _encoded(name: str, encode: Callable[[Any], Plain] | None) -> Callable[[Any], Plain]:
    get = attrgetter(name)
    return get if encode is None else lambda operation: encode(get(operation))


def _item(several: Callable[[Any], Sequence[Plain]], index: int) -> Callable[[Any], Plain]:
    def get(operation: Any) -> Plain:
        values = several(operation)
        return values[index] if index < len(values) else None

    return get
