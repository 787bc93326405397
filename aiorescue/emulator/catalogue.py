"""infoRouter as the server sees it: typed operations, and every other method from the catalogue."""

from typing import Any

from aiorescue import inforouter
from aiorescue.emulator.site import TICKET_COOKIE, Shape, Site
from aiorescue.inforouter import METHODS, Method
from aiorescue.inforouter.service import INFOROUTER, InfoRouterOperation
from aiorescue.operation import Evidence, Needs, Operation, Slot, Spec


def operation_of(method: Method) -> type[Operation[Any]]:
    """An operation type made from a method of the catalogue; its values have the names of the method's parameters."""
    ticket = method.ticket_parameter()
    spec = Spec(
        service=INFOROUTER,
        name=method.name,
        bindings=dict.fromkeys(method.bindings, Evidence.DOCUMENTED),
        identity=ticket,
        needs=Needs.IDENTITY if ticket is not None else Needs.NOTHING,
        effect=method.effect,
        content=method.content,
    )
    slots = tuple(Slot(each.name, each.as_parameter(), _nothing) for each in method.parameters)
    return type(method.name, (InfoRouterOperation,), {"__slots__": (), "spec": spec, "slots": slots})


def _nothing(_: object) -> None:
    """Getter of a slot; the emulator reads requests and writes none, so there is no value to get."""


class InfoRouterSite(Site):
    """infoRouter: its pages describe the typed operations; every method of the catalogue is understood."""

    def __init__(self) -> None:
        super().__init__({**inforouter.OPERATIONS, **inforouter.TYPED}, TICKET_COOKIE)
        self._others: dict[str, Shape] = {}

    def shape(self, name: str) -> Shape | None:
        """The operation with a name, or None; the catalogue is consulted for names without a type."""
        found = self.shapes.get(name) or self._others.get(name)
        if found is None and name in METHODS:
            found = self._others[name] = Shape(operation_of(METHODS[name]))
        return found
