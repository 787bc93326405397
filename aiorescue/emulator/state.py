"""The rules of both services as a state machine, without HTTP.

Every handler takes a `Call` and answers with a status word in the SOAP spelling without its prefix; how a word looks
on a binding is the wire's business.
"""

import random
import re
import string
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

import attrs

from aiorescue import inforouter, rescue
from aiorescue.emulator.people import User, default_users
from aiorescue.operation import Operation

LOGINS = 10
LOGIN_WINDOW = 180.0
FIRST_SESSION, WAITING_SESSIONS = 12345678, 10
# 7919 is coprime to a million, so the PINs repeat only after a million; the first ones are those of the captures.
FIRST_PIN, PIN_STEP, PINS = 12345, 7919, 1_000_000

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CODE_ALPHABET = string.ascii_lowercase + string.digits

REFUSED_TICKET = "[901] Session expired or Invalid ticket"
REFUSED_LOGIN = "[900] Authentication failed"
NO_TICKETS = "[902] The system administrator account may not be issued tickets"
BAD_TICKET = "invalid ticket format"


@attrs.frozen
class Call:
    """One request, read.

    Attributes:
        operation: its declaration.
        values: the parameters by attribute name; a number that a text page could not read is None.
        auth_code: the auth code, empty if none came.
        cookie: the cookie that says who calls: the server session, or infoRouter's ticket.
    """

    operation: type[Operation[Any]]
    values: Mapping[str, Any]
    auth_code: str = ""
    cookie: str = ""


class Said(NamedTuple):
    """What a handler answers: the word, the outputs in the declared order, a new session's cookie."""

    word: str
    outputs: tuple[str, ...] = ()
    cookie: str = ""


OK = Said("OK")


@attrs.frozen
class LedgerEntry:
    """A PIN that was issued. `time` is the emulator's clock, `number` counts from 1."""

    number: int
    pin: str
    operation: str
    user: str
    tracking: str
    custom_fields: tuple[str, ...]
    no_tech_console: bool
    time: float


@attrs.define
class Limits:
    """What the service allows; all of it may be changed under way.

    Attributes:
        pin_rate: PINs per second and user; None for no limit.
        count_rejected: a refused PIN request starts the interval anew, too.
        pins_left: the stock of PINs; None for plenty.
        session_ttl: seconds that a server session may idle.
        ticket_ttl: seconds that a ticket may idle.
    """

    pin_rate: float | None = 1.0
    count_rejected: bool = False
    pins_left: int | None = None
    session_ttl: float = 20 * 60.0
    ticket_ttl: float = 30 * 86400.0


@attrs.define
class _Lease:
    """A server session or a ticket: whose it is, and when it was last used."""

    user: User
    used: float


