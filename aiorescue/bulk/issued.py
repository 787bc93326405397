"""What a bulk job makes of one request: `Item` while it is on its way, `Issued` when it has ended."""

from typing import Generic

import attrs

from aiorescue import errors
from aiorescue.bulk.outage import Setbacks
from aiorescue.bulk.source import RequestT
from aiorescue.operation import frozen
from aiorescue.rescue import PinCode


@frozen
class Issued(Generic[RequestT]):
    """The result of one request of a bulk job: a PIN, or the error that stands in its place.

    Attributes:
        request: the request.
        pin: PIN of the request; None if it failed.
        error: why the request failed; None if it has its PIN.
        attempts: how often the request was sent in this run; 0 if the PIN came from the journal.
        key: the tracking field, or ``#n`` for the n-th request.
        position: place among the requests, from 0.
        resumed: True if the PIN was issued in an earlier run.
    """

    request: RequestT
    pin: PinCode | None
    error: errors.RescueError | None = None
    attempts: int = 0
    key: str = ""
    position: int = 0
    resumed: bool = False


@attrs.define(eq=False)
class Item(Generic[RequestT]):
    """One request on its way through a bulk job.

    Attributes:
        request: the request.
        position: place among the requests, from 0.
        key: key of the request in the store.
        orphans: attempts of all runs that may have left an unclaimed PIN.
        attempts: how often this run sent the request.
        setbacks: failures of the request that may be the service's.
        repeats: how often the service answered with a PIN that another request has.
    """

    request: RequestT
    position: int
    key: str = ""
    orphans: int = 0
    attempts: int = 0
    setbacks: Setbacks = attrs.field(factory=Setbacks)
    repeats: int = 0

    @property
    def name(self) -> str:
        """The tracking field, or the place among the requests."""
        return self.request.tracking or f"#{self.position}"

    def issued(self, pin: PinCode) -> Issued[RequestT]:
        """The result with a PIN; a PIN without an attempt in this run came from the journal."""
        return Issued(self.request, pin, None, self.attempts, self.name, self.position, resumed=not self.attempts)

    def failed(self, problem: errors.RescueError) -> Issued[RequestT]:
        """The result with an error in place of a PIN."""
        return Issued(self.request, None, problem, self.attempts, self.name, self.position)
