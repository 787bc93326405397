"""An `.asmx` page: finds out which of its interfaces a request is for, and serves its GET and POST forms.

Errors of forms are plain text with status 500, including the placeholders that the real server forgets to fill.
"""

import base64
import html
import json
from collections.abc import Callable, Mapping

from aiorescue.emulator import soap, wsdl
from aiorescue.emulator.http import (
    FORM_TYPE,
    PARTS_TYPE,
    XML_TYPE,
    Incoming,
    NotACall,
    ReadCall,
    Reply,
    check_query,
    dangerous,
    error_page,
    joined,
    pairs,
    parts,
)
from aiorescue.emulator.rules.call import NOT_COMPLETED, Result
from aiorescue.emulator.site import Shape, Site, is_number_as_text, number_as_text
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


def read(request: Incoming, site: Site, base: str) -> ReadCall:
    """The call in a request for an `.asmx` page; raises NotACall for errors and for the pages that browsers show."""
    check_query(request)
    name = request.path[len(site.path) :]
    if name == "/":
        raise NotACall(error_page(500, "Value cannot be null. Parameter name: methodName"))
    if name:
        return _form(request, site, name[1:])
    if request.method == "POST":
        return _soap(request, site)
    raise NotACall(_page(request, site, base))


def _soap(request: Incoming, site: Site) -> ReadCall:
    if request.media_type == "application/json":
        raise NotACall(error_page(500, "Unknown web method. Parameter name: methodName"))
    if request.media_type not in _SOAP_TYPES:
        raise NotACall(Reply(b"", XML_TYPE, 415))
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise soap.unreadable()
    return soap.read(request, site)


def _page(request: Incoming, site: Site, base: str) -> Reply:
    """Reply to a browser: service description, discovery, or the page of one or all operations."""
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


def plain(text: str) -> NotACall:
    """NotACall with an error of the forms."""
    return NotACall(Reply(f"{text}\n".encode(), "text/plain; charset=utf-8", 500, close=True))


def _form(request: Incoming, site: Site, name: str) -> ReadCall:
    shape = site.shape(name)
    if shape is None and name.lower() in {known.lower() for known in site.shapes}:
        raise plain(_CASE)
    if shape is None or not shape.over_forms:
        raise plain(_NO_METHOD)
    if shape.takes_bytes and request.method == "GET":
        raise NotACall(Reply(b"", XML_TYPE, 415))
    fields = form_fields(request, plain, validates_requests=site.service.validates_requests)
    binding = Binding.HTTP_GET if request.method == "GET" else Binding.HTTP_POST
    call = shape.call(_values(shape, fields), request.cookie(site.cookie))
    return ReadCall(call, binding, lambda result: write(shape, result))


Fields = Mapping[str, str | bytes]


def form_fields(
    request: Incoming, refuse: Callable[[str], NotACall], *, validates_requests: bool = True, is_page: bool = False
) -> dict[str, str | bytes]:
    """Fields of a GET's query or a POST's body, by names in small letters.

    Args:
        request: the request.
        refuse: makes the exception for a text that ASP.NET refuses.
        validates_requests: whether ASP.NET's request validation is on.
        is_page: whether a page is asked for, which reads forms in parts, too, and no fields in a body of another type.
    """
    if request.method == "GET":
        fields, where = pairs(request.query), "QueryString"
    elif request.media_type == PARTS_TYPE and (is_page or not validates_requests):
        found = parts(request.body, request.headers.get("Content-Type", ""))
        if not validates_requests:
            return {**found}
        fields, where = [(name, content.decode("utf-8", "replace")) for name, content in found.items()], "Form"
    elif request.media_type == FORM_TYPE or not request.body or is_page:
        text = request.body.decode("utf-8", "replace") if request.media_type == FORM_TYPE else ""
        fields, where = pairs(text), "Form"
    else:
        raise refuse(_NOT_A_FORM)
    for name, value in fields:
        if validates_requests and dangerous(value):
            shown = html.escape(f'({name}="{value[:15]}...")')
            raise refuse(f"A potentially dangerous Request.{where} value was detected from the client {shown}.")
    return {**joined(fields)}


def _values(shape: Shape, fields: Fields) -> dict[str, Plain]:
    values: dict[str, Plain] = {}
    for parameter in shape.parameters:
        text = fields.get((parameter.form_name or parameter.soap).lower())
        if not text and parameter.soap in shape.filled:
            raise NotACall(Reply(b"", XML_TYPE, 400))
        if text is not None:
            values[parameter.soap] = _convert(parameter, text)
        elif parameter.soap not in shape.optional:
            raise plain(_MISSING)
    return values


def _convert(parameter: Parameter, text: str | bytes) -> Plain:
    if isinstance(text, bytes):
        if parameter.holds is bytes:
            return text
        text = text.decode("utf-8", "replace")
    if parameter.holds is bool:
        return text.strip().lower() in ("true", "1")
    if parameter.holds not in (int, bytes):
        return number_as_text(text) if is_number_as_text(parameter) else text
    try:
        return soap.from_base64(text) if parameter.holds is bytes else soap.number(text)
    except ValueError as problem:
        raise plain(f"Cannot convert {{0}} to {{1}}.\nParameter name: type ---> {problem}") from None


def write(shape: Shape, result: Result) -> Reply:
    """Reply of a form for a result: the status word in the element of its type, infoRouter's element, or bytes."""
    spec = shape.spec
    if spec.content is Content.NOTHING:
        return Reply()
    if spec.content is Content.BYTES:
        return _bytes(result)
    if not spec.words:
        return Reply(f"{_DECLARATION}{soap.root(result)}".encode())
    word = f"{spec.prefix}{html.escape(result.word)}"
    return Reply(f'{_DECLARATION}<{spec.root} xmlns="{shape.service.namespace}">{word}</{spec.root}>'.encode())


def _bytes(result: Result) -> Reply:
    """Reply with bytes as a JSON string of base64; an error is in the headers and decides the HTTP status."""
    body = json.dumps(base64.b64encode(result.content or b"").decode()).encode()
    if result.word == "OK":
        return Reply(body, _JSON)
    code = result.code or NOT_COMPLETED
    text = "".join(each if each.isprintable() else " " for each in result.word)  # what a header can carry
    return Reply(body, _JSON, code // 10, headers={"X-InfoRouter-ErrorCode": str(code), "X-InfoRouter-Error": text})
