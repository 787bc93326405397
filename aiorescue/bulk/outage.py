"""`Breaker`: notices that the service is away, and decides when to look whether it is back.

A request whose attempts all ended in an error, a timeout or a broken connection says little about the request when the
ones around it fare no better. After three such failures in a row, without one good answer between them, the breaker
*opens*: nothing is sent but one *probe* at a time, the first after a second, each later one after twice as long, up to
ten seconds. Any other answer closes it. A request fails by itself only if others were answered between its failures.
"""

from typing import Final

import attrs

from aiorescue import errors
from aiorescue.operation import frozen

#: Failures in a row that open the breaker.
OPENS_AT: Final = 3
#: Failures of one request, with good answers to others between them, after which it fails by itself.
FAILS_AT: Final = 3
#: Seconds before the first probe, and between two probes at most.
FIRST_PROBE: Final = 1.0
LONGEST_PROBE: Final = 10.0

_OUTAGE: Final = (errors.ConnectionFailed, errors.RequestTimeout, errors.ProtocolError, errors.RateLimited)


@frozen
class Outage:
    """An outage of the service for whose end a bulk job waits.

    Attributes:
        error: last error of the service or the network.
        seconds: time for which the service has been away.
        patience: seconds for which the job waits before it gives up.
    """

    error: errors.RescueError
    seconds: float
    patience: float


@attrs.define(eq=False)
class Setbacks:
    """The failures of one request that may be the service's.

    Attributes:
        count: number of these failures.
        answers: good answers that the job had seen before the last of them.
    """

    count: int = 0
    answers: int = 0


def is_of_the_service(problem: errors.RescueError) -> bool:
    """Whether an error may mean that the service is away, whatever was asked of it."""
    if isinstance(problem, errors.PartialFailure):
        return False
    if isinstance(problem, errors.ServiceError):
        return problem.status is None or says_error(problem)
    return isinstance(problem, _OUTAGE)


def says_error(problem: errors.RescueError) -> bool:
    """Whether the service answered properly, with its own word for an unspecified error."""
    return (problem.status or "").rpartition("_")[2].upper() == "ERROR"


class Breaker:
    """Counts failures of the service and says when to send again.

    Args:
        patience: seconds for which an outage is waited out.
    """

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.error: errors.RescueError | None = None  # what opened it; None while it is closed
        self.began = 0.0
        self.probe_at = 0.0
        self._answers = 0
        self._failures = 0  # in a row
        self._first: object | None = None  # the first request of them
        self._several = False  # they are of more than one request
        self._pause = FIRST_PROBE

    @property
    def is_open(self) -> bool:
        """Whether the service seems to be away."""
        return self.error is not None

    def outage(self, now: float) -> Outage | None:
        """The outage at a moment; None while the service answers."""
        return None if self.error is None else Outage(self.error, now - self.began, self.patience)

    def answered(self) -> bool:
        """Count an answer of the service that is no failure of its own; returns whether an outage has ended."""
        was_open = self.is_open
        self.error, self._failures, self._several = None, 0, False
        self._answers += 1
        self._pause = FIRST_PROBE
        return was_open

    def failed(self, item: object, setbacks: Setbacks, problem: errors.RescueError, now: float) -> bool:
        """Count a failure; returns whether the request has failed by itself, and is not sent again in this run."""
        if not self._failures:
            self._first, self._several, self.began = item, False, now
        self._several = self._several or item is not self._first
        self._failures += 1
        setbacks.count += self._answers > setbacks.answers or not setbacks.count
        setbacks.answers = self._answers
        is_away = self._several and self._failures >= OPENS_AT  # so this failure says nothing of the request
        if (setbacks.count >= FAILS_AT and not is_away) or self._is_alone(problem, now):
            self._failures = 0
            self.error = None
            return True
        if self._failures >= OPENS_AT:
            self.error = problem
            if isinstance(problem, errors.ProtocolError) and problem.repeated:
                self.probe_at = now  # the service is there: one that began anew may come to PINs that are new soon
                return False
            self.probe_at = min(now + self._pause, max(self.began + self.patience, now))
            self._pause = min(self._pause * 2, LONGEST_PROBE)
        return False

    def gives_up(self, now: float) -> bool:
        """Whether the service was away for too long."""
        return self.is_open and now - self.began >= self.patience

    def _is_alone(self, problem: errors.RescueError, now: float) -> bool:
        """Whether a request has failed again and again while others were answered."""
        if self._several or not self._answers or self._failures < OPENS_AT:
            return False
        return says_error(problem) or now - self.began >= self.patience
