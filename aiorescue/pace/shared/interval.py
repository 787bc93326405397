"""`SharedIntervalPacer`: keeps a gap between the calls of all processes that share its books.

Each process hands out turns among its own calls and has at most one slot reserved ahead, so that processes take turns.
"""

import asyncio
import os
import secrets
from contextlib import suppress
from functools import partial

import attrs

from aiorescue.clock import Clock
from aiorescue.operation import frozen
from aiorescue.pace.interval import IntervalPacer
from aiorescue.pace.latency import Latency
from aiorescue.pace.limit import Limit
from aiorescue.pace.shared.books import SEEN, Books, BooksAwayError, LateUse, SlotRequest, furthest
from aiorescue.pace.shared.pacer import SharedPacer, end
from aiorescue.pace.shared.packed import pack, unpack
from aiorescue.pace.turns import Pacer, Priority, Turn

#: Version of books that have never been changed, before the first answer.
_NO_VERSION = "0"
#: How often an outdated limit is brought up to date before the slot is taken with the limit as it is.
_TRIES = 5
#: Seconds, and share of the gap, for which a slot may be used after its moment, at least.
_GRACE, _GRACE_SHARE = 0.002, 0.25
#: Seconds that opening a connection may take: the slot behind a call that opens one is later by as much.
_OPENING = 0.5
#: Seconds before its moment at which a slot is looked at once more, at least.
_AHEAD = 0.005
#: Seconds by which a slot is used late before the others are told.
_NOTICED = 0.0005


@frozen
class _ReservedSlot:
    """A slot that is reserved in the books for the next call of this process.

    Attributes:
        due: moment of the slot on this process's clock.
        moment: moment of the slot on the clock that all processes share.
        tested: whether the slot lay ahead, so that a call which uses it on time tests the gap.
        changed: `Limit.changed` of the limit whose gap the slot keeps.
        is_final: whether the slot is not looked at again, to see whether it was put off.
        grace: seconds after `due` for which the slot may still be used. One that is not used costs a whole gap, and one
            that is used late puts off those behind it by as much; another one would come as late as the books answer.
    """

    due: float
    moment: float
    tested: bool
    changed: float
    grace: float
    is_final: bool = False


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
            # Each process has a slot reserved ahead, so several may be rejected for one gap. Only the first of these
            # rejections counts: the others are no sign that the limit has fallen.
            limit.rejection(self.slot.moment, self.now, stale=False, deviation=self.deviation)


