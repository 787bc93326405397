"""SOAP 1.1 and 1.2: one prepared template for each operation, answers matched by namespace."""

import re
from xml.etree import ElementTree as ET

from aiorescue import errors
from aiorescue.operation import Answer, Binding, Content, Kind, Operation, Outcome, Parameter
from aiorescue.wire import xml
from aiorescue.wire.form import unbase64
from aiorescue.wire.message import Request, Response, Stamp, plain

_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<{soap}:Envelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:{soap}="{envelope}">'
    '<{soap}:Body><{name} xmlns="{namespace}">'
)
_TAIL = "</{name}></{soap}:Body></{soap}:Envelope>"

#: An answer as ASMX writes it, with any prefix for the envelope, and nothing but texts without markup in it.
_USUAL = (
    r'<\?xml version="1\.0" encoding="utf-8"\?>\s*'
    r'<(?P<p>\w+):Envelope(?=[^>]* xmlns:(?P=p)="{envelope}")(?: xmlns:\w+="[^"<&]*")+>\s*<(?P=p):Body>\s*'
    r'<{response} xmlns="{namespace}">'
    r"(?P<fields>(?:\s*<(\w+)(?: ?/>|>[^<&\x00-\x08\x0b\x0c\x0e-\x1f]*</\3>))*)\s*"
    r"</{response}>\s*</(?P=p):Body>\s*</(?P=p):Envelope>\s*"
)
_FIELD = re.compile(r"<(\w+)(?: ?/>|>([^<]*)<)")

#: SOAP 1.1 says Client, 1.2 says Sender; the other two also mean that the request was not understood.
_OUR_FAULT = frozenset({"Client", "Sender", "VersionMismatch", "MustUnderstand", "DataEncodingUnknown"})


class SoapCodec:
    """Requests and answers of one operation over one version of SOAP."""

    def __init__(self, operation: type[Operation[object]], binding: Binding) -> None:
        spec = operation.spec
        old = binding is Binding.SOAP11
        names = {
            "soap": "soap" if old else "soap12",
            "envelope": xml.SOAP11 if old else xml.SOAP12,
            "name": spec.name,
            "namespace": spec.service.namespace,
        }
        self._head = _HEAD.format(**names)
        self._tail = _TAIL.format(**names)
        self._pieces = [(slot.get, slot.parameter, *_tags(slot.parameter)) for slot in operation.slots]
        self._identity = _tags(spec.identity) if spec.identity is not None else None
        self._service = spec.service
        self._answers = spec.answers
        self._response = f"{spec.name}Response"
        self._result = f"{spec.name}Result"
        self._usual = re.compile(
            _USUAL.format(
                envelope=re.escape(xml.SOAP11 if old else xml.SOAP12),
                response=re.escape(self._response),
                namespace=re.escape(spec.service.namespace),
            )
        )
        # Without the charset the service reads ASCII; without the action it guesses what was meant.
        self._headers = (
            {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{spec.service.action(spec.name)}"'}
            if old
            else {"Content-Type": "application/soap+xml; charset=utf-8"}
        )

    def encode(self, operation: Operation[object], stamp: Stamp) -> Request:
        """The request. An int left out is not sent; a text left out is sent empty, unless the service is newer."""
        parts = [self._head]
        service = self._service
        if self._identity is not None and service.identity_first:
            opening, closing = self._identity
            parts += opening, xml.escape(stamp.code), closing
        for get, parameter, opening, closing in self._pieces:
            value = get(operation)
            if value is None and (service.omits or parameter.holds is not str):
                continue
            text = value if type(value) is str else plain(parameter, value)
            parts += opening, text if parameter.node else xml.escape(text), closing
        if self._identity is not None and not service.identity_first:
            opening, closing = self._identity
            parts += opening, xml.escape(stamp.code), closing
        parts.append(self._tail)
        headers = {**self._headers, "Cookie": stamp.cookie} if stamp.cookie else self._headers
        return Request("POST", service.asmx, headers=headers, body="".join(parts).encode())

    def decode(self, response: Response) -> Answer | Outcome[object]:
        """The answer, or the outcome if it is a fault. Raises `xml.Unreadable`."""
        if self._service.trees:
            answer = self._element(xml.tree(response.text))
            if answer is not None:
                return Answer(self._content(answer))
        text = response.text
        plain_fields = self._plain_fields(text)
        if plain_fields is not None:
            return Answer(plain_fields.pop(self._result, None), plain_fields)
        document = xml.parse(text, self._service.namespace)
        body = xml.child(xml.child(document, "soap:Envelope"), "soap:Body")
        if body is None:
            raise xml.Unreadable("the answer is XML, but no SOAP envelope")
        fault = xml.child(body, "soap:Fault")
        if fault is not None:
            return _fault(fault)
        found = xml.child(body, self._response)
        if not isinstance(found, dict):
            raise xml.Unreadable(f"the answer holds no {self._response}")
        fields = {name: xml.content(value) for name, value in found.items()}
        return Answer(fields.pop(self._result, None), fields)

    def _plain_fields(self, text: str) -> dict[str, str | None] | None:
        """The fields of the usual answer, which is known but for some words in it; None of any other.

        It is matched as a whole, first character to last, so that it is as well-formed as a parser could find it,
        in a tenth of the time. What does not match goes to the parser.
        """
        # A long text would keep other threads waiting.
        usual = self._usual.fullmatch(text) if len(text) <= xml.PIECE else None
        return None if usual is None else {name: value or None for name, value in _FIELD.findall(usual["fields"])}

    def _element(self, root: ET.Element) -> ET.Element | None:
        """The answer's own element; None in a fault, and in what is no answer at all."""
        bodies = (part for part in root if xml.local(part) == "Body")
        return next((part for body in bodies for part in body if xml.local(part) == self._response), None)

    def _content(self, answer: ET.Element) -> ET.Element | bytes | str | None:
        """What the result holds: a document, bytes or a word."""
        result = next((part for part in answer if xml.local(part) == self._result), None)
        if self._answers is Content.NOTHING:
            return None
        if self._answers is Content.BYTES:
            return unbase64("" if result is None else result.text or "")
        if result is None:
            return None
        return result[0] if len(result) else result.text


def _tags(parameter: Parameter) -> tuple[str, str]:
    return f"<{parameter.soap}>", f"</{parameter.soap}>"


def _fault(fault: object) -> Outcome[object]:
    # 1.1 has unqualified faultcode and faultstring, 1.2 qualified Code/Value and Reason/Text.
    code = xml.child(fault, "faultcode") or xml.content(xml.child(xml.child(fault, "soap:Code"), "soap:Value"))
    text = xml.child(fault, "faultstring") or xml.content(xml.child(xml.child(fault, "soap:Reason"), "soap:Text"))
    if isinstance(text, dict):
        text = text.get("#text")
    word = str(xml.content(code) or "").rpartition(":")[2]
    ours = word in _OUR_FAULT
    return Outcome(
        Kind.FINAL if ours else Kind.TRANSIENT,
        word=word or None,
        error=errors.ServiceFault if ours else errors.ServiceError,
        detail=f"SOAP fault: {_first_line(str(xml.content(text) or 'without a text'))}",
        # The server's side broke while it had the request in its hands.
        ambiguous=not ours,
    )


def _first_line(text: str) -> str:
    """A faultstring can hold a stack trace of many lines; the first says what happened."""
    return text.strip().partition("\n")[0].strip()
