"""An operation as an awaitable method of a client."""

from collections.abc import Callable, Coroutine
from types import MethodType
from typing import Any, Generic, ParamSpec, Protocol, Self, TypeVar, overload

from aiorescue.operation import Operation

P = ParamSpec("P")
R = TypeVar("R")


class Calls(Protocol):
    """What can call an operation: a client."""

    async def call(self, operation: Operation[R]) -> R:
        """Call the operation, and return its result."""


class awaits(Generic[P, R]):  # noqa: N801 - reads as a verb: close_session = awaits(CloseSession)
    """An operation as an awaitable method, with the operation's own signature and result type."""

    def __init__(self, operation: Callable[P, Operation[R]]) -> None:
        self.operation = operation
        self.__doc__ = operation.__doc__

        async def method(client: Calls, *args: P.args, **kwargs: P.kwargs) -> R:
            return await client.call(operation(*args, **kwargs))

        method.__doc__ = operation.__doc__
        self._method = method

    def __set_name__(self, owner: type, name: str) -> None:
        self._method.__name__, self._method.__qualname__ = name, f"{owner.__qualname__}.{name}"

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: Calls, owner: type) -> Callable[P, Coroutine[Any, Any, R]]: ...
    def __get__(self, client: Calls | None, owner: type) -> Self | Callable[P, Coroutine[Any, Any, R]]:
        """The method of a client; on the class, the descriptor itself."""
        return self if client is None else MethodType(self._method, client)