class SharedIntervalPacer(SharedPacer[_ReservedSlot]):
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
        self._limit, self._version = attrs.evolve(limit), _NO_VERSION
        self._latency = Latency()
        self._offset = 0.0  # the shared clock minus ours
        self._processes = 1
        self._counted = float("-inf")  # when the books last had as many processes, on our clock
        self._reserved: _ReservedSlot | None = None
        self._last = float("-inf")  # when our last turn was, on our clock
        self._not_before = float("-inf")  # on our clock
        self._begun = False
        self._unreported: list[_Answered] = []
        self._under_way: dict[Turn, _ReservedSlot] = {}
        self._takes = 0.0  # seconds that the books take to answer
        self._telling: set[asyncio.Task[None]] = set()

    @property
    def gap(self) -> float:
        """Seconds that calls of this process are apart at present, between which the other processes call."""
        return self._limit.gap * self._processes

    def ready_at(self, priority: Priority = Priority.CALL) -> float:
        """The moment at which a call that came now would be sent if the other processes call as they did lately."""
        now, gap = self._clock.time(), self.gap
        due = self._reserved.due if self._reserved else max(self._not_before, self._last + gap)
        return max(now, due) + self._line.ahead(priority) * gap

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
            # An answer that came since may tell that the slot is too close to the call before it.
            if (wait := max(slot.due, self._not_before) - self._clock.time()) > 0:
                early = wait - self._look_ahead()
                if slot.is_final or early <= 0 or not self._is_in_step:
                    await self._clock.sleep(wait)
                else:
                    await self._clock.sleep(early)
                    await self._answer_of(partial(self._look, slot))
            elif self._limit.gap and self._latency.is_late(self._under_way, self._clock.time()):
                await self._clock.sleep((self._latency.mean or 0.0) / 4 + 0.001)
            else:
                self._reserved = None
                turn.sent = self._last = self._clock.time()
                self._under_way[turn] = slot
                self._begun = True
                self._put_off(slot, turn.sent)
                return

    @property
    def _is_in_step(self) -> bool:
        """Whether there are other processes, and all agree on the gap.

        While the limit is searched they do not: the gap that one of them knows would keep others from testing theirs.
        """
        return self._processes > 1 and not self._limit.searched

    def _look_ahead(self) -> float:
        """Seconds before its moment at which a slot is looked at once more: a little more than the look takes."""
        return max(_AHEAD, 3 * self._takes)

    async def _look(self, slot: _ReservedSlot) -> _ReservedSlot:
        """Look at a reserved slot once more, which other processes may have put off. Returns it as it is now."""
        moment = None
        with suppress(BooksAwayError):
            moment = await self._books.look(self._key, self._name())
        later = 0.0 if moment is None else min(max(0.0, moment - slot.moment), furthest(self._limit.gap))
        final = attrs.evolve(slot, due=slot.due + later, moment=slot.moment + later, is_final=True)
        if self._reserved is slot:  # else a call has used it
            self._reserved = final
        return final

    def _put_off(self, slot: _ReservedSlot, used: float) -> None:
        """Put off the slots behind one whose call went out late, or arrived late, as far as the answer shows."""
        late = used - slot.due
        if late <= _NOTICED:
            return
        self._not_before = max(self._not_before, used + self._limit.gap)
        # After the look at the next slot only those behind that would be put off.
        in_time = slot.due + self._limit.gap - self._look_ahead() - self._takes > self._clock.time()
        if self._is_in_step and in_time:
            told = LateUse(process=self._name(), moment=slot.moment, used=slot.moment + late, gap=self._limit.gap)
            task = asyncio.get_running_loop().create_task(self._tell(told))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell(self, late: LateUse) -> None:
        with suppress(BooksAwayError):
            await self._books.put_off(self._key, late)

    def _is_lost(self, slot: _ReservedSlot) -> bool:
        """Whether a slot can no longer be used: its time is over, or a late call before it needs a longer gap."""
        latest = slot.due + slot.grace
        return self._clock.time() > latest or self._not_before > latest

    async def _reserve(self) -> _ReservedSlot:
        """Reserve the next slot. If its call is cancelled first, the next call in line gets the slot."""
        self._reserved = None
        while (slot := await self._answer_of(self._ask)).is_final:
            pass  # a look that a cancelled call has left under way
        return slot

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
                    process=self._name(),
                    version=self._version if tries_left else None,
                    limit=pack(limit),
                    gap=limit.gap,
                    not_before=max(0.0, self._not_before + self._offset),
                    # The first call opens the connection, so it is late, which the process behind it cannot know.
                    room=0.0 if self._begun else min(limit.gap, _OPENING),
                ),
            )
            came = self._clock.time()
            self._takes += (came - asked - self._takes) / 8
            own_now = (asked + came) / 2 if answer.own_now is None else answer.own_now
            self._offset = answer.now - own_now
            self._version = answer.version
            # Books that were emptied do not know the other processes, which still call.
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
                    grace=max(_GRACE, limit.gap * _GRACE_SHARE, came - asked),
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
        excess = now - sent - (self._latency.mean or 0.0)
        if late or not accepted:
            self._not_before = max(self._not_before, sent + excess + self._limit.gap)
        else:
            excess = min(excess, self._limit.guard)
        self._put_off(slot, sent + excess)

    def _name(self) -> str:
        """What the books know this process by; one that is forked is another process."""
        return f"{self._process}-{os.getpid()}"

    async def aclose(self) -> None:
        """End the requests to the books that are under way, and that no call waits for."""
        await super().aclose()
        await end(self._telling)

    async def leave(self) -> None:
        """Count no longer among the processes that share the pace. Raises `BooksAwayError`."""
        if self._version != _NO_VERSION:
            await self._books.leave(self._key, self._name())
