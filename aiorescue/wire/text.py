"""The `.aspx` pages: parameters under names of their own, a status word and perhaps a body as the answer."""

import re
from typing import Any

from aiorescue.operation import Answer, Binding, Operation, PageLayout, Slot
from aiorescue.wire import xml
from aiorescue.wire.message import Response, Unreadable, writer
from aiorescue.wire.urlencoded import Field, UrlEncoded

#: The status word and what parts it from the rest. A tab may be the rest.
_WORD = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)(?:[ \r\n]+|$|(?=\s))")


class TextCodec(UrlEncoded):
    """Requests and answers of one operation on its text page."""

    absent = (None, "")

    def __init__(self, operation: type[Operation[Any]], binding: Binding) -> None:
        spec = operation.spec
        super().__init__(
            operation, spec.page, get=binding.is_get, code="" if spec.identity is None else spec.identity.page_key
        )
        self._answers = spec.page_layout
        self.streamed = spec.streamed

    def field(self, slot: Slot) -> Field:
        """A bool is a digit, and some texts have a spelling of their own. What is empty is left out."""
        parameter = slot.parameter
        return Field.of(slot, parameter.page_key, parameter.encode_on_page or writer(parameter, true="1", false="0"))

    def decode(self, response: Response) -> Answer:
        """The answer: the word, and what follows it as it came. Raises `Unreadable`."""
        text = response.text.lstrip("\ufeff")
        if not text.strip():
            raise Unreadable("the answer is empty", cut=True)
        found = _WORD.match(text)
        if found is not None:
            return _answer(found[1], text[found.end() :], response)
        bare = self._without_word(text.strip() if response.stream is None else text.lstrip())
        if bare is not None:
            return _answer("OK", bare, response)
        page = text.lstrip().startswith("<")
        raise Unreadable(f"the answer is {'an HTML page' if page else 'no status word'}")

    def _without_word(self, text: str) -> str | None:
        """An answer without the word and its blank: an address, a value, or a table as an XML document."""
        if self._answers is PageLayout.ADDRESS:
            address = text.removeprefix("OK:").lstrip()
            return address if address.startswith(("https://", "http://")) else None
        if self._answers is PageLayout.BODY and text.startswith("OK:"):
            return text.removeprefix("OK:")
        table = text.startswith("<") and self._answers in (PageLayout.TABLE, PageLayout.BODY)
        return None if not table or xml.is_html(text) else text


def _answer(word: str, body: str, response: Response) -> Answer:
    """Of a long answer only the beginning is looked at here, to which the body is the end."""
    if response.stream is None:
        return Answer(word, from_page=True, body=body)
    response.stream.skip(len(response.text) - len(body))
    return Answer(word, from_page=True, stream=response.stream)
