"""An `.asmx` page: which of its interfaces a request is for, and its GET and POST forms.

Forms have errors of their own: plain text with status 500, with the placeholders that the server forgets to fill.
"""

import html
from collections.abc import Callable, Mapping

from aiorescue.emulator import soap, wsdl
from aiorescue.emulator.reading import (
    FORM_TYPE,
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
)
from aiorescue.emulator.state import Said
from aiorescue.operation import Binding, Parameter, Plain

_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
_SOAP_TYPES = ("text/xml", "application/soap+xml")

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
    return Reply(wsdl.operation_page(shape) if shape is not None else wsdl.index_page(site), "text/html; charset=utf-8")


# --- forms ----------------------------------------------------------------------------------------


def plain(text: str) -> RefusedError:
    """An error of the forms."""
    return RefusedError(Reply(f"{text}\n".encode(), "text/plain; charset=utf-8", 500, close=True))


def _form(request: Incoming, site: Site, name: str) -> Reading:
    shape = site.shapes.get(name)
    if shape is None and name.lower() in {known.lower() for known in site.shapes}:
        raise plain(_CASE)
    if shape is None or not shape.over_forms:
        raise plain(_NO_METHOD)
    fields = form_fields(request, plain)
    binding = Binding.HTTP_GET if request.method == "GET" else Binding.HTTP_POST
    call = shape.call(_values(shape, fields), request.cookie(site.cookie))
    return Reading(call, binding, lambda said: Reply(write(shape, said)))


def form_fields(request: Incoming, refuse: Callable[[str], RefusedError]) -> dict[str, str]:
    """The fields of a GET's query or a POST's body, past ASP.NET's request validation."""
    if request.method == "GET":
        fields, where = pairs(request.query), "QueryString"
    else:
        if request.body and request.media_type != FORM_TYPE:
            raise refuse(_NOT_A_FORM)
        fields, where = pairs(request.body.decode("utf-8", "replace")), "Form"
    for name, value in fields:
        if dangerous(value):
            shown = html.escape(f'({name}="{value[:15]}...")')
            raise refuse(f"A potentially dangerous Request.{where} value was detected from the client {shown}.")
    return joined(fields)


def _values(shape: Shape, fields: Mapping[str, str]) -> dict[str, Plain]:
    values: dict[str, Plain] = {}
    for parameter in shape.parameters:
        text = fields.get(parameter.soap.lower())
        if text is not None:
            values[parameter.soap] = _convert(parameter, text)
        elif parameter.soap not in shape.optional:
            raise plain(_MISSING)
    return values


def _convert(parameter: Parameter, text: str) -> Plain:
    if parameter.holds is not int:
        return text
    try:
        return soap.number(text)
    except ValueError as problem:
        raise plain(f"Cannot convert {{0}} to {{1}}.\nParameter name: type ---> {problem}") from None


def write(shape: Shape, said: Said) -> bytes:
    """An answer: the word under its type's name, or infoRouter's root."""
    spec = shape.spec
    if not spec.root:
        return f"{_DECLARATION}{soap.root(said)}".encode()
    word = f"{spec.prefix}{html.escape(said.word)}"
    return f'{_DECLARATION}<{spec.root} xmlns="{shape.service.namespace}">{word}</{spec.root}>'.encode()
