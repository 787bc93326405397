"""Books: where processes that call as one account keep the pace that they share.

Theory of operation
===================

The books of one account and one rate family have four entries. *Slots*: for each process the moment of the last slot
that it took; the next slot is a gap behind the last of them. *Hold*: a moment before which no slot may be. *Limit*:
what is known of the service's limit, as text (see `packed`). *Version*: the number of the last change.

A process takes one slot at a time, in one transaction (`Books.slot`). It brings the limit along, improved by the
answers that it saw, together with the version that the improvement is based on. If another process was faster, the
books hand out the newer limit and no slot, and the process improves that one instead. Moments are those of a clock that
all processes have in common. Its zero is arbitrary, and it may be set back.

A slot is reserved while those before it are still to come, and their calls may go out late: a busy machine wakes a
process up some milliseconds after its moment. The call behind would then come too soon. So a process that used a slot
late, or sees in the answer that its call took longer than usual, *puts off* the slots behind it (`Books.put_off`), and
each process looks at its own slot once more just before its moment (`Books.look`). A late call costs no more than what
it was late, so that a slot may be used until a quarter of the gap after its moment. A process that shares with no other
knows all of this by itself.

The books may hold anything: rubbish, entries of another version, moments of before a reboot. They are believed as far
as they can be true. One process has one slot ahead at most, so that among the slots that lie ahead none is further than
about a gap behind the one before it. What is further away is dropped, with all that follows. An unreadable entry counts
as missing. So wrong books are right again after the next transaction, and no process waits for them.

A client that is closed *leaves* the books: its slot stays as long as the next one must keep a gap to it, but the client
counts no longer as one of those that share. A program that makes a client for each call would otherwise be counted once
for each, and the others would expect to wait for all of them.

While the books are *away* (no connection, no permission) each process paces for itself, at its part of the pace: at the
rate divided by the number of processes that it saw in the books lately. If only some processes have lost the books,
those that have not share the whole pace, so that together they are faster by the parts of the others. A process
therefore tries the books again soon, and after longer and longer pauses while it fails.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Collection

from aiorescue.clock import Clock
from aiorescue.operation import frozen

#: Seconds to wait for books that do not answer.
PATIENCE = 1.0
#: Seconds for which books that failed are left alone: at first, and at most. At first it is short, because books that
#: only some of the processes have lost give the others the whole pace for that time.
FIRST_AWAY, AWAY = 0.25, 5.0
#: Seconds by which the next slot may be further away than two gaps: what a process that opens a connection leaves free.
SLACK = 1.0
#: Seconds by which a slot may be further away than that after it has been rounded.
ROUNDING = 0.1
#: Seconds below which two moments are those of one slot.
SAME = 1e-5
#: Seconds for which a process counts as one of those that share, beside the time that two turns of all of them take.
SEEN = 5.0
#: Processes that the books have room for; beyond it those whose last slot is oldest are forgotten.
MOST = 1000
#: What the id of a process that has left the books begins with.
LEFT = "-"

_log = logging.getLogger("aiorescue.pace")


def furthest(gap: float) -> float:
    """Seconds from one slot to the next that can be true where the gap is as given."""
    return 2 * gap + SLACK


class BooksAwayError(Exception):
    """The place where processes share a pace cannot be reached."""


@frozen(kw_only=True)
class SlotRequest:
    """What a process brings along when it wants a slot.

    Attributes:
        process: an id of the process, without blanks.
        version: the version that `limit` is based on; None to take a slot with any.
        limit: what is known of the limit, as text.
        gap: seconds between two slots, which are those of the limit.
        not_before: moment on the shared clock before which the slot must not be.
        room: seconds to leave free behind the slot, beside the gap.
    """

    process: str
    version: str | None
    limit: str
    gap: float
    not_before: float
    room: float


@frozen(kw_only=True)
class LateUse:
    """What a process tells of a slot that it used late, so that the slots behind it are put off.

    Attributes:
        process: the id of the process.
        moment: the slot, on the shared clock.
        used: when its call went out, or when it may have arrived if the way there took as usual.
        gap: seconds between two slots.
    """

    process: str
    moment: float
    used: float
    gap: float


@frozen
class Place:
    """The books' answer to a process that wants a place in a window.

    Attributes:
        wait: seconds to wait before the books are asked again; 0 if a place was taken.
        taken: names the place that was taken, so that it can be given back; empty if none was.
    """

    wait: float
    taken: str = ""


@frozen(kw_only=True)
class SlotAnswer:
    """The books' answer to a `SlotRequest`: a slot, or a newer limit.

    Attributes:
        moment: the slot, on the shared clock; None where the limit was outdated.
        version: version of the books.
        limit: the limit in the books, as text; empty if there is none.
        now: the time on the shared clock.
        processes: how many processes have taken slots lately, the asking one included.
        own_now: the moment `now` on the asking client's clock; None where that is not known exactly.
    """

    moment: float | None
    version: str
    limit: str
    now: float
    processes: int = 1
    own_now: float | None = None


class Books(ABC):
    """The place where processes share a pace. A key names an account and a family."""

    @abstractmethod
    async def slot(self, key: str, request: SlotRequest) -> SlotAnswer:
        """Take the next slot. Raises `BooksAwayError`."""

    @abstractmethod
    async def put_off(self, key: str, late: LateUse) -> None:
        """Put off the slots behind one that was used late, where they keep no gap to it. Raises `BooksAwayError`."""

    @abstractmethod
    async def look(self, key: str, process: str) -> float | None:
        """The moment of a process's last slot, which may have been put off; None without. Raises `BooksAwayError`."""

    @abstractmethod
    async def leave(self, key: str, process: str) -> None:
        """Count a process no longer among those that share the slots. Raises `BooksAwayError`."""

    @abstractmethod
    async def place(self, key: str, count: int, seconds: float) -> Place:
        """Take one of `count` places in a window of `seconds`. Raises `BooksAwayError`."""

    @abstractmethod
    async def give_back(self, key: str, taken: Collection[str]) -> None:
        """Make places free again in which nothing was sent, by `Place.taken`. Raises `BooksAwayError`."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close the connection, or the thread, through which the books are reached."""


class Reachability:
    """Remembers whether books can be reached. Each time they fail, they are left alone for twice as long as before.

    Args:
        clock: the client's clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._again_at = float("-inf")
        self._pause = 0.0
        self._is_away = False

    def check(self) -> None:
        """Raise `BooksAwayError` if the books failed a moment ago."""
        if self._clock.time() < self._again_at:
            raise BooksAwayError

    def failed(self, what: str) -> BooksAwayError:
        """Note a failure, and log `what` once, in words for a person. Returns the exception to raise."""
        self._pause = min(max(FIRST_AWAY, 2 * self._pause), AWAY)
        self._again_at = self._clock.time() + self._pause
        if not self._is_away:
            self._is_away = True
            _log.warning("%s: this process paces for itself", what)
        return BooksAwayError()

    def answered(self, what: str) -> None:
        """Note that the books have answered."""
        if self._is_away:
            self._is_away, self._pause = False, 0.0
            _log.info("%s again: the pace is shared", what)
