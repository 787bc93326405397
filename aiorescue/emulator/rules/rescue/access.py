"""Who calls Rescue: logins and their server sessions, auth codes, single sign-on."""

import random
import string
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from aiorescue.emulator.people import User, default_users
from aiorescue.emulator.rules.call import OK, Call, RefusedError, Room, Said, answers

if TYPE_CHECKING:
    from aiorescue.emulator.state import State

LOGINS = 10
LOGIN_WINDOW = 180.0
COMPANY = "560961"

_CODE_ALPHABET = string.ascii_lowercase + string.digits


@attrs.define
class Lease:
    """A server session or a ticket: whose it is, and when it was last used."""

    user: User
    used: float


class Leases(dict[str, Lease]):
    """Server sessions or tickets by their key; they end when they idle for too long."""

    def live(self, key: str, now: float, ttl: float) -> Lease | None:
        """The lease of a key, unless it has idled away."""
        lease = self.get(key) if key else None
        if lease is not None and now - lease.used >= ttl:
            del self[key]
            return None
        return lease

    def end(self, keys: Iterable[str] | None) -> int:
        """End these or all; returns how many there were."""
        ended = list(self) if keys is None else [key for key in keys if key in self]
        for key in ended:
            del self[key]
        return len(ended)


class Access(Room):
    """People, their codes and their server sessions."""

    def __init__(self, state: "State") -> None:
        super().__init__(state)
        self.users = {user.email: user for user in default_users()}
        self.cookies = Leases()
        self.random = random.Random(state.seed)  # noqa: S311 - repeatable on purpose; nothing here is secret
        #: Every login that was let in: when, and whose.
        self.history: list[tuple[float, User]] = []
        self._codes = {user.auth_code: user for user in self.users.values() if user.auth_code}
        self._requested: dict[str, str] = {}
        self._logins: dict[str, deque[float]] = {}

    def add(self, user: User) -> None:
        """Make a user known."""
        self.users[user.email] = user
        if user.auth_code:
            self._codes[user.auth_code] = user

    # --- who --------------------------------------------------------------------------------------

    def alive(self, cookie: str) -> bool:
        """Whether a server session is known and has not idled away."""
        return self._lease(cookie) is not None

    def _lease(self, cookie: str) -> Lease | None:
        return self.cookies.live(cookie, self.state.clock(), self.state.limits.session_ttl)

    def _session(self, cookie: str) -> User | None:
        lease = self._lease(cookie)
        if lease is None:
            return None
        lease.used = self.state.clock()
        return lease.user

    def caller(self, call: Call, nobody: str = "NotLoggedIn") -> User:
        """The user behind the auth code or the cookie. Raises RefusedError."""
        if call.auth_code:
            user = self._codes.get(call.auth_code)
            if user is None:
                raise RefusedError("Invalid_SecretAuthCode")
        else:
            user = self._session(call.cookie)
            if user is None:
                raise RefusedError(nobody)
        if user.gone:
            raise RefusedError("User_Deleted_Or_Disabled")
        return user

    def administrator(self, call: Call) -> User:
        """The same, if it is an administrator; who is none counts as nobody. Raises RefusedError."""
        user = self.caller(call, "NotLoggedInAsAdmin")
        if not user.administrator:
            raise RefusedError("NotLoggedInAsAdmin")
        return user

    def by_password(self, name: str, password: str) -> User | None:
        """The user of that name and password, if they may come in."""
        user = self.users.get(name.lower())
        return user if user is not None and user.password == password and not user.gone else None

    # --- logins -----------------------------------------------------------------------------------

    @answers("login")
    def login(self, call: Call) -> Said:
        """Open a server session, unless the caller has a live one: then that one changes hands, without a cookie."""
        email = call.values["email"]
        if self._too_many_logins(email):
            return Said("LimitReached")
        user = self.by_password(email, call.values["password"])
        if user is None:
            return Said("Invalid")
        now = self.state.clock()
        self.history.append((now, user))
        lease = self._lease(call.cookie)
        if lease is not None:
            lease.user, lease.used = user, now
            return OK
        cookie = f"{self.random.getrandbits(96):024X}"
        self.cookies[cookie] = Lease(user, now)
        return Said("OK", cookie=cookie)

    def _too_many_logins(self, email: str) -> bool:
        if email.lower() not in self.users:
            return False
        now = self.state.clock()
        recent = self._logins.setdefault(email.lower(), deque())
        while recent and now - recent[0] >= LOGIN_WINDOW:
            recent.popleft()
        if len(recent) >= LOGINS:
            return True
        recent.append(now)
        return False

    @answers("logout")
    def logout(self, call: Call) -> Said:
        """End the server session of the cookie."""
        if self._session(call.cookie) is None:
            return Said("NotLoggedIn")
        del self.cookies[call.cookie]
        return OK

    # --- codes ------------------------------------------------------------------------------------

    @answers("requestAuthCode")
    def request_auth_code(self, call: Call) -> Said:
        """Make a new code; the one requested before is good no longer."""
        user = self.by_password(call.values["email"], call.values["password"])
        return Said("Invalid") if user is None else Said("OK", (self._new_code(user),))

    def _new_code(self, user: User) -> str:
        self._codes.pop(self._requested.get(user.email, ""), None)
        code = "".join(self.random.choices(_CODE_ALPHABET, k=80))
        self._codes[code] = user
        self._requested[user.email] = code
        return code

    @answers("requestAuthCodeSSO")
    def request_auth_code_sso(self, call: Call) -> Said:
        """The same by single sign-on; everybody's id is the name before the @, and the company is `COMPANY`."""
        values = call.values
        if values["company"] != COMPANY:
            return Said("InvalidParam_Company")
        user = self._by_sso(values["sso_id"])
        if user is None or user.password != values["password"]:
            return Said("Invalid")
        return Said("OK", (self._new_code(user),))

    def _by_sso(self, sso_id: str) -> User | None:
        found = (user for user in self.users.values() if user.sso == sso_id.lower() and not user.gone)
        return next(found, None)

    # --- tickets for browsers and consoles --------------------------------------------------------

    def _ticket(self, call: Call) -> str:
        values = call.values
        if not all(values[name] for name in ("sso_id", "password", "company")):
            raise RefusedError("MissingParameters")
        if values["company"] != COMPANY:
            raise RefusedError("InvalidCompanyID")
        user = self._by_sso(values["sso_id"])
        if user is None:
            raise RefusedError("InvalidSSOID")
        if user.password != values["password"]:
            raise RefusedError("InvalidPassword")
        return self.guid()

    def guid(self) -> str:
        """A new one."""
        bits = f"{self.random.getrandbits(128):032x}"
        return "-".join((bits[:8], bits[8:12], bits[12:16], bits[16:20], bits[20:]))

    @answers("getLoginTicket")
    def get_login_ticket(self, call: Call) -> Said:
        """An address that logs a technician in."""
        return Said("OK", (f"https://secure.logmeinrescue.com/SSO/Login.aspx?Ticket={self._ticket(call)}",))

    @answers("getDTCLoginTicket")
    def get_console_ticket(self, call: Call) -> Said:
        """An address to download a console that logs its technician in."""
        ticket = self._ticket(call)
        arch = f"&arch={call.values['arch']}" if call.values["arch"] else ""
        page = "https://secure.logmeinrescue.com/TechConsole/DesktopApp/DownloadSSO.aspx"
        return Said("OK", (f"{page}?companyid={COMPANY}&ticket={ticket}{arch}",))
