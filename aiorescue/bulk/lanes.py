"""Lanes: the identities of a bulk job, in the order in which their pace lets them send."""

import heapq
from collections.abc import Callable, Sequence

import attrs

from aiorescue import errors
from aiorescue.bulk.store import Lane
from aiorescue.identity.identity import Identity

#: Seconds before its slot at which a call begins: the pace waits for the rest, and does so to the millisecond.
LEAD = 0.02


@attrs.define(eq=False)
class WorkLane:
    """One identity at work in this run.

    Attributes:
        identity: the identity that calls.
        name: name of the lane in the writes of the store.
        ready_at: gives the moment at which the pace would let a call of the identity be sent.
        under_way: number of calls that have begun and not ended.
        refusal: why the service takes no more calls of this identity; None as long as it does.
        is_queued: True while the lane stands in the order of `Lanes`.
    """

    identity: Identity
    name: Lane
    ready_at: Callable[[], float]
    under_way: int = 0
    refusal: errors.RescueError | None = None
    is_queued: bool = False


class Lanes:
    """The lanes of a job, by the moment at which each may send; finding the next one does not look at all of them.

    Args:
        identities: the identities of the client.
        in_flight: the most calls under way in one lane.
        readiness: gives, for an identity, what gives the moment at which the pace would let a call of it be sent.
    """

    def __init__(
        self, identities: Sequence[Identity], in_flight: int, readiness: Callable[[Identity], Callable[[], float]]
    ) -> None:
        self.all = [WorkLane(identity, Lane(identity.name), readiness(identity)) for identity in identities]
        self._in_flight = in_flight
        self._order: list[tuple[float, int, WorkLane]] = []
        self._number = 0
        self.left = len(self.all)
        for lane in self.all:
            self._queue(lane, float("-inf"))

    def refuse(self, lane: WorkLane, problem: errors.RescueError) -> bool:
        """Take a lane out of the order for good. Returns False if an earlier refusal has done that."""
        if lane.refusal is not None:
            return False
        lane.refusal = problem
        self.left -= 1
        return True

    def take(self, now: float) -> WorkLane | float | None:
        """The lane that may send now; else the moment from which one may, or None if that takes a call to end first.

        A lane that was taken is out of the order until `put_back`.
        """
        order = self._order
        while order:
            moment, number, lane = order[0]
            if lane.refusal is not None or lane.under_way >= self._in_flight:
                heapq.heappop(order)
                lane.is_queued = False
                continue
            if moment - LEAD > now:
                return moment - LEAD
            ready = lane.ready_at()
            if ready - LEAD > now:
                heapq.heapreplace(order, (ready, number, lane))
                continue
            heapq.heappop(order)
            lane.is_queued = False
            return lane
        return None

    def put_back(self, lane: WorkLane) -> bool:
        """Let a lane take part again, once its pace knows of the call that it was taken for. Returns whether it may."""
        if lane.is_queued or lane.refusal is not None or lane.under_way >= self._in_flight:
            return False
        self._queue(lane, lane.ready_at())
        return True

    def _queue(self, lane: WorkLane, moment: float) -> None:
        lane.is_queued = True
        self._number += 1
        heapq.heappush(self._order, (moment, self._number, lane))
