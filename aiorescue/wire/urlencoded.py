"""Requests as a form or a query: the base of the codecs of the ASMX form bindings and of the text bindings."""

import re
import secrets
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import zip_longest
from operator import add, itemgetter
from typing import Any, NamedTuple
from urllib.parse import quote

from aiorescue import errors
from aiorescue.operation import Binding, Operation, Slot
from aiorescue.wire.codec import Codec
from aiorescue.wire.message import Authorization, FormDraft, Request

#: ASP.NET's maxQueryStringLength.
LONGEST_QUERY = 2_048
FORM_HEADERS = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
_NO_HEADERS: Mapping[str, str] = {}

#: What ASP.NET's request validation takes for an attack, and answers with HTTP 500 (SOAP has no such check).
_DANGEROUS = re.compile(r"<[A-Za-z!/?]|&#")

#: The separator of values that are quoted in one step.
_BETWEEN = "\0"
#: The characters that a form writes as percent signs and digits; a space becomes a plus sign.
_ODD = re.compile(f"[^A-Za-z0-9_.~{_BETWEEN} -]")
#: One such character as a form writes it, remembered because texts use few of them.
_percent = lru_cache(1_024)(partial(quote, safe=""))


def quoted(text: str) -> str:
    """A text as a form or a query writes it."""
    return _ODD.sub(lambda found: _percent(found[0]), text).replace(" ", "+")


class FormField(NamedTuple):
    """How a form writes one parameter."""

    begin: str  # its key, quoted, and the sign behind it
    write: Callable[[Any], str] | None  # None: the value is bytes, and becomes a part of its own
    nothing: str | None  # what is sent where there is no value; None: it is left out
    key: str
    name: str  # for messages

    @classmethod
    def of(cls, slot: Slot, key: str, write: Callable[[Any], str] | None, nothing: str | None = None) -> "FormField":
        """How a form writes a parameter whose key in it is `key`."""
        return cls(f"{quoted(key)}=", write, nothing, key, slot.name)


_BEGIN = itemgetter(FormField._fields.index("begin"))


class UrlEncoded(Codec[FormDraft]):
    """The requests of one operation as a form or a query.

    Args:
        operation: the operation type.
        path: path of the URL.
        get: whether requests are queries of a GET rather than forms of a POST.
        code: key of the field for the auth code or ticket; empty if the operation takes none.
        code_first: whether that field stands before the others.
        code_always: whether that field is sent even without a code.
    """

    #: The values of a parameter that stand for no value.
    absent: tuple[Any, ...] = (None,)

    def __init__(
        self,
        operation: type[Operation[Any]],
        path: str,
        *,
        get: bool,
        code: str,
        code_first: bool = False,
        code_always: bool = False,
    ) -> None:
        self._name = operation.spec.name
        self._validates = operation.spec.service.validates_requests
        self._offers_soap = not operation.spec.bindings.keys().isdisjoint((Binding.SOAP11, Binding.SOAP12))
        self._path = path
        self._get = get
        self._code = code
        self._code_begin = f"{quoted(code)}="
        self._code_first = code_first
        self._code_always = code_always
        self._sources = [
            (source.get, source.several, [self.field(slot) for slot in source.slots()]) for source in operation.sources
        ]
        self._parts = any(slot.parameter.holds is bytes for slot in operation.slots)

    @abstractmethod
    def field(self, slot: Slot) -> FormField:
        """How the binding writes a parameter."""

    def draft(self, operation: Operation[Any]) -> FormDraft:
        """The form or query without the auth code or ticket.

        Raises:
            errors.InvalidRequest: a value holds markup that the service refuses, or the query is too long already.
        """
        absent, sources = self.absent, self._sources
        if more := operation.more_slots():
            sources = [*sources, *((slot.get, False, [self.field(slot)]) for slot in more)]
        fields: list[FormField] = []
        values: list[Any] = []
        for get, several, known in sources:
            held = get(operation)
            for value, field in zip_longest(held, known) if several else ((held, known[0]),):
                if value not in absent:
                    write = field.write
                    values.append(value if write is None else write(value))
                elif field.nothing is not None:
                    values.append(field.nothing)
                else:
                    continue
                fields.append(field)
        if self._parts and any(isinstance(value, bytes) for value in values):
            self._refuse_markup(fields, values)
            return [(field.key, value) for field, value in zip(fields, values, strict=True)]
        together = _BETWEEN.join(values)
        if "<" in together or "&" in together:
            self._refuse_markup(fields, values)
        texts = quoted(together).split(_BETWEEN) if values else []
        if len(texts) != len(fields):  # operations refuse it, too: XML cannot carry one
            raise errors.InvalidRequest(f"{self._name}: a value holds a NUL; remove it", operation=self._name)
        draft = "&".join(map(add, map(_BEGIN, fields), texts))
        if self._get and len(draft) > LONGEST_QUERY:
            raise self._too_long(draft)
        return draft

    def authorize(self, draft: FormDraft, authorization: Authorization) -> Request:
        """The request of a draft, with the auth code or ticket. Raises `errors.InvalidRequest` for too long a query."""
        code = authorization.code
        has_code = self._code and (code or self._code_always)
        if not isinstance(draft, str):
            field = [(self._code, code)] if has_code else []
            content_type, body = _multipart([*field, *draft] if self._code_first else [*draft, *field])
            return Request("POST", self._path, "", _with_cookie({"Content-Type": content_type}, authorization), body)
        if has_code:
            written, parted = self._code_begin + quoted(code), "&" if draft else ""
            draft = f"{written}{parted}{draft}" if self._code_first else f"{draft}{parted}{written}"
        if not self._get:
            return Request(
                "POST", self._path, "", _with_cookie(FORM_HEADERS, authorization), draft.encode(), self.streamed
            )
        if len(draft) > LONGEST_QUERY:
            raise self._too_long(draft)
        return Request("GET", self._path, draft, _with_cookie(_NO_HEADERS, authorization), None, self.streamed)

    def _too_long(self, query: str) -> errors.InvalidRequest:
        return errors.InvalidRequest(
            f"{self._name}: the query has {len(query)} characters, but the service takes {LONGEST_QUERY};"
            " use a POST binding",
            operation=self._name,
        )

    def _refuse_markup(self, fields: Sequence[FormField], values: Sequence[Any]) -> None:
        """Raise `errors.InvalidRequest` for a value that ASP.NET's request validation would refuse."""
        for field, value in zip(fields, values, strict=True):
            if self._validates and isinstance(value, str) and _DANGEROUS.search(value):
                raise errors.InvalidRequest(
                    f"{self._name}: {field.name} holds markup ('<' before a letter, or '&#'), which the service"
                    f" refuses in forms and queries; {'send it over SOAP' if self._offers_soap else 'remove it'}",
                    operation=self._name,
                )


def _with_cookie(headers: Mapping[str, str], authorization: Authorization) -> Mapping[str, str]:
    return {**headers, "Cookie": authorization.cookie} if authorization.cookie else headers


def _multipart(pairs: Sequence[tuple[str, str | bytes]]) -> tuple[str, bytes]:
    """Content type and body of a multipart form, in which bytes travel as they are, without base64."""
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
