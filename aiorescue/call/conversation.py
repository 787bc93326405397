"""Conversations: calls that share one server session."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from aiorescue import errors
from aiorescue.call.options import NO_OPTIONS, CallOptions
from aiorescue.call.runner import CallRunner
from aiorescue.identity.identity import Identity
from aiorescue.operation import Binding, Operation

R = TypeVar("R")


class Conversation:
    """Calls that share one server session; `ServiceClient.aclose` waits for the whole of them.

    Args:
        runner: the call runner of the client.
        identity: the identity that calls, with its session held.
        options: options of the client, or of the view of it, that holds the conversation.
    """

    def __init__(self, runner: CallRunner, identity: Identity, options: CallOptions = NO_OPTIONS) -> None:
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
    def refused(self) -> Iterator[None]:
        """Refuse all further calls, from the beginning of the context on and after its end."""
        self._over = True
        yield


def closed_error(what: str) -> errors.InvalidRequest:
    """Error for a call on a closed client; `what` names the operation."""
    return errors.InvalidRequest("the client is closed; make a new one", operation=what)
