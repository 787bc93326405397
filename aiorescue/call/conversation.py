"""Conversations: calls that share one server session."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TypeVar

from aiorescue import errors
from aiorescue.call.options import CallOptions
from aiorescue.call.runner import CallRunner
from aiorescue.clock import Clock
from aiorescue.identity.identity import Identity
from aiorescue.identity.login import hold
from aiorescue.operation import Binding, Family, Operation
from aiorescue.pace.pace import Pacers
from aiorescue.pace.patience import Patience, QueuedTooLongError
from aiorescue.pace.turns import Priority, PrioritySemaphore

R = TypeVar("R")


class Conversation:
    """Calls that share one server session; `ServiceClient.aclose` waits for the whole of them.

    Args:
        runner: the call runner of the client.
        identity: the identity that calls, with its session held.
        options: options of the client, or of the view of it, that holds the conversation.
    """

    def __init__(self, runner: CallRunner, identity: Identity, options: CallOptions) -> None:
        self._runner = runner
        self._identity = identity
        self._options = options
        self._over = False

    async def call(self, operation: Operation[R], *, binding: Binding | None = None) -> R:
        """Call an operation in the shared session.

        Args:
            operation: what to call.
            binding: the only binding to use; None for the client's preferred one.

        Raises:
            errors.InvalidRequest: the client was closed, or the operation cannot be sent.
            errors.RescueError: why there is no result.
        """
        if self._over:
            raise closed_error(operation.spec.name)
        return await self._runner.call(operation, self._identity, binding=binding, options=self._options)

    @contextmanager
    def refuse(self) -> Iterator[None]:
        """Refuse all further calls, from the beginning of the context on and after its end."""
        self._over = True
        yield


@asynccontextmanager
async def hold_in_time(
    identity: Identity, what: str, max_wait: float | None, *, pacers: Pacers, clock: Clock, turn: PrioritySemaphore
) -> AsyncIterator[Identity]:
    """The identity of a conversation, as `hold` gives it, once the conversation's turn has come.

    Args:
        identity: the identity.
        what: names the conversation.
        max_wait: seconds that the conversation may wait to begin; None for any time.
        pacers: the client's pacers.
        clock: the client's clock.
        turn: the place of the conversations that run one after the other.

    Raises:
        errors.QueueTimeout: its turn did not come within `max_wait` seconds, or no server session was free.
    """
    async with AsyncExitStack() as stack:
        if max_wait is None:
            await stack.enter_async_context(turn)
            yield await stack.enter_async_context(hold(identity))
            return
        patience = Patience(max_wait, clock)
        try:
            await patience.place(turn, Priority.CALL, f"another {what} of {identity.name} is under way")
            stack.callback(turn.release)
            wait = stack.enter_async_context(hold(identity))
            held = await patience.within(wait, pacers.of(identity.account, Family.LOGINS))
        except QueuedTooLongError as problem:
            raise errors.QueueTimeout(
                f"{what}: {problem.explain(max_wait)}",
                operation=what,
                position=problem.position,
                expected_wait=problem.expected_wait,
            ) from None
        yield held


def closed_error(what: str) -> errors.InvalidRequest:
    """Error for a call on a closed client; `what` names the operation."""
    return errors.InvalidRequest("the client is closed; make a new one", operation=what)
