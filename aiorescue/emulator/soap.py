"""SOAP 1.1 and 1.2 as ASMX reads and writes them, lenient and pedantic in the same places.

The envelope's namespace decides the version, `SOAPAction` alone decides the operation, a field in the wrong namespace
is absent, and XML that cannot be read is a 400 without a body.
"""

import base64
import re
from collections.abc import Mapping
from typing import NamedTuple
from xml.parsers import expat
from xml.sax.saxutils import escape

from aiorescue.emulator import writing
from aiorescue.emulator.http import XML_TYPE, Incoming, NotACall, ReadCall, Reply
from aiorescue.emulator.rules.call import Result
from aiorescue.emulator.site import Shape, Site, is_number_as_text, number_as_text
from aiorescue.inforouter import Element
from aiorescue.operation import Binding, Content, Parameter, Plain, frozen

_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^";\s]*)', re.IGNORECASE)
_INT = re.compile(r"[ \t\r\n]*([+-]?[0-9]+)[ \t\r\n]*")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}

FORMAT_PROBLEM = "Input string was not in a correct format."
RANGE_PROBLEM = "Value was either too large or too small for an Int32."
_BASE64_PROBLEM = "Invalid character in a Base-64 string."


@frozen
class SoapVersion:
    """A version of SOAP.

    Attributes:
        binding: binding of the version.
        namespace: namespace of its envelopes.
        content_type: content type of its messages.
    """

    binding: Binding
    namespace: str
    content_type: str

    def envelope(self, body: str, header: str = "") -> bytes:
        """A message as ASMX writes it: on one line, with the prefix soap in either version."""
        return (
            f'{_DECLARATION}<soap:Envelope xmlns:soap="{self.namespace}"'
            ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
            f"{header}<soap:Body>{body}</soap:Body></soap:Envelope>"
        ).encode()


SOAP11 = SoapVersion(Binding.SOAP11, "http://schemas.xmlsoap.org/soap/envelope/", XML_TYPE)
SOAP12 = SoapVersion(Binding.SOAP12, "http://www.w3.org/2003/05/soap-envelope", "application/soap+xml; charset=utf-8")
_VERSIONS = {version.namespace: version for version in (SOAP11, SOAP12)}
_CODES12 = {"Client": "Sender", "Server": "Receiver"}

_UPGRADE = (
    f'<soap:Header><soap12:Upgrade xmlns:soap12="{SOAP12.namespace}">'
    f'<soap12:SupportedEnvelope qname="soap:Envelope" xmlns:soap="{SOAP11.namespace}" />'
    f'<soap12:SupportedEnvelope qname="soap12:Envelope" xmlns:soap12="{SOAP12.namespace}" />'
    "</soap12:Upgrade></soap:Header>"
)
# The unfilled placeholders are the server's own.
_NO_ACTION = "Server did not recognize the value of HTTP Header {0}: {1}."
_NO_REQUEST = "Unable to handle request. "
_TOO_LONG = (
    "There was an exception running the extensions specified in the config file. "
    "---> Upload size exceeds httpRuntime limit."
)


def fault(version: SoapVersion, code: str, text: str, *, has_detail: bool = True, header: str = "") -> Reply:
    """Reply with a SOAP fault, which is always a 500 and closes the connection."""
    if version is SOAP11:
        detail = "<detail />" if has_detail else ""
        inner = f"<faultcode>soap:{code}</faultcode><faultstring>{escape(text)}</faultstring>{detail}"
    else:
        detail = "<soap:Detail />" if has_detail else ""
        inner = (
            f"<soap:Code><soap:Value>soap:{_CODES12.get(code, code)}</soap:Value></soap:Code>"
            f'<soap:Reason><soap:Text xml:lang="en">{escape(text)}</soap:Text></soap:Reason>{detail}'
        )
    body = version.envelope(f"<soap:Fault>{inner}</soap:Fault>", header)
    return Reply(body, version.content_type, 500, close=True, word=f"soap:{code}")


def too_long() -> Reply:
    """Reply to a body that is longer than ASP.NET's maxRequestLength."""
    return fault(SOAP11, "Server", _TOO_LONG)


def unreadable() -> NotACall:
    """NotACall for XML that cannot be read, which ASP.NET answers with an empty 400 and no fault."""
    return NotACall(Reply(b"", XML_TYPE, 400, close=True))


# --- reading --------------------------------------------------------------------------------------


