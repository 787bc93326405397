"""The ASMX GET and POST bindings: parameters as a query or a form, an XML root as the answer."""

import base64
import binascii
import json
import re
import secrets
from collections.abc import Sequence
from urllib.parse import urlencode

from aiorescue import errors
from aiorescue.operation import Answer, Binding, Content, Operation
from aiorescue.wire import xml
from aiorescue.wire.message import Request, Response, Stamp, plain

#: ASP.NET's maxQueryStringLength.
LONGEST_QUERY = 2_048
FORM_HEADERS = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}

Pairs = Sequence[tuple[str, str | bytes]]

#: What ASP.NET's request validation takes for an attack, and answers with HTTP 500 (SOAP has no such check).
_DANGEROUS = re.compile(r"<[A-Za-z!/?]|&#")


class FormCodec:
    """Requests and answers of one operation over ASMX GET or POST."""

    def __init__(self, operation: type[Operation[object]], binding: Binding) -> None:
        spec = operation.spec
        self._get = binding.is_get
        self._fields = [(slot, slot.parameter.form or slot.parameter.soap) for slot in operation.slots]
        self._identity = spec.identity
        self._service = spec.service
        self._answers = spec.answers
        self._path = f"{spec.service.asmx}/{spec.name}"

    def encode(self, operation: Operation[object], stamp: Stamp) -> Request:
        """The request; every parameter is sent, as a missing one is an error 500, unless the service is newer."""
        pairs: list[tuple[str, str | bytes]] = []
        identity, service = self._identity, self._service
        if identity is not None and service.identity_first:
            pairs.append((identity.form or identity.soap, stamp.code))
        for slot, name in self._fields:
            value = slot.get(operation)
            if value is None and (service.omits or slot.parameter.holds is not str):
                continue
            if isinstance(value, bytes):
                pairs.append((name, value))
                continue
            text = plain(slot.parameter, value)
            if service.validates:
                refuse_markup(operation, slot.name, text)
            pairs.append((name, text))
        if identity is not None and not service.identity_first:
            pairs.append((identity.soap, stamp.code))
        return form_request(operation, self._path, pairs, stamp, get=self._get)

    def decode(self, response: Response) -> Answer:
        """The answer: the root element, whatever its name, or bytes. Raises `xml.Unreadable`."""
        if self._answers is Content.NOTHING:
            return Answer(None)
        if self._answers is Content.BYTES and not response.text.lstrip("\ufeff \t\r\n").startswith("<"):
            return Answer(_from_json(response.text))
        if self._service.trees:
            root = xml.tree(response.text)
            return Answer(unbase64(root.text or "") if xml.local(root) == "base64Binary" else root)
        document = xml.parse(response.text, self._service.namespace)
        return Answer(xml.content(next(iter(document.values()))))


def _from_json(text: str) -> bytes:
    """A JSON string of base64; a body of nothing is no bytes. Raises `xml.Unreadable`."""
    try:
        held = json.loads(text) if text.strip() else ""
    except ValueError:
        raise xml.Unreadable("the answer is no JSON string", cut=text.startswith('"')) from None
    if held is not None and not isinstance(held, str):
        raise xml.Unreadable("the answer is JSON, but no string")
    return unbase64(held or "")


def unbase64(text: str) -> bytes:
    """The bytes of base64, whatever blanks stand in it. Raises `xml.Unreadable`."""
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise xml.Unreadable("the answer's base64 stops before its end", cut=True) from None


def refuse_markup(operation: Operation[object], name: str, text: str) -> None:
    """Refuse what request validation would. Raises `errors.InvalidRequest`."""
    if _DANGEROUS.search(text):
        raise errors.InvalidRequest(
            f"{operation.spec.name}: {name} holds markup ('<' before a letter, or '&#'), which the service refuses"
            " in forms and queries; send it over SOAP",
            operation=operation.spec.name,
        )


def form_request(operation: Operation[object], path: str, pairs: Pairs, stamp: Stamp, *, get: bool) -> Request:
    """Parameters as a query or as a body."""
    cookie = {"Cookie": stamp.cookie} if stamp.cookie else {}
    if any(isinstance(value, bytes) for _, value in pairs):
        kind, body = _multipart(pairs)
        return Request("POST", path, headers={"Content-Type": kind} | cookie, body=body)
    encoded = urlencode(pairs)
    if not get:
        return Request("POST", path, headers=FORM_HEADERS | cookie, body=encoded.encode())
    if len(encoded) > LONGEST_QUERY:
        raise errors.InvalidRequest(
            f"{operation.spec.name}: the query has {len(encoded)} characters, but the service takes {LONGEST_QUERY};"
            " use a POST binding",
            operation=operation.spec.name,
        )
    return Request("GET", path, query=encoded, headers=cookie)


def _multipart(pairs: Pairs) -> tuple[str, bytes]:
    """Content type and body of a form with bytes in it: those are parts of their own, not base64."""
    boundary = f"----aiorescue{secrets.token_hex(16)}"
    parts: list[bytes] = []
    for name, value in pairs:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, bytes):
            parts += f'{head}; filename="chunk"\r\nContent-Type: application/octet-stream\r\n\r\n'.encode(), value
        else:
            parts += f"{head}\r\n\r\n".encode(), value.encode()
        parts.append(b"\r\n")
    parts.append(f"--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", b"".join(parts)
