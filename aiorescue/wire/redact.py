"""Texts for people, without the secrets of a call."""

import re
from collections.abc import Iterable
from html import escape as html_escape
from html import unescape
from urllib.parse import quote, quote_plus, unquote_plus

#: The longest text that is shown, in characters.
_LONGEST = 320
#: So many characters of a secret would tell something of it.
_TELLING = 4
#: How often a text may have been escaped.
_DEEP = 3


def clean(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets, in any spelling in which they travel, and not too long."""
    for secret in secrets:
        for spelling in _spellings(secret):
            text = _without_beginning(text.replace(spelling, "***"), spelling)
        if any(folded(secret) in folded(reading) for reading in _readings(text)):
            return "(not quoted, as it shows a secret)"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _without_beginning(text: str, secret: str) -> str:
    """The text without the beginning of a secret at its end, where an answer may have been cut."""
    for length in range(len(secret) - 1, _TELLING - 1, -1):
        if text.endswith(secret[:length]):
            return f"{text[:-length]}***"
    return text


def _readings(text: str) -> set[str]:
    """What a text can be read as, where it was escaped or quoted in a way of its own, or more than once."""
    readings = {text}
    for _ in range(_DEEP):
        readings |= {read(one) for one in readings for read in (unescape, unquote_plus)}
    return readings


def _spellings(secret: str) -> Iterable[str]:
    """How a secret can look in an answer: as it is, in a URL or form, in XML or HTML, with its blanks folded."""
    marked_up = html_escape(secret)
    percent = [quote(secret, safe=""), quote_plus(secret)]
    lower = [re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), one) for one in percent]
    half = html_escape(secret, quote=False)
    every = [secret, *percent, *lower, marked_up, marked_up.replace("&#x27;", "&#39;"), half]
    # The longest first: a shorter one may be a part of it.
    return sorted({*every, *map(folded, every)} - {""}, key=len, reverse=True)


def folded(text: str) -> str:
    """The text with each run of white space as one blank."""
    return re.sub(r"\s+", " ", text).strip()
