"""What both ways of reading share: a declaration as the server sees it, and what comes of a request."""

import html
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import attrs

from aiorescue.emulator.rules.call import Call, Said
from aiorescue.inforouter import METHODS
from aiorescue.operation import Binding, Operation, Parameter, Plain, Service, Slot, Spec

SESSION_COOKIE, TICKET_COOKIE = "ASP.NET_SessionId", "ticket"
LONGEST_QUERY = 2048

XML_TYPE = "text/xml; charset=utf-8"
FORM_TYPE = "application/x-www-form-urlencoded"
PARTS_TYPE = "multipart/form-data"

#: Of these there are recordings, which are of an older server.
_CAPTURED = frozenset({"AuthenticateUser", "RenewTicket", "isValidTicket", "LogOut"})
_PART_NAME = re.compile(rb'[; ]name="([^"]*)"')


@attrs.frozen
class Incoming:
    """A request as it came, without any framework's types; `path` keeps its case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def cookie(self, name: str) -> str:
        """The first cookie of that name; names mind their case, as on the real server."""
        for part in self.headers.get("Cookie", "").split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value
        return ""


@attrs.frozen
class Reply:
    """An answer as bytes.

    Attributes:
        close: the connection ends with it, as ASP.NET does after an error of its own.
        headers: beyond the content type.
        word: what the request log keeps of it.
    """

    body: bytes = b""
    content_type: str = XML_TYPE
    status: int = 200
    close: bool = False
    headers: Mapping[str, str] = attrs.field(factory=dict)
    word: str = ""


class RefusedError(Exception):
    """The request is no call: the server answers it itself."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


@attrs.frozen
class Reading:
    """A request that is a call, and how to write the answer."""

    call: Call
    binding: Binding
    write: Callable[[Said], Reply]


def error_page(status: int, text: str, *, close: bool = True) -> Reply:
    """ASP.NET's own trouble, in HTML."""
    title = html.escape(HTTPStatus(status).phrase)
    page = (
        '<?xml version="1.0" encoding="utf-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml">\n'
        f"<head><title>{title}</title></head>\n"
        f"<body><h1>Server Error in '/' Application</h1><h2>{title}</h2><p>{html.escape(text)}</p></body>\n</html>\n"
    )
    return Reply(page.encode(), "text/html", status, close=close)


def not_found(path: str) -> Reply:
    """No such page; unlike other errors this one keeps the connection."""
    return error_page(404, f"The resource cannot be found. Requested URL: {path}", close=False)


@attrs.frozen(slots=False)
class Shape:
    """One operation's declaration as the server reads and writes it."""

    operation: type[Operation[Any]]

    @property
    def spec(self) -> Spec:
        """The declaration."""
        return self.operation.spec

    @property
    def service(self) -> Service:
        """Whose operation it is."""
        return self.spec.service

    @property
    def name(self) -> str:
        """The operation's name."""
        return self.spec.name

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """All of them, in the order of the wire: the identity comes last."""
        declared = tuple(slot.parameter for slot in self.operation.slots)
        return declared if self.spec.identity is None else (*declared, self.spec.identity)

    @cached_property
    def by_name(self) -> Mapping[str, Parameter]:
        """The parameters by their SOAP names."""
        return {parameter.soap: parameter for parameter in self.parameters}

    @cached_property
    def over_soap(self) -> bool:
        """Some operations are only known as text pages."""
        return Binding.SOAP11 in self.spec.bindings or Binding.SOAP12 in self.spec.bindings

    @cached_property
    def over_forms(self) -> bool:
        """ASMX offers no operation with an out parameter over GET and POST."""
        return Binding.HTTP_POST in self.spec.bindings

    @cached_property
    def optional(self) -> frozenset[str]:
        """Parameters that a form may leave out: infoRouter's, ticket and all, except for name and password."""
        own = self.spec.own_credentials or ()
        if not self.service.omits_absent:
            return frozenset()
        ticket = {self.spec.identity.soap} if self.spec.identity is not None else set()
        return frozenset(slot.parameter.soap for slot in self.operation.slots if slot.name not in own) | ticket

    @cached_property
    def takes_bytes(self) -> bool:
        """A form with bytes cannot be asked for by GET."""
        return any(parameter.holds is bytes for parameter in self.parameters)

    @cached_property
    def filled(self) -> frozenset[str]:
        """Texts that infoRouter's newer servers want filled in forms; the captured ones did not look."""
        if self.service.validates_requests or self.spec.name in _CAPTURED:
            return frozenset()
        required = {
            each.soap for each in METHODS[self.name].parameters if each.required and each.type not in ("bool", "bytes")
        }
        return frozenset(parameter.soap for parameter in self.parameters if parameter.soap in required)

    @cached_property
    def _attributes(self) -> Mapping[str, tuple[Slot, ...]]:
        grouped: dict[str, tuple[Slot, ...]] = {}
        for slot in self.operation.slots:
            attribute = slot.name.partition("[")[0]
            grouped[attribute] = (*grouped.get(attribute, ()), slot)
        # Of several parameters under one attribute the one counts that says no more than the attribute.
        return {name: tuple(sorted(slots, key=_derived)) for name, slots in grouped.items()}

    def call(self, values: Mapping[str, Plain], cookie: str, fields: Mapping[str, str] | None = None) -> Call:
        """The call, from values by SOAP name; absent ones are what .NET makes of nothing."""

        def value(slot: Slot) -> Plain:
            parameter = slot.parameter
            return values[parameter.soap] if parameter.soap in values else parameter.holds()

        arguments: dict[str, Any] = {
            name: value(slots[0]) if slots[0].name == name else tuple(map(value, slots))
            for name, slots in self._attributes.items()
        }
        identity = self.spec.identity
        code = str(values.get(identity.soap) or "") if identity is not None else ""
        return Call(self.operation, arguments, code, cookie, fields)


