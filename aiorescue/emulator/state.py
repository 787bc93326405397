"""The rules of both services as a state machine, without HTTP: the rooms of `rules`, put together.

A call goes to the room that answers its operation; what no room answers is refused as the service would refuse it.
How a word looks on a binding is the wire's business.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from aiorescue.emulator.people import User
from aiorescue.emulator.rules.call import OK, Call, Limits, RefusedError, Room, Said
from aiorescue.emulator.rules.inforouter.library import Library
from aiorescue.emulator.rules.inforouter.search import Search
from aiorescue.emulator.rules.inforouter.tickets import Tickets
from aiorescue.emulator.rules.inforouter.transfer import Transfer
from aiorescue.emulator.rules.rescue.access import LOGIN_WINDOW, LOGINS, Access
from aiorescue.emulator.rules.rescue.cases import WORDS
from aiorescue.emulator.rules.rescue.hierarchy import Hierarchy
from aiorescue.emulator.rules.rescue.pins import FIRST_PIN, PIN_STEP, PINS, LedgerEntry, Pins
from aiorescue.emulator.rules.rescue.report_settings import ReportSettings
from aiorescue.emulator.rules.rescue.reports import Reports
from aiorescue.emulator.rules.rescue.sessions import FIRST_SESSION, WAITING_SESSIONS, Sessions
from aiorescue.emulator.rules.rescue.users import Users
from aiorescue.operation import Operation, Service
from aiorescue.rescue.service import RESCUE

__all__ = [
    "ANSWERED",
    "FIRST_PIN",
    "FIRST_SESSION",
    "LOGINS",
    "LOGIN_WINDOW",
    "OK",
    "PINS",
    "PIN_STEP",
    "WAITING_SESSIONS",
    "Call",
    "LedgerEntry",
    "Limits",
    "Said",
    "State",
    "User",
    "is_answered",
]

#: Which room answers an operation, and with which of its methods.
ANSWERED = {
    name: (room, method)
    for room in (
        *(Access, Pins, Sessions, Hierarchy, Users, ReportSettings, Reports),
        *(Tickets, Library, Transfer, Search),
    )
    for name, method in room.answered()
}

#: infoRouter's number for what the server could not complete.
_NOT_COMPLETED = 5000


def is_answered(operation: type[Operation[object]]) -> bool:
    """Whether some room answers it; the others are refused."""
    return operation.spec.name in ANSWERED


def _refusal(service: Service, name: str) -> Said:
    """What a service says when it fails without a reason."""
    if service is RESCUE:
        return Said("Error")
    return Said(f"SystemError: {name} is not emulated.", code=_NOT_COMPLETED)


class State:
    """Everything that the emulated services remember."""

    def __init__(self, clock: Callable[[], float], limits: Limits, seed: int = 0) -> None:
        self.clock = clock
        self.limits = limits
        self.seed = seed
        #: The hour at which this state began, in UTC; from there on its own clock counts.
        self.born = datetime.now(UTC)
        self._began = clock()
        self.access = Access(self)
        self.hierarchy = Hierarchy(self)
        self.pins = Pins(self)
        self.cases = Sessions(self)
        self.settings = ReportSettings(self)
        self.tickets = Tickets(self)
        self.library = Library(self)
        rooms: dict[type[Room], Room] = {
            type(room): room
            for room in (
                *(self.access, self.hierarchy, self.pins, self.cases, self.settings, self.tickets, self.library),
                *(Users(self), Reports(self), Transfer(self), Search(self)),
            )
        }
        self._handlers: dict[str, Callable[[Call], Said]] = {
            name: getattr(rooms[room], method) for name, (room, method) in ANSWERED.items()
        }

    def handle(self, call: Call) -> Said:
        """Carry the call out."""
        spec = call.operation.spec
        handler = self._handlers.get(spec.name)
        if handler is None:
            if spec.service is not RESCUE and spec.identity is not None:
                return self._refused(call)
            return _refusal(spec.service, spec.name)
        try:
            return handler(call)
        except RefusedError as refused:
            said = refused.said
        # The pages do not call it an id.
        on_page = call.fields is not None and said.word == "InvalidParam_NodeID"
        return said._replace(word="InvalidParam_Node") if on_page else said

    def _refused(self, call: Call) -> Said:
        """Of infoRouter, which looks at the ticket before it does anything."""
        try:
            self.tickets.caller(call)
        except RefusedError as refused:
            return refused.said
        return _refusal(call.operation.spec.service, call.operation.spec.name)

    # --- time -------------------------------------------------------------------------------------

    def when(self, clock: float) -> datetime:
        """The hour of a time on the emulator's clock, in UTC."""
        return self.born + timedelta(seconds=clock - self._began)

    def now(self) -> datetime:
        """The hour now, in UTC."""
        return self.when(self.clock())

    # --- what tests may look at and do ------------------------------------------------------------

    @property
    def ledger(self) -> list[LedgerEntry]:
        """Every PIN that was issued."""
        return self.pins.ledger

    @property
    def users(self) -> dict[str, User]:
        """Everybody by their e-mail address."""
        return self.access.users

    @property
    def sessions(self) -> dict[int, str]:
        """The state of each session in a word; `cases` holds all of them."""
        return {case.id: WORDS[case.status][1] for case in self.cases.cases.values()}

    def add_user(self, user: User) -> None:
        """Make a user known, with the nodes of their roles."""
        self.access.add(user)
        if not user.deleted:
            self.hierarchy.seat(user)

    def alive(self, cookie: str) -> bool:
        """Whether a server session is known and has not idled away."""
        return self.access.alive(cookie)

    def expire(self, keys: Iterable[str] | None = None) -> int:
        """End server sessions and tickets, these or all; returns how many there were."""
        known = None if keys is None else list(keys)
        return self.access.cookies.end(known) + self.tickets.leases.end(known)
