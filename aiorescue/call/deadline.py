"""A time limit for each of many requests, with one timer for them all.

They all have as much time, so the one that began first runs out first. A timer of its own for each request, as
aiohttp or `asyncio.timeout` would set, costs as much as writing the request and understanding its answer.
"""

import asyncio
from typing import Any

Task = asyncio.Task[Any]


class Deadlines:
    """Cancels what takes too long.

    Args:
        seconds: the limit.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        # When each must be over, the next one first, and how often its task had been cancelled when it began.
        self._under_way: dict[Task, tuple[float, int]] = {}
        self._over: dict[Task, int] = {}  # the same of those that were cancelled here
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> Task:
        """The current task begins a request; `end` must follow."""
        # Told the loop, Python 3.11 need not ask the system for the process id, which is dear in every call.
        loop = self._loop
        task = None if loop is None else asyncio.current_task(loop)
        if loop is None or task is None:
            loop, task = self._bind()
        at = loop.time() + self._seconds
        self._under_way[task] = at, task.cancelling()
        if self._timer is None:
            self._timer = loop.call_at(at, self._run_out)
        return task

    def _bind(self) -> tuple[asyncio.AbstractEventLoop, Task]:
        """The first request, or the first on another event loop: then those of the former are over."""
        self._under_way.clear()
        self.close()
        self._loop = loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type: a coroutine of ours runs in a task
        return loop, task

    def end(self, task: Task) -> None:
        """The request is over."""
        if self._under_way.pop(task, None) is None and self._over.pop(task, None) is not None:
            task.uncancel()  # somebody on the way made something else of the cancellation

    def ran_out(self, task: Task) -> bool:
        """A request was cancelled: whether it was by its limit, and nobody else wants the task to end."""
        before = self._over.pop(task, None)
        return before is not None and task.uncancel() <= before

    def _run_out(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        for task, (at, before) in list(self._under_way.items()):
            if at > loop.time():
                self._timer = loop.call_at(at, self._run_out)
                break
            del self._under_way[task]
            self._over[task] = before
            task.cancel()

    def close(self) -> None:
        """No more requests. Those under way keep their limit."""
        if self._timer is not None and not self._under_way:
            self._timer.cancel()
            self._timer = None
