"""The ASMX GET and POST bindings: parameters as a query or a form, an XML root as the answer."""

import base64
import binascii
import json
import re
import secrets
from collections.abc import Sequence
from urllib.parse import quote_plus

import attrs

from aiorescue import errors
from aiorescue.operation import Answer, Binding, Content, Operation
from aiorescue.wire import xml
from aiorescue.wire.codec import Codec
from aiorescue.wire.message import Draft, Request, Response, Stamp, Unreadable, plain

#: ASP.NET's maxQueryStringLength.
LONGEST_QUERY = 2_048
FORM_HEADERS = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}

#: What ASP.NET's request validation takes for an attack, and answers with HTTP 500 (SOAP has no such check).
_DANGEROUS = re.compile(r"<[A-Za-z!/?]|&#")


@attrs.frozen
class Form:
    """Where an operation's form goes, and under what name its caller's code.

    Attributes:
        operation: the vendor's name, for messages.
        path: of the page.
        get: the form is a query.
        code: name of the field for the caller's code; empty if there is none.
        code_first: it stands before the other fields.
        code_always: it is sent even where there is none.
        long: the answer may be long.
    """

    operation: str
    path: str
    get: bool
    code: str = ""
    code_first: bool = False
    code_always: bool = False
    long: bool = False

    def fill(self, fields: Sequence[tuple[str, str | bytes]]) -> Draft:
        """The form with all but the code. Raises `errors.InvalidRequest` for a query that is too long already."""
        if any(isinstance(value, bytes) for _, value in fields):
            return fields
        return self.joined([f"{quoted(name)}={quoted(str(value))}" for name, value in fields])

    def joined(self, fields: Sequence[str]) -> str:
        """The same of fields that are written already."""
        return self._checked("&".join(fields))

    def sign(self, draft: Draft, stamp: Stamp) -> Request:
        """The request."""
        cookie = {"Cookie": stamp.cookie} if stamp.cookie else {}
        signed = bool(self.code) and (self.code_always or bool(stamp.code))
        if not isinstance(draft, str):
            code = [(self.code, stamp.code)] if signed else []
            kind, body = _multipart([*code, *draft] if self.code_first else [*draft, *code])
            return Request("POST", self.path, headers={"Content-Type": kind} | cookie, body=body)
        if signed:
            code_field = f"{self.code}={quoted(stamp.code)}"
            fields = (code_field, draft) if self.code_first else (draft, code_field)
            draft = "&".join(filter(None, fields))
        if self.get:
            return Request("GET", self.path, self._checked(draft), cookie, None, self.long)
        headers = FORM_HEADERS | cookie if cookie else FORM_HEADERS
        return Request("POST", self.path, "", headers, draft.encode(), self.long)

    def _checked(self, encoded: str) -> str:
        if self.get and len(encoded) > LONGEST_QUERY:
            raise errors.InvalidRequest(
                f"{self.operation}: the query has {len(encoded)} characters, but the service takes {LONGEST_QUERY};"
                " use a POST binding",
                operation=self.operation,
            )
        return encoded


#: How each byte is written. `quote_plus` finds that out anew for each text.
_WRITTEN = [quote_plus(bytes([byte])) for byte in range(256)]


def quoted(text: str) -> str:
    """Text as it stands in a form."""
    return text if text.isalnum() and text.isascii() else "".join([_WRITTEN[byte] for byte in text.encode()])


class FormCodec(Codec):
    """Requests and answers of one operation over ASMX GET or POST."""

    def __init__(self, operation: type[Operation[object]], binding: Binding) -> None:
        spec = operation.spec
        self._fields = [(slot, slot.parameter.form or slot.parameter.soap) for slot in operation.slots]
        self._service = spec.service
        self._answers = spec.answers
        self._form = Form(
            spec.name,
            f"{spec.service.asmx}/{spec.name}",
            binding.is_get,
            code="" if spec.identity is None else spec.identity.form or spec.identity.soap,
            code_first=spec.service.identity_first,
            code_always=True,
        )

    def draft(self, operation: Operation[object]) -> Draft:
        """The form; every parameter is sent, as a missing one is an error 500, unless the service is newer."""
        fields: list[tuple[str, str | bytes]] = []
        service = self._service
        for slot, name in self._fields:
            value = slot.get(operation)
            if value is None and not slot.parameter.blank and (service.omits or slot.parameter.holds is not str):
                continue
            if isinstance(value, bytes):
                fields.append((name, value))
                continue
            text = plain(slot.parameter, value)
            if service.validates and ("<" in text or "&" in text):
                refuse_markup(operation, slot.name, text)
            fields.append((name, text))
        return self._form.fill(fields)

    def sign(self, draft: Draft, stamp: Stamp) -> Request:
        """The form with the code."""
        return self._form.sign(draft, stamp)

    def decode(self, response: Response) -> Answer:
        """The answer: the root element, whatever its name, or bytes. Raises `Unreadable`."""
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
    """A JSON string of base64; a body of nothing is no bytes. Raises `Unreadable`."""
    try:
        held = json.loads(text) if text.strip() else ""
    except ValueError:
        raise Unreadable("the answer is no JSON string", cut=text.startswith('"')) from None
    if held is not None and not isinstance(held, str):
        raise Unreadable("the answer is JSON, but no string")
    return unbase64(held or "")


def unbase64(text: str) -> bytes:
    """The bytes of base64, whatever blanks stand in it. Raises `Unreadable`."""
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise Unreadable("the answer's base64 stops before its end", cut=True) from None


def refuse_markup(operation: Operation[object], name: str, text: str) -> None:
    """Refuse what request validation would. Raises `errors.InvalidRequest`."""
    if _DANGEROUS.search(text):
        raise errors.InvalidRequest(
            f"{operation.spec.name}: {name} holds markup ('<' before a letter, or '&#'), which the service refuses"
            " in forms and queries; send it over SOAP",
            operation=operation.spec.name,
        )


def _multipart(pairs: Sequence[tuple[str, str | bytes]]) -> tuple[str, bytes]:
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
