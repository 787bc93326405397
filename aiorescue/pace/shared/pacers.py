"""Pacers whose books several processes share; while the books are away, each process keeps a pace of its own.

Each process hands out turns among its own calls and has at most one slot reserved ahead, so that processes take turns.
`aiorescue.pace.shared.books` explains what the books hold.
"""

import asyncio
import secrets
from abc import abstractmethod
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Literal

import attrs

from aiorescue.clock import Clock
from aiorescue.operation import Family, frozen
from aiorescue.pace.interval import IntervalPacer
from aiorescue.pace.latency import Latency
from aiorescue.pace.limit import Limit
from aiorescue.pace.pace import LOGIN_WINDOW, Pace, PacedAccount, SharedPacers, first_limit, local_pacer
from aiorescue.pace.shared.books import SEEN, Books, BooksAwayError, SlotRequest, furthest
from aiorescue.pace.shared.packed import pack, unpack
from aiorescue.pace.turns import Pacer, Priority, PrioritySemaphore, Turn
from aiorescue.pace.window import UnpacedPacer

#: How often an outdated limit is brought up to date before the slot is taken with the limit as it is.
_TRIES = 5
#: Seconds for which a slot may be used after its moment, at least.
_GRACE = 0.002
#: Seconds that opening a connection may take: the slot behind a call that opens one is later by as much.
_OPENING = 0.5
#: Seconds by which a login may arrive later than it was sent.
_LOGIN_DELAY = 5.0


def digest_of(account: PacedAccount, service: str) -> str:
    """What stands in the books for an account of a service, because its key may be a secret."""
    known = f"{service}\n{account.key}".encode()
    return blake2b(known, digest_size=16, person=b"aiorescue.pace").hexdigest()


class BookPacers(SharedPacers):
    """The pacers of one client whose pace is in books that processes share.

    Args:
        pace: what the service allows each identity, or ``"auto"``.
        books: where the processes share it.
        clock: the client's clock.
        service: base URL of the service.
    """

    def __init__(self, pace: Pace | Literal["auto"], books: Books, clock: Clock, service: str) -> None:
        self._pace = pace
        self._books = books
        self._clock = clock
        self._service = service
        self._made: list[SharedIntervalPacer] = []

    def make(self, account: PacedAccount, family: Family) -> Pacer:
        """The pacer of an account in a rate family."""
        pace = self._pace
        if family is Family.LOGINS:
            logins = Pace().logins if pace == "auto" else pace.logins
            if logins is None:
                return UnpacedPacer(self._clock)
            return SharedWindowPacer(
                logins,
                self._books,
                self._key(account, family, logins),
                lambda: local_pacer(pace, family, self._clock),
                self._clock,
            )
        limit = first_limit(pace, family)
        # Processes that were given another limit share another pace.
        key = self._key(account, family, "auto" if limit.starting else limit.floor)
        pacer = SharedIntervalPacer(limit, self._books, key, self._clock)
        self._made.append(pacer)
        return pacer

    def _key(self, account: PacedAccount, family: Family, limit: float | str) -> str:
        return f"{digest_of(account, self._service)}:{family.value}:{limit}"

    async def aclose(self) -> None:
        """End the requests to the books that cancelled calls have left, then close the books."""
        for pacer in self._made:
            await pacer.aclose()
        await self._books.aclose()


class SharedPacer(Pacer):
    """A pacer whose books are elsewhere; while they cannot be reached, a local pacer takes its place.

    Args:
        clock: the time.
    """

    delay = 0.05

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._line = PrioritySemaphore()
        self._local: Pacer | None = None
        self._local_turns: dict[Turn, Pacer] = {}  # under way, with the local pacer that gave each

    def ahead(self, priority: Priority = Priority.CALL) -> int:
        """How many calls of this process stand in line before one that came now."""
        return self._line.ahead(priority)

    async def wait(self, turn: Turn) -> Turn:
        """Wait for the next slot of all processes, or of this one while the books are away."""
        await self._line.acquire(turn.priority)
        try:
            try:
                await self._wait_shared(turn)
            except BooksAwayError:
                if self._local is None:
                    self._local = self._make_local()
                await self._local.wait(turn)
                self._local_turns[turn] = self._local
                self._took_locally(turn)
            else:
                self._local = None  # what it learned for one process is not true of all together
        finally:
            self._line.release()
        return turn

    @abstractmethod
    def _make_local(self) -> Pacer:
        """A pacer for this process alone."""

    def _took_locally(self, turn: Turn) -> None:
        """Note a turn that the local pacer has given, so that the shared pace takes account of it later."""

    @abstractmethod
    async def _wait_shared(self, turn: Turn) -> None:
        """Wait for the next slot of all processes. Raises `BooksAwayError`."""

    def settle(self, turn: Turn, *, accepted: bool | None) -> None:
        """Improve the limit by an answer, in the books of the pacer that gave the turn: the local or the shared one."""
        local = self._local_turns.pop(turn, None)
        if local is not None:
            local.settle(turn, accepted=accepted)
        else:
            self._settle_shared(turn, accepted=accepted)

    @abstractmethod
    def _settle_shared(self, turn: Turn, *, accepted: bool | None) -> None:
        """Learn from an answer to a turn that the shared books gave."""


