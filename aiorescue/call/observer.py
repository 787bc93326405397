"""What a client makes known of its calls: counts for `ServiceClient.stats`, and events for listeners and logs.

Counting costs each call a look-up and a few additions. Events cost nothing unless something listens: a `Watch` is made
for a call only if the client has a listener or the log of calls is written at DEBUG.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from aiorescue.clock import Clock
from aiorescue.operation import Binding, Family, Operation, Outcome, OutcomeClass, frozen, status
from aiorescue.wire import Request

if TYPE_CHECKING:
    from aiorescue.events import Event, Hub, Listener

#: Seconds below which a call counts as sent at once, without waiting for the pace.
NOTICEABLE = 0.001


def hub_of(listener: "Listener | None", others: "Hub | None" = None) -> "Hub | None":
    """The hub that calls `others` and then `listener`; None without any listener."""
    if listener is None:
        return others
    from aiorescue.events import Hub  # noqa: PLC0415 - imported with the first listener

    return (others or Hub()).joined(listener)


@attrs.define
class Counts:
    """Counts of the calls of one operation as one identity.

    Attributes:
        calls: calls that began.
        attempts: requests that were sent for them.
        waits: requests that waited for the pace for a millisecond or longer.
        waited: seconds that all of these requests waited together.
        rejections: requests that the service rejected as too fast.
        failures: calls that ended with an exception, cancellations included.
        orphans: requests that may have been carried out without a good answer.
    """

    calls: int = 0
    attempts: int = 0
    waits: int = 0
    waited: float = 0.0
    rejections: int = 0
    failures: int = 0
    orphans: int = 0


@frozen(kw_only=True)
class Stats:
    """What a client has done so far.

    Attributes:
        calls: calls that began.
        attempts: requests that were sent for them; logins and logouts of the client's own are not counted.
        waits: requests that waited for the pace for a millisecond or longer.
        waited: seconds that all of these requests waited together.
        rejections: requests that the service rejected as too fast.
        failures: calls that ended with an exception, cancellations included.
        possibly_orphaned: requests that may have been carried out without a good answer.
        logins: logins and authentications, those that the client makes by itself included.
        under_way: calls that have not ended.
        sessions: open server sessions of logins. One that the service ended counts until a call finds that out, and one
            that was idle for 19 minutes until the next call.
        connections: open connections, those that are idle included.
        by_operation: the counts of each operation, by the vendor's name.
        by_identity: the counts of each identity, by its name.
    """

    calls: int
    attempts: int
    waits: int
    waited: float
    rejections: int
    failures: int
    possibly_orphaned: int
    logins: int
    under_way: int
    sessions: int
    connections: int
    by_operation: Mapping[str, Counts]
    by_identity: Mapping[str, Counts]


class Observer:
    """Counts the calls of a client, and makes events of them for its listeners.

    Args:
        clock: the client's clock.
        base_url: where requests go.
        hub: the client's listeners; None if it has none.
    """

    def __init__(self, clock: Clock, base_url: str, hub: "Hub | None" = None) -> None:
        self.clock = clock
        self.base_url = base_url
        self.hub = hub
        self.logins = self.sessions = 0
        #: Counts by operation and name of the identity.
        self.known: dict[tuple[str, str], Counts] = {}

    def counts(self, operation: str, identity: str) -> Counts:
        """The counts of an operation as an identity."""
        found = self.known.get((operation, identity))
        if found is None:
            found = self.known[operation, identity] = Counts()
        return found

    def watch(self, operation: Operation[Any], binding: Binding, identity: str, hub: "Hub | None") -> "Watch":
        """A watch of a call that begins."""
        watch = self.late_watch(operation, binding, identity, hub)
        watch.began()
        return watch

    def late_watch(
        self, operation: Operation[Any], binding: Binding, identity: str, hub: "Hub | None" = None
    ) -> "Watch":
        """A watch of a call that has begun without one, made when something rare happens to it."""
        return Watch(self, self.listeners(hub), operation, binding, identity)

    def emit(self, make: "Callable[[float], Event]") -> None:
        """Give the client's listeners and the log an event that `make` makes of the present time."""
        self.listeners(None).emit(make(self.clock.time()))

    def logged_in(self, identity: str, seconds: float, outcome: Outcome[Any]) -> None:
        """Count a login, and give listeners its event."""
        from aiorescue.events import LoggedIn  # noqa: PLC0415 - as in `listeners`

        self.logins += 1
        error = None if outcome.outcome_class is status.OK else outcome.error.__name__
        self.emit(lambda at: LoggedIn(at=at, identity=identity, seconds=seconds, error=error, status=outcome.word))

    def logged_out(self, identity: str) -> None:
        """Give listeners the event of a logout."""
        from aiorescue.events import LoggedOut  # noqa: PLC0415 - as in `listeners`

        self.emit(lambda at: LoggedOut(at=at, identity=identity))

    def session_opened(self, identity: str) -> None:
        """Count a server session that was opened, and tell listeners of it."""
        from aiorescue.events import SessionOpened  # noqa: PLC0415 - as in `listeners`

        self.sessions += 1
        self.emit(lambda at: SessionOpened(at=at, identity=identity))

    def session_ended(self, identity: str) -> None:
        """Count a server session that has ended, and tell listeners of it."""
        from aiorescue.events import SessionEnded  # noqa: PLC0415 - as in `listeners`

        self.sessions -= 1
        self.emit(lambda at: SessionEnded(at=at, identity=identity))

    def pace_changed(self, identity: str, family: Family | None, rate: float) -> None:
        """Give listeners the event of a pace whose rate has become known, or is searched anew."""
        from aiorescue.events import PaceChanged  # noqa: PLC0415 - as in `listeners`

        name = "" if family is None else family.value
        self.emit(lambda at: PaceChanged(at=at, identity=identity, family=name, rate=rate))

    def refused(self, identity: str, word: str | None, seconds: float) -> None:
        """Give listeners the event of an identity that is set aside."""
        from aiorescue.events import IdentityRefused  # noqa: PLC0415 - as in `listeners`

        self.emit(lambda at: IdentityRefused(at=at, identity=identity, status=word, seconds=seconds))

    def listeners(self, hub: "Hub | None" = None) -> "Hub":
        """The listeners of a view, or the client's where the view has none of its own; and the log."""
        # Imported with the first event: two dozen classes that most programs never use.
        from aiorescue.events import Hub  # noqa: PLC0415
        from aiorescue.logs import log_event  # noqa: PLC0415

        return (hub or self.hub or Hub()).joined(log_event)

    def stats(self, *, under_way: int, connections: int) -> Stats:
        """The counts of all calls so far, in all and by operation and identity."""
        by_operation: dict[str, Counts] = {}
        by_identity: dict[str, Counts] = {}
        total = Counts()
        for (operation, identity), counts in self.known.items():
            for sums in (
                total,
                by_operation.setdefault(operation, Counts()),
                by_identity.setdefault(identity, Counts()),
            ):
                _add(sums, counts)
        return Stats(
            calls=total.calls,
            attempts=total.attempts,
            waits=total.waits,
            waited=total.waited,
            rejections=total.rejections,
            failures=total.failures,
            possibly_orphaned=total.orphans,
            logins=self.logins,
            under_way=under_way,
            sessions=self.sessions,
            connections=connections,
            by_operation=by_operation,
            by_identity=by_identity,
        )


