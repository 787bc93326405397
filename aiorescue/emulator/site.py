"""The declarations of the operations as the server sees them: one operation (`Shape`), and one service (`Site`)."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from aiorescue.emulator.rules.call import ReceivedCall
from aiorescue.inforouter import METHODS
from aiorescue.operation import Binding, Operation, Parameter, Plain, Service, Slot, Spec, frozen
from aiorescue.rescue.pins import DIGITS

SESSION_COOKIE, TICKET_COOKIE = "ASP.NET_SessionId", "ticket"
#: Methods that were recorded, at a server older than those that the catalogue describes.
_CAPTURED = frozenset({"AuthenticateUser", "RenewTicket", "isValidTicket", "LogOut"})


@frozen(slots=False)
class Shape:
    """The declaration of one operation as the server reads its requests and writes its answers.

    Attributes:
        operation: the operation type.
    """

    operation: type[Operation[Any]]

    @property
    def spec(self) -> Spec:
        """The declaration of the operation beside its parameters."""
        return self.operation.spec

    @property
    def service(self) -> Service:
        """The service that offers the operation."""
        return self.spec.service

    @property
    def name(self) -> str:
        """The vendor's name of the operation."""
        return self.spec.name

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """All parameters in the order of the wire, the identity among them: first or last, as the service has it."""
        declared = tuple(slot.parameter for slot in self.operation.slots)
        identity = () if self.spec.identity is None else (self.spec.identity,)
        return (*identity, *declared) if self.service.identity_first else (*declared, *identity)

    @cached_property
    def over_soap(self) -> bool:
        """Whether the operation is offered over SOAP; some are only offered as text pages."""
        return Binding.SOAP11 in self.spec.bindings or Binding.SOAP12 in self.spec.bindings

    @cached_property
    def over_forms(self) -> bool:
        """Whether the operation is offered as an ASMX form; ASP.NET offers none that has an out parameter."""
        return Binding.HTTP_POST in self.spec.bindings

    @cached_property
    def optional(self) -> frozenset[str]:
        """Parameters that a form may omit: for infoRouter all, the ticket too, except name and password."""
        own = self.spec.own_credentials or ()
        if not self.service.omits_absent:
            return frozenset()
        ticket = {self.spec.identity.soap} if self.spec.identity is not None else set()
        return frozenset(slot.parameter.soap for slot in self.operation.slots if slot.name not in own) | ticket

    @cached_property
    def takes_bytes(self) -> bool:
        """Whether a parameter holds bytes; ASP.NET offers such a form by POST only."""
        return any(parameter.holds is bytes for parameter in self.parameters)

    @cached_property
    def takes_records(self) -> bool:
        """Whether the operation has an array parameter, which pages send as numbered fields."""
        return self.operation.more_slots is not Operation.more_slots

    @cached_property
    def filled(self) -> frozenset[str]:
        """Text parameters that must not be empty in forms: those that infoRouter's newer servers require."""
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
        # Of several parameters under one attribute, the one that is not derived from the attribute comes first.
        return {name: tuple(sorted(slots, key=_derived)) for name, slots in grouped.items()}

    def call(self, values: Mapping[str, Plain], cookie: str, records: Sequence[Mapping[str, str]] = ()) -> ReceivedCall:
        """Call with the given values.

        Args:
            values: parameters by SOAP name; an absent one gets .NET's default of its type.
            cookie: value of the cookie that identifies the client.
            records: rows of an array parameter.
        """

        def value(slot: Slot) -> Plain:
            parameter = slot.parameter
            return values[parameter.soap] if parameter.soap in values else _default(parameter)

        arguments: dict[str, Any] = {
            name: value(slots[0]) if slots[0].name == name else tuple(map(value, slots))
            for name, slots in self._attributes.items()
        }
        identity = self.spec.identity
        code = str(values.get(identity.soap) or "") if identity is not None else ""
        return ReceivedCall(self.operation, arguments, code, cookie, records)


def is_number_as_text(parameter: Parameter) -> bool:
    """Whether a parameter is an Int32 in the service's schema and a text in the operation, which is true of PINs."""
    return parameter.holds is str and names_int32(parameter.soap)


def number_as_text(text: str) -> str:
    """A PIN that came as an Int32, with the leading zeros that a number does not have."""
    return text.strip().zfill(DIGITS)


def names_int32(name: str) -> bool:
    """Whether a SOAP name begins with the ``i`` by which Rescue marks an Int32 (``iNode``)."""
    return name[:1] == "i" and name[1:2].isupper()


def _default(parameter: Parameter) -> Plain:
    return number_as_text("") if is_number_as_text(parameter) else parameter.holds()


def _derived(slot: Slot) -> bool:
    return slot.parameter.encode is not None


class Site:
    """One service: its operations by every name under which a request may ask for them.

    Attributes:
        shapes: operations by name.
        service: the service.
        cookie: name of the cookie that identifies a client.
        path: path of the ``.asmx`` page in small letters.
        pages: operations that are text pages, by path in small letters.
    """

    def __init__(self, operations: Mapping[str, type[Operation[Any]]], cookie: str) -> None:
        self.shapes = {name: Shape(operation) for name, operation in operations.items()}
        self.service: Service = next(iter(self.shapes.values())).service
        self.cookie = cookie
        self.path = self.service.asmx.lower()
        self._action = self.service.action("")
        self.pages = {shape.spec.page.lower(): shape for shape in self.shapes.values() if shape.spec.page}

    def shape(self, name: str) -> Shape | None:
        """The operation with a name, or None."""
        return self.shapes.get(name)

    def by_action(self, action: str) -> Shape | None:
        """The operation that a quoted SOAPAction names, if it is offered over SOAP."""
        name = action.strip('"').removeprefix(self._action)
        return self._over_soap(name) if action == f'"{self._action}{name}"' else None

    def by_element(self, element: str) -> Shape | None:
        """The operation that an element with its namespace names, if it is offered over SOAP."""
        namespace, _, name = element.rpartition(" ")
        return self._over_soap(name) if namespace == self.service.namespace else None

    def _over_soap(self, name: str) -> Shape | None:
        shape = self.shape(name)
        return shape if shape is not None and shape.over_soap else None