@frozen
class _ReservedSlot:
    """A slot that is reserved in the books for the next call of this process.

    Attributes:
        due: moment of the slot on this process's clock.
        moment: moment of the slot on the clock that all processes share.
        tested: whether the slot lay ahead, so that a call which uses it on time tests the gap.
        changed: `Limit.changed` of the limit whose gap the slot keeps.
        grace: seconds after `due` for which the slot may still be used: at least as many as the books took to answer,
            since another slot would come as late.
    """

    due: float
    moment: float
    tested: bool
    changed: float
    grace: float


@frozen
class _Answered:
    """An answer that has not reached the shared books yet.

    Attributes:
        slot: the slot of its turn.
        now: when it came, on the shared clock.
        accepted: whether the call was accepted, or rejected as too fast.
        tested: whether the call went out as soon as the gap allowed.
        deviation: deviation of the latency, in seconds.
        under_way: calls of this process without an answer.
    """

    slot: _ReservedSlot
    now: float
    accepted: bool
    tested: bool
    deviation: float
    under_way: int

    def improve(self, limit: Limit) -> None:
        """Improve a limit by this answer."""
        stale = self.slot.changed != limit.changed
        if self.accepted:
            limit.success(
                self.slot.moment,
                self.now,
                tested=self.tested,
                stale=stale,
                deviation=self.deviation,
                under_way=self.under_way,
            )
        elif not stale:
            # Each process has a slot reserved ahead, so several may be rejected for one and the same gap: that is no
            # alarm yet.
            limit.rejection(self.slot.moment, self.now, stale=False, deviation=self.deviation)


