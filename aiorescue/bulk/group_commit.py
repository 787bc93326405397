"""Group commit: writes that wait at one time share one disk sync.

A commit with a sync costs about as much as half a dozen requests, whether it carries one write or fifty. `GroupCommit`
therefore collects the writes that arrive while a commit is under way and commits them together. Commits that would
follow each other too quickly wait a few milliseconds for more writes, a little longer where many come. A *patient*
write begins no commit of its own if another write that is not patient comes soon, and shares the commit of that one: a
request has two writes, and only the first of them holds up a call. All database work happens in one thread, so that
the event loop never blocks. `GroupCommit` knows nothing of what is written.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Generic, TypeVar

WriteT = TypeVar("WriteT")

#: Seconds between two commits in the long run, unless they are full: a commit costs as much as half a dozen requests.
GAP: Final = 0.005
#: A commit of many writes is followed by a longer gap: seconds for each of its writes, and the longest gap.
GAP_PER_WRITE, LONGEST_GAP = 0.001, 0.010
#: Seconds from the last commit for which patient writes wait for one that is not patient.
PATIENCE: Final = 0.015
#: Commits that may follow each other at once after a quiet time.
BURST: Final = 8
#: Writes that make a commit full: it is then not delayed. With smaller ones the thread competes with the event loop for
#: the interpreter more often: with 32, a PIN without a pace costs an eighth more.
FULL: Final = 48


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
        self._is_urgent = False  # a write that waits is not patient
        self._busy = False  # the thread is committing
        self._timer: asyncio.TimerHandle | None = None  # of a commit that waits for more writes
        self._free_at = 0.0  # loop time from which the next commit need not wait
        self._began_at = 0.0  # loop time of the last commit

    def write(self, write: WriteT, *, patient: bool = False) -> "asyncio.Future[Any]":
        """Queue a write; the future ends with the write's outcome, once it is on the disk.

        A future and not a coroutine: many writes wait here at a time, and a coroutine more for each has its cost.

        Args:
            write: what to write.
            patient: it may wait for up to `PATIENCE` seconds, so that others share its commit.
        """
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append((write, future))
        becomes_urgent = not patient and not self._is_urgent
        if becomes_urgent:
            self._is_urgent = True
        if not self._busy and (becomes_urgent or self._timer is None or len(self._waiting) >= FULL):
            self._schedule()
        return future

    def flush(self) -> None:
        """Hand what waits to the thread now, even behind a commit that is under way."""
        if self._waiting:
            self._start()

    def _schedule(self) -> None:
        """Commit what waits, now or as soon as the rate of commits allows it."""
        due = self._free_at if self._is_urgent else max(self._free_at, self._began_at + PATIENCE)
        if len(self._waiting) >= FULL or due <= self._loop.time():
            self._start()
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._start)

    def _start(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        group, self._waiting = self._waiting, []
        self._busy, self._is_urgent = True, False
        now = self._began_at = self._loop.time()
        gap = min(max(GAP, len(group) * GAP_PER_WRITE), LONGEST_GAP)
        # Quiet time is credit for BURST commits; a commit that was early, being full, delays the next by one gap.
        self._free_at = min(max(self._free_at, now - BURST * GAP) + gap, now + gap)
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
