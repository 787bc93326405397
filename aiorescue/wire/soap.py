"""The codec of SOAP 1.1 and 1.2: an envelope prepared once for each operation, and answers matched by namespace.

A request is the envelope with the operation's parameters as elements in it. They are escaped and put between tags that
are written when the codec is made, so that no XML is built for a call.
"""

from collections.abc import Callable
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

from aiorescue import errors
from aiorescue.operation import Answer, Binding, Content, Operation, Outcome, OutcomeClass, Parameter, Plain, Source
from aiorescue.wire import xml
from aiorescue.wire.binary import from_base64
from aiorescue.wire.codec import Codec
from aiorescue.wire.message import Authorization, Request, Response, Unreadable, writer

_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<{soap}:Envelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:{soap}="{envelope}">'
    '<{soap}:Body><{name} xmlns="{namespace}">'
)
_TAIL = "</{name}></{soap}:Body></{soap}:Envelope>"

#: SOAP 1.1 says Client, 1.2 says Sender; the other two also mean that the request was not understood.
_OUR_FAULT = frozenset({"Client", "Sender", "VersionMismatch", "MustUnderstand", "DataEncodingUnknown"})


class SoapCodec(Codec[str]):
    """The codec of one operation over SOAP 1.1 or SOAP 1.2."""

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
        absent = spec.service.omits_absent
        self._elements = [_Elements.of(source, omits_absent=absent) for source in operation.sources]
        self._identity = None if spec.identity is None else _tags(spec.identity)
        self._service = spec.service
        self._result_holds = spec.content
        self._response = f"{spec.name}Response"
        self._result = f"{spec.name}Result"
        # Without the charset the service reads ASCII; without the action it guesses what was meant.
        self._headers = (
            {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{spec.service.action(spec.name)}"'}
            if old
            else {"Content-Type": "application/soap+xml; charset=utf-8"}
        )

    def draft(self, operation: Operation[object]) -> str:
        """The parameters as elements.

        A number that is left out is not sent. A text that is left out is sent as an empty element, which is what the
        vendor's own clients do, unless the service takes an absent text for an empty one.
        """
        written: list[str] = []
        for get, several, elements, absent in self._elements:
            values = get(operation)
            if several:
                written += map(_written, values, elements)
                written.append(absent[len(values)])
            else:
                written.append(_written(values, elements[0]))
        return "".join(written)

    def authorize(self, draft: str, authorization: Authorization) -> Request:
        """The request: the envelope around a draft, with the auth code or ticket where the operation takes one."""
        if self._identity is None:
            inside = draft
        else:
            opening, closing = self._identity
            code = f"{opening}{xml.escape(authorization.code)}{closing}"
            inside = f"{code}{draft}" if self._service.identity_first else f"{draft}{code}"
        headers = {**self._headers, "Cookie": authorization.cookie} if authorization.cookie else self._headers
        return Request("POST", self._service.asmx, "", headers, f"{self._head}{inside}{self._tail}".encode())

    def decode(self, response: Response) -> Answer | Outcome[object]:
        """The answer in an envelope, or the outcome that a SOAP fault stands for. Raises `Unreadable`."""
        if self._service.answers_as_elements:
            answer = self._element(xml.tree(response.pieces))
            if answer is not None:
                return Answer(self._content(answer))
        document = xml.parse(response.pieces, self._service.namespace)
        body = xml.child(xml.child(document, "soap:Envelope"), "soap:Body")
        if body is None:
            raise Unreadable("the answer is XML, but no SOAP envelope")
        fault = xml.child(body, "soap:Fault")
        if fault is not None:
            return _fault(fault)
        found = xml.child(body, self._response)
        if not isinstance(found, dict):
            raise Unreadable(f"the answer holds no {self._response}")
        fields = {name: xml.content(value) for name, value in found.items()}
        return Answer(fields.pop(self._result, None), fields)

    def _element(self, root: ET.Element) -> ET.Element | None:
        """The element in the body that holds the answer; None for a fault or another document."""
        bodies = (part for part in root if xml.local(part) == "Body")
        return next((part for body in bodies for part in body if xml.local(part) == self._response), None)

    def _content(self, answer: ET.Element) -> ET.Element | bytes | str | None:
        """What the answer's result element holds: a document, bytes, a text, or None."""
        result = next((part for part in answer if xml.local(part) == self._result), None)
        if self._result_holds is Content.NOTHING:
            return None
        if self._result_holds is Content.BYTES:
            return from_base64("" if result is None else xml.text_of(result))
        if result is None:
            return None
        return _document(result) if len(result) else result.text


def _document(result: ET.Element) -> ET.Element:
    """The only element in the result element. Raises `Unreadable` where there is more in it."""
    if len(result) > 1 or (result.text or "").strip() or (result[0].tail or "").strip():
        raise Unreadable("the answer's result holds more than one document")
    return result[0]


class _SoapElement(NamedTuple):
    """How SOAP writes one parameter."""

    write: Callable[[Any], str]
    raw_xml: bool  # the value is an element itself, and is not escaped
    opening: str
    closing: str
    nothing: str  # what is written where there is no value


class _Elements(NamedTuple):
    """How SOAP writes the parameters whose values come from one source."""

    get: Callable[[Any], Any]
    several: bool
    elements: tuple[_SoapElement, ...]
    absent: tuple[str, ...]  # what is written behind the values, by their number

    @classmethod
    def of(cls, source: Source, *, omits_absent: bool) -> "_Elements":
        """The elements of a source; `omits_absent` says that the service takes an absent text for an empty one."""
        tags = [_tags(parameter) for parameter in source.parameters]
        nothing = [
            "" if omits_absent or parameter.holds is not str else f"{opening}{closing}"
            for parameter, (opening, closing) in zip(source.parameters, tags, strict=True)
        ]
        elements = [
            _SoapElement(writer(parameter), parameter.raw_xml, *tag, none)
            for parameter, tag, none in zip(source.parameters, tags, nothing, strict=True)
        ]
        absent = ["".join(nothing[count:]) for count in range(len(nothing) + 1)]
        return cls(source.get, source.several, tuple(elements), tuple(absent))


def _written(value: Plain, element: _SoapElement) -> str:
    """A parameter as an element, with its value escaped."""
    write, raw_xml, opening, closing, nothing = element
    if value is None:
        return nothing
    text = value if type(value) is str else write(value)
    return f"{opening}{text if raw_xml else xml.escape(text)}{closing}"


def _tags(parameter: Parameter) -> tuple[str, str]:
    return f"<{parameter.soap}>", f"</{parameter.soap}>"


def _fault(fault: object) -> Outcome[object]:
    # 1.1 has unqualified faultcode and faultstring, 1.2 qualified Code/Value and Reason/Text.
    code = _text(xml.child(fault, "faultcode") or xml.child(xml.child(fault, "soap:Code"), "soap:Value"))
    text = _text(xml.child(fault, "faultstring") or xml.child(xml.child(fault, "soap:Reason"), "soap:Text"))
    word = code.rpartition(":")[2]
    ours = word.partition(".")[0] in _OUR_FAULT  # 1.1 may go on behind a dot: ``Client.Authentication``
    return Outcome(
        OutcomeClass.FINAL if ours else OutcomeClass.TRANSIENT,
        word=word or None,
        error=errors.ServiceFault if ours else errors.ServiceError,
        detail="SOAP fault",
        quote=_first_line(text) or "without a text",
        # The server failed while it carried the request out.
        ambiguous=not ours,
    )


def _text(element: Any) -> str:
    """The text of an element, whatever its attributes; of several, such as reasons in two languages, the first."""
    first = element[0] if isinstance(element, list) else element
    held = first.get("#text") if isinstance(first, dict) else first
    return held.strip() if isinstance(held, str) else ""


def _first_line(text: str) -> str:
    """A faultstring can hold a stack trace of many lines; the first says what happened."""
    return text.strip().partition("\n")[0].strip()
