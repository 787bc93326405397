"""The codec of the ASMX form bindings: parameters as a query or a form, an XML document as the answer."""

import base64
import binascii
import json
from typing import Any

from aiorescue.operation import Answer, Binding, Content, Operation, Slot
from aiorescue.wire import xml
from aiorescue.wire.message import Response, Unreadable, writer
from aiorescue.wire.urlencoded import Field, UrlEncoded


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

    def field(self, slot: Slot) -> Field:
        """How a form writes a parameter.

        A text without a value is sent empty, because ASMX answers a form that lacks a parameter with HTTP 500, unless
        the service takes an absent text for an empty one.
        """
        parameter = slot.parameter
        empty = parameter.send_empty or (parameter.holds is str and not self._service.omits_absent)
        write = None if parameter.holds is bytes else writer(parameter)
        return Field.of(slot, parameter.form_name or parameter.soap, write, "" if empty else None)

    def decode(self, response: Response) -> Answer:
        """The answer: the content of the document's root element, whatever its name, or bytes. Raises `Unreadable`."""
        if self._result_holds is Content.NOTHING:
            return Answer(None)
        if self._result_holds is Content.BYTES and not response.text.lstrip("\ufeff \t\r\n").startswith("<"):
            return Answer(_from_json(response.text))
        if self._service.answers_as_elements:
            root = xml.tree(response.text)
            return Answer(unbase64(root.text or "") if xml.local(root) == "base64Binary" else root)
        document = xml.parse(response.text, self._service.namespace)
        return Answer(xml.content(next(iter(document.values()))))


def _from_json(text: str) -> bytes:
    """The bytes of a JSON string of base64; none for an empty body. Raises `Unreadable`."""
    try:
        held = json.loads(text) if text.strip() else ""
    except ValueError:
        raise Unreadable("the answer is no JSON string", cut=text.startswith('"')) from None
    if held is not None and not isinstance(held, str):
        raise Unreadable("the answer is JSON, but no string")
    return unbase64(held or "")


def unbase64(text: str) -> bytes:
    """The bytes of base64, in which blanks and line breaks are passed over. Raises `Unreadable`."""
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise Unreadable("the answer's base64 stops before its end", cut=True) from None
