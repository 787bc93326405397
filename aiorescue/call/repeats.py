"""`Repeats`: finds answers that come a second time, though no two PINs, tickets or links are equal."""

from collections import Counter, OrderedDict
from collections.abc import Hashable
from weakref import WeakKeyDictionary

from aiorescue import errors
from aiorescue.operation import Outcome, OutcomeClass

#: Answers that are remembered.
_REMEMBERED = 512

#: Outcome of a request whose answer belongs to another one. What the request itself did is unknown.
REPEATED: Outcome[object] = Outcome(
    OutcomeClass.TRANSIENT,
    error=errors.ProtocolError,
    detail="the answer is that of an earlier request; something on the way to the service repeats answers",
    ambiguous=True,
    more={"repeated": True},
)


class Repeats:
    """Remembers the last answers that must differ, and finds one that came before.

    A source of answers that gives the same one each time, as a mock does for each operation, repeats nothing: only
    where a source has given two different answers does one that comes again belong to another request.
    """

    def __init__(self) -> None:
        # Hashes, as the answers themselves are secrets, each with the source that gave it first.
        self._last: OrderedDict[int, Hashable] = OrderedDict()
        self._different: Counter[Hashable] = Counter()  # different answers of each source
        self._answers: Counter[Hashable] = Counter()  # all answers of each source

    def found(self, source: Hashable, body: bytes) -> bool:
        """Whether an answer is one of the last ones that came; if it is not, it is remembered.

        Args:
            source: stands for the operation type and the binding that the answer belongs to.
            body: the answer.
        """
        answer = hash(body)
        self._answers[source] += 1
        first = self._last.get(answer)
        if first is None:
            self._last[answer] = source
            self._different[source] += 1
            if len(self._last) > _REMEMBERED:
                self._last.popitem(last=False)
            return False
        return self._different[first] > 1 or (first is not source and source in self._different)

    def is_first(self, source: Hashable) -> bool:
        """Whether the answer that `found` looked at last is the first one of its source.

        If it came again, `found` would not tell: the source may give one answer each time. So the connection of the
        first answer, on which it may come again, must not be used for the next request.
        """
        return self._answers[source] == 1


#: By pool that programs lend, and by base URL.
_OF_POOLS: WeakKeyDictionary[object, dict[str, Repeats]] = WeakKeyDictionary()


def repeats_of(pool: object | None, base_url: str) -> Repeats:
    """The `Repeats` of a new client: that of all clients of one service which are lent one pool of connections.

    On their connections the answer to one client may come again when another one waits for its own.

    Args:
        pool: the pool that is lent; None for a client with a pool of its own.
        base_url: the service.
    """
    return Repeats() if pool is None else _OF_POOLS.setdefault(pool, {}).setdefault(base_url, Repeats())
