"""Lines of ``KEY:value`` on text pages, which escape nothing: which of them begin a value, and which lie within one.

The keys of a page come in one order, and most values are one line long. A free text, such as a description, may hold
line breaks, and so also lines that look like keys. Among all readings of the lines the one with the most keys counts,
and among those the one in which the fewest lines lie where no line break is expected. If two readings are equally
good, the lines cannot be told apart, which is an error.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Optional

from aiorescue.rescue.answers.values import Unclear
from aiorescue.wire.bounded import PIECE

_KEY = re.compile(r"[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*:")
#: Keys whose values are free texts of several lines.
_TEXTS = frozenset({"description", "text", "signature", "note"})
#: Lines of one record that may look like the beginning of a value: a description of a megabyte has fewer.
_MOST_STARTS = 2**16


class _Start(NamedTuple):
    """A line that looks like the beginning of a value.

    Attributes:
        place: where in the text the line begins.
        key: index of the line's key, in the page's order.
        value: where in the text the value begins, behind the key and its colon.
        filled: number of lines before it that are not blank.
    """

    place: int
    key: int
    value: int
    filled: int


def lines_of(text: str) -> Iterator[str]:
    """Yield the lines of a text; only a line feed ends one, as texts may hold what `str.splitlines` takes for an end.

    They are split off piece by piece: to split 16 MB at once, or to free as many lines, takes a tenth of a second, for
    which no other thread runs.
    """
    start = 0
    while (end := text.find("\n", start + PIECE)) >= 0:
        yield from text[start:end].split("\n")
        start = end + 1
    yield from text[start:].split("\n")


def key_of(line: str) -> str:
    """The key that a line seems to begin with, in small letters; empty without one."""
    found = _KEY.match(line)
    return found[1].casefold() if found else ""


def one_line(value: str, keys: Sequence[str]) -> str:
    """A value of one line, without lines behind it that begin with keys which the page is not known to have.

    Args:
        value: the value, with all lines up to the next known key.
        keys: all keys that the page may have. A line that begins with one of them, or with none, stays.
    """
    line, more, rest = value.partition("\n")
    if not more:
        return value
    known = {"", *map(str.casefold, keys)}
    return value if any(one.strip() and key_of(one) in known for one in lines_of(rest)) else line.rstrip()


def is_text(key: str) -> bool:
    """Whether the value of a key is a free text, which may have several lines."""
    return key.casefold() in _TEXTS


def keyed(keys: Sequence[str], text: str) -> dict[str, str]:
    """Read the values of a page, by their keys in small letters.

    Args:
        keys: all keys that the page may have, in its order.
        text: the page, or a part of it, with line feeds as ends of lines.

    Raises:
        Unclear: the lines can be read in two ways, or too many of them look like keys.
    """
    order = {key.casefold(): index for index, key in enumerate(keys)}
    starts, filled = _starts(text, order)
    names = list(order)
    texts = [name in _TEXTS for name in names]
    if len({start.key for start in starts}) == len(starts):
        chosen = _once(starts, texts)
    else:
        chosen = _best(starts, texts, filled)
        _check(starts, chosen, texts)
    return {names[start.key]: text[start.value : end].strip() for start, end in _spans(chosen, len(text))}


def _starts(text: str, order: Mapping[str, int]) -> tuple[list[_Start], int]:
    """The lines that look like beginnings of values, and the number of lines that are not blank. Raises Unclear."""
    starts: list[_Start] = []
    place = filled = 0
    for line in lines_of(text):
        found = _KEY.match(line)
        if found and (key := order.get(found[1].casefold())) is not None:
            if len(starts) == _MOST_STARTS:
                raise Unclear("the answer is OK but too many of its lines look like keys")
            starts.append(_Start(place, key, place + found.end(), filled))
        filled += bool(found or line.strip())
        place += len(line) + 1
    return starts, filled


def _spans(chosen: Sequence[_Start], end: int) -> list[tuple[_Start, int]]:
    """Each beginning with the place behind its value."""
    return list(zip(chosen, [*(start.place for start in chosen[1:]), end], strict=False))


def _once(starts: Sequence[_Start], texts: Sequence[bool]) -> list[_Start]:
    """The beginnings of values, where no key occurs twice: all but those in a text that comes behind their place."""
    chosen: list[_Start] = []
    for start in starts:
        last = chosen[-1] if chosen else None
        if last is None or not texts[last.key] or start.key > last.key:
            chosen.append(start)
    return chosen


class _Reading(NamedTuple):
    """A way to read the lines up to a beginning.

    Attributes:
        keys: number of keys.
        stray: minus the lines that lie where no line break is expected, counted from the first line of all.
        ways: number of readings that are as good as this one, itself included; 2 stands for all greater numbers.
        start: last beginning of a value; None before the first one.
        before: this reading without its last beginning.
    """

    keys: int
    stray: int
    ways: int
    start: _Start | None
    before: Optional["_Reading"]


def _best(starts: Sequence[_Start], texts: Sequence[bool], filled: int) -> list[_Start]:
    """The beginnings of the best reading, in a text with a given number of lines that are not blank.

    Raises Unclear if there are two such readings.
    """
    nothing = _Reading(0, 0, 1, None, None)
    # The best reading by its last key. Those that end in a value of one line lose a point for each line until the
    # next key; `stray` is kept so that only that key's line has to be subtracted.
    by_key: dict[int, _Reading] = {}

    def until(filled: int, key: int) -> _Reading:
        readings = [nothing._replace(stray=-filled)]
        for last, reading in by_key.items():
            if last < key:
                readings.append(reading if texts[last] else reading._replace(stray=reading.stray - filled))
        best = max(readings, key=_worth)
        return best._replace(ways=min(2, sum(one.ways for one in readings if _worth(one) == _worth(best))))

    for start in starts:
        before = until(start.filled, start.key)
        credit = 0 if texts[start.key] else start.filled + 1
        reading = _Reading(before.keys + 1, before.stray + credit, before.ways, start, before)
        known = by_key.get(start.key)
        if known is None or _worth(reading) > _worth(known):
            by_key[start.key] = reading
        elif _worth(reading) == _worth(known):
            by_key[start.key] = known._replace(ways=2)
    found = until(filled, len(texts))
    if found.ways > 1:
        raise Unclear("the answer is OK but its lines can be read in two ways")
    return _beginnings(found)


def _worth(reading: _Reading) -> tuple[int, int]:
    return reading.keys, reading.stray


def _beginnings(reading: _Reading) -> list[_Start]:
    chosen: list[_Start] = []
    current: _Reading | None = reading
    while current is not None:
        if current.start is not None:
            chosen.append(current.start)
        current = current.before
    return chosen[::-1]


def _check(starts: Sequence[_Start], chosen: Sequence[_Start], texts: Sequence[bool]) -> None:
    """Check that each key which is left out lies within a text behind the key's place. Raises Unclear."""
    kept = {start.key for start in chosen}
    position = 0
    for start in starts:
        while position < len(chosen) and chosen[position].place <= start.place:
            position += 1
        last = chosen[position - 1] if position else None
        if start.key not in kept and (last is None or not texts[last.key] or start.key > last.key):
            raise Unclear("the answer is OK but its keys come in no order that is known")
