"""The ASMX GET and POST bindings: parameters as a query or a form, an XML root as the answer."""

import re
from urllib.parse import urlencode

from aiorescue import errors
from aiorescue.operation import Answer, Binding, Operation
from aiorescue.wire import xml
from aiorescue.wire.message import Request, Response, Stamp, plain

#: ASP.NET's maxQueryStringLength.
LONGEST_QUERY = 2_048
FORM_HEADERS = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}

#: What ASP.NET's request validation takes for an attack, and answers with HTTP 500 (SOAP has no such check).
_DANGEROUS = re.compile(r"<[A-Za-z!/?]|&#")


class FormCodec:
    """Requests and answers of one operation over ASMX GET or POST."""

    def __init__(self, operation: type[Operation[object]], binding: Binding) -> None:
        spec = operation.spec
        self._get = binding.is_get
        self._slots = operation.slots
        self._identity = spec.identity
        self._path = f"{spec.service.asmx}/{spec.name}"
        self._namespace = spec.service.namespace

    def encode(self, operation: Operation[object], stamp: Stamp) -> Request:
        """The request; every parameter is sent, as a missing one is an error 500."""
        pairs = []
        for slot in self._slots:
            value = slot.get(operation)
            if value is None and slot.parameter.holds is not str:
                continue
            text = plain(slot.parameter, value)
            refuse_markup(operation, slot.name, text)
            pairs.append((slot.parameter.soap, text))
        if self._identity is not None:
            pairs.append((self._identity.soap, stamp.code))
        return form_request(operation, self._path, pairs, stamp, get=self._get)

    def decode(self, response: Response) -> Answer:
        """The answer: the root element, whatever its name. Raises `xml.Unreadable`."""
        document = xml.parse(response.text, self._namespace)
        return Answer(xml.content(next(iter(document.values()))))


def refuse_markup(operation: Operation[object], name: str, text: str) -> None:
    """Refuse what request validation would. Raises `errors.InvalidRequest`."""
    if _DANGEROUS.search(text):
        raise errors.InvalidRequest(
            f"{operation.spec.name}: {name} holds markup ('<' before a letter, or '&#'), which the service refuses"
            " in forms and queries; send it over SOAP",
            operation=operation.spec.name,
        )


def form_request(
    operation: Operation[object], path: str, pairs: list[tuple[str, str]], stamp: Stamp, *, get: bool
) -> Request:
    """Parameters as a query or as a body."""
    encoded = urlencode(pairs)
    cookie = {"Cookie": stamp.cookie} if stamp.cookie else {}
    if not get:
        return Request("POST", path, headers=FORM_HEADERS | cookie, body=encoded.encode())
    if len(encoded) > LONGEST_QUERY:
        raise errors.InvalidRequest(
            f"{operation.spec.name}: the query has {len(encoded)} characters, but the service takes {LONGEST_QUERY};"
            " use a POST binding",
            operation=operation.spec.name,
        )
    return Request("GET", path, query=encoded, headers=cookie)