class _ChildElement(NamedTuple):
    text: str
    end: int  # byte index of the end tag, for the position in a fault
    odd: bool  # holds a child element or a comment


class _Message:
    """The parts of an envelope that matter, gathered by expat's callbacks."""

    def __init__(self, text: str) -> None:
        self.root = ""
        self.body = False
        self.not_understood = False
        self.requests: list[tuple[str, dict[str, _ChildElement]]] = []
        self._path: list[str] = []
        self._text: list[str] = []
        self._odd = False
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.CommentHandler = self._comment
        parser.StartDoctypeDeclHandler = self._doctype
        # A str overrides the encoding that the declaration names, as HTTP's charset does on the server.
        try:
            parser.Parse(text, True)  # noqa: FBT003 - the second argument has no name
        except UnicodeEncodeError:
            raise expat.ExpatError("half of a surrogate pair") from None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        depth = len(self._path)
        self._path.append(name)
        if depth == 0:
            self.root = name
        elif depth == 1:
            self.body = self.body or name.endswith(" Body")
        elif depth == 2:  # noqa: PLR2004 - the levels of an envelope
            if self._path[1].endswith(" Body"):
                self.requests.append((name, {}))
            elif attributes.get(f"{self.root.partition(' ')[0]} mustUnderstand") in ("1", "true"):
                self.not_understood = True
        elif depth == 3:  # noqa: PLR2004
            self._text.clear()
            self._odd = False
        else:
            self._odd = True

    def _end(self, name: str) -> None:
        self._path.pop()
        if len(self._path) == 3 and self.requests and self._path[1].endswith(" Body"):  # noqa: PLR2004
            # The first of two wins.
            field = _ChildElement("".join(self._text), self._parser.CurrentByteIndex, self._odd)
            self.requests[-1][1].setdefault(name, field)

    def _comment(self, _: str) -> None:
        self._odd = True

    def _doctype(self, *_: object) -> None:
        raise expat.ExpatError("DTD is prohibited")


def _decode(request: Incoming) -> str:
    """The body as text, by the charset of the content type; text/xml without a charset is ASCII."""
    named = _CHARSET.search(request.headers.get("Content-Type", ""))
    charset = named[1] if named is not None else ""
    if not charset and request.media_type == "text/xml":
        return request.body.decode("ascii", "replace").replace("\ufffd", "?")
    try:
        text = request.body.decode(charset or "utf-8", "replace")
    except (LookupError, UnicodeError):  # of a charset that there is not, or that decodes no XML, as idna
        text = request.body.decode("utf-8", "replace")
    return text.removeprefix("\ufeff")


def read(request: Incoming, site: Site) -> ReadCall:
    """The call in a SOAP request; raises NotACall if there is none."""
    text = _decode(request)
    try:
        message = _Message(text)
    except expat.ExpatError:
        raise unreadable() from None
    version = _version(message)
    if message.not_understood:
        raise NotACall(fault(version, "MustUnderstand", "SOAP header {0} was not understood.", has_detail=False))
    if not message.body:
        missing = "Request format is invalid: Missing required soap:Body element."
        raise NotACall(fault(version, "Client", f"Server was unable to read request. ---> {missing}"))
    shape = _route(version, request, message, site)
    return ReadCall(
        shape.call(_values(version, shape, message, text), request.cookie(site.cookie)),
        version.binding,
        lambda result: Reply(write(version, shape, result), version.content_type),
    )


def _version(message: _Message) -> SoapVersion:
    namespace, _, name = message.root.rpartition(" ")
    if namespace not in _VERSIONS or name != "Envelope":
        mismatch = "Possible SOAP version mismatch: Envelope namespace {0} was unexpected. Expecting {1}."
        raise NotACall(fault(SOAP11, "VersionMismatch", mismatch, header=_UPGRADE))
    return _VERSIONS[namespace]


def _route(version: SoapVersion, request: Incoming, message: _Message, site: Site) -> Shape:
    """The operation that a message calls: SOAP 1.1 goes by its action alone, SOAP 1.2 ignores an unknown action."""
    action = request.headers.get("SOAPAction")
    if version is SOAP11 and action is not None:
        quoted = action if action.startswith('"') else f'"{action}"'
        shape = site.by_action(quoted)
        if shape is None:
            raise NotACall(fault(version, "Client", _NO_ACTION))
        return shape
    if version is SOAP12:
        named = re.search(r'action=("[^"]*")', request.headers.get("Content-Type", ""))
        shape = site.by_action(named[1]) if named is not None else None
        if shape is not None:
            return shape
    for element, _ in message.requests[:1]:
        shape = site.by_element(element)
        if shape is not None:
            return shape
    raise NotACall(fault(version, "Client", _NO_ACTION if version is SOAP11 else _NO_REQUEST))


