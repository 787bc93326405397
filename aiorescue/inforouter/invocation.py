"""Any method of the catalogue as an operation: a name and values, checked before anything is sent."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, ClassVar
from uuid import UUID
from xml.etree import ElementTree as ET

import attrs

from aiorescue import errors
from aiorescue.inforouter.answers.element import Element
from aiorescue.inforouter.answers.envelope import INFOROUTER, InfoRouterOperation
from aiorescue.inforouter.answers.values import written
from aiorescue.inforouter.catalogue import METHODS, Method, MethodParameter
from aiorescue.operation import Effect, Evidence, Family, Needs, Parameter, Plain, Source, Spec, operation

_LOGINS = frozenset(
    {"AuthenticateUser", "AuthenticateUser1", "AuthenticateUserViaWindows", "RenewTicket", "CreateTicketforUser"}
)
_TICKET = "AuthenticationTicket"


@operation
class Invocation(InfoRouterOperation[Any]):
    """A method of the catalogue and its values; made by `invocation`. Its result is the root `Element`, or bytes."""

    values: Mapping[str, Plain] = attrs.field(factory=dict, repr=False)

    method: ClassVar[Method]
    partial_is_success: ClassVar[bool] = True

    @property
    def ticket(self) -> str | None:
        """The ticket, if it was given as a parameter."""
        found = self.values.get(_TICKET)
        return found if isinstance(found, str) else None

    @classmethod
    def read(cls, root: Element) -> Element:
        """The whole answer."""
        return root

    def __reduce__(self) -> tuple[Callable[..., "Invocation"], tuple[str, bool, dict[str, Plain]]]:
        # The class is made at run time, so the value travels as what it was made from.
        return _rebuilt, (self.method.name, self.spec.identity is None, dict(self.values))


def invocation(name: str, parameters: Mapping[str, Any], *, anonymous: bool = False) -> Invocation:
    """A method with its values.

    A ticket among the parameters is sent in place of the client's own.

    Args:
        name: the method's name.
        parameters: values by parameter name; None is left out. In methods that only read, a flag left out is False.
        anonymous: leave out a ticket that is optional.

    Raises:
        errors.InvalidRequest: no such method or parameter, one that is missing, or a value of the wrong type.
    """
    method = METHODS.named(name)
    values: dict[str, Plain] = {}
    own = None
    for key, value in parameters.items():
        if method.ticket_name and key.lower() == _TICKET.lower():
            own = _own_ticket(method, value)
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
    if own is not None:
        values[_TICKET] = own
    return _kind(name, carries=own is not None or (anonymous and method.ticket == "optional"))(values)


def _rebuilt(name: str, carries: bool, values: dict[str, Plain]) -> Invocation:  # noqa: FBT001 - as pickle passes it
    return _kind(name, carries=carries)(values)


def _own_ticket(method: Method, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        # infoRouter would run the call as the anonymous user.
        raise errors.InvalidRequest(f"{method.name}: the ticket must be a text and not empty", operation=method.name)
    return value


@cache
def _kind(name: str, *, carries: bool) -> type[Invocation]:
    """The class of a method; made once, as codecs are prepared by class.

    Args:
        name: the method's name.
        carries: its ticket, if any, is among the values; else the client adds its own.
    """
    method = METHODS[name]
    ticket = Parameter(method.ticket_soap, form_name=method.ticket_name, secret=True) if method.ticket_name else None
    sources = [Source(p.name, (_parameter(p),), _value(p.name)) for p in method.parameters]
    if ticket is not None and carries:
        sources.insert(0, Source(_TICKET, (ticket,), _value(_TICKET)))
    stamped = ticket is not None and not carries
    spec = Spec(
        service=INFOROUTER,
        name=name,
        bindings=dict.fromkeys(method.bindings, Evidence.DOCUMENTED),
        identity=ticket if stamped else None,
        needs=Needs.IDENTITY if stamped else Needs.NOTHING,
        effect=method.effect,
        family=Family.LOGINS if name in _LOGINS else None,
        secret_answer=name in _LOGINS or any(p.secret for p in method.parameters),
        content=method.answers,
    )
    kind: type[Invocation] = type(name, (Invocation,), {"__slots__": (), "spec": spec, "method": method})
    kind.takes(sources)
    return kind


def _value(name: str) -> Callable[[Any], Plain]:
    def get(operation: Invocation) -> Plain:
        return operation.values.get(name)

    return get


_HOLDS: Mapping[str, type[str] | type[int] | type[bool] | type[bytes]] = {"int": int, "bool": bool, "bytes": bytes}


def _parameter(declared: MethodParameter) -> Parameter:
    return Parameter(
        declared.soap,
        form_name=declared.name,
        holds=_HOLDS.get(declared.type, str),
        secret=declared.secret,
        raw_xml=declared.type == "node",
    )


def _plain(method: Method, declared: MethodParameter, value: Any) -> Plain:
    """The value as the wire's types have it; those that need no change are checked by `Parameter`."""
    convert = _CONVERSIONS.get(declared.type)
    try:
        found: Plain = value if convert is None else convert(value)
    except (TypeError, ValueError, ET.ParseError) as problem:
        shown = "" if declared.secret else f": {problem}"
        raise errors.InvalidRequest(
            f"{method.name}: {declared.name} must be {_WANTED[declared.type]}{shown}", operation=method.name
        ) from None
    return found


def _moment(value: Any) -> str:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, date):
        raise TypeError(type(value).__name__)
    return written(value)


def _long(value: Any) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
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
    ET.fromstring(value)  # noqa: S314 - the caller's own, and without a DOCTYPE
    return value


def _node(value: Any) -> str:
    root = ET.fromstring(_xml(value))  # noqa: S314 - the same
    if not root.tag.startswith("{"):
        root.set("xmlns", "")  # else it would be in the namespace of the service
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
