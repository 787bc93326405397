"""Time limits for many requests with a single timer.

All requests of a client have an equal limit, so the one that began first runs out first, and one timer for the first
is enough. A timer for each request, as aiohttp or `asyncio.timeout` would set, costs as much as writing the request and
understanding its answer.
"""

import asyncio
from typing import Any

Task = asyncio.Task[Any]


class Deadlines:
    """Cancels the task of a request that takes longer than the limit.

    Args:
        seconds: the limit of each request.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        # For each task the moment when its request must be over, the earliest first, and how often the task had been
        # cancelled when the request began.
        self._under_way: dict[Task, tuple[float, int]] = {}
        self._over: dict[Task, int] = {}  # of tasks that were cancelled here: cancellations before the request
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> Task:
        """Begin the limit of a request that the current task makes; `end` must follow with the task returned."""
        # `current_task` without a loop asks the system for the process id in Python 3.11: too dear for every call.
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
        """Take over the running event loop, at the first request or at the first on another loop than before."""
        self._under_way.clear()
        self.close()
        self._loop = loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type: a coroutine of ours runs in a task
        return loop, task

    def end(self, task: Task) -> None:
        """End the limit of the request that the task made."""
        if self._under_way.pop(task, None) is None and self._over.pop(task, None) is not None:
            task.uncancel()  # the CancelledError was swallowed or converted before it reached `ran_out`

    def ran_out(self, task: Task) -> bool:
        """Whether the CancelledError of a request came from its limit alone, so that the task may go on."""
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
        """Stop the timer, unless requests are under way: those keep their limit."""
        if self._timer is not None and not self._under_way:
            self._timer.cancel()
            self._timer = None
