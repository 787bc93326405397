"""Lines of ``KEY:value`` on text pages, which escape nothing: which of them begin a value, and which lie within one.

The keys of a page come in one order, and most values are one line long. A free text, such as a description, may hold
line breaks, and so also lines that look like keys. Among all readings of the lines the one with the most keys counts,
and among those the one in which the fewest lines lie where no line break is expected. If two readings are equally
good, the lines cannot be told apart, which is an error.
"""

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, Optional

from aiorescue.rescue.answers.values import Unclear

_KEY = re.compile(r"[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*:")
#: Keys whose values are free texts of several lines.
_TEXTS = frozenset({"description", "text", "signature", "note"})


class _Start(NamedTuple):
    """A line that looks like the beginning of a value.

    Attributes:
        line: index of the line.
        key: index of the line's key, in the page's order.
        end: characters of the line up to the value: the key with its colon.
    """

    line: int
    key: int
    end: int


def key_of(line: str) -> str:
    """The key that a line seems to begin with, in small letters; empty without one."""
    found = _KEY.match(line)
    return found[1].casefold() if found else ""


def keyed(keys: Sequence[str], lines: Sequence[str]) -> dict[str, str]:
    """Read the values of a page, by their keys in small letters.

    Args:
        keys: all keys that the page may have, in its order.
        lines: lines of the page.

    Raises:
        Unclear: the lines can be read in two ways.
    """
    order = {key.casefold(): index for index, key in enumerate(keys)}
    starts = [
        _Start(index, order[name], found.end())
        for index, line in enumerate(lines)
        if (found := _KEY.match(line)) and (name := found[1].casefold()) in order
    ]
    names = list(order)
    texts = [name in _TEXTS for name in names]
    if len({start.key for start in starts}) == len(starts):
        chosen = _once(starts, texts)
    else:
        chosen = _best(starts, texts, lines)
        _check(starts, chosen, texts)
    return {names[start.key]: _value(lines, start, end) for start, end in _spans(chosen, len(lines))}


def _spans(chosen: Sequence[_Start], end: int) -> list[tuple[_Start, int]]:
    """Each beginning with the index of the line behind its value."""
    return list(zip(chosen, [*(start.line for start in chosen[1:]), end], strict=True))


def _value(lines: Sequence[str], start: _Start, end: int) -> str:
    return "\n".join([lines[start.line][start.end :], *lines[start.line + 1 : end]]).strip()


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


def _best(starts: Sequence[_Start], texts: Sequence[bool], lines: Sequence[str]) -> list[_Start]:
    """The beginnings of the best reading. Raises Unclear if there are two of them."""
    # Lines with something in them, before each line.
    filled = list(accumulate((bool(line.strip()) for line in lines), initial=0))
    nothing = _Reading(0, 0, 1, None, None)
    # The best reading by its last key. Those that end in a value of one line lose a point for each line until the
    # next key; `stray` is kept so that only that key's line has to be subtracted.
    by_key: dict[int, _Reading] = {}

    def until(line: int, key: int) -> _Reading:
        readings = [nothing._replace(stray=-filled[line])]
        for last, reading in by_key.items():
            if last < key:
                readings.append(reading if texts[last] else reading._replace(stray=reading.stray - filled[line]))
        best = max(readings, key=_worth)
        return best._replace(ways=min(2, sum(one.ways for one in readings if _worth(one) == _worth(best))))

    for start in starts:
        before = until(start.line, start.key)
        credit = 0 if texts[start.key] else filled[start.line + 1]
        reading = _Reading(before.keys + 1, before.stray + credit, before.ways, start, before)
        known = by_key.get(start.key)
        if known is None or _worth(reading) > _worth(known):
            by_key[start.key] = reading
        elif _worth(reading) == _worth(known):
            by_key[start.key] = known._replace(ways=2)
    found = until(len(lines), len(texts))
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
        while position < len(chosen) and chosen[position].line <= start.line:
            position += 1
        last = chosen[position - 1] if position else None
        if start.key not in kept and (last is None or not texts[last.key] or start.key > last.key):
            raise Unclear("the answer is OK but its keys come in no order that is known")
