"""`IdentityChoice`: which of several identities a call goes out as."""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush, heapreplace

from aiorescue.clock import Clock
from aiorescue.identity.identity import Identity
from aiorescue.operation import Family, Operation
from aiorescue.pace.pace import Pacers

#: Most identities whose moments a choice finds moved back; after these it takes the soonest of them.
_LOOKS = 16


class IdentityChoice:
    """Chooses the identity that is free soonest, at a cost that does not grow with their number.

    For each rate family there is a heap of the identities by the moment at which each is free. A moment in the heap may
    be old, so it is computed anew when its identity comes to the top: if it has moved back, the next one is looked at.
    One that has moved forward, since waiting calls were cancelled, is found by looking at one more identity with each
    choice, in turn. Identities whose credentials were refused are taken out and come back in the same way.

    Args:
        identities: the identities, in the order of the credentials.
        pacers: the pacers of the client.
        clock: the client's clock.
    """

    def __init__(self, identities: Sequence[Identity], pacers: Pacers, clock: Clock) -> None:
        self._identities = identities
        self._pacers = pacers
        self._clock = clock
        self._queues: dict[Family | None, _Queue] = {}

    def soonest(self, operation: Operation[object]) -> Identity:
        """The identity that is free soonest for an operation; a refused one if the credentials of all are refused."""
        family = operation.spec.family
        queue = self._queues.get(family)
        if queue is None:
            queue = self._queues[family] = _Queue(len(self._identities))
        self._look_at_one_more(queue, operation)
        # Each is looked at once, and few of them: the moments of those whose turns are overdue all move with the clock.
        seen: dict[int, float] = {}
        while queue.heap:
            moment, index = queue.heap[0]
            identity = self._identities[index]
            if moment != queue.moments[index]:
                heappop(queue.heap)  # an entry that was replaced by one with an earlier moment
            elif identity.refusal(operation) is not None:
                heappop(queue.heap)
                queue.moments[index] = None
            elif index not in seen and (now_free := self._free_at(identity, family)) > moment:
                seen[index] = queue.moments[index] = now_free
                heapreplace(queue.heap, (now_free, index))
                if len(seen) == _LOOKS:
                    return self._identities[min(seen, key=seen.__getitem__)]
            else:
                return identity
        return self._identities[0]

    def _look_at_one_more(self, queue: "_Queue", operation: Operation[object]) -> None:
        index = queue.next_look
        queue.next_look = (index + 1) % len(self._identities)
        identity, known = self._identities[index], queue.moments[index]
        if known == 0.0 or identity.refusal(operation) is not None:
            return
        moment = self._free_at(identity, operation.spec.family)
        if known is None or moment < known:
            queue.push(moment, index)

    def _free_at(self, identity: Identity, family: Family | None) -> float:
        """The moment at which an identity is free for a call of a family; 0 if it is free now."""
        moment = self._pacers.of(identity.account, family).ready_at()
        return moment if moment > self._clock.time() else 0.0


class _Queue:
    """The identities by the moment at which each is free for calls of one family.

    Attributes:
        heap: moments with the index of the identity. An entry counts if its moment is the one in `moments`.
        moments: the moment of each identity when it was last looked at; None for one that is set aside.
        next_look: index of the identity that is looked at with the next choice.
    """

    def __init__(self, size: int) -> None:
        self.heap = [(0.0, index) for index in range(size)]
        self.moments: list[float | None] = [0.0] * size
        self.next_look = 0

    def push(self, moment: float, index: int) -> None:
        """Put an identity into the heap, which lacks it or has it with a later moment."""
        self.moments[index] = moment
        if len(self.heap) > 2 * len(self.moments):
            self.heap = [(known, other) for other, known in enumerate(self.moments) if known is not None]
            heapify(self.heap)
        else:
            heappush(self.heap, (moment, index))
