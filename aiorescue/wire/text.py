"""The `.aspx` pages: parameters under names of their own, a status word and perhaps a body as the answer."""

import re
from typing import NamedTuple

from aiorescue.operation import Answer, Binding, Operation, PageForm, Parameter, Plain, Slot
from aiorescue.wire import xml
from aiorescue.wire.codec import Codec
from aiorescue.wire.form import Form, quoted, refuse_markup
from aiorescue.wire.message import Draft, Request, Response, Stamp, Unreadable, plain

#: The status word and what parts it from the rest. A tab may be the rest.
_WORD = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)(?:[ \r\n]+|$|(?=\s))")


class TextCodec(Codec):
    """Requests and answers of one operation on its text page."""

    def __init__(self, operation: type[Operation[object]], binding: Binding) -> None:
        spec = operation.spec
        self._sources = [
            (source.get, source.several, [_Field.of(slot) for slot in source.slots()]) for source in operation.sources
        ]
        self._answers = spec.form
        self.long = spec.long
        self._form = Form(
            spec.name,
            spec.page,
            binding.is_get,
            code="" if spec.identity is None else spec.identity.text,
            long=spec.long,
        )

    def draft(self, operation: Operation[object]) -> Draft:
        """The form; what is empty is left out."""
        written: list[str] = []
        for get, several, fields in self._sources:
            for value, field in zip(get(operation) if several else (get(operation),), fields, strict=False):
                if value is not None and value != "":
                    written.append(_written(operation, field, value))
        for slot in operation.more_slots():
            if (value := slot.get(operation)) is not None and value != "":
                written.append(_written(operation, _Field.of(slot), value))  # noqa: PERF401 - as above
        return self._form.joined(written)

    def sign(self, draft: Draft, stamp: Stamp) -> Request:
        """The form with the code, if there is one."""
        return self._form.sign(draft, stamp)

    def decode(self, response: Response) -> Answer:
        """The answer: the word, and what follows it as it came. Raises `Unreadable`."""
        text = response.text.lstrip("\ufeff")
        if not text.strip():
            raise Unreadable("the answer is empty", cut=True)
        found = _WORD.match(text)
        if found is not None:
            return _answer(found[1], text[found.end() :], response)
        bare = self._without_word(text.strip() if response.long is None else text.lstrip())
        if bare is not None:
            return _answer("OK", bare, response)
        page = text.lstrip().startswith("<")
        raise Unreadable(f"the answer is {'an HTML page' if page else 'no status word'}")

    def _without_word(self, text: str) -> str | None:
        """An answer without the word and its blank: an address, a value, or a table as an XML document."""
        if self._answers is PageForm.ADDRESS:
            address = text.removeprefix("OK:").lstrip()
            return address if address.startswith(("https://", "http://")) else None
        if self._answers is PageForm.BODY and text.startswith("OK:"):
            return text.removeprefix("OK:")
        table = text.startswith("<") and self._answers in (PageForm.TABLE, PageForm.BODY)
        return None if not table or xml.is_html(text) else text


class _Field(NamedTuple):
    """How one parameter is written."""

    parameter: Parameter
    name: str  # for messages
    begin: str  # its name on the page, and the sign behind it

    @classmethod
    def of(cls, slot: Slot) -> "_Field":
        """For a slot."""
        return cls(slot.parameter, slot.name, f"{quoted(slot.parameter.text)}=")


def _written(operation: Operation[object], field: _Field, value: Plain) -> str:
    """One parameter as the page takes it. Raises `errors.InvalidRequest`."""
    parameter, name, begin = field
    text = value if type(value) is str else plain(parameter, value, true="1", false="0")
    if parameter.on_page is not None:
        text = parameter.on_page(text)
    if "<" in text or "&" in text:
        refuse_markup(operation, name, text)
    return begin + quoted(text)


def _answer(word: str, body: str, response: Response) -> Answer:
    """Of a long answer only the beginning is looked at here, to which the body is the end."""
    if response.long is None:
        return Answer(word, text=True, body=body)
    response.long.skip(len(response.text) - len(body))
    return Answer(word, text=True, long=response.long)