def _add(sums: Counts, counts: Counts) -> None:
    for field in attrs.fields(Counts):
        setattr(sums, field.name, getattr(sums, field.name) + getattr(counts, field.name))


class Watch:
    """Makes the events of one call and gives them to listeners.

    Args:
        observer: observer of the client.
        hub: the listeners.
        operation: the operation that is called.
        binding: binding that the call goes over.
        identity: name of the identity that calls.
    """

    def __init__(
        self, observer: Observer, hub: "Hub", operation: Operation[Any], binding: Binding, identity: str
    ) -> None:
        from aiorescue import events  # noqa: PLC0415 - imported with the first event

        self._events = events
        self._hub = hub
        self._clock = observer.clock
        self._base_url = observer.base_url
        self._family = operation.spec.family
        self._binding, self._service = binding, operation.spec.service.name
        self._known = {"call": events.call_number(), "operation": operation.spec.name, "identity": identity}
        self._began = self._sent = self._clock.time()
        self._http_status: int | None = None
        self._attempts = self._rejections = 0
        self._waited = 0.0

    def _emit(self, event: type["Event"], **values: Any) -> None:
        self._hub.emit(event(at=self._clock.time(), **self._known, **values))

    def began(self) -> None:
        """Make the event of a call that begins."""
        self._emit(self._events.CallBegan, binding=self._binding.value, service=self._service)

    def waited(self, seconds: float) -> None:
        """Make the event of a turn of the pace that has come, after a wait in seconds."""
        self._waited += seconds
        family: Family | None = self._family
        if family is not None:
            self._emit(self._events.Waited, family=family.value, seconds=seconds)

    def sending(self, request: Request) -> None:
        """Make the event of a request that is about to be sent."""
        self._attempts += 1
        self._sent = self._clock.time()
        self._http_status = None
        url = f"{self._base_url}{request.path}"
        self._emit(self._events.AttemptBegan, attempt=self._attempts, method=request.method, url=url)

    def answered(self, http_status: int) -> None:
        """Note the HTTP status of a response, for the event of the attempt's end."""
        self._http_status = http_status

    def attempt_ended(self, outcome: Outcome[Any] | None) -> None:
        """Make the event of a request that has an outcome, or was cancelled (None)."""
        self._emit(
            self._events.AttemptEnded,
            attempt=self._attempts,
            outcome="cancelled" if outcome is None else outcome.outcome_class.value,
            status=None if outcome is None else outcome.word,
            http_status=self._http_status,
            seconds=self._clock.time() - self._sent,
            error=None if outcome is None or outcome.outcome_class is OutcomeClass.OK else outcome.error.__name__,
            ambiguous=outcome is None or outcome.ambiguous,
        )
        if outcome is not None and outcome.outcome_class is OutcomeClass.THROTTLED:
            self._rejections += 1
            family = "" if self._family is None else self._family.value
            self._emit(self._events.Rejected, family=family, rejections=self._rejections)

    def retrying(self, outcome: Outcome[Any], attempt: int, seconds: float) -> None:
        """Make the event of a transient outcome that is tried again after a pause in seconds."""
        self._emit(
            self._events.Retrying,
            attempt=attempt,
            status=outcome.word,
            error=outcome.error.__name__,
            seconds=seconds,
        )

    def ended(self, problem: BaseException | None, *, orphans: int) -> None:
        """Make the event of a call that ends, with a result (None) or with an exception."""
        cancelled = problem is not None and not isinstance(problem, Exception)
        self._emit(
            self._events.CallEnded,
            outcome="ok" if problem is None else "cancelled" if cancelled else "error",
            error=None if problem is None else type(problem).__name__,
            status=getattr(problem, "status", None),
            attempts=self._attempts,
            rejections=self._rejections,
            possibly_orphaned=orphans,
            waited=self._waited,
            seconds=self._clock.time() - self._began,
        )
