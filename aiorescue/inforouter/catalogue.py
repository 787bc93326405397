"""Every method of infoRouter's web service, as data: `METHODS`.

The records stand in ``methods.json``, which ``docs/inforouter_catalogue.py`` writes; it is read on first use.
"""

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cached_property
from importlib import resources
from typing import Any, Literal

import attrs

from aiorescue import errors
from aiorescue.operation import Binding, Content, Effect

Type = Literal["string", "int", "long", "bool", "datetime", "guid", "bytes", "xml", "node"]


@attrs.frozen
class MethodParameter:
    """One parameter of a method.

    Attributes:
        name: its name in the vendor's documentation, sent in forms and queries, where case does not matter.
        type: what it holds; a ``node`` is XML that SOAP carries as an element.
        required: whether the documentation calls it so.
        soap: its name over SOAP, where case matters: that of the 2019 WSDL, else of the page's SOAP sample.
        secret: never shown in a message.
    """

    name: str
    type: Type
    required: bool
    soap: str
    secret: bool = False


@attrs.frozen(kw_only=True)
class Method:
    """One method of the catalogue.

    Attributes:
        name: its name, in the vendor's case.
        group: the vendor's chapter; empty where there is none yet.
        parameters: without the ticket.
        ticket: whether the method takes one.
        ticket_name: how the ticket is spelled in forms and queries; empty if it takes none.
        ticket_soap: how the ticket is spelled over SOAP.
        answers: a document, bytes or nothing.
        effect: what a repetition would do.
        bindings: where it answers.
        status: whether the vendor still wants it used.
        in_wsdl2019: whether servers of 2019 have it already.
    """

    name: str
    group: str
    parameters: tuple[MethodParameter, ...]
    ticket: Literal["none", "optional", "required"]
    ticket_name: str
    ticket_soap: str
    answers: Content
    effect: Effect
    bindings: tuple[Binding, ...]
    status: Literal["current", "obsolete"]
    in_wsdl2019: bool

    def parameter(self, name: str) -> MethodParameter:
        """The parameter of that name, in either of its spellings. Raises `errors.InvalidRequest`."""
        for found in self.parameters:
            if name in (found.name, found.soap):
                return found
        names = [found.name for found in self.parameters]
        more = meant(name, names) or f"; it takes {', '.join(names) or 'none'}"
        raise errors.InvalidRequest(f"{self.name} has no parameter {name}{more}", operation=self.name)


def meant(name: str, names: list[str]) -> str:
    """A suggestion, if one of the names is close."""
    folded = {known.lower(): known for known in names}
    close = get_close_matches(name.lower(), folded, n=1)
    return f", did you mean {folded[close[0]]}?" if close else ""


class Catalogue(Mapping[str, Method]):
    """The methods by name. Nothing is read before the first look."""

    @cached_property
    def _methods(self) -> dict[str, Method]:
        text = resources.files("aiorescue.inforouter").joinpath("methods.json").read_text("utf-8")
        held = json.loads(text)
        return {record["name"]: _method(record, held["groups"]) for record in held["methods"]}

    @property
    def loaded(self) -> bool:
        """Whether the records have been read already."""
        return "_methods" in self.__dict__

    def load(self) -> None:
        """Read the records now, such as in a thread."""
        len(self._methods)

    def __getitem__(self, name: str) -> Method:
        return self._methods[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._methods)

    def __len__(self) -> int:
        return len(self._methods)

    def named(self, name: str) -> Method:
        """The method of that name. Raises `errors.InvalidRequest`, with a suggestion if one is close."""
        found = self._methods.get(name)
        if found is None:
            raise errors.InvalidRequest(f"infoRouter has no method {name}{meant(name, list(self))}", operation=name)
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
        answers={"xml": Content.XML, "bytes": Content.BYTES, "none": Content.NOTHING}[record.get("answers", "xml")],
        effect=Effect[record["effect"]],
        bindings=bodies if record.get("get") is False else (*bodies, Binding.HTTP_GET),
        status=record.get("status", "current"),
        in_wsdl2019=not record.get("new", False),
    )


def _parameter(declared: str) -> MethodParameter:
    name, kind, *soap = declared.split(" ")
    bare: Any = kind.rstrip("?!")
    return MethodParameter(name, bare, "?" not in kind, soap[0] if soap else name, "!" in kind)


#: Every method by name: 429 of them.
METHODS = Catalogue()
