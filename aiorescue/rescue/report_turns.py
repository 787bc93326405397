"""`ReportTurns`: which identity gets a report, and the turn of the report among those of that identity."""

from collections.abc import Sequence
from typing import Any

from aiorescue.identity.identity import Identity
from aiorescue.operation import Operation
from aiorescue.pace.loop_lock import LoopLock
from aiorescue.pace.pace import Pacers
from aiorescue.pace.turns import Priority, PrioritySemaphore


class ReportTurns:
    """The turns of one client's reports.

    The service may keep the settings of a report for the user, so each identity gets one report at a time.
    """

    def __init__(self) -> None:
        self._locks: dict[Identity, LoopLock] = {}

    def of(self, identity: Identity) -> PrioritySemaphore:
        """The turn of the reports that an identity gets: one place."""
        return self._locks.setdefault(identity, LoopLock()).here()

    def soonest(self, identities: Sequence[Identity], operation: Operation[Any], pacers: Pacers) -> Identity:
        """The identity that has the fewest reports before one more; of several, the one whose pace is free soonest.

        One that the service refuses is chosen only if it refuses all of them.
        """

        def before(identity: Identity) -> tuple[int, float]:
            # The pace alone does not know: a report sends its settings before it takes its turn there.
            pacer = pacers.of(identity.account, operation.spec.family)
            return self.of(identity).ahead(Priority.CALL), pacer.ready_at()

        return min([one for one in identities if one.refusal(operation) is None] or identities, key=before)
