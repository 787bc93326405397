"""`ServiceClient`, the base of the clients: it calls operations, holds conversations, and closes what it opened."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from ssl import SSLContext
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from aiorescue import errors
from aiorescue.call import arguments
from aiorescue.call.base_url import check_base_url, find_route
from aiorescue.call.call import BeforeSend
from aiorescue.call.conversation import Conversation, closed_error, hold_in_time
from aiorescue.call.observer import Observer, Stats, hub_of
from aiorescue.call.options import NO_OPTIONS, CallOptions
from aiorescue.call.retry import RetryPolicy
from aiorescue.call.runner import CallRunner
from aiorescue.call.transport import ClientSession, Transport
from aiorescue.call.under_way import UnderWay
from aiorescue.clock import Clock, SystemClock
from aiorescue.identity.choice import IdentityChoice
from aiorescue.identity.identity import Identity
from aiorescue.operation import Binding, Family, Operation, discreetly_awaited
from aiorescue.operation.number import is_number
from aiorescue.pace.pace import PacedAccount, Pacers, PaceSetting
from aiorescue.pace.turns import Priority, PrioritySemaphore

if TYPE_CHECKING:
    from aiorescue.events import Hub, Listener

R = TypeVar("R")

#: Seconds that closing a client may take, unless another limit is given.
CLOSING = 30.0
#: Share of that limit for calls under way; the rest is for logging out.
_FOR_CALLS = 0.9


class ServiceClient:
    """A client of one service. Use it with ``async with``, or call `aclose` at the end."""

    # The options have a place of their own, so that a view can share all the rest: the very `__dict__`.
    __slots__ = ("__dict__", "_options")
    _options: CallOptions
    _service: ClassVar[str]  # its name
    __reduce_ex__ = arguments.no_copy

    def __init__(
        self,
        *,
        base_url: str,
        binding: Binding,
        timeout: float,
        retry: RetryPolicy,
        pace: PaceSetting,
        max_connections: int,
        http: ClientSession | None,
        ssl: SSLContext | None,
        proxy: str | None,
        trust_env: bool,
        relogin: bool,
        allow_plain_http: bool,
        clock: Clock | None,
        on_event: "Listener | None",
    ) -> None:
        arguments.check_arguments(
            timeout, max_connections, binding=binding, retry=retry, clock=clock, on_event=on_event
        )
        arguments.check_flags(trust_env=trust_env, relogin=relogin, allow_plain_http=allow_plain_http)
        self.base_url = check_base_url(base_url, allow_plain_http=allow_plain_http)
        self._options = NO_OPTIONS
        self.max_connections = max_connections
        self._clock = clock or SystemClock()
        self._transport = Transport(
            self.base_url,
            timeout=timeout,
            max_connections=max_connections,
            route=find_route(self.base_url, ssl=ssl, proxy=proxy, trust_env=trust_env, lent=http is not None),
            http=http,
        )
        self._pacers = Pacers(pace, self._clock, self.base_url)
        self._observer = Observer(self._clock, self.base_url, hub_of(on_event))
        self._under_way = UnderWay()
        self._runner = CallRunner(
            self._transport,
            under_way=self._under_way,
            clock=self._clock,
            policy=retry,
            pacers=self._pacers,
            binding=binding,
            relogin=relogin,
            observer=self._observer,
        )
        self._identities: Sequence[Identity] = ()
        self._replaced: list[Identity] = []  # those in whose place an explicit login has come
        self._choice: IdentityChoice | None = None
        self._closed = False

    def stats(self) -> Stats:
        """What the client has done so far, in all and by operation and identity: calls, attempts, waits, rejections."""
        return self._observer.stats(under_way=len(self._under_way), connections=self._transport.connections)

    @property
    def identities(self) -> Sequence[Identity]:
        """The identities that calls go out as, in the order of the credentials.

        Each has a ``name`` and a ``state``: ``"ready"``, or ``"refused"`` as long as the service's refusal of its
        credentials is remembered; then ``why`` says what the service said. None of them shows a secret.
        """
        return self._identities

    def listeners(self) -> "Hub":
        """The listeners of this client, or of this view of it, and the log, for the events of a job."""
        return self._observer.listeners(self._options.hub)

    @property
    def clock(self) -> Clock:
        """The clock by which the client paces and retries: the one given to it, or the system's."""
        return self._clock

    @property
    def closed(self) -> bool:
        """Whether the client was closed, so that it takes no more calls."""
        return self._closed

    def readiness(self, identity: Identity, operation_type: type[Operation[Any]]) -> Callable[[], float]:
        """What gives the moment at which a bulk call that an identity made now would be sent, in seconds of `clock`."""
        return partial(self._pacers.of(identity.account, operation_type.spec.family).ready_at, Priority.BULK)

    def login_wait(self, identity: Identity, operation: Operation[Any]) -> float | None:
        """Seconds until the service's limit lets a login go out for which calls of an identity wait; None without."""
        moment = self._pacers.of(identity.account, Family.LOGINS).waits_until
        if moment is None or not identity.needs_login(operation):
            return None
        return max(0.0, moment - self._clock.time())

    def with_options(
        self,
        *,
        binding: Binding | None = None,
        timeout: float | None = None,
        max_wait: float | None = None,
        on_event: "Listener | None" = None,
    ) -> Self:
        """A view of this client with other options: its connections, pace, sessions and identities are the client's.

        It has all methods of the client, and costs next to nothing to make. Closing it closes the client.

        Args:
            binding: preferred binding.
            timeout: seconds that one request may take.
            max_wait: seconds that a call may wait to be sent, over all of its requests: for its turns in the pace, for
                a free server session, for the turn of a login that it needs, and for one of `max_connections`
                connections. One whose turn cannot come in time is refused at once, another one when the time is over.
                The requests themselves do not count, nor does that of a login, nor the pauses between two tries. Calls
                of a bulk job, which stand in that queue for hours, have no such bound.
            on_event: one more listener, for calls through this view.

        Raises:
            errors.InvalidRequest: not a number of seconds.
        """
        view = object.__new__(type(self))
        view.__dict__ = self.__dict__
        arguments.check_listener(on_event)
        hub = None if on_event is None else hub_of(on_event, self._options.hub or self._observer.hub)
        view._options = self._options.but(binding=binding, timeout=timeout, max_wait=max_wait, hub=hub)
        return view

    def expected_wait(self, operation: Operation[Any] | type[Operation[Any]]) -> float:
        """Seconds until a call of an operation that was made now would be sent, as far as the pace knows.

        What stands before it in the queue of the pace counts; logins and retries do not. With several identities, the
        wait is that of the one that is free soonest, of those that the service does not refuse.

        Args:
            operation: the operation, or its type: ``rescue.expected_wait(RequestPinCode)``.
        """
        arguments.check_operation_type(operation)
        family = operation.spec.family
        identities = [one for one in self._identities if one.state == "ready"] or self._identities
        ready = min(self._pacers.of(identity.account, family).ready_at() for identity in identities)
        return max(0.0, ready - self._clock.time())

    async def call(
        self,
        operation: Operation[R],
        *,
        binding: Binding | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - it bounds each request, not the call
        max_wait: float | None = None,
    ) -> R:
        """Call an operation that is given as a value.

        Args:
            operation: the operation.
            binding: use this binding and no other; left out, the client's own if the operation has it, else the
                best that is documented for the operation.
            timeout: seconds that one request may take; left out, those of the client.
            max_wait: seconds that the call may wait to be sent, as in `with_options`; left out, as the client has it.

        Returns:
            The operation's result.

        Raises:
            errors.QueueTimeout: its turn in the pace, a session or a login does not come within `max_wait`.
            errors.UnsupportedBinding: the operation is not offered on that binding; nothing was sent.
            errors.InvalidRequest: the binding cannot carry a value; nothing was sent.
            errors.RescueError: whatever else went wrong; see `aiorescue.errors`.
        """
        arguments.check_operation(operation, self._service)
        options = self._options
        if timeout is not None or max_wait is not None:
            options = options.but(timeout=timeout, max_wait=max_wait)
        identity = self._choose(operation)
        first = self._identities[0]
        is_new = len(self._identities) == 1 and identity is not first
        task = self._begin(operation.spec.name)
        try:
            while True:
                try:
                    result = await self._runner.call(operation, identity, binding=binding, options=options)
                except errors.AuthenticationError as problem:
                    other = self._instead_of(identity, operation, problem)
                    if other is None:
                        raise
                    identity = other
                else:
                    break
        finally:
            self._under_way.end(task)
        if is_new and identity is not self._identities[0]:
            # An explicit login on a client without credentials: from now on it calls as that login. Not so after a call
            # that began without an identity before that login came. Of two at once the first one counts.
            if self._identities[0] is not first:
                self._replaced.append(identity)
                raise arguments.another_login(operation)
            self._replaced.append(first)
            self._identities = [identity]
        return result

    async def call_as(
        self,
        identity: Identity,
        operation: Operation[R],
        *,
        binding: Binding | None = None,
        before_send: BeforeSend | None = None,
        bulk: bool = False,
    ) -> R:
        """Call an operation as a chosen identity, for jobs that keep count of what each identity does.

        Args:
            identity: one of `identities`.
            operation: the operation.
            binding: the only binding to use; None for the client's own, or the best that is documented.
            before_send: awaited before each request, when its turn in the pace has come.
            bulk: the call is one of many that can wait: others overtake it, though every other turn is left to it.

        Returns:
            The operation's result.

        Raises:
            errors.RescueError: why there is no result; see `call`.
        """
        task = self._begin(operation.spec.name)
        try:
            priority = Priority.BULK if bulk else Priority.CALL
            return await self._runner.call(
                operation,
                identity,
                binding=binding,
                before_send=before_send,
                priority=priority,
                options=self._options.unbounded() if bulk else self._options,
            )
        finally:
            self._under_way.end(task)

    @asynccontextmanager
    async def _together(
        self, identity: Identity, what: str, options: CallOptions | None = None, turn: PrioritySemaphore | None = None
    ) -> AsyncIterator["Conversation"]:
        """Hold a conversation as an identity; `aclose` waits for it. `what` names it, should the client be closed.

        Conversations with the same `turn` are held one after the other.
        """
        with self._counted(what):
            used, turn = options or self._options, turn or PrioritySemaphore()
            hold = hold_in_time(identity, what, used.max_wait, pacers=self._pacers, clock=self._clock, turn=turn)
            async with hold as held:
                yield Conversation(self._runner, held, used)

    async def _stepwise(
        self, what: str, steps: Callable[[Conversation], AsyncGenerator[R, None]]
    ) -> AsyncGenerator[R, None]:
        """Run a generator that makes calls. `aclose` waits for the step under way, not for the reader of the steps."""
        calls = Conversation(self._runner, self._identities[0], self._options)
        source = steps(calls)
        try:
            while True:
                with self._counted(what):
                    step = await anext(source, None)
                if step is None:
                    return
                yield step
        finally:
            # On a closed client the generator's last calls would fail; the logout has freed what they would free.
            with calls.refuse() if self._closed else self._counted(what):
                await source.aclose()

    @contextmanager
    def _counted(self, what: str) -> Iterator[None]:
        """Count what runs in the context as under way, so that `aclose` waits for it."""
        task = self._begin(what)
        try:
            yield
        except asyncio.CancelledError:
            if not self._under_way.was_interrupted():
                raise
            raise closed_error(what) from None
        finally:
            self._under_way.end(task)

    def _begin(self, what: str) -> "asyncio.Task[Any]":
        """Count one more call that `aclose` waits for. Raises `errors.InvalidRequest` once closed."""
        if self._closed:
            raise closed_error(what)
        return self._under_way.begin(what)

    def _choose(self, operation: Operation[Any]) -> Identity:
        """The identity for an operation: the one whose pace is free soonest, of those that are not set aside."""
        identities = self._identities
        if len(identities) == 1:
            return identities[0]
        if self._choice is None:
            self._choice = IdentityChoice(identities, self._pacers, self._clock)
        return self._choice.soonest(operation)

    def _may_log_in(self, user: str) -> bool:
        """Whether the pace of a user's logins allows one now."""
        return self._pacers.of(PacedAccount(user), Family.LOGINS).ready_at() <= self._clock.time()

    def _instead_of(
        self, identity: Identity, operation: Operation[Any], problem: errors.AuthenticationError
    ) -> Identity | None:
        """Another identity for a call whose own was set aside because of another call; None if all are set aside."""
        if not problem.refused_before or problem.possibly_orphaned or len(self._identities) == 1:
            return None
        other = self._choose(operation)
        return None if other is identity or other.refusal(operation) is not None else other

    @discreetly_awaited
    async def aclose(self, timeout: float = CLOSING) -> None:  # noqa: ASYNC109 - a promised name, and no error
        """Wait for calls in flight and in line, log out of the client's sessions, close what the client opened.

        What takes too long is ended: a call whose request is under way raises `errors.ConnectionFailed`, which counts
        it as possibly orphaned, and one that stands in line raises `errors.InvalidRequest`. Cancelled, the client does
        so at once. A second close does nothing.

        Args:
            timeout: seconds that all of it may take. A tenth of them is kept for logging out.

        Raises:
            errors.InvalidRequest: the timeout is not a number of seconds from 0 on, or the client is in use in another
                event loop.
        """
        if not is_number(timeout) or timeout < 0:
            raise errors.InvalidRequest(f"timeout must be a number of seconds from 0 on, not {timeout!r}")
        if self._closed:
            return
        self._under_way.check_loop("aclose")
        self._under_way.abandon_other_loops()
        self._closed = True
        end = asyncio.get_running_loop().time() + timeout
        try:
            if not await self._under_way.idle(timeout * _FOR_CALLS):
                self._interrupt()
                await self._under_way.idle(timeout - timeout * _FOR_CALLS)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(end):
                    for identity in (*self._identities, *self._replaced):
                        await identity.log_out()
        finally:
            self._interrupt()
            await self._transport.close()
            await self._pacers.aclose()

    def _interrupt(self) -> None:
        """End all calls under way at once, each with an error that says that the client was closed."""
        self._under_way.interrupt(besides=self._transport.interrupt())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, problem_type: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
