"""The chat of a session: a log of lines, each with its time of day, and most with the name of who wrote them."""

import re
from collections.abc import Iterator, Sequence
from datetime import time
from functools import lru_cache

from aiorescue.operation import frozen
from aiorescue.rescue.answers.by_column import ByColumn
from aiorescue.rescue.answers.keyed import lines_of
from aiorescue.rescue.answers.pages import with_line_feeds
from aiorescue.rescue.answers.values import hour_of
from aiorescue.wire.untracked import as_tuple

_KEY = re.compile(r"CHAT(?:_?LOG)?:[ \t]*", re.IGNORECASE)
_LINE = re.compile(
    r"[^\S\n]*(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[^\S\n]*([AP]M))?(?:[^\S\n]+(.*)|)", re.IGNORECASE | re.DOTALL
)
_NAMED = re.compile(r"([^:\n]{1,80}):(?:\s(.*)|)", re.DOTALL)
#: What the service itself reports may have a colon, too (``Connecting to: host``). What stands before it is no name if
#: it has two words or more, of which the last is one of the first set, or the first is one of the second; unless the
#: last is one of the third, as in the names that teams go by (``Service Desk: hello``).
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
_TEAMS = frozenset(
    {
        *("admin", "administrator", "agent", "care", "center", "centre", "desk", "engineer", "helpdesk", "manager"),
        *("operator", "service", "services", "specialist", "staff", "support", "team"),
    }
)
#: Lines above which they are made when they are read.
_MOST_MADE = 2**16


@frozen
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


@frozen
class Chat:
    """The chat of a session.

    Attributes:
        text: the whole log, as the service keeps it.
        lines: the log line by line, where it has the form ``9:00 AM Customer: text`` or ``9:00 AM text``; what stands
            before the first such line is only in `text`. All times of a log are with AM and PM, or without: a line
            that begins with a time of the other form goes on with the text before it. It is a tuple, or of more than
            65,536 lines a sequence that makes them when they are read.
    """

    text: str
    lines: Sequence[ChatLine] = ()

    @classmethod
    def parse(cls, log: str) -> "Chat":
        """Read a chat log; the key that may stand before it is taken off."""
        text = log[match.end() :] if (match := _KEY.match(log)) else log
        lines = ByColumn(ChatLine, 3).extend(_lines(with_line_feeds(text)))
        return cls(text, lines if len(lines) > _MOST_MADE else as_tuple(lines))


def _lines(text: str) -> Iterator[tuple[time, str, str]]:
    """Time, name and text of each line of a log whose lines end with line feeds."""
    names: dict[str, str] = {}  # each name once
    last: tuple[time, str, int] | None = None  # time and name of a line, and where its text begins
    halves: bool | None = None  # whether the times of this log have AM or PM
    place = 0
    for line in lines_of(text):
        begin, place = place, place + len(line) + 1
        found = _LINE.fullmatch(line)
        at = _time(*found.groups()[:4]) if found and halves in (None, found[4] is not None) else None
        if found is None or at is None:
            continue
        if last is not None:
            yield last[0], last[1], text[last[2] : begin - 1]
        halves = found[4] is not None
        name, written = _writer(found[5] or "")
        last = at, names.setdefault(name, name), place - 1 - len(written)
    if last is not None:
        yield last[0], last[1], text[last[2] :]


def _writer(line: str) -> tuple[str, str]:
    """Split a line into the name of its writer and the text; the name is empty for a report of the service itself."""
    found = _NAMED.fullmatch(line)
    if found is None or _is_report(found[1].casefold().split()):
        return "", line
    return found[1].strip(), found[2] or ""


def _is_report(words: list[str]) -> bool:
    """Whether the words before a colon begin a report of the service, and are not a name."""
    if len(words) > 1 and words[-1] not in _TEAMS:
        return words[-1] in _PREPOSITIONS or words[0] in _SUBJECTS
    return not words


@lru_cache(maxsize=2_048)
def _time(hours: str, minutes: str, seconds: str | None, half: str | None) -> time | None:
    try:
        return time(hour_of(int(hours), half and half[0]), int(minutes), int(seconds or 0))
    except ValueError:
        return None
