"""Who calls infoRouter: tickets, the anonymous user, and what the server says of itself."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from aiorescue.emulator.people import User
from aiorescue.emulator.rules.call import Call, RefusedError, Room, Said, answers
from aiorescue.emulator.rules.rescue.access import Lease, Leases
from aiorescue.inforouter import Element

if TYPE_CHECKING:
    from aiorescue.emulator.state import State

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

REFUSED_TICKET = "[901] Session expired or Invalid ticket"
REFUSED_LOGIN = "[900] Authentication failed"
NO_TICKETS = "[902] The system administrator account may not be issued tickets"
BAD_TICKET = "invalid ticket format"
ANONYMOUS = "[2730]Insufficient rights. Anonymous users cannot perform this action"
#: The newer servers' number of a ticket that is none, and of none where one is needed.
UNKNOWN = 4010

VERSION = "9.2.0.0"
_FIRST_USER = 42


def success(tag: str = "response", *children: Element, **more: object) -> Said:
    """An answer that says yes."""
    attributes = {"success": "true", **({"error": ""} if tag == "response" else {})}
    return Said(
        "OK",
        root=Element(tag, attributes | {name: _text(value) for name, value in more.items()}, children),
    )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Tickets(Room):
    """Tickets and whose they are."""

    def __init__(self, state: "State") -> None:
        super().__init__(state)
        self.leases = Leases()

    # --- who --------------------------------------------------------------------------------------

    def caller(self, call: Call) -> User | None:
        """Who calls: the user of the ticket, or None for the anonymous user, who sends none. Raises RefusedError."""
        if not call.auth_code:
            return None
        lease = self._lease(call.auth_code)
        if lease is None:
            raise RefusedError(REFUSED_TICKET, UNKNOWN)
        if lease.user.gone:
            raise RefusedError("[347] The user was deleted", UNKNOWN)
        lease.used = self.state.clock()
        return lease.user

    def user(self, call: Call) -> User:
        """The same where the anonymous user may not. Raises RefusedError."""
        user = self.caller(call)
        if user is None:
            raise RefusedError(ANONYMOUS, UNKNOWN)
        return user

    def _lease(self, ticket: str) -> Lease | None:
        return self.leases.live(ticket.lower(), self.state.clock(), self.state.limits.ticket_ttl)

    def number(self, user: User) -> int:
        """The user's number."""
        return _FIRST_USER + list(self.state.users).index(user.email)

    def _profile(self, user: User, ticket: str = "") -> Said:
        first, _, last = user.shown.partition(" ")
        ends = self.state.now() + timedelta(seconds=self.state.limits.ticket_ttl)
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

    @answers("AuthenticateUser", "AuthenticateUser1")
    def authenticate(self, call: Call) -> Said:
        """A ticket for a name and a password."""
        values = call.values
        return self._new(values.get("user", values.get("UID")), values.get("password", values.get("PWD")))

    def _new(self, name: str, password: str) -> Said:
        user = self.state.access.by_password(name, password)
        if user is None:
            return Said(REFUSED_LOGIN)
        if user.no_ticket:
            return Said(NO_TICKETS)
        ticket = self.state.access.guid()
        self.leases[ticket] = Lease(user, self.state.clock())
        return self._profile(user, ticket)

    @answers("RenewTicket")
    def renew(self, call: Call) -> Said:
        """A new ticket in place of the old; a dead old one is no error, one that is no GUID is."""
        old = call.values["old_ticket"] or call.cookie
        if old and not _GUID.fullmatch(old):
            return Said(BAD_TICKET)
        said = self._new(call.values["user"], call.values["password"])
        if said.word == "OK":
            self.leases.pop(old.lower(), None)
        return said

    @answers("isValidTicket")
    def is_valid(self, call: Call) -> Said:
        """Whose a ticket is; passive, so it does not put the end off."""
        lease = self._lease(call.values["ticket"] or call.cookie)
        return Said(REFUSED_TICKET) if lease is None else self._profile(lease.user)

    @answers("LogOut")
    def log_out(self, call: Call) -> Said:
        """End a ticket."""
        ticket = (call.values["ticket"] or call.cookie).lower()
        if self._lease(ticket) is None:
            return Said(REFUSED_TICKET)
        del self.leases[ticket]
        return success("root")

    # --- the user and the server ------------------------------------------------------------------

    @answers("GetCurrentUser")
    def current_user(self, call: Call) -> Said:
        """The user that calls."""
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
            "LastLogonDate": f"{self.state.now():%Y-%m-%dT%H:%M:%S}",
            "LastPasswordChangeDate": f"{self.state.born:%Y-%m-%dT%H:%M:%S}",
            "AuthenticationAuthority": "Native",
            "ReadOnlyUser": "FALSE",
        }
        return success("root", Element("User", attributes, (Element("Preferences"), Element("TaskRedirection"))))

    @answers("ServerInfo")
    def server_info(self, call: Call) -> Said:
        """The server; needs no ticket."""
        now = self.state.now()
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

    @answers("MaintenanceBeat")
    def beat(self, call: Call) -> Said:
        """Nothing, always."""
        return Said("OK", content=b"")
