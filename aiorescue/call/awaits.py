"""Operations as awaitable methods of a client: ``close_session = awaits(CloseSession)``."""

import inspect
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Concatenate, ParamSpec, Protocol, TypeVar, get_args, get_origin

from aiorescue.operation import Operation

P = ParamSpec("P")
R = TypeVar("R")


class Calls(Protocol):
    """The part of a client that the methods made by `awaits` need."""

    async def call(self, operation: Operation[R]) -> R:
        """Call the operation, and return its result."""


def awaits(operation: Callable[P, Operation[R]]) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    """Make a method that calls an operation, with the operation's own parameters, docstring and result.

    The method is a plain coroutine function, on the class as on the instance, so that `inspect`, `help()`,
    ``AsyncMock(spec=…)`` and editors see what it is. Its attribute ``operation`` is the operation type. Name and
    signature are set by `name_methods`, when the name in the class is known.

    Args:
        operation: the operation type.

    Raises:
        TypeError: the class is no complete operation type; the message says what it lacks.
    """
    _check_type(operation)

    async def method(client: Calls, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            called = operation(*args, **kwargs)
        finally:
            del args, kwargs  # in a traceback they would show a password
        return await client.call(called)

    method.__doc__ = operation.__doc__
    method.operation = operation  # type: ignore[attr-defined]
    return method


def _check_type(operation: Any) -> None:
    # Without these the first value of the class would fail, with a message about arguments or attributes.
    if "__attrs_attrs__" not in vars(operation):
        raise TypeError(f"{operation.__name__} is no operation type: put @operation above the class")
    if not hasattr(operation, "spec"):
        raise TypeError(f"{operation.__name__} has no declaration: add spec = declare(…) to the class")


def operations_of(client: type) -> dict[str, type[Operation[Any]]]:
    """The operation types that a client class has methods for, by the names of the methods, in their order."""
    return {name: method.operation for name, method in vars(client).items() if hasattr(method, "operation")}


def name_methods(client: type) -> None:
    """Give the methods that `awaits` made for a client class their names and signatures."""
    for name, operation in operations_of(client).items():
        method = vars(client)[name]
        method.__name__, method.__qualname__, method.__module__ = (
            name,
            f"{client.__qualname__}.{name}",
            client.__module__,
        )
        # Of the function itself, with its `self`: through the class it would take twice as long, for 69 methods.
        own = inspect.signature(operation.__init__).parameters.values()
        parameters = [
            inspect.Parameter(one.name, one.kind, default=one.default, annotation=_plain(one.annotation)) for one in own
        ]
        result = _result_of(operation)
        method.__signature__ = inspect.Signature(parameters, return_annotation=result)
        method.__annotations__ = {**{one.name: one.annotation for one in parameters[1:]}, "return": result}


def _plain(annotation: Any) -> Any:
    """The type in an annotation, without the `Parameter` that says how the wire carries it."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _result_of(operation: type[Operation[Any]]) -> Any:
    """The R of ``Operation[R]`` that an operation type, or else the nearest of its bases, declares."""
    for base in operation.__mro__:
        for declared in vars(base).get("__orig_bases__", ()):
            origin, given = get_origin(declared), get_args(declared)
            if isinstance(origin, type) and issubclass(origin, Operation) and not isinstance(given[0], TypeVar):
                return None if given[0] is type(None) else given[0]
    return Any
