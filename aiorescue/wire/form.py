"""The codec of the ASMX form bindings: parameters as a query or a form, an XML document as the answer."""

from typing import Any

from aiorescue.operation import Answer, Binding, Content, Operation, Slot
from aiorescue.wire import xml
from aiorescue.wire.binary import from_base64, from_json
from aiorescue.wire.message import Response, writer
from aiorescue.wire.urlencoded import FormField, UrlEncoded


class FormCodec(UrlEncoded):
    """The codec of one operation over ASMX GET or POST."""

    def __init__(self, operation: type[Operation[Any]], binding: Binding) -> None:
        spec = operation.spec
        self._service = spec.service
        self._result_holds = spec.content
        super().__init__(
            operation,
            f"{spec.service.asmx}/{spec.name}",
            get=binding.is_get,
            code="" if spec.identity is None else spec.identity.form_name or spec.identity.soap,
            code_first=spec.service.identity_first,
            code_always=True,
        )

    def field(self, slot: Slot) -> FormField:
        """How a form writes a parameter.

        A text without a value is sent empty, because ASMX answers a form that lacks a parameter with HTTP 500, unless
        the service takes an absent text for an empty one.
        """
        parameter = slot.parameter
        empty = parameter.send_empty or (parameter.holds is str and not self._service.omits_absent)
        write = None if parameter.holds is bytes else writer(parameter)
        return FormField.of(slot, parameter.form_name or parameter.soap, write, "" if empty else None)

    def decode(self, response: Response) -> Answer:
        """The answer: the content of the document's root element, whatever its name, or bytes. Raises `Unreadable`."""
        if self._result_holds is Content.NOTHING:
            return Answer(None)
        pieces = response.pieces
        if self._result_holds is Content.BYTES and not pieces[0].lstrip("\ufeff \t\r\n").startswith("<"):
            return Answer(from_json("".join(pieces)))
        if self._service.answers_as_elements:
            root = xml.tree(pieces)
            return Answer(from_base64(xml.text_of(root)) if xml.local(root) == "base64Binary" else root)
        document = xml.parse(pieces, self._service.namespace)
        return Answer(xml.content(next(iter(document.values()))))
