"""Tickets of infoRouter, the users behind them, the anonymous user, and what the server says of itself."""

import re
from datetime import timedelta

from aiorescue.emulator.clock import Calendar
from aiorescue.emulator.people import EmulatedUser
from aiorescue.emulator.rules.call import Limits, ReceivedCall, Refusal, Result, Rules, handles
from aiorescue.emulator.rules.logins import LoginEntry, LoginTable
from aiorescue.emulator.rules.rescue.access import Access
from aiorescue.inforouter import Element

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

REFUSED_TICKET = "[901] Session expired or Invalid ticket"
REFUSED_LOGIN = "[900] Authentication failed"
NO_TICKETS = "[902] The system administrator account may not be issued tickets"
BAD_TICKET = "invalid ticket format"
ANONYMOUS = "[2730]Insufficient rights. Anonymous users cannot perform this action"
#: The newer servers' error number for an unknown ticket, and for a missing one where a ticket is required.
UNKNOWN = 4010

VERSION = "9.2.0.0"
_FIRST_USER = 42


def success(tag: str = "response", *children: Element, **more: object) -> Result:
    """Result of a successful call: a root element with children and further attributes."""
    attributes = {"success": "true", **({"error": ""} if tag == "response" else {})}
    return Result(
        "OK",
        root=Element(tag, attributes | {name: _text(value) for name, value in more.items()}, children),
    )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Tickets(Rules):
    """Authentication tickets.

    Attributes:
        tickets: tickets in force, by their GUID in small letters.

    Args:
        access: the users and their passwords, and a source of GUIDs.
        limits: how long a ticket may idle.
        calendar: the emulator's clock and dates.
    """

    def __init__(self, access: Access, limits: Limits, calendar: Calendar) -> None:
        self._access, self._limits, self._calendar = access, limits, calendar
        self._clock = calendar.clock
        self.tickets = LoginTable()

    # --- identity ---------------------------------------------------------------------------------

    def user_or_anonymous(self, call: ReceivedCall) -> EmulatedUser | None:
        """The user of the call's ticket, or None for the anonymous user, who sends no ticket; may raise Refusal."""
        if not call.auth_code:
            return None
        entry = self._entry(call.auth_code)
        if entry is None:
            raise Refusal(REFUSED_TICKET, UNKNOWN)
        if entry.user.gone:
            raise Refusal("[347] The user was deleted", UNKNOWN)
        entry.used = self._clock()
        return entry.user

    def user(self, call: ReceivedCall) -> EmulatedUser:
        """The user of the call's ticket; raises Refusal for a dead ticket and for the anonymous user."""
        user = self.user_or_anonymous(call)
        if user is None:
            raise Refusal(ANONYMOUS, UNKNOWN)
        return user

    def _entry(self, ticket: str) -> LoginEntry | None:
        return self.tickets.live(ticket.lower(), self._clock(), self._limits.ticket_ttl)

    def number(self, user: EmulatedUser) -> int:
        """Id of a user; 0 for a user who is not known any more."""
        emails = list(self._access.users)
        return _FIRST_USER + emails.index(user.email) if user.email in emails else 0

    def _profile(self, user: EmulatedUser, ticket: str = "") -> Result:
        first, _, last = user.shown.partition(" ")
        ends = self._calendar.now() + timedelta(seconds=self._limits.ticket_ttl)
        return success(
            "root",
            **({"ticket": ticket} if ticket else {}),
            userid=self.number(user),
            username=user.email,
            firstName=first,
            lastName=last,
            fullname=user.shown,
            email=user.email,
            expireOn=f"{ends:%Y-%m-%dT%H:%M:%SZ}",
            isAuthenticated="True",
        )

    # --- tickets ----------------------------------------------------------------------------------

    @handles("AuthenticateUser", "AuthenticateUser1")
    def authenticate(self, call: ReceivedCall) -> Result:
        """Issue a ticket for a name and a password."""
        values = call.values
        return self._new(values.get("user", values.get("UID")), values.get("password", values.get("PWD")))

    def _new(self, name: str, password: str) -> Result:
        user = self._access.by_password(name, password)
        if user is None:
            return Result(REFUSED_LOGIN)
        if user.no_ticket:
            return Result(NO_TICKETS)
        ticket = self._access.guid()
        self.tickets.begin(ticket, LoginEntry(user, self._clock()))
        return self._profile(user, ticket)

    @handles("RenewTicket")
    def renew(self, call: ReceivedCall) -> Result:
        """Replace a ticket by a new one; an old ticket that is dead is no error, one that is not a GUID is an error."""
        old = call.values["old_ticket"] or call.cookie
        if old and not _GUID.fullmatch(old):
            return Result(BAD_TICKET)
        result = self._new(call.values["user"], call.values["password"])
        if result.word == "OK":
            self.tickets.pop(old.lower(), None)
        return result

    @handles("isValidTicket")
    def is_valid(self, call: ReceivedCall) -> Result:
        """Answer with the user of a ticket; this does not count as a use of the ticket."""
        entry = self._entry(call.values["ticket"] or call.cookie)
        return Result(REFUSED_TICKET) if entry is None else self._profile(entry.user)

    @handles("LogOut")
    def log_out(self, call: ReceivedCall) -> Result:
        """End the ticket of the call, which is refused from now on."""
        ticket = (call.values["ticket"] or call.cookie).lower()
        if self._entry(ticket) is None:
            return Result(REFUSED_TICKET)
        del self.tickets[ticket]
        return success("root")

    # --- the user and the server ------------------------------------------------------------------

    @handles("GetCurrentUser")
    def current_user(self, call: ReceivedCall) -> Result:
        """Answer with the user who calls."""
        user = self.user(call)
        first, _, last = user.shown.partition(" ")
        attributes = {
            "exists": "true",
            "UserID": str(self.number(user)),
            "FirstName": first,
            "LastName": last,
            "Email": user.email,
            "Enabled": str(not user.gone).upper(),
            "UserName": user.email,
            "Domain": "",
            "LastLogonDate": f"{self._calendar.now():%Y-%m-%dT%H:%M:%S}",
            "LastPasswordChangeDate": f"{self._calendar.born:%Y-%m-%dT%H:%M:%S}",
            "AuthenticationAuthority": "Native",
            "ReadOnlyUser": "FALSE",
        }
        return success("root", Element("User", attributes, (Element("Preferences"), Element("TaskRedirection"))))

    @handles("ServerInfo")
    def server_info(self, call: ReceivedCall) -> Result:
        """Answer with facts about the server; needs no ticket."""
        now = self._calendar.now()
        return success(
            "root",
            VersionNumber=VERSION,
            Server_date_time=f"{now:%Y-%m-%dT%H:%M:%S}",
            Coordinated_Universal_Time=f"{now:%Y-%m-%dT%H:%M:%SZ}",
            UTC_Offset=0,
            Company="Company",
            ServerName="EMULATOR",
            LicenseCount=100,
            SubscriptionEndDate=f"{now.year + 1}-12-31T23:59:59Z",
            WindowsAuthenticationIsOn=False,
            WorkflowIsOn=False,
            AnonymousAccessIsOn=True,
            ComplianceModuleIsOn=False,
        )

    @handles("MaintenanceBeat")
    def beat(self, call: ReceivedCall) -> Result:
        """Answer with no bytes: the answer itself is the sign of life that the method asks for."""
        return Result("OK", content=b"")
