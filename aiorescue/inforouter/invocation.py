"""`Invocation`: any method of the catalogue as an operation, made of a name and values that are checked first."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, ClassVar
from uuid import UUID
from xml.etree import ElementTree as ET

import attrs

from aiorescue import errors
from aiorescue.inforouter.answers.element import Element
from aiorescue.inforouter.catalogue import METHODS, Method, MethodParameter
from aiorescue.inforouter.service import INFOROUTER, BringsTicket
from aiorescue.operation import Effect, Evidence, Family, Needs, Plain, Source, Spec, discreet, operation
from aiorescue.operation.number import is_whole

#: Methods that issue a ticket.
_LOGINS = frozenset(
    {"AuthenticateUser", "AuthenticateUser1", "AuthenticateUserViaWindows", "RenewTicket", "CreateTicketforUser"}
)
#: Key of the ticket among the values of an `Invocation`, however the method spells it.
_TICKET = "AuthenticationTicket"


@operation
class Invocation(BringsTicket[Any]):
    """A method of the catalogue and the values to call it with, made by `invocation`.

    Its result is the root `Element` of the answer, or bytes.
    """

    values: Mapping[str, Plain] = attrs.field(factory=dict, repr=False)
    """Values by the parameters' names in the catalogue; a ticket among them is called ``AuthenticationTicket``."""

    method: ClassVar[Method]
    partial_is_success = True

    @property
    def ticket(self) -> str | None:
        """The ticket among the values; None if the method is called with the client's own."""
        found = self.values.get(_TICKET)
        return found if isinstance(found, str) else None

    @classmethod
    def read(cls, root: Element) -> Element:
        """Return the root element of the answer, with everything in it."""
        return root

    def __reduce__(self) -> tuple[Callable[..., "Invocation"], tuple[str, bool, dict[str, Plain]]]:
        # The class is made at run time and cannot be pickled by its name; the value travels as what it was made of.
        return _rebuilt, (self.method.name, self.spec.identity is None, dict(self.values))


@discreet
def invocation(name: str, parameters: Mapping[str, Any], *, anonymous: bool = False) -> Invocation:
    """Make an operation of a method's name and its values.

    A ticket among the parameters is sent in place of the client's own.

    Args:
        name: name of the method in `METHODS`.
        parameters: values by parameter name; None counts as left out. In methods that only read, a flag that is left
            out is sent as false.
        anonymous: True to call a method whose ticket is optional without one.

    Raises:
        errors.InvalidRequest: no such method or parameter, a parameter that is missing, or a value of the wrong type.
    """
    method = METHODS.named(name)
    values: dict[str, Plain] = {}
    ticket = None
    for key, value in parameters.items():
        if method.ticket_name and key.lower() == _TICKET.lower():
            ticket = _checked_ticket(method, value)
        elif value is not None:
            declared = method.parameter(key)
            values[declared.name] = _plain(method, declared, value)
    missing = []
    for declared in method.parameters:
        if declared.required and declared.name not in values:
            if declared.type == "bool" and method.effect is Effect.READ:
                values[declared.name] = False
            else:
                missing.append(declared.name)
    if missing:
        raise errors.InvalidRequest(f"{name} lacks {', '.join(missing)}", operation=name)
    if ticket is not None:
        values[_TICKET] = ticket
    return _operation_type(name, carries=ticket is not None or (anonymous and method.ticket == "optional"))(values)


def _rebuilt(name: str, carries: bool, values: dict[str, Plain]) -> Invocation:  # noqa: FBT001 - as pickle passes it
    return _operation_type(name, carries=carries)(values)


def _checked_ticket(method: Method, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        # infoRouter would run a call with an empty ticket as the anonymous user.
        raise errors.InvalidRequest(f"{method.name}: the ticket must be a text and not empty", operation=method.name)
    return value


@cache
def _operation_type(name: str, *, carries: bool) -> type[Invocation]:
    """The operation type of a method; made once, as codecs are prepared for each type.

    Args:
        name: name of the method.
        carries: True if the ticket, if any, is among the values; False if the client adds its own.
    """
    method = METHODS[name]
    ticket = method.ticket_parameter()
    sources = [Source(p.name, (p.as_parameter(),), _value(p.name)) for p in method.parameters]
    if ticket is not None and carries:
        sources.insert(0, Source(_TICKET, (ticket,), _value(_TICKET)))
    takes_clients = ticket is not None and not carries
    spec = Spec(
        service=INFOROUTER,
        name=name,
        bindings=dict.fromkeys(method.bindings, Evidence.DOCUMENTED),
        identity=ticket if takes_clients else None,
        needs=Needs.IDENTITY if takes_clients else Needs.NOTHING,
        effect=method.effect,
        family=Family.LOGINS if name in _LOGINS else None,
        secret_answer=name in _LOGINS or any(p.secret for p in method.parameters),
        content=method.content,
    )
    made: type[Invocation] = type(name, (Invocation,), {"__slots__": (), "spec": spec, "method": method})
    made.takes(sources)
    return made


def _value(name: str) -> Callable[[Any], Plain]:
    def get(operation: Invocation) -> Plain:
        return operation.values.get(name)

    return get


def _plain(method: Method, declared: MethodParameter, value: Any) -> Plain:
    """The value in a type that the wire carries; text, int and bool stay as they are, and `Parameter` checks them."""
    convert = _CONVERSIONS.get(declared.type)
    try:
        found: Plain = value if convert is None else convert(value)
    except (TypeError, ValueError, OverflowError, RecursionError, ET.ParseError) as problem:
        shown = "" if declared.secret else f": {problem}"
        raise errors.InvalidRequest(
            f"{method.name}: {declared.name} must be {_WANTED[declared.type]}{shown}", operation=method.name
        ) from None
    return found


def _moment(value: Any) -> str:
    """A date or moment as a request carries it: the server takes UTC, and a moment without a zone as its local time."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, date):
        raise TypeError(type(value).__name__)
    if not isinstance(value, datetime):
        return value.isoformat()
    if value.tzinfo is None:
        return value.isoformat(timespec="seconds")
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def _long(value: Any) -> str:
    if not is_whole(value):
        raise TypeError(type(value).__name__)
    if not -(2**63) <= value < 2**63:
        raise ValueError(value)
    return str(value)


def _guid(value: Any) -> str:
    if not isinstance(value, str | UUID):
        raise TypeError(type(value).__name__)
    return str(value)


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise TypeError(type(value).__name__)
    return bytes(value)


def _xml(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(type(value).__name__)
    if "<!DOCTYPE" in value:
        raise ValueError("a DOCTYPE")
    ET.fromstring(value)  # noqa: S314 - written by the calling program, and without a DOCTYPE
    return value


def _node(value: Any) -> str:
    root = ET.fromstring(_xml(value))  # noqa: S314 - checked by _xml
    if not root.tag.startswith("{"):
        root.set("xmlns", "")  # without it, the element would be in the namespace of the service
    return ET.tostring(root, encoding="unicode")


_CONVERSIONS: Mapping[str, Callable[[Any], Plain]] = {
    "datetime": _moment,
    "long": _long,
    "guid": _guid,
    "bytes": _bytes,
    "xml": _xml,
    "node": _node,
}
_WANTED = {
    "datetime": "a date, a datetime, or one in ISO format",
    "long": "a whole number of 64 bits",
    "guid": "a GUID as text or uuid.UUID",
    "bytes": "bytes",
    "xml": "well-formed XML",
    "node": "well-formed XML",
}
