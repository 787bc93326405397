"""What an answer holds, read without its decoders: numbers and texts of a value have to stand in it somewhere."""

import codecs
import re
from collections.abc import Iterator
from typing import Any

import attrs

from aiorescue.inforouter import Element
from aiorescue.rescue import Chat, Hierarchy, Report
from aiorescue.wire import Response

#: Encodings in which an answer may be meant.
_ENCODINGS = (
    *("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "latin-1", "cp1252", "cp1254"),
    *("shift_jis", "cp932", "cp949", "gb18030"),
)
_CHARSET = re.compile(r"(?:charset|encoding)\s*=\s*[\"']?([\w.:-]{1,40})")
_NO_TEXT = re.compile(r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[|\]\]>", re.DOTALL)
_MARKUP = re.compile(r"<[^<>]*>")
_REFERENCE = re.compile(r"&(?:#x0*([0-9a-fA-F]+)|#0*([0-9]+)|(lt|gt|amp|quot|apos));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
#: White space may be another one in a value, and characters that XML does not allow are replaced.
_LOOSE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ufeff\ufffd\ufffe\uffff\ud800-\udfff]+")


def missing(value: Any, response: Response) -> list[str]:
    """The texts and numbers of a value that do not stand in the answer."""
    found = list(_leaves(value))
    if not found:
        return []
    held = _loose(" ".join(_readings(response)))
    return [text for text in found if _loose(text.lstrip("0") if text.isdigit() else text) not in held]


def _leaves(value: Any) -> Iterator[str]:
    """Texts and numbers of a value; not those of long results that the library takes apart when they are read."""
    if isinstance(value, Element | Report | Hierarchy | Chat | bool):
        return
    if type(value) is int:
        yield str(abs(value))
    elif type(value) is str:
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from _leaves(getattr(value, field.name))


def _readings(response: Response) -> Iterator[str]:
    """The answer's text in each encoding that may be meant, with its references written out."""
    named = _CHARSET.findall(f"{response.headers.get('Content-Type', '')} {response.body[:200]!r}")
    for encoding in dict.fromkeys((*_ENCODINGS, *named)):
        try:
            if not codecs.lookup(encoding)._is_text_encoding:
                continue
            text = response.body.decode(encoding, "replace")
        except (LookupError, ValueError):
            continue
        yield text  # of a page, where nothing is markup
        for plain in (text, _NO_TEXT.sub("", text)):
            written_out = _REFERENCE.sub(_character, plain)
            yield from (written_out, _MARKUP.sub("", written_out), _REFERENCE.sub(_character, _MARKUP.sub("", plain)))


def _character(found: "re.Match[str]") -> str:
    if found[3]:
        return _NAMED[found[3]]
    digits, base = (found[1], 16) if found[1] else (found[2], 10)
    number = int(digits, base) if len(digits) < 8 else 0x110000
    return chr(number) if number < 0x110000 else ""  # what is no character at all is replaced


def _loose(text: str) -> str:
    return _LOOSE.sub("", text)
