"""`Repeats`: finds answers that come a second time, though no two PINs, tickets or links are equal."""

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
    more={"repeated": True},
)


class Repeats:
    """Remembers the last answers that must differ, and finds one that came before.

    A server that has given only one answer so far, such as a mock, counts as one that repeats nothing: only where two
    different answers were seen does one that comes again belong to another request.
    """

    def __init__(self) -> None:
        self._last: OrderedDict[int, None] = OrderedDict()  # hashes: the answers themselves are secrets

    def found(self, body: bytes) -> bool:
        """Whether an answer is one of the last ones that came; if it is not, it is remembered."""
        answer = hash(body)
        if answer in self._last:
            return len(self._last) > 1
        self._last[answer] = None
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)
        return False