class State:
    """Everything that the emulated services remember."""

    def __init__(self, clock: Callable[[], float], limits: Limits, seed: int = 0) -> None:
        self.clock = clock
        self.limits = limits
        self.ledger: list[LedgerEntry] = []
        self.users = {user.email: user for user in default_users()}
        self.sessions = dict.fromkeys(range(FIRST_SESSION, FIRST_SESSION + WAITING_SESSIONS), "waiting")
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose; nothing here is secret
        self._codes = {user.auth_code: user for user in self.users.values() if user.auth_code}
        self._requested: dict[str, str] = {}
        self._cookies: dict[str, _Lease] = {}
        self._tickets: dict[str, _Lease] = {}
        self._last_pin: dict[str, float] = {}
        self._logins: dict[str, deque[float]] = {}

    def handle(self, call: Call) -> Said:
        """Carry the call out."""
        return _HANDLERS[call.operation](self, call)

    # --- what tests may do to it ------------------------------------------------------------------

    def add_user(self, user: User) -> None:
        """Make a user known."""
        self.users[user.email] = user
        if user.auth_code:
            self._codes[user.auth_code] = user

    def alive(self, cookie: str) -> bool:
        """Whether a server session is known and has not idled away."""
        return self._live(self._cookies, cookie, self.limits.session_ttl) is not None

    def expire(self, keys: Iterable[str] | None = None) -> int:
        """End server sessions and tickets, these or all; returns how many there were."""
        ended = 0
        for leases in (self._cookies, self._tickets):
            for key in list(leases) if keys is None else [key for key in keys if key in leases]:
                del leases[key]
                ended += 1
        return ended

    # --- who calls --------------------------------------------------------------------------------

    def _live(self, leases: dict[str, _Lease], key: str, ttl: float) -> _Lease | None:
        lease = leases.get(key) if key else None
        if lease is not None and self.clock() - lease.used >= ttl:
            del leases[key]
            return None
        return lease

    def _session(self, cookie: str) -> User | None:
        lease = self._live(self._cookies, cookie, self.limits.session_ttl)
        if lease is None:
            return None
        lease.used = self.clock()
        return lease.user

    def _caller(self, call: Call, nobody: str) -> User | str:
        """The user behind the auth code or the cookie, or the word of refusal."""
        if call.auth_code:
            user = self._codes.get(call.auth_code)
            if user is None:
                return "Invalid_SecretAuthCode"
        else:
            user = self._session(call.cookie)
            if user is None:
                return nobody
        return "User_Deleted_Or_Disabled" if user.gone else user

    def _by_password(self, name: str, password: str) -> User | None:
        user = self.users.get(name.lower())
        return user if user is not None and user.password == password and not user.gone else None

    # --- Rescue -----------------------------------------------------------------------------------

    def login(self, call: Call) -> Said:
        """Open a server session, unless the caller has a live one: then that one changes hands, without a cookie."""
        email = call.values["email"]
        if self._too_many_logins(email):
            return Said("LimitReached")
        user = self._by_password(email, call.values["password"])
        if user is None:
            return Said("Invalid")
        lease = self._live(self._cookies, call.cookie, self.limits.session_ttl)
        if lease is not None:
            lease.user, lease.used = user, self.clock()
            return OK
        cookie = f"{self._random.getrandbits(96):024X}"
        self._cookies[cookie] = _Lease(user, self.clock())
        return Said("OK", cookie=cookie)

    def _too_many_logins(self, email: str) -> bool:
        if email.lower() not in self.users:
            return False
        now = self.clock()
        recent = self._logins.setdefault(email.lower(), deque())
        while recent and now - recent[0] >= LOGIN_WINDOW:
            recent.popleft()
        if len(recent) >= LOGINS:
            return True
        recent.append(now)
        return False

    def logout(self, call: Call) -> Said:
        """End the server session of the cookie."""
        if self._session(call.cookie) is None:
            return Said("NotLoggedIn")
        del self._cookies[call.cookie]
        return OK

    def request_auth_code(self, call: Call) -> Said:
        """Make a new code; the one requested before is good no longer."""
        user = self._by_password(call.values["email"], call.values["password"])
        if user is None:
            return Said("Invalid")
        self._codes.pop(self._requested.get(user.email, ""), None)
        code = "".join(self._random.choices(_CODE_ALPHABET, k=80))
        self._codes[code] = user
        self._requested[user.email] = code
        return Said("OK", (code,))

    def request_pin(self, call: Call) -> Said:
        """Issue a PIN."""
        user = self._caller(call, "NotLoggedIn")
        if isinstance(user, str):
            return Said(user)
        refusal = self._pin_refusal(user, call)
        if refusal:
            return Said(refusal)
        number = len(self.ledger) + 1
        pin = f"{(FIRST_PIN + PIN_STEP * (number - 1)) % PINS:06d}"
        values = call.values
        self.ledger.append(
            LedgerEntry(
                number=number,
                pin=pin,
                operation=call.operation.spec.name,
                user=user.email,
                tracking=values["tracking"],
                custom_fields=values["custom_fields"],
                no_tech_console=values["no_tech_console"],
                time=self.clock(),
            )
        )
        return Said("OK", (pin,))

    def _pin_refusal(self, user: User, call: Call) -> str:
        """Why there is no PIN; empty if there is one, which is then taken from the stock."""
        if not user.technician:
            return "NotTechnician"
        if issubclass(call.operation, rescue.RequestLensPinCodeV2) and not user.lens:
            return "NoAccessToLens"
        if not user.console and not call.values["no_tech_console"]:
            return "NoTechConsoleRunning"
        limits, now = self.limits, self.clock()
        if self._too_soon(user, now):
            return "PollRateExceeded"
        if limits.pins_left is not None:
            if limits.pins_left <= 0:
                return "OutOfPINCodes"
            limits.pins_left -= 1
        self._last_pin[user.email] = now
        return ""

    def _too_soon(self, user: User, now: float) -> bool:
        if self.limits.pin_rate is None:
            return False
        too_soon = now - self._last_pin.get(user.email, float("-inf")) < 1 / self.limits.pin_rate
        if too_soon and self.limits.count_rejected:
            self._last_pin[user.email] = now
        return too_soon

    def _on_session(self, call: Call, before: Collection[str], after: str) -> Said:
        user = self._caller(call, "NotLoggedInAsAdmin")
        if isinstance(user, str):
            return Said(user)
        if not user.administrator:
            return Said("NotLoggedInAsAdmin")
        for name, value in call.values.items():
            if value is None:  # only the text pages get here with what is no number
                return Said(f"InvalidParam_{name.capitalize()}")
        session = call.values["session"]
        if self.sessions.get(session, "") not in before:
            return Said("ActionFailed")
        self.sessions[session] = after
        return OK

    def start_session(self, call: Call) -> Said:
        """A waiting session becomes active."""
        return self._on_session(call, ("waiting",), "active")

    def close_session(self, call: Call) -> Said:
        """A session that is not closed yet is closed."""
        return self._on_session(call, ("waiting", "active"), "closed")

    # --- infoRouter -------------------------------------------------------------------------------

    def _new_ticket(self, call: Call) -> Said:
        user = self._by_password(call.values["user"], call.values["password"])
        if user is None:
            return Said(REFUSED_LOGIN)
        if user.no_ticket:
            return Said(NO_TICKETS)
        bits = f"{self._random.getrandbits(128):032x}"
        ticket = "-".join((bits[:8], bits[8:12], bits[12:16], bits[16:20], bits[20:]))
        self._tickets[ticket] = _Lease(user, self.clock())
        return Said("OK", (ticket,))

    def authenticate_user(self, call: Call) -> Said:
        """A ticket for a name and a password."""
        return self._new_ticket(call)

    def renew_ticket(self, call: Call) -> Said:
        """A new ticket in place of the old; a dead old one is no error, one that is no GUID is."""
        old = call.values["old_ticket"] or call.cookie
        if old and not _GUID.fullmatch(old):
            return Said(BAD_TICKET)
        said = self._new_ticket(call)
        if said.word == "OK":
            self._tickets.pop(old.lower(), None)
        return said

    def _ticket(self, call: Call) -> str | None:
        ticket: str = (call.values["ticket"] or call.cookie).lower()
        return ticket if self._live(self._tickets, ticket, self.limits.ticket_ttl) is not None else None

    def is_valid_ticket(self, call: Call) -> Said:
        """Whether a ticket is good; passive, so it does not put the end off."""
        return OK if self._ticket(call) is not None else Said(REFUSED_TICKET)

    def log_out(self, call: Call) -> Said:
        """End a ticket."""
        ticket = self._ticket(call)
        if ticket is None:
            return Said(REFUSED_TICKET)
        del self._tickets[ticket]
        return OK


_HANDLERS: dict[type[Operation[Any]], Callable[[State, Call], Said]] = {
    rescue.Login: State.login,
    rescue.Logout: State.logout,
    rescue.RequestAuthCode: State.request_auth_code,
    rescue.RequestPinCode: State.request_pin,
    rescue.RequestPinCodeV3: State.request_pin,
    rescue.RequestLensPinCodeV2: State.request_pin,
    rescue.StartSession: State.start_session,
    rescue.CloseSession: State.close_session,
    inforouter.AuthenticateUser: State.authenticate_user,
    inforouter.RenewTicket: State.renew_ticket,
    inforouter.IsValidTicket: State.is_valid_ticket,
    inforouter.LogOut: State.log_out,
}
