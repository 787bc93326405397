"""Operations as awaitable methods of a client: ``close_session = awaits(CloseSession)``."""

import inspect
from collections.abc import Callable, Coroutine, Iterator
from functools import cached_property
from importlib import import_module
from types import FunctionType
from typing import Annotated, Any, Concatenate, ParamSpec, Protocol, TypeVar, get_args, get_origin

from aiorescue.operation import Operation

P = ParamSpec("P")
R = TypeVar("R")


class Calls(Protocol):
    """The part of a client that the methods made by `awaits` need."""

    async def call(self, operation: Operation[R]) -> R:
        """Call the operation, and return its result."""


class Topic:
    """A module of operations that is imported when the first of them is used.

    Its attributes stand for those of the module: `awaits` takes them for operation types, and they can be called.

    Args:
        module: the dotted name of the module.
    """

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> "Later":
        return Later(self._module, name)


def topics(package: str, *names: str) -> Iterator[Topic]:
    """The modules of a package by their names, each to be imported when it is first used."""
    return (Topic(f"{package}.{name}") for name in names)


class Later:
    """A class or function of a module that is imported when it is first used."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def get(self) -> Any:
        """The class or function itself."""
        return getattr(import_module(self._module), self._name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it with these arguments."""
        try:
            return self.get()(*args, **kwargs)
        finally:
            del args, kwargs  # in a traceback they would show a password


def awaits(operation: Callable[P, Operation[R]]) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    """Make a method that calls an operation, with the operation's own parameters, docstring and result.

    The method is a plain coroutine function, on the class as on the instance, so that `inspect`, `help()`,
    ``AsyncMock(spec=…)`` and editors see what it is. Its attribute ``operation`` is the operation type. It is made when
    it is first looked up.

    Args:
        operation: the operation type, or one of a `Topic`.

    Raises:
        TypeError: the class is no complete operation type; the message says what it lacks.
    """
    if not isinstance(operation, Later):
        _check_type(operation)
    return _Method(operation)


class _Method:
    """A method of a client class until it is first looked up. The function that it makes then takes its place.

    `unittest.mock.patch` and others take what they find in the class without looking it up, so it passes for the
    function in all that they ask.
    """

    __class__ = property(lambda _: FunctionType)  # for `isinstance`

    def __init__(self, operation: Any) -> None:
        self._operation = operation

    def __set_name__(self, client: type, name: str) -> None:
        self._client, self._name = client, name

    @property
    def operation(self) -> type[Operation[Any]]:
        """The operation type that the method calls."""
        found: type[Operation[Any]] = self._operation
        if isinstance(self._operation, Later):
            found = self._operation.get()
            _check_type(found)
        return found

    @cached_property
    def _function(self) -> Any:
        return _method(self.operation, self._client, self._name)

    def __get__(self, instance: object, client: type) -> Any:
        if vars(self._client).get(self._name) is self:
            setattr(self._client, self._name, self._function)
        return self._function.__get__(instance, client)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)


def _method(operation: Any, client: type, name: str) -> Any:
    """The coroutine function that calls an operation, as a method of a client class."""

    async def method(client: Calls, /, *args: Any, **kwargs: Any) -> Any:
        try:
            called = operation(*args, **kwargs)
        finally:
            del args, kwargs  # in a traceback they would show a password
        return await client.call(called)

    made: Any = method
    made.__doc__, made.operation = operation.__doc__, operation
    made.__name__, made.__qualname__, made.__module__ = name, f"{client.__qualname__}.{name}", client.__module__
    # Of the function itself, with its `self`: through the class it would take twice as long.
    own = inspect.signature(operation.__init__).parameters.values()
    parameters = [
        inspect.Parameter(one.name, one.kind, default=one.default, annotation=_plain(one.annotation)) for one in own
    ]
    result = _result_of(operation)
    made.__signature__ = inspect.Signature(parameters, return_annotation=result)
    made.__annotations__ = {**{one.name: one.annotation for one in parameters[1:]}, "return": result}
    return made


def _check_type(operation: Any) -> None:
    # Checked here: otherwise the first value of the class would fail, with a message about arguments or attributes.
    if "__attrs_attrs__" not in vars(operation):
        raise TypeError(f"{operation.__name__} is no operation type: put @operation above the class")
    if not hasattr(operation, "spec"):
        raise TypeError(f"{operation.__name__} has no declaration: add spec = declare(…) to the class")


def operations_of(client: type) -> dict[str, type[Operation[Any]]]:
    """The operation types that a client class has methods for, by the names of the methods, in their order."""
    return {name: method.operation for name, method in vars(client).items() if hasattr(method, "operation")}


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
