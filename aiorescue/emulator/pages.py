"""The `.aspx` pages: status words in capitals, as text that is called HTML.

What an OK brings along stands below a blank line, as the widgets expect that cut a PIN at the 12th character.
"""

from aiorescue.emulator import soap, writing
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
from aiorescue.emulator.rules.call import Said
from aiorescue.emulator.rules.rescue.tables import as_text, as_xml
from aiorescue.operation import Binding, PageLayout, Parameter, Plain

_TRUE = ("1", "true")
#: Keys that have a blank behind their colon.
_BLANK = {"SMS_RESULT": " "}


def read(request: Incoming, site: Site, shape: Shape) -> Reading:
    """The call in a request for a page. Nothing is missing here: what did not come is empty."""
    check_query(request)
    fields = {name: value for name, value in form_fields(request, _refuse).items() if isinstance(value, str)}
    if request.method != "GET" and request.query:
        fields = fields | joined(pairs(request.query))  # ASP.NET looks into the query first
    values: dict[str, Plain] = {
        parameter.soap: _convert(parameter, fields.get(parameter.page_key.lower(), ""))
        for parameter in shape.parameters
    }
    binding = Binding.TEXT_GET if request.method == "GET" else Binding.TEXT_POST
    call = shape.call(values, request.cookie(site.cookie), fields)
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
    spec, form = shape.spec, shape.spec.page_layout
    word = said.word.upper()
    if not spec.outputs or not said.outputs:
        return word.encode()
    value = said.outputs[0]
    if form is PageLayout.ADDRESS:
        return f"{word}:{value}".encode()
    if form in (PageLayout.VALUE, PageLayout.BODY):
        body = value
    elif form is PageLayout.TABLE:
        titles, rows = writing.table(spec.outputs[0], value)
        body = as_xml(titles, rows) if said.xml else as_text(titles, rows)
    elif form is PageLayout.BLOCKS:
        body = "".join(f"{line}\n" for record in value for line in (*writing.keyed(record), ""))
    elif spec.outputs[0].record is not None:
        body = "\n".join(writing.keyed(value))
    else:
        body = "\n".join(
            f"{output.page_key}:{_BLANK.get(output.page_key, '')}{writing.text_of(held)}"
            for output, held in zip(spec.outputs, said.outputs, strict=False)
            if output.page_key
        )
    return f"{word}\n\n{body}".encode()
