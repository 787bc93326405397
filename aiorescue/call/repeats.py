"""Answers that come a second time: each PIN, ticket and link is another one, so its answer comes once."""

from collections import OrderedDict

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
)


class Repeats:
    """Remembers the last answers that must differ, and finds one that came before.

    A server that gives one answer only, as a mock does, repeats nothing: it takes two different ones to tell.
    """

    def __init__(self) -> None:
        self._last: OrderedDict[int, None] = OrderedDict()  # hashes: the answers themselves are secrets

    def found(self, body: bytes) -> bool:
        """Whether an answer came before, among the last ones; remembers it otherwise."""
        answer = hash(body)
        if answer in self._last:
            return len(self._last) > 1
        self._last[answer] = None
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)
        return False
