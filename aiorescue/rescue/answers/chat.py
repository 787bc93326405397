"""The chat of a session: a log of lines, each with its time of day, and most with the name of who wrote them."""

import re
from datetime import time

import attrs

from aiorescue.rescue.answers.pages import lines_of

_KEY = re.compile(r"CHAT(?:_?LOG)?:[ \t]*", re.IGNORECASE)
_LINE = re.compile(
    r"[^\S\n]*(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[^\S\n]*([AP]M))?(?:[^\S\n]+(.*)|)", re.IGNORECASE | re.DOTALL
)
_NAMED = re.compile(r"([^:\n]{1,80}):(?:\s(.*)|)", re.DOTALL)
#: What the service itself reports may have a colon, too (``Connecting to: host``). What stands before it is no name if
#: it has two words or more, of which the last is one of the first set, or the first is one of the second.
_PREPOSITIONS = frozenset(
    {"to", "from", "by", "at", "with", "via", "on", "in", "into", "through", "over", "as", "for", "of"}
)
_SUBJECTS = frozenset(
    word
    for line in (
        "applet calling channel chat clipboard connected connecting connection console customer desktop",
        "disconnected error file files folder link message now password process reboot rebooted rebooting",
        "received receiving reconnected reconnecting recording remote restarted restarting screen script",
        "sending sent server service session started stopped switched switching system technician the this",
        "transfer transferred transferring uploaded uploading downloaded downloading url user waiting windows",
    )
    for word in line.split()
)


@attrs.frozen
class ChatLine:
    """One line of a chat.

    Attributes:
        at: time of day, in a zone that the service does not name.
        name: name of the person who wrote the line; empty for what the service itself reports (``Remote Control
            successfully initiated``).
        text: text of the line, and of the lines without a time that follow it.
    """

    at: time
    name: str
    text: str


@attrs.frozen
class Chat:
    """The chat of a session.

    Attributes:
        text: the whole log, as the service keeps it.
        lines: the log line by line, where it has the form ``9:00 AM Customer: text`` or ``9:00 AM text``; what stands
            before the first such line is only in `text`. All times of a log are with AM and PM, or without: a line
            that begins with a time of the other form goes on with the text before it.
    """

    text: str
    lines: tuple[ChatLine, ...] = ()

    @classmethod
    def parse(cls, log: str) -> "Chat":
        """Read a chat log; the key that may stand before it is taken off."""
        text = log[match.end() :] if (match := _KEY.match(log)) else log
        lines: list[ChatLine] = []
        parts: list[str] = []  # of the last line's text
        halves: bool | None = None  # whether the times of this log have AM or PM
        for line in lines_of(text):
            found = _LINE.fullmatch(line)
            at = _time(found) if found and halves in (None, found[4] is not None) else None
            if found is None or at is None:
                parts.append(line)
                continue
            _join(lines, parts)
            halves = found[4] is not None
            name, written = _writer(found[5] or "")
            lines.append(ChatLine(at, name, written))
            parts = [written]
        _join(lines, parts)
        return cls(text, tuple(lines))


def _join(lines: list[ChatLine], parts: list[str]) -> None:
    if lines and len(parts) > 1:
        lines[-1] = attrs.evolve(lines[-1], text="\n".join(parts))


def _writer(line: str) -> tuple[str, str]:
    """Split a line into the name of its writer and the text; the name is empty for a report of the service itself."""
    found = _NAMED.fullmatch(line)
    if found is None or _is_report(found[1].casefold().split()):
        return "", line
    return found[1].strip(), found[2] or ""


def _is_report(words: list[str]) -> bool:
    """Whether the words before a colon begin a report of the service, and are not a name."""
    return not words or (len(words) > 1 and (words[-1] in _PREPOSITIONS or words[0] in _SUBJECTS))


def _time(found: "re.Match[str]") -> time | None:
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    noon = (found[4] or "").upper()
    if noon and not 1 <= hour <= 12:  # noqa: PLR2004 - a clock
        return None
    if noon:
        hour = hour % 12 + (12 if noon == "PM" else 0)
    try:
        return time(hour, minute, second)
    except ValueError:
        return None