def _values(version: SoapVersion, shape: Shape, message: _Message, text: str) -> Mapping[str, Plain]:
    namespace = shape.service.namespace
    wanted = f"{namespace} {shape.name}"
    fields = next((fields for name, fields in message.requests if name == wanted), {})
    values: dict[str, Plain] = {}
    for parameter in shape.parameters:
        field = fields.get(f"{namespace} {parameter.soap}")
        if field is None:
            continue
        if field.odd and not parameter.raw_xml:
            raise unreadable()
        try:
            values[parameter.soap] = _convert(parameter, field.text)
        except ValueError as problem:
            line, column = _position(text, field.end)
            where = f"There is an error in XML document ({line}, {column})."
            reason = f"Server was unable to read request. ---> {where} ---> {problem}"
            raise NotACall(fault(version, "Client", reason)) from None
    return values


def _convert(parameter: Parameter, text: str) -> Plain:
    if parameter.holds is bool:
        if text.strip() not in _BOOLEANS:
            raise ValueError(f"The string '{text}' is not a valid Boolean value.")
        return _BOOLEANS[text.strip()]
    if parameter.holds is bytes:
        return from_base64(text)
    if parameter.choices and parameter.soap[:1] == "e" and text not in parameter.choices:
        raise ValueError(f"Instance validation error: '{text}' is not a valid value for {parameter.soap}.")
    if writing.xsd(parameter.soap, parameter.holds) == "s:int":
        found = number(text)
        return number_as_text(text) if is_number_as_text(parameter) else found
    return text if parameter.holds is str else _whole(text)


def _whole(text: str) -> int | None:
    """A text as a number, or None if it is not a number; the rules choose the status word."""
    try:
        return number(text)
    except ValueError:
        return None


def from_base64(text: str) -> bytes:
    """Bytes of a base64 text as .NET reads it, which skips white space alone; raises ValueError with its message."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise ValueError(_BASE64_PROBLEM) from None


def number(text: str) -> int:
    """An Int32 as .NET parses one; raises ValueError with .NET's own message."""
    found = _INT.fullmatch(text)
    if found is None:
        raise ValueError(FORMAT_PROBLEM)
    value = int(found[1]) if len(found[1]) < 32 else 2**31  # noqa: PLR2004 - longer ones are out of range anyway
    if not -(2**31) <= value < 2**31:
        raise ValueError(RANGE_PROBLEM)
    return value


def _position(text: str, end: int) -> tuple[int, int]:
    """Line and column of .NET's XML reader after a field: at the name of the tag that follows."""
    data = text.encode()
    # Of an empty-element tag expat reports the end, of an end tag the beginning.
    after = end if data[end - 2 : end] == b"/>" else data.index(b">", end) + 1
    before = data[:after].decode()
    following = data[after : after + 2]
    mark = 0 if not following.startswith(b"<") else 2 if following == b"</" else 1
    return before.count("\n") + 1, len(before) - before.rfind("\n") + mark


# --- writing --------------------------------------------------------------------------------------


def write(version: SoapVersion, shape: Shape, result: Result) -> bytes:
    """Envelope with the answer for a result."""
    name, spec = shape.name, shape.spec
    if spec.words:
        inner = f"{spec.prefix}{escape(result.word)}"
    elif spec.content is Content.XML:
        inner = root(result, ' xmlns=""')
    else:
        inner = base64.b64encode(result.content or b"").decode()
    outputs = "".join(writing.output(output, result.outputs.get(output.soap)) for output in spec.outputs)
    return version.envelope(
        f'<{name}Response xmlns="{shape.service.namespace}"><{name}Result>{inner}</{name}Result>{outputs}'
        f"</{name}Response>"
    )


def root(result: Result, namespace: str = "") -> str:
    """InfoRouter's answer as one element: success, or an error with its text and, on newer servers, its number."""
    if result.root is not None:
        return writing.document(result.root, namespace)
    code = {"errorCode": str(result.code)} if result.code else {}
    attributes = {"success": "true"} if result.word == "OK" else {"success": "false", "error": result.word, **code}
    return writing.document(Element("root", attributes), namespace)
