"""`UnderWay`: the calls and conversations that a client waits for, or interrupts, when it is closed."""

import asyncio
from contextlib import suppress
from threading import get_ident

from aiorescue import errors
from aiorescue.call.deadline import Task

OTHER_LOOP = "the client is in use in another event loop, which is still running; make a client for each loop"
_LEFT_BEHIND = "calls of the client were left under way in an event loop that does not run any more; make a new client"


class UnderWay:
    """The tasks that have calls or conversations under way, which `ServiceClient.aclose` waits for or interrupts."""

    def __init__(self) -> None:
        # For each task how many calls and conversations enclose each other, and how often it had been cancelled before.
        self._tasks: dict[Task, tuple[int, int]] = {}
        self._interrupted: dict[Task, int] = {}  # how often each had been cancelled before
        self._waiting: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None  # that of the last call
        self._thread = 0  # that in which it ran

    def __len__(self) -> int:
        """How many tasks have calls or conversations under way."""
        return len(self._tasks)

    def begin(self, what: str) -> Task:
        """Begin a call or a conversation of the current task; `end` must follow with the task returned.

        Args:
            what: the operation, or a name of the conversation.

        Raises:
            errors.InvalidRequest: the client is in use in another event loop, or was left in one. A call that waited in
                one loop for what comes free in the other would never hear of it.
        """
        # Without a loop `current_task` asks the system for the process id in Python 3.11, which is slow. A loop with a
        # current task runs, and no other one runs in its thread.
        loop = self._loop
        task = None if loop is None or get_ident() != self._thread else asyncio.current_task(loop)
        if task is None:
            task = self._move(what)
        known = self._tasks.get(task)
        self._tasks[task] = (1, task.cancelling()) if known is None else (known[0] + 1, known[1])
        return task

    def _move(self, what: str) -> Task:
        """The current task, in another event loop or thread than at the last call. Raises as `begin`."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type: a coroutine of ours runs in a task
        if (loop := task.get_loop()) is not self._loop:
            self.check_loop(what)
            if self._tasks:
                raise errors.InvalidRequest(f"{what}: {_LEFT_BEHIND}", operation=what)
        self._loop, self._thread = loop, get_ident()
        return task

    def check_loop(self, what: str) -> None:
        """Raise `errors.InvalidRequest` if the client is in use in another event loop; `what` names the use."""
        if self._loop is not asyncio.get_running_loop() and self._loop is not None and self._loop.is_running():
            raise errors.InvalidRequest(f"{what}: {OTHER_LOOP}", operation=what)

    def abandon_other_loops(self) -> None:
        """Forget the tasks of event loops that do not run any more: they never end."""
        loop = asyncio.get_running_loop()
        for task in [task for task in self._tasks if task.get_loop() is not loop]:
            del self._tasks[task]

    def end(self, task: Task) -> None:
        """End the call or conversation that the task began last."""
        if task not in self._tasks:
            return  # it was left behind in another event loop, and is collected as garbage
        depth, before = self._tasks[task]
        if depth > 1:
            self._tasks[task] = depth - 1, before
            return
        del self._tasks[task]
        if self._interrupted.pop(task, None) is not None:
            task.uncancel()  # the CancelledError was swallowed or converted before it reached `was_interrupted`
        if self._waiting is not None and not self._tasks and not self._waiting.done():
            self._waiting.set_result(None)

    async def idle(self, timeout: float) -> bool:  # noqa: ASYNC109 - a limit that is no error
        """Wait until nothing is under way. Returns False if that takes longer than the timeout in seconds."""
        if self._tasks:
            self._waiting = asyncio.get_running_loop().create_future()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._waiting
        return not self._tasks

    def interrupt(self, *, besides: set[Task]) -> None:
        """Cancel all tasks but `besides`; `was_interrupted` tells their calls that the program did not cancel them."""
        for task, (_, before) in self._tasks.items():
            if task not in besides and task not in self._interrupted and task is not asyncio.current_task():
                self._interrupted[task] = before
                task.cancel()

    def was_interrupted(self) -> bool:
        """Whether the CancelledError that the current task handles comes from `interrupt` alone, so that it may go on.

        It returns True once for each interruption.
        """
        task = asyncio.current_task()
        before = None if task is None else self._interrupted.pop(task, None)
        return task is not None and before is not None and task.uncancel() <= before
