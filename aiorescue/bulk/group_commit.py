"""Group commit: writes that wait at one time share one disk sync.

A commit with a sync costs about as much as half a dozen requests, whether it carries one write or fifty. `GroupCommit`
therefore collects the writes that arrive while a commit is under way and commits them together. Commits that would
follow each other too quickly wait a few milliseconds for more writes. All database work happens in one thread of its
own, so the event loop never blocks. `GroupCommit` knows nothing of what is written.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Generic, TypeVar

WriteT = TypeVar("WriteT")

#: Commits per second in the long run, unless they are full: a commit costs as much as half a dozen requests.
COMMITS_PER_SECOND: Final = 200
#: Commits that may follow each other at once after a quiet time.
BURST: Final = 8
#: Writes that make a commit full: it is then not delayed.
FULL: Final = 16


class GroupCommit(Generic[WriteT]):
    """Writes from one event loop, committed in groups by one thread.

    Args:
        loop: the running event loop.
        thread: an executor with exactly one worker.
        commit: called in the thread with all writes of a group; returns one outcome for each write, in order. An
            outcome that is an exception is raised from the await of that write alone; an exception that `commit`
            raises is raised from the await of each write of the group.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        thread: ThreadPoolExecutor,
        commit: Callable[[Sequence[WriteT]], Sequence[Any]],
    ) -> None:
        self._loop = loop
        self._thread = thread
        self._commit = commit
        self._waiting: list[tuple[WriteT, asyncio.Future[Any]]] = []
        self._busy = False  # the thread is committing
        self._timer: asyncio.TimerHandle | None = None  # of a commit that waits for more writes
        self._free_at = 0.0  # loop time from which the next commit need not wait

    def write(self, write: WriteT) -> "asyncio.Future[Any]":
        """Queue a write; the future ends with the write's outcome, once it is on the disk.

        A future and not a coroutine: many writes wait here at a time, and a coroutine more for each has its cost.
        """
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append((write, future))
        if not self._busy and (self._timer is None or len(self._waiting) >= FULL):
            self._schedule()
        return future

    def flush(self) -> None:
        """Hand what waits to the thread now, even behind a commit that is under way."""
        if self._waiting:
            self._start()

    def _schedule(self) -> None:
        """Commit what waits, now or as soon as the rate of commits allows it."""
        early = self._free_at - self._loop.time()
        if early > 0 and len(self._waiting) < FULL:
            self._timer = self._loop.call_later(early, self._start)
        else:
            self._start()

    def _start(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        group, self._waiting = self._waiting, []
        self._busy = True
        now, gap = self._loop.time(), 1 / COMMITS_PER_SECOND
        # Quiet time is credit for BURST commits; a commit that was early, being full, delays the next by one gap.
        self._free_at = min(max(self._free_at, now - BURST * gap) + gap, now + gap)
        done = self._loop.run_in_executor(self._thread, self._commit, [write for write, _ in group])
        done.add_done_callback(lambda done: self._finished(done, [future for _, future in group]))

    def _finished(self, done: "asyncio.Future[Sequence[Any]]", futures: Sequence["asyncio.Future[Any]"]) -> None:
        self._busy = False
        problem = done.exception()
        outcomes = [problem] * len(futures) if problem is not None else done.result()
        for outcome, future in zip(outcomes, futures, strict=True):
            if future.done():  # cancelled; its write stays written
                continue
            if isinstance(outcome, BaseException):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        if self._waiting:
            self._schedule()
