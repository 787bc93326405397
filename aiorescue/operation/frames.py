"""Frames: what the traceback of an exception still knows of the functions that it passed through.

Error trackers, debuggers and ``pytest -l`` print the local variables of each frame of a traceback. Those of a call hold
what was sent (passwords, codes, tickets, cookies), in functions of ours as in those of the HTTP library. Where an
exception leaves a call, the variables of the frames below are forgotten: the traceback goes on to show file, line and
function, and none of the values.
"""

import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from functools import wraps
from traceback import clear_frames
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
E = TypeVar("E", bound=BaseException)
C = TypeVar("C", bound=type)


def forget(problem: E) -> E:
    """Forget the local variables of all functions that an exception, its causes and its contexts have passed through.

    Call it behind the ``except`` clause that caught the exception, not inside of it: then the exception that the
    calling program is handling, which is a context of this one, is left as it is.

    Args:
        problem: an exception that has been caught.

    Returns:
        The exception.
    """
    handled = sys.exception()
    known: set[int] = set()
    ahead: list[BaseException | None] = [problem]
    while ahead:
        one = ahead.pop()
        if one is None or one is handled or id(one) in known:
            continue
        known.add(id(one))
        clear_frames(one.__traceback__)
        if one.__suppress_context__ and one.__context__ is not handled:
            one.__context__ = None  # it is not shown anyway, and its message may quote anything
        ahead += one.__cause__, one.__context__
        if isinstance(one, BaseExceptionGroup):
            ahead += one.exceptions
    return problem


def discreet(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function whose exceptions carry neither its arguments nor any other local variable.

    Args:
        function: the function, such as an ``__init__`` that takes a password.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except Exception as problem:  # noqa: BLE001 - raised again below
            failure = problem
        del args, kwargs
        try:
            raise forget(failure)
        finally:
            del failure  # it would hold this frame, which holds it

    return call


def discreetly_awaited(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Make a coroutine function whose exceptions, cancellation included, carry no local variable.

    Args:
        function: the coroutine function.
    """

    @wraps(function)
    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        coroutine = function(*args, **kwargs)
        del args, kwargs
        try:
            return await coroutine
        except BaseException as problem:  # noqa: BLE001 - raised again below
            failure = problem
        try:
            raise forget(failure)
        finally:
            del failure

    return call


def discreetly_iterated(function: Callable[P, AsyncIterator[R]]) -> Callable[P, AsyncIterator[R]]:
    """Make an async generator function whose exceptions carry no local variable.

    Args:
        function: the async generator function.
    """

    @wraps(function)
    async def iterate(*args: P.args, **kwargs: P.kwargs) -> AsyncIterator[R]:
        generator: Any = function(*args, **kwargs)
        del args, kwargs
        try:
            async with aclosing(generator):
                async for one in generator:
                    yield one
        except BaseException as problem:  # noqa: BLE001 - raised again below
            failure = problem
        else:
            return
        try:
            raise forget(failure)
        finally:
            del failure

    return iterate


def discreetly_made(cls: C) -> C:
    """Make a class of which a refused value shows no argument in the traceback, such as a password."""
    cls.__init__ = discreet(cls.__init__)  # type: ignore[misc]
    return cls


class Veiled:
    """A wrapper that hides a value, which may hold secrets, from tools that print the local variables of a coroutine.

    Args:
        value: the hidden value.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value
