"""Redaction: text of the service is freed of the secrets of a call before a message quotes it.

A secret is removed in each spelling in which it may come back: as it is, as a URL or a form writes it, as XML or HTML
escapes it, with its white space folded, and cut off at the end of the text. Where a secret can still be read in what is
left, the text is not quoted: in several layers of escaping, as JSON or a program escapes it, in base64 or hexadecimal
digits, in other letter case, or with other signs between its letters.
"""

import re
from binascii import a2b_base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

from aiorescue.wire.untracked import as_tuple

#: Characters of the longest text that is quoted.
_LONGEST = 320
#: Characters from which on the beginning of a secret gives something of it away.
_TELLING = 4
#: Layers of escaping that are looked through.
_DEEP = 3
#: Letters and digits of a secret from which on a text that holds them in their order shows it.
_MANY = 8
#: How JSON, programs, and JavaScript's `escape` write a character: by its number, or white space by a letter.
_ESCAPED = re.compile(r"(?:\\u|%u|\\x)([0-9A-Fa-f]{4}|[0-9A-Fa-f]{2})|\\([\\btnfr])")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{16,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{11,}")


def clean(text: str, secrets: Iterable[str]) -> str:
    """The text with each spelling of each secret replaced, shortened to what a message may quote."""
    text = text[: _LONGEST * 8]  # looked through in all its spellings, so not megabytes of it
    for secret in secrets:
        for spelling in _spellings(secret):
            text = _without_beginning(text.replace(spelling, "***"), spelling)
        if _shows(text, secret):
            return "(not quoted, as it shows a secret)"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def cleaned(attributes: Mapping[str, Any], secrets: Sequence[str]) -> Mapping[str, Any]:
    """The attributes of an exception with each text in them cleaned, as the items in the log of a partial failure."""
    return {name: _cleaned(value, secrets) for name, value in attributes.items()} if attributes else attributes


def _cleaned(value: Any, secrets: Sequence[str]) -> Any:
    if isinstance(value, str):
        return clean(value, secrets) if _may_show(value, secrets) else value
    if isinstance(value, tuple):
        parts = (_cleaned(part, secrets) for part in value)
        return type(value)(*parts) if hasattr(value, "_fields") else as_tuple(parts)
    return value


def _may_show(text: str, secrets: Iterable[str]) -> bool:
    """Whether a secret may stand in the text, in some spelling; quick, as a log may have ten thousand items."""
    if "%" in text or "&" in text or "\\" in text or not text.isprintable() or _BASE64.search(text):
        return True
    plain = text.casefold()
    return any(secret.strip()[:_TELLING].casefold() in plain for secret in secrets)


def _without_beginning(text: str, secret: str) -> str:
    """The text without a secret's beginning at its end, where the answer may have been cut within the secret."""
    for length in range(len(secret) - 1, _TELLING - 1, -1):
        if text.endswith(secret[:length]):
            return f"{text[:-length]}***"
    return text


def _shows(text: str, secret: str) -> bool:
    """Whether a secret can be read in the text."""
    plain, letters = folded(secret), _letters(secret)
    for reading in _readings(text):
        if plain in folded(reading):
            return True
        if len(letters) >= _MANY and any(letters in _letters(one) for one in (reading, *_coded(reading))):
            return True
    return False


def _letters(text: str) -> str:
    """The letters and digits of ASCII in a text, in small letters."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _coded(text: str) -> Iterator[str]:
    """What the hexadecimal and the base64 in a text stand for."""
    for found in _HEXADECIMAL.findall(text):
        yield bytes.fromhex(found[: len(found) // 2 * 2]).decode("latin-1")
    for found in _BASE64.findall(text.replace("-", "+").replace("_", "/")):
        for start in range(4):  # where its first group of four begins is not known
            groups = found[start:]
            yield a2b_base64(groups + "A" * (-len(groups) % 4)).decode("latin-1")


def _unescaped(text: str) -> str:
    """The text with what JSON or a program has escaped in it as it was; white space is a blank."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else " ", text)


def _readings(text: str) -> set[str]:
    """The text and what it reads as when up to `_DEEP` layers of escaping are taken off."""
    from html import unescape  # noqa: PLC0415 - takes long to import, and only an error is cleaned

    readings = {text}
    for _ in range(_DEEP):
        readings |= {read(one) for one in readings for read in (unescape, unquote_plus, _unescaped)}
    return readings


def _spellings(secret: str) -> Iterable[str]:
    """The spellings of a secret in an answer: as it is, in a URL or form, in XML or HTML, with its blanks folded."""
    from html import escape  # noqa: PLC0415 - as in `_readings`

    marked_up = escape(secret)
    percent = [quote(secret, safe=""), quote_plus(secret)]
    lower = [re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), one) for one in percent]
    half = escape(secret, quote=False)
    every = [secret, *percent, *lower, marked_up, marked_up.replace("&#x27;", "&#39;"), half]
    # The longest first: a shorter one may be a part of it.
    return sorted({*every, *map(folded, every)} - {""}, key=len, reverse=True)


def folded(text: str) -> str:
    """The text with each run of white space as one space."""
    return re.sub(r"\s+", " ", text).strip()