class SharedIntervalPacer(SharedPacer):
    """Keeps a gap between the calls of all processes, which is learned from the answers to all of them.

    Args:
        limit: what is known of the service's limit.
        books: where the processes share it.
        key: names the account and the family.
        clock: the time.
    """

    def __init__(self, limit: Limit, books: Books, key: str, clock: Clock) -> None:
        super().__init__(clock)
        self._books = books
        self._key = key
        self._process = secrets.token_hex(6)
        self._first = limit
        self._limit, self._version = attrs.evolve(limit), "0"
        self._latency = Latency()
        self._offset = 0.0  # the shared clock minus ours
        self._processes = 1
        self._counted = float("-inf")  # when the books last had as many processes, on our clock
        self._asking: asyncio.Task[_ReservedSlot] | None = None
        self._reserved: _ReservedSlot | None = None
        self._last = float("-inf")  # when our last turn was, on our clock
        self._not_before = float("-inf")  # on our clock
        self._begun = False
        self._unreported: list[_Answered] = []
        self._under_way: dict[Turn, _ReservedSlot] = {}

    def ready_at(self, priority: Priority = Priority.CALL) -> float:
        """The moment at which a call that came now would be sent if the other processes call as they did lately."""
        now, turn = self._clock.time(), self._limit.gap * self._processes
        due = self._reserved.due if self._reserved else max(self._not_before, self._last + turn)
        return max(now, due) + self._line.ahead(priority) * turn

    def earliest(self, priority: Priority = Priority.CALL) -> float:
        """The moment at which a call that came now would be sent with the smallest gap and no other process."""
        floor = self._limit.floor
        return max(self._last + floor, self._clock.time()) + self._line.ahead(priority) * floor

    def _make_local(self) -> Pacer:
        """A pacer of this process's part of the pace, which begins at its last turn."""
        limit, parts = self._limit, self._processes
        part = attrs.evolve(limit, gap=limit.gap * parts, floor=limit.floor * parts, changed=float("-inf"))
        return IntervalPacer(part, self._clock, last=self._last)

    def _took_locally(self, turn: Turn) -> None:
        """Keep the gap to a turn of the local pacer when the books are back."""
        self._begun, self._last = True, turn.sent
        self._not_before = max(self._not_before, turn.sent + self._limit.gap)

    async def _wait_shared(self, turn: Turn) -> None:
        while True:
            slot = self._reserved  # perhaps left by one that was cancelled
            if slot is None or self._is_lost(slot):
                slot = await self._reserve()
                if self._not_before > slot.due + slot.grace:  # the first answer tells how far apart the clocks are
                    slot = await self._reserve()
            if (wait := slot.due - self._clock.time()) > 0:
                await self._clock.sleep(wait)
            elif self._limit.gap and self._latency.is_late(self._under_way, self._clock.time()):
                await self._clock.sleep((self._latency.mean or 0.0) / 4 + 0.001)
            else:
                self._reserved = None
                turn.sent = self._last = self._clock.time()
                self._under_way[turn] = slot
                self._begun = True
                return

    def _is_lost(self, slot: _ReservedSlot) -> bool:
        """Whether a slot can no longer be used: its time is over, or a late call before it needs a longer gap."""
        latest = slot.due + slot.grace
        return self._clock.time() > latest or self._not_before > latest

    async def _reserve(self) -> _ReservedSlot:
        """Reserve the next slot. If its call is cancelled meanwhile, the next call in line gets the slot."""
        self._reserved = None
        loop, asking = asyncio.get_running_loop(), self._asking
        if asking is None or asking.done() or asking.get_loop() is not loop:
            asking = self._asking = loop.create_task(self._ask())
            asking.add_done_callback(_retrieve_exception)
        return await asyncio.shield(asking)

    async def _ask(self) -> _ReservedSlot:
        """Bring the answers that have come to the books' limit, and reserve the next slot there."""
        for tries_left in reversed(range(_TRIES)):
            limit = attrs.evolve(self._limit)
            unreported = list(self._unreported)
            for one in unreported:
                one.improve(limit)
            asked = self._clock.time()
            # What was true of a wider gap must not hold this process up for longer than the books allow.
            self._not_before = min(self._not_before, asked + furthest(limit.gap))
            answer = await self._books.slot(
                self._key,
                SlotRequest(
                    process=self._process,
                    version=self._version if tries_left else None,
                    limit=pack(limit),
                    gap=limit.gap,
                    not_before=max(0.0, self._not_before + self._offset),
                    # The first call opens the connection, so it is late, which the process behind it cannot know.
                    room=0.0 if self._begun else min(limit.gap, _OPENING),
                ),
            )
            came = self._clock.time()
            own_now = (asked + came) / 2 if answer.own_now is None else answer.own_now
            self._offset = answer.now - own_now
            self._version = answer.version
            # Books that were emptied have none of the others, who are there all the same.
            if answer.processes >= self._processes or came - self._counted > SEEN:
                self._processes, self._counted = answer.processes, came
            if answer.moment is not None:
                if limit.searched != self._limit.searched:
                    self.new_rate = 1 / limit.gap
                self._limit = limit
                del self._unreported[: len(unreported)]
                slot = self._reserved = _ReservedSlot(
                    due=answer.moment - self._offset,
                    moment=answer.moment,
                    tested=answer.moment > answer.now,
                    changed=limit.changed,
                    grace=max(_GRACE, limit.gap / 20, came - asked),
                )
                return slot
            # Where the books are empty or cannot be read, the limit of this process stands in for theirs.
            self._limit = unpack(answer.limit, self._first) or self._limit
        raise AssertionError("without a version the books always give a slot")

    def _settle_shared(self, turn: Turn, *, accepted: bool | None) -> None:
        slot = self._under_way.pop(turn, None)
        if slot is None or accepted is None:
            return
        now, sent = self._clock.time(), turn.sent
        late = self._latency.observe(now - sent)
        tested = slot.tested and sent - slot.due <= self._limit.gap / 10
        self._unreported.append(
            _Answered(slot, now + self._offset, accepted, tested, self._latency.deviation, len(self._under_way))
        )
        if late or not accepted:
            self._not_before = max(self._not_before, now - (self._latency.mean or 0.0) + self._limit.gap)

    async def aclose(self) -> None:
        """End the request to the books that a cancelled call has left under way."""
        asking, self._asking = self._asking, None
        if asking is not None and asking.get_loop() is asyncio.get_running_loop():
            asking.cancel()
            await asyncio.wait([asking])


class SharedWindowPacer(SharedPacer):
    """Lets all processes together make a limited number of calls in a window of time: logins.

    Args:
        count: the number of calls in a window.
        books: where the processes share it.
        key: names the account and the family.
        make_local: makes the pacer for the time that the books are away.
        clock: the time.
    """

    def __init__(self, count: int, books: Books, key: str, make_local: Callable[[], Pacer], clock: Clock) -> None:
        super().__init__(clock)
        self._books = books
        self._key = key
        self._count = count
        self._new_local_pacer = make_local

    def ready_at(self, priority: Priority = Priority.CALL) -> float:
        """The time now: this process does not know how many calls the others have made."""
        return self._clock.time()

    def _make_local(self) -> Pacer:
        return self._new_local_pacer()

    async def _wait_shared(self, turn: Turn) -> None:
        seconds = LOGIN_WINDOW + _LOGIN_DELAY
        while (wait := await self._books.place(self._key, self._count, seconds)) > 0:
            await self._clock.sleep(min(wait, seconds))
        turn.sent = self._clock.time()

    def _settle_shared(self, turn: Turn, *, accepted: bool | None) -> None:
        """Learn nothing: the service reports a rejection as a failed login."""


def _retrieve_exception(asking: "asyncio.Task[Any]") -> None:
    """Retrieve the exception of a request whose call was cancelled, so that asyncio logs no complaint about it."""
    if not asking.cancelled():
        asking.exception()
