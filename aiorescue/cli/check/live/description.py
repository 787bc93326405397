"""The service description (WSDL) compared with the declarations: bindings, fields, status words and outputs.

It needs no credentials and calls no operation, and it settles the bindings that are only inferred.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from xml.etree.ElementTree import Element

import attrs

from aiorescue.cli.check.live.result import Check, Comparison
from aiorescue.cli.output import counted
from aiorescue.operation import Binding, Evidence, Operation, Output
from aiorescue.rescue import OPERATIONS
from aiorescue.rescue.answers.records import wire_fields
from aiorescue.wire.xml import local, tree

#: The bindings that a description speaks of, in the order of messages.
_DESCRIBED: Final = (Binding.SOAP11, Binding.SOAP12, Binding.HTTP_GET, Binding.HTTP_POST)
_SOAP = {
    "http://schemas.xmlsoap.org/wsdl/soap/}binding": Binding.SOAP11,
    "http://schemas.xmlsoap.org/wsdl/soap12/}binding": Binding.SOAP12,
}
_HTTP = "http://schemas.xmlsoap.org/wsdl/http/}binding"
_VERBS = {"GET": Binding.HTTP_GET, "POST": Binding.HTTP_POST}


@attrs.define
class Described:
    """One operation as the service description has it.

    Attributes:
        bindings: bindings that the operation is offered on.
        fields: names of the parameters, in the order of the wire.
        outputs: names of the elements of the answer, without the result.
        words: status words of the operation.
        records: names of the fields of each output that is a record or a list of records, by the output's name.
    """

    bindings: set[Binding] = attrs.field(factory=set)
    fields: list[str] = attrs.field(factory=list)
    outputs: list[str] = attrs.field(factory=list)
    words: list[str] = attrs.field(factory=list)
    records: dict[str, list[str]] = attrs.field(factory=dict)


def read(document: str) -> dict[str, Described]:
    """What a WSDL document says of each operation; raises `aiorescue.wire.Unreadable`."""
    root = tree([document])
    found: dict[str, Described] = {}
    for port in root:
        binding = next(filter(None, map(_binding_of, port)), None)
        if local(port) == "binding" and binding is not None:
            for each in port:
                if local(each) == "operation":
                    found.setdefault(each.get("name", ""), Described()).bindings.add(binding)
    schema = _Schema(root)
    for name, described in found.items():
        described.fields = [each.get("name", "") for each in schema.children(name)]
        for each in schema.children(f"{name}Response"):
            if each.get("name") == f"{name}Result":
                described.words = schema.words(each)
                continue
            output = each.get("name", "")
            described.outputs.append(output)
            described.records[output] = schema.record(each)
    return found


def _binding_of(element: Element) -> Binding | None:
    name = element.tag.removeprefix("{")
    return _VERBS.get(element.get("verb", "")) if name == _HTTP else _SOAP.get(name)


class _Schema:
    """The elements and types of a description, by name."""

    def __init__(self, root: Element) -> None:
        self._elements: dict[str, Element] = {}
        self._types: dict[str, Element] = {}
        for schema in root.iter():
            for each in schema if local(schema) == "schema" else ():
                known = self._elements if local(each) == "element" else self._types
                known[each.get("name", "")] = each

    def children(self, name: str) -> list[Element]:
        """The elements in the element of a name."""
        return _elements_in(self._elements.get(name))

    def words(self, element: Element) -> list[str]:
        """The values of an element's enumeration."""
        found = self._types.get(_type(element))
        return [] if found is None else [each.get("value", "") for each in found.iter() if local(each) == "enumeration"]

    def record(self, element: Element) -> list[str]:
        """The names of the fields of a record, or of the records in a list."""
        inner = _elements_in(self._types.get(_type(element)))
        if len(inner) == 1 and inner[0].get("maxOccurs") == "unbounded":
            inner = _elements_in(self._types.get(_type(inner[0])))
        return [each.get("name", "") for each in inner]


def _type(element: Element) -> str:
    return element.get("type", "").rpartition(":")[2]


def _elements_in(element: Element | None) -> list[Element]:
    """The elements in the sequence of a complex type, however deep it lies."""
    if element is None:
        return []
    sequence = next((each for each in element.iter() if local(each) in ("sequence", "all")), None)
    return [] if sequence is None else [each for each in sequence if local(each) == "element"]


def compare(described: Mapping[str, Described]) -> Iterator[Check]:
    """One check for each declared operation that has, or is described with, SOAP or forms; one for all others."""
    for name, operation in OPERATIONS.items():
        declared = {each for each in operation.spec.bindings if each in _DESCRIBED}
        if name in described or declared:
            yield _compared(operation, described.get(name, Described()))
    if more := sorted(described.keys() - OPERATIONS.keys()):
        yield Check("description of other operations", Comparison.DIFFERS, f"not declared: {', '.join(more)}")


def _compared(operation: type[Operation[Any]], described: Described) -> Check:
    spec = operation.spec
    name = f"description of {spec.name}"
    differences = [*_bindings(operation, described)]
    if described.bindings & spec.bindings.keys():
        fields = [slot.parameter.soap for slot in operation.slots] + ([spec.identity.soap] if spec.identity else [])
        differences += _names("fields", fields, described.fields, in_order=True)
        differences += _names("words", [f"{spec.prefix}{word}" for word in spec.words], described.words)
        differences += _names("outputs", [output.soap for output in spec.outputs], described.outputs)
        for output in spec.outputs:
            differences += _record(output, described)
    if differences:
        return Check(name, Comparison.DIFFERS, "; ".join(differences))
    settled = [each.value for each in _DESCRIBED if spec.bindings.get(each) is Evidence.INFERRED]
    names = {"field": described.fields, "word": described.words, "output": described.outputs}
    said = ", ".join(counted(len(found), noun) for noun, found in names.items())
    if settled:
        said += f"; inferred, and described: {', '.join(settled)}"
    return Check(name, Comparison.AS_DECLARED, said)


def _bindings(operation: type[Operation[Any]], described: Described) -> Iterator[str]:
    declared = operation.spec.bindings
    for binding in _DESCRIBED:
        if binding in declared and binding not in described.bindings:
            inferred = " (which was inferred)" if declared[binding] is Evidence.INFERRED else ""
            yield f"not described over {binding.value}{inferred}"
        elif binding in described.bindings and binding not in declared:
            yield f"described over {binding.value}, which is not declared"


def _record(output: Output, described: Described) -> Iterator[str]:
    if output.record is not None and output.soap in described.outputs:
        declared = [field.soap for field, _ in wire_fields(output.record) if field.soap]
        # Records serve several versions of an operation, so that a field may be declared and not described.
        yield from _names(f"fields of {output.soap}", [], sorted({*described.records[output.soap]} - {*declared}))


def _names(what: str, declared: list[str], described: list[str], *, in_order: bool = False) -> Iterator[str]:
    if more := [each for each in described if each not in declared]:
        yield f"{what} that are not declared: {', '.join(more)}"
    if fewer := [each for each in declared if each not in described]:
        yield f"{what} that are not described: {', '.join(fewer)}"
    if in_order and sorted(declared) == sorted(described) and declared != described:
        yield f"{what} in another order: {', '.join(described)}"
