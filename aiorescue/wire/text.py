"""The codec of the text bindings: `.aspx` pages that take parameters under names of their own.

The answer is plain text: a status word (``OK``, ``ERROR``, ``INVALID`` …) and, behind it, a body for some operations.
"""

import re
from typing import Any

from aiorescue.operation import Answer, Binding, Operation, PageLayout, Slot
from aiorescue.wire import xml
from aiorescue.wire.message import Response, Unreadable, writer
from aiorescue.wire.urlencoded import FormField, UrlEncoded

#: The status word and the blanks behind it. A tab behind it may belong to the body, which may be a table.
#: The repetitions have limits because no other thread runs while the expression is matched.
_WORD = re.compile(r"\s{0,65536}([A-Za-z][A-Za-z0-9_]{0,999})(?:[ \r\n]{1,65536}|$|(?=\s))")


class TextCodec(UrlEncoded):
    """The codec of one operation on its text page."""

    absent = (None, "")

    def __init__(self, operation: type[Operation[Any]], binding: Binding) -> None:
        spec = operation.spec
        super().__init__(
            operation, spec.page, get=binding.is_get, code="" if spec.identity is None else spec.identity.page_key
        )
        self._page_layout = spec.page_layout
        self.streamed = spec.streamed

    def field(self, slot: Slot) -> FormField:
        """How a page takes a parameter: a bool as a digit, some texts spelled differently, and no empty values."""
        parameter = slot.parameter
        return FormField.of(
            slot, parameter.page_key, parameter.encode_on_page or writer(parameter, true="1", false="0")
        )

    def decode(self, response: Response) -> Answer:
        """The answer: its status word, and the rest of the text unchanged. Raises `Unreadable`."""
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
        """The body of a page that begins without a status word: an address, a value, or a table as an XML document."""
        if self._page_layout is PageLayout.ADDRESS:
            address = text.removeprefix("OK:").lstrip()
            return address if address.startswith(("https://", "http://")) else None
        if self._page_layout is PageLayout.BODY and text.startswith("OK:"):
            return text.removeprefix("OK:")
        table = text.startswith("<") and self._page_layout in (PageLayout.TABLE, PageLayout.BODY)
        return None if not table or xml.is_html(text) else text


def _answer(word: str, body: str, response: Response) -> Answer:
    """The answer of a page. Of a long one only the beginning is in `response.text`; its stream is moved to the body."""
    if response.stream is None:
        return Answer(word, from_page=True, body=body)
    response.stream.skip(len(response.text) - len(body))
    return Answer(word, from_page=True, stream=response.stream)
