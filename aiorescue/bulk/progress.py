"""`Progress`: counts what becomes of the requests of a job, and makes the events of it."""

from typing import Any

from aiorescue import logs
from aiorescue.bulk.issued import Issued
from aiorescue.bulk.outage import Breaker
from aiorescue.events import Hub, JobProgressed, OutageBegan, OutageEnded


class Progress:
    """Counts the results of one run, and gives listeners the events of the job.

    Args:
        job: name of the job.
        hub: the listeners.
    """

    def __init__(self, job: str, hub: Hub) -> None:
        self._job = job
        self._hub = hub
        self._is_heard = hub.has_others_than(logs.log_event)
        self._issued = self._from_journal = self._failed = self._orphans = 0
        self._outage_began: float | None = None

    def count(self, result: Issued[Any], now: float) -> None:
        """Count one more result, and make its event."""
        pin, error = result.pin, result.error
        if pin is None:
            self._failed += 1
            self._orphans += error.possibly_orphaned if error is not None else 0
        else:
            self._orphans += pin.possibly_orphaned
            if result.resumed:
                self._from_journal += 1
            else:
                self._issued += 1
        if self._is_heard or logs.writes_progress(self._issued + self._from_journal + self._failed):
            self._hub.emit(
                JobProgressed(
                    at=now,
                    job=self._job,
                    issued=self._issued,
                    from_journal=self._from_journal,
                    failed=self._failed,
                    possibly_orphaned=self._orphans,
                    pin=pin is not None and not result.resumed,
                    error=None if error is None else type(error).__name__,
                    status=None if error is None else error.status,
                )
            )

    def outage_began(self, breaker: Breaker, now: float) -> None:
        """Make the event of an outage, unless it was made before."""
        if self._outage_began is None and breaker.error is not None:
            self._outage_began = breaker.began
            self._hub.emit(OutageBegan(at=now, job=self._job, error=str(breaker.error), patience=breaker.patience))

    def outage_ended(self, now: float) -> None:
        """Make the event of a service that answers again, if one was made of the outage."""
        if self._outage_began is not None:
            seconds, self._outage_began = now - self._outage_began, None
            self._hub.emit(OutageEnded(at=now, job=self._job, seconds=seconds))
