"""What both clients are made of: calling, closing, and operations as methods."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from aiorescue import errors
from aiorescue.call.conversation import Conversation, closed_error
from aiorescue.call.retry import RetryPolicy
from aiorescue.call.runner import BeforeSend, CallRunner
from aiorescue.call.transport import ClientSession, Transport, check_base_url
from aiorescue.clock import Clock, SystemClock
from aiorescue.identity.identity import Identity
from aiorescue.identity.session import hold
from aiorescue.operation import Binding, Operation
from aiorescue.pace.pace import Pacers, PaceSetting
from aiorescue.pace.turns import Priority

P = ParamSpec("P")
R = TypeVar("R")

#: Seconds for one request.
TIMEOUT = 30.0
#: Requests under way at once.
MAX_CONNECTIONS = 100


class ServiceClient:
    """A client of one service. Use it with ``async with``, or call `aclose` at the end."""

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
        relogin: bool,
        allow_plain_http: bool,
        clock: Clock | None,
    ) -> None:
        if timeout <= 0 or max_connections < 1:
            raise errors.InvalidRequest("timeout must be above 0 seconds, and max_connections at least 1")
        self.base_url = check_base_url(base_url, allow_plain_http=allow_plain_http)
        self._clock = clock or SystemClock()
        self._transport = Transport(self.base_url, timeout=timeout, max_connections=max_connections, http=http)
        self._pacers = Pacers(pace, self._clock, self.base_url)
        self._runner = CallRunner(
            self._transport,
            clock=self._clock,
            policy=retry,
            pacers=self._pacers,
            binding=binding,
            relogin=relogin,
        )
        self._identities: Sequence[Identity] = ()
        self._under_way = 0
        self._idle = asyncio.Event()
        self._closed = False

    @property
    def identities(self) -> Sequence[Identity]:
        """Those it calls as, in the order of the credentials."""
        return self._identities

    async def call(self, operation: Operation[R], *, binding: Binding | None = None) -> R:
        """Call an operation given as a value.

        Args:
            operation: what to call.
            binding: use this binding and no other; left out, the client's own if the operation has it, else the
                best that is documented for the operation.

        Returns:
            The operation's result.

        Raises:
            errors.UnsupportedBinding: the operation is not offered on that binding; nothing was sent.
            errors.InvalidRequest: the binding cannot carry a value; nothing was sent.
            errors.RescueError: whatever else went wrong; see `aiorescue.errors`.
        """
        identity = self._choose(operation)
        if self._closed:
            raise closed_error(operation.spec.name)
        self._under_way += 1
        try:
            result = await self._runner.call(operation, identity, binding=binding)
        finally:
            self._end()
        if identity not in self._identities:
            # Somebody has logged in explicitly: from now on the client calls as them.
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
        """Call as one of `identities`, for jobs that keep books on them.

        Args:
            identity: who calls.
            operation: what to call.
            binding: as in `call`.
            before_send: awaited before each try, when its slot has come.
            bulk: one of many: calls that somebody waits for overtake it, though never all the time.
        """
        self._begin(operation.spec.name)
        try:
            priority = Priority.BULK if bulk else Priority.CALL
            return await self._runner.call(
                operation, identity, binding=binding, before_send=before_send, priority=priority
            )
        finally:
            self._end()

    @asynccontextmanager
    async def _together(self, identity: Identity, what: str) -> AsyncIterator["Conversation"]:
        """Several calls on one server session; `aclose` waits for all of them."""
        with self._counted(what):
            async with hold(identity) as held:
                yield Conversation(self._runner, held)

    async def _stepwise(
        self, what: str, steps: Callable[[Conversation], AsyncGenerator[R, None]]
    ) -> AsyncGenerator[R, None]:
        """What takes several calls for a step. `aclose` waits for a step under way, and not for whoever reads."""
        calls = Conversation(self._runner, self._identities[0])
        source = steps(calls)
        try:
            while True:
                with self._counted(what):
                    step = await anext(source, None)
                if step is None:
                    return
                yield step
        finally:
            # Once the client is closed there is nobody to give anything back to; the log-out has done that.
            with calls.refused() if self._closed else self._counted(what):
                await source.aclose()

    @contextmanager
    def _counted(self, what: str) -> Iterator[None]:
        """Under way, as `aclose` sees it."""
        self._begin(what)
        try:
            yield
        finally:
            self._end()

    def _begin(self, what: str) -> None:
        """Something is under way that `aclose` waits for. Raises `errors.InvalidRequest` when it was closed."""
        if self._closed:
            raise closed_error(what)
        self._under_way += 1

    def _end(self) -> None:
        self._under_way -= 1
        if self._closed and not self._under_way:
            self._idle.set()

    def _choose(self, operation: Operation[Any]) -> Identity:
        """Who calls: the identity that is free soonest."""
        identities = self._identities
        return identities[0] if len(identities) == 1 else self._runner.soonest(identities, operation.spec.family)

    async def aclose(self) -> None:
        """Wait for calls in flight, log out what was logged in here, close what was opened here.

        A second close does nothing. Cancelled, it closes the connections at once.
        """
        if self._closed:
            return
        self._closed = True
        try:
            if self._under_way:
                await self._idle.wait()
            for identity in self._identities:
                await identity.end()
        finally:
            await self._transport.close()
            await self._pacers.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
