"""An `.asmx` page: which of its interfaces a request is for, and its GET and POST forms.

Forms have errors of their own: plain text with status 500, with the placeholders that the server forgets to fill.
"""

import base64
import html
import json
from collections.abc import Callable, Mapping

from aiorescue.emulator import soap, wsdl
from aiorescue.emulator.reading import (
    FORM_TYPE,
    PARTS_TYPE,
    XML_TYPE,
    Incoming,
    Reading,
    RefusedError,
    Reply,
    Shape,
    Site,
    check_query,
    dangerous,
    error_page,
    joined,
    pairs,
    parts,
)
from aiorescue.emulator.rules.call import Said
from aiorescue.operation import Binding, Content, Parameter, Plain

_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
_SOAP_TYPES = ("text/xml", "application/soap+xml")

_JSON = "application/json"

_MISSING = "Missing parameter: {0}."
_NO_METHOD = "{0} Web Service method name is not valid."
_CASE = (
    "Invalid method name &#39;{0}&#39;,  method names are case sensitive.   "
    "The method name &#39;{1}&#39; with the same name but different casing was found.\nParameter name: methodName"
)
_NOT_A_FORM = "Request format is invalid: {0}."


def read(request: Incoming, site: Site, base: str) -> Reading:
    """The call in a request for the page. Raises RefusedError, also for the pages that it shows to browsers."""
    check_query(request)
    name = request.path[len(site.path) :]
    if name == "/":
        raise RefusedError(error_page(500, "Value cannot be null. Parameter name: methodName"))
    if name:
        return _form(request, site, name[1:])
    if request.method == "POST":
        return _soap(request, site)
    raise RefusedError(_page(request, site, base))


def _soap(request: Incoming, site: Site) -> Reading:
    if request.media_type == "application/json":
        raise RefusedError(error_page(500, "Unknown web method. Parameter name: methodName"))
    if request.media_type not in _SOAP_TYPES:
        raise RefusedError(Reply(b"", XML_TYPE, 415))
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise soap.unreadable()
    return soap.read(request, site)


def _page(request: Incoming, site: Site, base: str) -> Reply:
    """What a browser sees."""
    url = f"{base}{site.service.asmx}"
    asked = request.query.lower()
    if asked == "wsdl":
        return Reply(wsdl.wsdl(site, url), XML_TYPE)
    if asked == "disco":
        return Reply(wsdl.disco(site, url), XML_TYPE)
    shape = site.shapes.get(joined(pairs(request.query)).get("op", ""))
    page = wsdl.operation_page(shape) if shape is not None and shape.over_soap else wsdl.index_page(site)
    return Reply(page, "text/html; charset=utf-8")


# --- forms ----------------------------------------------------------------------------------------


def plain(text: str) -> RefusedError:
    """An error of the forms."""
    return RefusedError(Reply(f"{text}\n".encode(), "text/plain; charset=utf-8", 500, close=True))


def _form(request: Incoming, site: Site, name: str) -> Reading:
    shape = site.shape(name)
    if shape is None and name.lower() in {known.lower() for known in site.shapes}:
        raise plain(_CASE)
    if shape is None or not shape.over_forms:
        raise plain(_NO_METHOD)
    if shape.takes_bytes and request.method == "GET":
        raise RefusedError(Reply(b"", XML_TYPE, 415))
    fields = form_fields(request, plain, validates=site.service.validates_requests)
    binding = Binding.HTTP_GET if request.method == "GET" else Binding.HTTP_POST
    call = shape.call(_values(shape, fields), request.cookie(site.cookie))
    return Reading(call, binding, lambda said: write(shape, said))


Fields = Mapping[str, str | bytes]


def form_fields(
    request: Incoming, refuse: Callable[[str], RefusedError], *, validates: bool = True
) -> dict[str, str | bytes]:
    """The fields of a GET's query or a POST's body, past ASP.NET's request validation."""
    if request.media_type == PARTS_TYPE and not validates:
        return {**parts(request.body, request.headers.get("Content-Type", ""))}
    if request.method == "GET":
        fields, where = pairs(request.query), "QueryString"
    else:
        if request.body and request.media_type != FORM_TYPE:
            raise refuse(_NOT_A_FORM)
        fields, where = pairs(request.body.decode("utf-8", "replace")), "Form"
    for name, value in fields:
        if validates and dangerous(value):
            shown = html.escape(f'({name}="{value[:15]}...")')
            raise refuse(f"A potentially dangerous Request.{where} value was detected from the client {shown}.")
    return {**joined(fields)}


def _values(shape: Shape, fields: Fields) -> dict[str, Plain]:
    values: dict[str, Plain] = {}
    for parameter in shape.parameters:
        text = fields.get((parameter.form_name or parameter.soap).lower())
        if not text and parameter.soap in shape.filled:
            raise RefusedError(Reply(b"", XML_TYPE, 400))
        if text is not None:
            values[parameter.soap] = _convert(parameter, text)
        elif parameter.soap not in shape.optional:
            raise plain(_MISSING)
    return values


def _convert(parameter: Parameter, text: str | bytes) -> Plain:
    if parameter.holds is bytes:
        return text if isinstance(text, bytes) else base64.b64decode(text)
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if parameter.holds is bool:
        return text.strip().lower() in ("true", "1")
    if parameter.holds is not int:
        return text
    try:
        return soap.number(text)
    except ValueError as problem:
        raise plain(f"Cannot convert {{0}} to {{1}}.\nParameter name: type ---> {problem}") from None


def write(shape: Shape, said: Said) -> Reply:
    """An answer: the word under its type's name, infoRouter's root, or its bytes."""
    spec = shape.spec
    if spec.content is Content.NOTHING:
        return Reply()
    if spec.content is Content.BYTES:
        return _bytes(said)
    if not spec.words:
        return Reply(f"{_DECLARATION}{soap.root(said)}".encode())
    word = f"{spec.prefix}{html.escape(said.word)}"
    return Reply(f'{_DECLARATION}<{spec.root} xmlns="{shape.service.namespace}">{word}</{spec.root}>'.encode())


def _bytes(said: Said) -> Reply:
    """A JSON string of base64; newer servers say in headers why it is empty, and the status follows the number."""
    body = json.dumps(base64.b64encode(said.content or b"").decode()).encode()
    if said.word == "OK":
        return Reply(body, _JSON)
    headers = {"X-InfoRouter-ErrorCode": str(said.code), "X-InfoRouter-Error": said.word}
    return Reply(body, _JSON, said.code // 10, headers=headers)
