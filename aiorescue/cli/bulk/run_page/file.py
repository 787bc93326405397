"""`RunPage`: the file that `aiorescue pins --report` names, written while the run is under way and at its end."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Final

from aiorescue.cli.bulk.run_page.page import Ending, RunFacts, page
from aiorescue.cli.bulk.run_page.record import RunRecord
from aiorescue.cli.bulk.tally import Tally
from aiorescue.cli.sheet import write_whole

#: Seconds between two pages while the run is under way.
INTERVAL: Final = 10
#: Seconds to wait for a page that is being written when the process is about to end.
_PATIENCE: Final = 5.0


class RunPage:
    """The page about a run. It is replaced as a whole each time, and only the owner may read a new one.

    Attributes:
        record: listens to the client and the job.
        problem: why the last page could not be written; None if it was, or if none was due.
        is_written: whether the last page is on the disk.

    Args:
        path: the file.
        facts: what is known of the run from its beginning.
        interval: seconds between two pages while the run is under way.
    """

    def __init__(self, path: Path, facts: RunFacts, *, interval: int = INTERVAL) -> None:
        self.path = path
        self.record = RunRecord()
        self.problem: OSError | None = None
        self.is_written = False
        self._facts = facts
        self._interval = interval
        self._writing = threading.Lock()
        self._wrote = time.monotonic()

    async def write_if_due(self, tally: Tally) -> None:
        """Write the page of a run under way, unless the last one is young. A failure shows in `problem`."""
        if time.monotonic() - self._wrote >= self._interval:
            self._wrote = time.monotonic()
            text = page(self._facts, self.record, tally, Ending(), again=self._interval)
            await asyncio.shield(asyncio.create_task(asyncio.to_thread(self._put, text)))

    def finish(self, tally: Tally, ending: Ending) -> None:
        """Write the page of a run that has ended. Blocks; a failure shows in `problem`.

        A run that never came to its rows leaves the page of an earlier one as it is.
        """
        if tally.is_begun:
            self._put(page(self._facts, self.record, tally, ending))

    def _put(self, text: str) -> None:
        # One page at a time. If another one hangs in a file system, this one is not worth hanging for, too.
        if not self._writing.acquire(timeout=_PATIENCE):
            return
        try:
            write_whole(self.path, text)
        except OSError as problem:
            self.problem, self.is_written = problem, False
        else:
            self.problem, self.is_written = None, True
        finally:
            self._writing.release()
