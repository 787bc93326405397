"""Values of long answers that Python's garbage collector need not look at.

The collector looks for cycles. From time to time it looks at every container there is, and stops all threads: a
list of 100,000 records holds the event loop for twenty milliseconds, again and again. What an answer is decoded to is
made of texts, numbers and times, and no part of it holds what it is part of, so that there is no cycle to be found.
CPython itself stops looking at tuples and dicts of such values; the functions here make it stop looking at the rest.
All of them are freed as ever, when the last reference to them is gone.
"""

import gc
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, Final, TypeVar

T = TypeVar("T")

#: Values of one list, or characters of an answer, that are left to the collector: it takes less than a millisecond.
FEW: Final = 4_096


@cache
def _untrack() -> Callable[[Any], object]:
    """CPython's function that takes an object from its collector; one that does nothing on other Pythons."""
    try:
        import ctypes  # noqa: PLC0415 - takes three milliseconds, and only long answers need it

        return ctypes.PYFUNCTYPE(None, ctypes.py_object)(("PyObject_GC_UnTrack", ctypes.pythonapi))
    except (ImportError, AttributeError):
        return id


def untracked(value: T) -> T:
    """Take a value from the collector, and return it: one that can never be a part of a cycle."""
    if gc.is_tracked(value):  # the function must not be given what the collector cannot have, such as a text
        _untrack()(value)
    return value


def like(source: object, value: T) -> T:
    """Take a value from the collector if `source`, of which it was made, was taken from it; returns the value."""
    return value if gc.is_tracked(source) else untracked(value)


def beyond_few(values: Iterable[T]) -> Iterator[T]:
    """Yield values, and take from the collector those behind the first few thousand."""
    for number, value in enumerate(values):
        yield value if number < FEW else untracked(value)


def as_tuple(values: Iterable[T]) -> tuple[T, ...]:
    """Make a tuple of values; of a long one the collector sees the first few thousand values alone."""
    found = tuple(beyond_few(values))
    return found if len(found) <= FEW else untracked(found)


def take_apart(held: object) -> None:
    """Free what a dict or list holds one by one: freed at once, a million texts would hold up all threads."""
    if isinstance(held, dict):
        for value in held.values():
            take_apart(value)
        held.clear()
    elif isinstance(held, list):
        while held:
            take_apart(held.pop())
