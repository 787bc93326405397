"""Time limits for many requests with a single timer.

All requests of a client have an equal limit, so the one that began first runs out first, and one timer for the first
is enough. A timer for each request, as aiohttp or `asyncio.timeout` would set, costs as much as writing the request and
understanding its answer.
"""

import asyncio
from typing import Any

Task = asyncio.Task[Any]


#: Seconds by which a timer goes off too late if the event loop was blocked.
_BLOCKED = 0.01
#: Turns of the event loop between the end of a limit and the cancellation, in which what lies in the socket is read.
_GRACE = 200


class Deadlines:
    """Cancels the task of a request that takes longer than the limit.

    While the event loop is blocked, neither is a request sent nor an answer read. So if it was blocked at the end of a
    limit, a request has as much time again as the end came too late, once and up to the limit. An answer that lies in
    the socket is taken and not thrown away.

    Args:
        seconds: the limit of each request.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        # For each task the moment when its request must be over, the earliest first, how often the task had been
        # cancelled when the request began, and whether it was given more time.
        self._under_way: dict[Task, tuple[float, int, bool]] = {}
        self._unlimited: dict[Task, int] = {}  # of requests without a limit: cancellations before the request
        self._over: dict[Task, int] = {}  # of tasks that were cancelled here: cancellations before the request
        self._timer: asyncio.Handle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return not (self._under_way or self._unlimited or self._over)

    def begin(self, *, limited: bool = True) -> Task:
        """Begin a request that the current task makes; `end` must follow with the task returned.

        Args:
            limited: the request has the limit; one without it ends with `run_out` alone.
        """
        # `current_task` without a loop asks the system for the process id in Python 3.11: too costly for every call.
        loop = self._loop
        task = None if loop is None else asyncio.current_task(loop)
        if loop is None or task is None:
            loop, task = self._bind()
        if not limited:
            self._unlimited[task] = task.cancelling()
            return task
        at = loop.time() + self._seconds
        self._under_way[task] = at, task.cancelling(), False
        if self._timer is None:
            self._timer = loop.call_at(at, self._expire)
        return task

    def _bind(self) -> tuple[asyncio.AbstractEventLoop, Task]:
        """Take over the running event loop, at the first request or at the first on another loop than before."""
        self._under_way.clear()
        self._unlimited.clear()
        self.close()
        self._loop = loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type: a coroutine of ours runs in a task
        return loop, task

    def end(self, task: Task) -> None:
        """End the request that the task made."""
        if (
            self._under_way.pop(task, None) is None
            and self._unlimited.pop(task, None) is None
            and self._over.pop(task, None) is not None
        ):
            task.uncancel()  # the CancelledError was swallowed or converted before it reached `ran_out`

    def ran_out(self, task: Task) -> bool:
        """Whether the CancelledError of a request was made here alone, so that the task may go on."""
        before = self._over.pop(task, None)
        return before is not None and task.uncancel() <= before

    def run_out(self) -> set[Task]:
        """Cancel the tasks of all requests under way, with a limit or without.

        Returns:
            These tasks, and those that were cancelled at their limit and have not run since.
        """
        under_way = {task: before for task, (_, before, _) in self._under_way.items()} | self._unlimited
        self._under_way.clear()
        self._unlimited.clear()
        if self._loop is not asyncio.get_running_loop():
            return set()  # tasks of an event loop that does not run any more are left behind
        for task, before in under_way.items():
            self._cancel(task, before)
        return set(self._over)

    def _expire(self, due: float | None = None, turns: int = 0) -> None:
        """Cancel the tasks whose limit is over, after some turns of the event loop; wait for the next limit.

        Args:
            due: the moment up to which limits are over; None for now.
            turns: how many turns there have been since.
        """
        loop = asyncio.get_running_loop()
        if due is None:
            due = loop.time()
            self._extend(due)
        self._timer = None
        for task, (at, before, _) in list(self._under_way.items()):
            if at > due:
                self._timer = loop.call_at(at, self._expire)
                break
            if turns < _GRACE:
                self._timer = loop.call_soon(self._expire, due, turns + 1)
                break
            del self._under_way[task]
            self._cancel(task, before)

    def _extend(self, now: float) -> None:
        """Give the requests under way more time, once each, if the loop was blocked when the first limit ended."""
        blocked = min(now - next(iter(self._under_way.values()), (now,))[0], self._seconds)
        if blocked > _BLOCKED:
            extended = (
                (task, (at if was else min(max(at, now) + blocked, now + self._seconds), before, True))
                for task, (at, before, was) in self._under_way.items()
            )
            self._under_way = dict(sorted(extended, key=lambda one: one[1][0]))

    def _cancel(self, task: Task, before: int) -> None:
        self._over[task] = before
        task.cancel()

    def close(self) -> None:
        """Stop the timer, unless requests are under way: those keep their limit."""
        if self._timer is not None and not self._under_way:
            self._timer.cancel()
            self._timer = None
