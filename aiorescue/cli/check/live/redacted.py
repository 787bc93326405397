"""Redaction by shape: each value is replaced by another one of the same form, so that the answer can still be read.

Each digit becomes a 1, each letter an x or X. So ``2/16/2012 9:00 AM`` becomes ``1/11/1111 1:11 AM``, which is a time,
and a PIN stays six digits. Words that declarations name stay as they are, also with a number (``Custom Field 2``), and
so do the names of elements.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from aiorescue.operation import Spec
from aiorescue.rescue.answers.nodes import NodeStatus, NodeType
from aiorescue.rescue.answers.records import page_keys
from aiorescue.rescue.answers.sessions import SessionStatus

#: Words that say nothing of a customer, and that a reader must find: truths, halves of the day, types and states.
_COMMON = frozenset(
    [
        *("true", "false", "True", "False", "AM", "PM", "XML", "TEXT", "OK", "ERROR", "LISTALL", "SUMMARY"),
        *(str(each) for kind in (NodeStatus, NodeType, SessionStatus) for each in kind),
    ]
)
#: Items of a list that are kept.
_ITEMS = 3
#: A part of a time in ISO 8601, with the mark between day and hour or that of UTC.
_TIME_PART = re.compile(r"\d+[TZ]\d*")


def vocabulary(spec: Spec) -> frozenset[str]:
    """The words that an answer of an operation may show: those of its declaration, and common ones.

    A key with a number is there as a whole, as the number alone may stand for anything.
    """
    words = (*spec.words, *spec.page_words)
    keys = {output.page_key for output in spec.outputs} | {
        key for output in spec.outputs if output.record is not None for key in page_keys(output.record)
    }
    spelled = {f"{spec.prefix}{word}" for word in words} | {word.upper() for word in words} | {*words}
    parts = {part for key in keys for part in (*key.split(), *key.upper().split()) if not part.isdigit()}
    numbered = {key for key in keys if any(map(str.isdigit, key.split()))}
    return _COMMON | spelled | parts | numbered | {key.upper() for key in numbered}


def text(value: str, known: frozenset[str]) -> str:
    """A text of the same form, in which only known words can be read."""
    plain = "".join(char if char.isascii() or char.isalnum() else "?" for char in value)
    return _words(known).sub(lambda found: _word(found[0], known), plain)


@cache
def _words(known: frozenset[str]) -> re.Pattern[str]:
    """What finds words, and known ones with a blank in them as a whole."""
    several = sorted(filter(lambda word: " " in word, known), key=len, reverse=True)
    return re.compile("|".join([*(rf"\b{re.escape(word)}\b" for word in several), r"\w+"]))


def _word(word: str, known: frozenset[str]) -> str:
    if word in known:
        return word
    marks = "TZ" if _TIME_PART.fullmatch(word) else "_"
    return "".join(_shape(char, marks) for char in word)


def _shape(char: str, marks: str) -> str:
    if char in marks:
        return char
    return "1" if char.isdigit() else "X" if char.isupper() else "x"


def tree(value: Any, known: frozenset[str]) -> Any:
    """Elements as `xmltodict` has them, with each text replaced."""
    if isinstance(value, Mapping):
        return {name: tree(child, known) for name, child in value.items() if not name.startswith("@xmlns")}
    if isinstance(value, list):
        return [tree(child, known) for child in value[:_ITEMS]]
    return text(value, known) if isinstance(value, str) else value
