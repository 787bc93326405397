"""The `.aspx` pages: parameters under names of their own, a status word and perhaps a body as the answer."""

import re

import attrs

from aiorescue.operation import Answer, Binding, Operation, PageForm
from aiorescue.wire import xml
from aiorescue.wire.form import form_request, refuse_markup
from aiorescue.wire.message import Request, Response, Stamp, plain

_WORD = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)(?:\s+|$)")


class TextCodec:
    """Requests and answers of one operation on its text page."""

    def __init__(self, operation: type[Operation[object]], binding: Binding) -> None:
        spec = operation.spec
        self._get = binding.is_get
        self._slots = operation.slots
        self._identity = spec.identity
        self._path = spec.page
        self._form = spec.form
        self._long = spec.long

    def encode(self, operation: Operation[object], stamp: Stamp) -> Request:
        """The request; what is empty is left out."""
        pairs = []
        for slot in (*self._slots, *operation.more_slots()):
            value = slot.get(operation)
            if value is None or value == "":
                continue
            text = plain(slot.parameter, value, true="1", false="0")
            if slot.parameter.on_page is not None:
                text = slot.parameter.on_page(text)
            refuse_markup(operation, slot.name, text)
            pairs.append((slot.parameter.text, text))
        if self._identity is not None and stamp.code:
            pairs.append((self._identity.text, stamp.code))
        request = form_request(operation, self._path, pairs, stamp, get=self._get)
        return attrs.evolve(request, long=True) if self._long else request

    def decode(self, response: Response) -> Answer:
        """The answer: the word, and what follows it as it came. Raises `xml.Unreadable`."""
        text = response.text.lstrip("\ufeff")
        if not text.strip():
            raise xml.Unreadable("the answer is empty", cut=True)
        found = _WORD.match(text)
        if found is not None:
            return _answer(found[1], text[found.end() :], response)
        bare = self._without_word(text.strip() if response.long is None else text.lstrip())
        if bare is not None:
            return _answer("OK", bare, response)
        page = text.lstrip().startswith("<")
        raise xml.Unreadable(f"the answer is {'an HTML page' if page else 'no status word'}")

    def _without_word(self, text: str) -> str | None:
        """An answer without the word and its blank: an address, a value, or a table as an XML document."""
        if self._form is PageForm.ADDRESS:
            address = text.removeprefix("OK:").lstrip()
            return address if address.startswith(("https://", "http://")) else None
        if self._form is PageForm.BODY and text.startswith("OK:"):
            return text.removeprefix("OK:")
        table = text.startswith("<") and self._form in (PageForm.TABLE, PageForm.BODY)
        return None if not table or xml.is_html(text) else text


def _answer(word: str, body: str, response: Response) -> Answer:
    """Of a long answer only the beginning is looked at here, to which the body is the end."""
    if response.long is None:
        return Answer(word, text=True, body=body)
    response.long.skip(len(response.text) - len(body))
    return Answer(word, text=True, long=response.long)
