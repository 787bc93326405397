"""The books of `HostPace` as a value: pure functions from the bytes of a file to the bytes that replace them."""

import json
import math
from collections.abc import Collection, Iterator
from typing import Any

from aiorescue.operation import frozen
from aiorescue.pace.shared.books import (
    LEFT,
    MOST,
    ROUNDING,
    SAME,
    SEEN,
    SLACK,
    LateUse,
    Place,
    SlotAnswer,
    SlotRequest,
    furthest,
)

#: The version of what the files hold. One that another version has written counts as empty.
FORMAT = 1
#: Bytes that are read of a file; books are much smaller.
LARGEST = 2**18
_LARGEST_VERSION = 10**12


@frozen
class Entries:
    """What a file holds, as far as it can be read.

    Attributes:
        version: the number of the last change.
        limit: the limit, as text.
        slots: the last slot of each process.
        hold: a moment before which no slot may be.
    """

    version: int = 0
    limit: str = ""
    slots: tuple[tuple[str, float], ...] = ()
    hold: float = 0.0


def take_slot(content: bytes, request: SlotRequest, now: float) -> tuple[bytes | None, SlotAnswer]:
    """Take the next slot.

    Args:
        content: the file; it may hold anything.
        request: what the process wants.
        now: the time on the shared clock.

    Returns:
        The new content, None if it stays as it is; and the answer.
    """
    books = read(content)
    last, others = _believed(books.slots, request, now)
    version, processes = str(books.version), 1 + sum(not process.startswith(LEFT) for process in others)
    if request.version not in (None, version):
        return None, SlotAnswer(moment=None, version=version, limit=books.limit, now=now, processes=processes)
    latest = max(now, last) + furthest(request.gap)
    hold = books.hold if books.hold <= latest + ROUNDING else 0.0
    hold = min(max(hold, request.not_before), latest)
    moment = max(now, last + request.gap, hold)
    if request.room > 0:
        hold = max(hold, moment + request.gap + request.room)
    changed = {
        "format": FORMAT,
        "version": books.version + 1,
        "limit": request.limit,
        "slots": {**others, request.process: moment},
        "hold": hold,
    }
    answer = SlotAnswer(
        moment=moment, version=str(books.version + 1), limit=request.limit, now=now, processes=processes
    )
    return json.dumps(changed).encode(), answer


def put_off(content: bytes, late: LateUse) -> tuple[bytes | None, None]:
    """Put off the slots behind one that was used late. Returns the new content, None if it stays as it is; and None."""
    given = _object(content)
    known = dict(read(content).slots)
    slots = dict(known)
    last = min(late.used, late.moment + furthest(late.gap))
    for process, moment in sorted(slots.items(), key=lambda slot: slot[1]):
        if moment <= late.moment - SAME:
            continue
        if process == late.process and moment < late.moment + late.gap / 2:  # the slot itself, perhaps put off before
            slots[process] = max(moment, last)
        elif moment >= late.moment + SAME:
            last = slots[process] = max(moment, last + late.gap)
    return (None if slots == known else json.dumps({**given, "slots": slots}).encode()), None


def look(content: bytes, process: str) -> tuple[None, float | None]:
    """Find the last slot of a process. Returns None, since the content stays as it is; and its moment."""
    return None, dict(read(content).slots).get(process)


def leave(content: bytes, process: str) -> tuple[bytes | None, None]:
    """Mark a process as one that has left. Returns the new content, None if it stays as it is; and None."""
    given = _object(content)
    slots = given.get("slots")
    if not isinstance(slots, dict) or process not in slots:
        return None, None
    renamed = {LEFT + name if name == process else name: moment for name, moment in slots.items()}
    return json.dumps({**given, "slots": renamed}).encode(), None


def take_place(content: bytes, count: int, seconds: float, now: float) -> tuple[bytes | None, Place]:
    """Take one of `count` places in a window of `seconds`.

    Returns:
        The new content, None if it stays as it is; and the place, or how long to wait for one.
    """
    taken = [moment for moment in _places(content) if now - seconds < moment <= now + SLACK][-count:]
    if len(taken) >= count:
        return None, Place(max(taken[0] + seconds - now, 0.001))
    return json.dumps({"format": FORMAT, "places": [*taken, now]}).encode(), Place(0.0, repr(now))


def give_back(content: bytes, taken: Collection[str]) -> tuple[bytes, None]:
    """Make places free again. Returns the new content, and None."""
    places = [moment for moment in _places(content) if repr(moment) not in taken]
    return json.dumps({"format": FORMAT, "places": places}).encode(), None


def _believed(slots: tuple[tuple[str, float], ...], request: SlotRequest, now: float) -> tuple[float, dict[str, float]]:
    """The last slot that can be true, and those of the other processes that have called lately.

    Those of processes that have left are kept only as long as another slot may have to keep a gap to them.
    """
    seen = now - SEEN - 2 * request.gap * sum(not process.startswith(LEFT) for process, _ in slots)
    needed = now - furthest(request.gap)
    last, others = float("-inf"), {}
    for process, moment in sorted(slots, key=lambda slot: slot[1]):
        if moment - max(last, now) > furthest(request.gap) + ROUNDING:
            break  # of before the clock was set back, or of nothing at all; so are those that follow
        last = moment
        if moment > (needed if process.startswith(LEFT) else seen) and process != request.process:
            others[process] = moment
    return last, dict(list(others.items())[1 - MOST :])


def read(content: bytes) -> Entries:
    """Read what a file holds; what cannot be read counts as missing."""
    given = _object(content)
    version, limit, slots = given.get("version"), given.get("limit"), given.get("slots")
    return Entries(
        version=version if type(version) is int and 0 <= version < _LARGEST_VERSION else 0,
        limit=limit if isinstance(limit, str) else "",
        slots=tuple(_slots(slots)) if isinstance(slots, dict) else (),
        hold=next(_numbers([given.get("hold")]), 0.0),
    )


def _slots(given: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for process, value in list(given.items())[:MOST]:
        yield from ((process, moment) for moment in _numbers([value]))


def _places(content: bytes) -> list[float]:
    """The moments at which places were taken, in their order."""
    given = _object(content).get("places")
    return sorted(_numbers(given if isinstance(given, list) else ()))


def _object(content: bytes) -> dict[str, Any]:
    """The JSON object at the beginning of a file, if it is of this format; else an empty one."""
    try:
        # What a process that was killed has left of a longer content may follow.
        given, _ = json.JSONDecoder().raw_decode(content.decode())
    except (ValueError, RecursionError):
        return {}
    return given if isinstance(given, dict) and given.get("format") == FORMAT else {}


def _numbers(given: Any) -> Iterator[float]:
    """Those values that are finite numbers."""
    for value in given:
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                number = float(value)
            except OverflowError:
                continue
            if math.isfinite(number):
                yield number