def _derived(slot: Slot) -> bool:
    return slot.parameter.encode is not None


class Site:
    """One service: its operations by all the names under which they are asked for."""

    def __init__(self, operations: Mapping[str, type[Operation[Any]]], cookie: str) -> None:
        self.shapes = {name: Shape(operation) for name, operation in operations.items()}
        self.service: Service = next(iter(self.shapes.values())).service
        self.cookie = cookie
        self.path = self.service.asmx.lower()
        self._action = self.service.action("")
        self.pages = {shape.spec.page.lower(): shape for shape in self.shapes.values() if shape.spec.page}

    def shape(self, name: str) -> Shape | None:
        """The operation of that name."""
        return self.shapes.get(name)

    def by_action(self, action: str) -> Shape | None:
        """The operation that a quoted action asks for over SOAP."""
        name = action.strip('"').removeprefix(self._action)
        return self._over_soap(name) if action == f'"{self._action}{name}"' else None

    def by_element(self, element: str) -> Shape | None:
        """The operation whose element this is, with its namespace."""
        namespace, _, name = element.rpartition(" ")
        return self._over_soap(name) if namespace == self.service.namespace else None

    def _over_soap(self, name: str) -> Shape | None:
        shape = self.shape(name)
        return shape if shape is not None and shape.over_soap else None


def pairs(text: str) -> list[tuple[str, str]]:
    """The fields of a form or query as they came."""
    return parse_qsl(text, keep_blank_values=True, errors="replace")


def parts(body: bytes, content_type: str) -> dict[str, bytes]:
    """The fields of a form of several parts, by their name in small letters."""
    boundary = content_type.partition("boundary=")[2].partition(";")[0].strip('"').encode()
    found: dict[str, bytes] = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:]:
        head, separator, content = part.partition(b"\r\n\r\n")
        name = _PART_NAME.search(head)
        if separator and name is not None:
            found.setdefault(name[1].decode("utf-8", "replace").lower(), content)
    return found


def joined(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The fields as ASP.NET sees them: names in any case, values given twice joined with a comma."""
    found: dict[str, str] = {}
    for name, value in fields:
        key = name.lower()
        found[key] = f"{found[key]},{value}" if key in found else value
    return found


def check_query(request: Incoming) -> None:
    """ASP.NET takes a query of 2,048 characters and no more."""
    if len(request.query) > LONGEST_QUERY:
        raise RefusedError(error_page(400, "The length of the query string for this request exceeds the limit."))


def dangerous(text: str) -> bool:
    """Whether ASP.NET's request validation objects: to markup and to character references."""
    for index, character in enumerate(text[:-1]):
        following = text[index + 1]
        if character == "<" and ((following.isascii() and following.isalpha()) or following in "!/?"):
            return True
        if character == "&" and following == "#":
            return True
    return False
