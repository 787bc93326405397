"""`METHODS`: every method of infoRouter's web service as data.

The records are in ``methods.json``, which ``docs/inforouter_catalogue.py`` writes. The file is read on first use.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import resources
from typing import Any, Literal

from aiorescue import errors
from aiorescue.operation import Binding, Content, Effect, Parameter, frozen
from aiorescue.operation.suggest import did_you_mean

Type = Literal["string", "int", "long", "bool", "datetime", "guid", "bytes", "xml", "node"]

#: What the wire holds for a type of the catalogue; the types that are not here travel as text.
_HOLDS: Mapping[str, type[int] | type[bool] | type[bytes]] = {"int": int, "bool": bool, "bytes": bytes}


@frozen
class MethodParameter:
    """A parameter of a catalogued method.

    Attributes:
        name: name in the vendor's documentation, sent in forms and queries, where case does not matter.
        type: type of the value; a ``node`` is XML that SOAP carries as an element.
        required: True if the documentation calls the parameter required.
        soap: name over SOAP, where case matters: that of the 2019 WSDL, else of the page's SOAP sample.
        secret: True if the value is never shown in a message.
    """

    name: str
    type: Type
    required: bool
    soap: str
    secret: bool = False

    def as_parameter(self) -> Parameter:
        """The parameter as an operation declares it."""
        return Parameter(
            self.soap,
            form_name=self.name,
            holds=_HOLDS.get(self.type, str),
            secret=self.secret,
            raw_xml=self.type == "node",
        )


@frozen(kw_only=True)
class Method:
    """A method of infoRouter's web service, as the vendor documents it.

    Attributes:
        name: name of the method, in the vendor's case.
        group: chapter of the vendor's documentation; empty for methods that are in none yet.
        parameters: parameters other than the ticket.
        ticket: whether the method takes a ticket.
        ticket_name: name of the ticket's parameter in forms and queries; empty if there is none.
        ticket_soap: name of the ticket's parameter over SOAP; empty if there is none.
        content: what the method answers with: a document, bytes or nothing.
        effect: what a repetition of the call would do.
        bindings: bindings that the method is offered on.
        status: "obsolete" if the vendor has replaced the method by another.
        in_wsdl2019: True if servers of 2019 offer the method already.
    """

    name: str
    group: str
    parameters: tuple[MethodParameter, ...]
    ticket: Literal["none", "optional", "required"]
    ticket_name: str
    ticket_soap: str
    content: Content
    effect: Effect
    bindings: tuple[Binding, ...]
    status: Literal["current", "obsolete"]
    in_wsdl2019: bool

    def parameter(self, name: str) -> MethodParameter:
        """Find a parameter by either spelling of its name. Raises `errors.InvalidRequest` where there is none."""
        for found in self.parameters:
            if name in (found.name, found.soap):
                return found
        names = [found.name for found in self.parameters]
        more = did_you_mean(name, names) or f"; it takes {', '.join(names) or 'none'}"
        raise errors.InvalidRequest(f"{self.name} has no parameter {name}{more}", operation=self.name)

    def ticket_parameter(self) -> Parameter | None:
        """The parameter for the ticket as an operation declares it; None if the method takes no ticket."""
        return Parameter(self.ticket_soap, form_name=self.ticket_name, secret=True) if self.ticket_name else None


class Catalogue(Mapping[str, Method]):
    """The methods of the catalogue by name. The file with the records is read by the first look-up."""

    @cached_property
    def _methods(self) -> dict[str, Method]:
        text = resources.files("aiorescue.inforouter").joinpath("methods.json").read_text("utf-8")
        content = json.loads(text)
        return {record["name"]: _method(record, content["groups"]) for record in content["methods"]}

    @property
    def loaded(self) -> bool:
        """Whether the file with the records has been read."""
        return "_methods" in self.__dict__

    def load(self) -> None:
        """Read the file with the records now; it blocks, so an event loop calls it in a thread."""
        len(self._methods)

    def __getitem__(self, name: str) -> Method:
        return self._methods[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._methods)

    def __len__(self) -> int:
        return len(self._methods)

    def named(self, name: str) -> Method:
        """Find a method by name. Raises `errors.InvalidRequest`, with a suggestion if a name is close."""
        found = self._methods.get(name)
        if found is None:
            raise errors.InvalidRequest(f"infoRouter has no method {name}{did_you_mean(name, self)}", operation=name)
        return found


def _method(record: dict[str, Any], groups: list[str]) -> Method:
    ticket, _, ticket_soap = record.get("ticket", "").partition(" ")
    bodies = (Binding.SOAP11, Binding.HTTP_POST)
    return Method(
        name=record["name"],
        group=groups[record["group"]],
        parameters=tuple(map(_parameter, record["parameters"])),
        ticket=record.get("needs", "required"),
        ticket_name=ticket,
        ticket_soap=ticket_soap or ticket,
        content={"xml": Content.XML, "bytes": Content.BYTES, "none": Content.NOTHING}[record.get("answers", "xml")],
        effect=Effect[record["effect"]],
        bindings=bodies if record.get("get") is False else (*bodies, Binding.HTTP_GET),
        status=record.get("status", "current"),
        in_wsdl2019=not record.get("new", False),
    )


def _parameter(declared: str) -> MethodParameter:
    name, marked, *soap = declared.split(" ")
    bare: Any = marked.rstrip("?!")
    return MethodParameter(name, bare, "?" not in marked, soap[0] if soap else name, "!" in marked)


#: Every method by name.
METHODS = Catalogue()
