"""The `.aspx` pages: a status word in capitals and values, as plain text with the content type of HTML.

The values follow a blank line, because the service's widgets cut a PIN out of the text at the 12th character.
"""

import re
from collections.abc import Mapping, Sequence

from aiorescue.emulator import soap, writing
from aiorescue.emulator.asmx import form_fields
from aiorescue.emulator.http import Incoming, NotACall, ReadCall, Reply, check_query, error_page, joined, pairs
from aiorescue.emulator.rules.call import Result
from aiorescue.emulator.rules.rescue.tables import ReportTable
from aiorescue.emulator.site import Shape, Site
from aiorescue.operation import Binding, PageLayout, Parameter, Plain

_TRUE = ("1", "true")
#: Status words of refusals that pages call by another name than SOAP.
_WORDS = {"InvalidParam_NodeID": "InvalidParam_Node"}
#: A field of a row of an array parameter, in small letters.
_RECORD = re.compile(r"userdata\[(\d{1,9})\]\.(\w+)")
#: Keys that have a space after their colon.
_BLANK = {"SMS_RESULT": " "}


def read(request: Incoming, site: Site, shape: Shape) -> ReadCall:
    """The call in a request for a page; parameters that did not come are empty. Raises NotACall."""
    check_query(request)
    sent = form_fields(request, _refuse, is_page=True)
    fields = {name: value for name, value in sent.items() if isinstance(value, str)}
    if request.method != "GET" and request.query:
        fields = fields | joined(pairs(request.query))  # ASP.NET looks into the query first
    values: dict[str, Plain] = {
        parameter.soap: _convert(parameter, fields.get(parameter.page_key.lower(), ""))
        for parameter in shape.parameters
    }
    binding = Binding.TEXT_GET if request.method == "GET" else Binding.TEXT_POST
    call = shape.call(values, request.cookie(site.cookie), records(fields) if shape.takes_records else ())
    return ReadCall(call, binding, lambda result: Reply(write(shape, result), "text/html"), _WORDS)


def records(fields: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
    """Rows of an array parameter among the fields of a page (``USERDATA[0].name``), in the order of their numbers."""
    rows: dict[int, dict[str, str]] = {}
    for name, value in fields.items():
        found = _RECORD.fullmatch(name)
        if found is not None:
            rows.setdefault(int(found[1]), {})[found[2]] = value
    return [rows[index] for index in sorted(rows)]


def _refuse(text: str) -> NotACall:
    return NotACall(error_page(500, text))


def _convert(parameter: Parameter, text: str) -> Plain:
    if parameter.holds is bool:
        return text.lower() in _TRUE
    if parameter.holds is not int:
        return text
    try:
        return soap.number(text)
    except ValueError:
        return None  # the rules choose the status word


def write(shape: Shape, result: Result) -> bytes:
    """Body of a page for a result, in the operation's page layout."""
    spec, layout = shape.spec, shape.spec.page_layout
    word = result.word.upper()
    if not spec.outputs or not result.outputs:
        return word.encode()
    value = result.outputs[spec.outputs[0].soap]
    if layout is PageLayout.ADDRESS:
        return f"{word}:{value}".encode()
    if layout in (PageLayout.VALUE, PageLayout.BODY):
        body = writing.text_of(value)
    elif layout is PageLayout.TABLE:
        titles, rows = writing.table(spec.outputs[0], value)
        body = writing.table_text(ReportTable(titles, rows, as_xml=result.as_xml))
    elif layout is PageLayout.BLOCKS:
        body = "".join(f"{line}\n" for record in value for line in (*writing.keyed(record), ""))
    elif spec.outputs[0].record is not None:
        body = "\n".join(writing.keyed(value))
    else:
        body = "\n".join(
            f"{output.page_key}:{_BLANK.get(output.page_key, '')}{writing.text_of(result.outputs[output.soap])}"
            for output in spec.outputs
            if output.page_key and output.soap in result.outputs
        )
    return f"{word}\n\n{body}".encode()
