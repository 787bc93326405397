"""The state of Rescue and infoRouter as one object: makes and wires the rules, and hands calls to them.

The dependencies between the rules go one way, in the order in which `EmulatorState` makes them. An operation without a
rule is refused as the service would refuse it. How a result looks on a binding is decided elsewhere (`soap`, `asmx`,
`pages`).
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

from aiorescue.emulator.clock import Calendar
from aiorescue.emulator.people import EmulatedUser
from aiorescue.emulator.rules.call import NOT_COMPLETED, Limits, ReceivedCall, Refusal, Result, Rules
from aiorescue.emulator.rules.inforouter.library import Library
from aiorescue.emulator.rules.inforouter.search import Search
from aiorescue.emulator.rules.inforouter.tickets import Tickets
from aiorescue.emulator.rules.inforouter.transfer import Transfer
from aiorescue.emulator.rules.rescue.access import Access
from aiorescue.emulator.rules.rescue.hierarchy import Hierarchy
from aiorescue.emulator.rules.rescue.ledger import Ledger
from aiorescue.emulator.rules.rescue.pins import Pins
from aiorescue.emulator.rules.rescue.report_settings import ReportSettings
from aiorescue.emulator.rules.rescue.reports import Reports
from aiorescue.emulator.rules.rescue.sessions import Sessions
from aiorescue.emulator.rules.rescue.support_session import WORDS
from aiorescue.emulator.rules.rescue.users import Users
from aiorescue.rescue.service import RESCUE

#: The class of rules that handles an operation, and the name of its method.
ANSWERED: dict[str, tuple[type[Rules], str]] = {
    name: (rules, method)
    for rules in (
        *(Access, Pins, Sessions, Hierarchy, Users, ReportSettings, Reports),
        *(Tickets, Library, Transfer, Search),
    )
    for name, method in rules.handled()
}


class EmulatorState:
    """Everything that the emulated services remember, and the handler of each operation.

    Args:
        clock: the emulator's clock, in seconds.
        limits: limits that the rules enforce.
        seed: seed of the random values.
        ledger: an empty ledger for the PINs; None makes one of the usual size.
        lock: held while customers act on the sessions, which they may from another thread.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        limits: Limits,
        seed: int = 0,
        ledger: Ledger | None = None,
        *,
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        self.clock, self.limits = clock, limits
        self.lock = lock or nullcontext()
        self.calendar = calendar = Calendar(clock)
        self.access = Access(clock, limits, seed)
        self.hierarchy = Hierarchy(self.access)
        self.pins = Pins(self.access, clock, limits, Ledger(seed) if ledger is None else ledger)
        self.settings = ReportSettings(self.access, calendar)
        self.support_sessions = Sessions(
            self.access, self.hierarchy, self.pins, self.settings, calendar, lock=self.lock
        )
        self.tickets = Tickets(self.access, limits, calendar)
        self.library = Library(self.tickets, calendar)
        every: tuple[Rules, ...] = (
            *(self.access, self.hierarchy, self.pins, self.settings, self.support_sessions),
            Users(self.access, self.hierarchy),
            Reports(
                self.access, self.hierarchy, self.support_sessions, self.settings, limits=limits, calendar=calendar
            ),
            *(self.tickets, self.library),
            Transfer(self.access, self.tickets, self.library, calendar),
            Search(self.tickets, self.library, limits),
        )
        by_class = {type(rules): rules for rules in every}
        self._handlers: dict[str, Callable[[ReceivedCall], Result]] = {
            name: getattr(by_class[rules], method) for name, (rules, method) in ANSWERED.items()
        }

    def handle(self, call: ReceivedCall) -> Result:
        """Carry a call out; a refusal is a result, too.

        Raises:
            LookupError: the rule answered with an output that the operation does not declare.
        """
        handler = self._handlers.get(call.name, self._refuse)
        try:
            result = handler(call)
        except Refusal as refused:
            return refused.result
        if result.outputs:
            _check_outputs(call, result)
        return result

    def _refuse(self, call: ReceivedCall) -> Result:
        """Result of an operation that has no rule."""
        spec = call.operation.spec
        if spec.service is RESCUE:
            return Result("Error")
        if spec.identity is not None:  # infoRouter looks at the ticket before it does anything
            self.tickets.user_or_anonymous(call)
        return Result(f"SystemError: {spec.name} is not emulated.", code=NOT_COMPLETED)

    # --- what tests may look at and do ------------------------------------------------------------

    def now(self) -> datetime:
        """The date now, in UTC, on the emulator's clock."""
        return self.calendar.now()

    @property
    def ledger(self) -> Ledger:
        """The PINs that were issued, in order, except the oldest where they are too many to keep."""
        return self.pins.ledger

    @property
    def users(self) -> dict[str, EmulatedUser]:
        """All users by their e-mail address."""
        return self.access.users

    @property
    def cases(self) -> Sessions:
        """The support sessions: `enter`, `arrive`, `say` and `leave` are what customers do; programs know this name."""
        return self.support_sessions

    @property
    def sessions(self) -> dict[int, str]:
        """The state of each support session in a word, by the session's id."""
        with self.lock:
            return {session.id: WORDS[session.status][1] for session in self.support_sessions.by_id.values()}

    def add_user(self, user: EmulatedUser) -> None:
        """Make a user known, with the nodes of the user's roles."""
        with self.lock:
            self.access.add(user)
            if not user.deleted:
                self.hierarchy.add_user(user)

    def alive(self, cookie: str) -> bool:
        """Whether a server session is known and has not expired."""
        return self.access.alive(cookie)

    def expire(self, keys: Iterable[str] | None = None) -> int:
        """End server sessions and tickets, those with these keys or all; returns how many were ended."""
        known = None if keys is None else list(keys)
        with self.lock:
            return self.access.cookies.end(known) + self.tickets.tickets.end(known)


def _check_outputs(call: ReceivedCall, result: Result) -> None:
    declared = {output.soap for output in call.operation.spec.outputs}
    if result.outputs.keys() <= declared:
        return
    name = min(result.outputs.keys() - declared)
    raise LookupError(
        f"the rule of {call.name} answered with the output {name!r}, but the operation declares "
        f"{', '.join(sorted(declared)) or 'no outputs'}"
    )
