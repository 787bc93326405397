"""Cancellation at a chosen suspension: the one place in a coroutine's life where a cancelled task can be hit."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any


class CancelledAt:
    """A coroutine that cancels its own task when it is suspended for the n-th time, and perhaps at each later one.

    Args:
        work: the coroutine; it must be awaited in a task of its own.
        number: which suspension, 1 for the first.
        after_result: cancel only when what the suspension waits for has happened, before the task hears of it.
        again: cancel at each later suspension, too, as AnyIO does.

    Attributes:
        reached: whether the coroutine was suspended so often.
    """

    def __init__(self, work: Coroutine[Any, Any, Any], number: int, *, after_result: bool, again: bool = False) -> None:
        self._work = work
        self._number = number
        self._after_result = after_result
        self._again = again
        self.reached = False

    async def run(self) -> Any:
        """Await the coroutine."""
        return await self

    def __await__(self) -> Generator[Any, None, Any]:
        inner = self._work.__await__()
        step: Callable[[], Any] = partial(next, inner)
        count = 0
        while True:
            try:
                waited_for = step()
            except StopIteration as end:
                return end.value
            count += 1
            if count == self._number or (self._again and count > self._number):
                self.reached = True
                self._cancel(waited_for)
            try:
                yield waited_for
            except BaseException as problem:  # noqa: BLE001 - it is the coroutine's to handle
                step = partial(inner.throw, problem)
            else:
                step = partial(next, inner)

    def _cancel(self, waited_for: object) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self._after_result and isinstance(waited_for, asyncio.Future):
            waited_for.add_done_callback(lambda _: task.cancel())
        else:
            task.cancel()
