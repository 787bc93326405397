"""The `.aspx` pages: status words in capitals, as text that is called HTML.

What an OK brings along stands below a blank line, as the widgets expect that cut a PIN at the 12th character.
"""

from aiorescue.emulator import soap
from aiorescue.emulator.asmx import form_fields
from aiorescue.emulator.reading import (
    Incoming,
    Reading,
    RefusedError,
    Reply,
    Shape,
    Site,
    check_query,
    error_page,
    joined,
    pairs,
)
from aiorescue.emulator.state import Said
from aiorescue.operation import Binding, Parameter, Plain

_TRUE = ("1", "true")


def read(request: Incoming, site: Site, shape: Shape) -> Reading:
    """The call in a request for a page. Nothing is missing here: what did not come is empty."""
    check_query(request)
    fields = form_fields(request, _refuse)
    if request.method != "GET" and request.query:
        fields = fields | joined(pairs(request.query))  # ASP.NET looks into the query first
    values: dict[str, Plain] = {
        parameter.soap: _convert(parameter, fields.get(parameter.text.lower(), "")) for parameter in shape.parameters
    }
    binding = Binding.TEXT_GET if request.method == "GET" else Binding.TEXT_POST
    call = shape.call(values, request.cookie(site.cookie))
    return Reading(call, binding, lambda said: Reply(write(shape, said), "text/html"))


def _refuse(text: str) -> RefusedError:
    return RefusedError(error_page(500, text))


def _convert(parameter: Parameter, text: str) -> Plain:
    if parameter.holds is bool:
        return text.lower() in _TRUE
    if parameter.holds is not int:
        return text
    try:
        return soap.number(text)
    except ValueError:
        return None  # the rules find the word for it


def write(shape: Shape, said: Said) -> bytes:
    """An answer."""
    word = said.word.upper()
    lines = [f"{output.text}:{value}" for output, value in zip(shape.spec.outputs, said.outputs, strict=False)]
    return "\n".join([word, "", *lines]).encode() if lines else word.encode()
