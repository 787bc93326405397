"""The log of requests: what arrived, and how it was answered."""

from collections import Counter, deque
from collections.abc import Iterator
from threading import Lock

import attrs

_LOG_LENGTH = 10_000


@attrs.define
class LoggedRequest:
    """A request in the log, without its parameters and therefore without secrets.

    Attributes:
        operation: name of the operation; empty until the request is understood.
        binding: value of the `Binding`; empty until the request is understood.
        word: status word or HTTP status of the answer; empty until the request is answered.
    """

    operation: str = ""
    binding: str = ""
    word: str = ""

    def __iter__(self) -> Iterator[str]:
        return iter((self.operation, self.binding, self.word))


class RequestLog:
    """Log of every request that arrived, whatever became of it: all are counted, the last ten thousand are kept.

    Other threads may read the log while requests arrive.

    Attributes:
        count: number of requests that arrived.
        by_operation: number of requests by the name of their operation.
        recent: the last requests, oldest first.
    """

    def __init__(self) -> None:
        self.count = 0
        self.by_operation: Counter[str] = Counter()
        self.recent: deque[LoggedRequest] = deque(maxlen=_LOG_LENGTH)
        self._lock = Lock()

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[LoggedRequest]:
        with self._lock:
            recent = list(self.recent)
        return iter(recent)

    def arrived(self) -> LoggedRequest:
        """Count a request whose operation is not known yet; returns its entry, to be filled in."""
        request = LoggedRequest()
        with self._lock:
            self.count += 1
            self.recent.append(request)
        return request

    def understood(self, request: LoggedRequest, operation: str, binding: str) -> None:
        """Fill in which operation a logged request calls, and by which binding."""
        request.operation, request.binding = operation, binding
        self.by_operation[operation] += 1
