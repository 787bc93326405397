"""Users of Rescue and how they prove who they are: logins with server sessions, auth codes, single sign-on."""

import random
import string
from collections import deque
from collections.abc import Callable

from aiorescue.emulator.people import EmulatedUser, default_users
from aiorescue.emulator.rules.call import OK, Limits, ReceivedCall, Refusal, Result, Rules, handles, ok
from aiorescue.emulator.rules.logins import MOST_LOGINS, LoginEntry, LoginTable

#: Logins of one user that the service lets in within a window, and the window in seconds.
LOGINS, LOGIN_WINDOW = 10, 180.0
#: Id of the company for single sign-on.
COMPANY = "560961"

_CODE_ALPHABET = string.ascii_lowercase + string.digits


class Access(Rules):
    """Users, auth codes and server sessions, and the operations that log in and out.

    Attributes:
        users: users by e-mail address.
        cookies: server sessions by the value of their cookie.
        history: the last successful logins: time in seconds on the emulator's clock, and user.

    Args:
        clock: the emulator's clock, in seconds.
        limits: limits that the service enforces.
        seed: seed of cookies, codes and GUIDs.
    """

    def __init__(self, clock: Callable[[], float], limits: Limits, seed: int = 0) -> None:
        self._clock, self._limits = clock, limits
        self.users = {user.email: user for user in default_users()}
        self.cookies = LoginTable()
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose; nothing here is secret
        self.history: deque[tuple[float, EmulatedUser]] = deque(maxlen=MOST_LOGINS)
        self._codes = {user.auth_code: user for user in self.users.values() if user.auth_code}
        self._requested: dict[str, str] = {}
        self._logins: dict[str, deque[float]] = {}

    def add(self, user: EmulatedUser) -> None:
        """Make a user known, without a node in the hierarchy."""
        self.users[user.email] = user
        if user.auth_code:
            self._codes[user.auth_code] = user

    # --- identity ---------------------------------------------------------------------------------

    def alive(self, cookie: str) -> bool:
        """Whether a server session is known and has not expired."""
        return self._entry(cookie) is not None

    def _entry(self, cookie: str) -> LoginEntry | None:
        return self.cookies.live(cookie, self._clock(), self._limits.session_ttl)

    def _session(self, cookie: str) -> EmulatedUser | None:
        entry = self._entry(cookie)
        if entry is None:
            return None
        entry.used = self._clock()
        return entry.user

    def user(self, call: ReceivedCall, anonymous_word: str = "NotLoggedIn") -> EmulatedUser:
        """The user who makes a call, by its auth code or else by its cookie.

        Args:
            call: the call.
            anonymous_word: status word for a call without an auth code and without a live server session.

        Raises:
            Refusal: the code is unknown, there is no server session, or the user is deleted or disabled.
        """
        if call.auth_code:
            user = self._codes.get(call.auth_code)
            if user is None:
                raise Refusal("Invalid_SecretAuthCode")
        else:
            user = self._session(call.cookie)
            if user is None:
                raise Refusal(anonymous_word)
        if user.gone:
            raise Refusal("User_Deleted_Or_Disabled")
        return user

    def administrator(self, call: ReceivedCall) -> EmulatedUser:
        """The user who makes a call, who must be an administrator; raises Refusal("NotLoggedInAsAdmin") otherwise."""
        user = self.user(call, "NotLoggedInAsAdmin")
        if not user.administrator:
            raise Refusal("NotLoggedInAsAdmin")
        return user

    def by_password(self, name: str, password: str) -> EmulatedUser | None:
        """The user of an e-mail address and password, or None if they do not match or the user is gone."""
        user = self.users.get(name.lower())
        return user if user is not None and user.password == password and not user.gone else None

    # --- logins -----------------------------------------------------------------------------------

    @handles("login")
    def login(self, call: ReceivedCall) -> Result:
        """Open a server session; a live one that the cookie names is taken over instead, and no new cookie is set."""
        email = call.values["email"]
        if self._too_many_logins(email):
            return Result("LimitReached")
        user = self.by_password(email, call.values["password"])
        if user is None:
            return Result("Invalid")
        now = self._clock()
        self.history.append((now, user))
        entry = self._entry(call.cookie)
        if entry is not None:
            entry.user, entry.used = user, now
            return OK
        cookie = f"{self._random.getrandbits(96):024X}"
        self.cookies.begin(cookie, LoginEntry(user, now))
        return OK._replace(cookie=cookie)

    def _too_many_logins(self, email: str) -> bool:
        if email.lower() not in self.users:
            return False
        now = self._clock()
        recent = self._logins.setdefault(email.lower(), deque())
        while recent and now - recent[0] >= LOGIN_WINDOW:
            recent.popleft()
        if len(recent) >= LOGINS:
            return True
        recent.append(now)
        return False

    @handles("logout")
    def logout(self, call: ReceivedCall) -> Result:
        """End the server session that the cookie names."""
        if self._session(call.cookie) is None:
            return Result("NotLoggedIn")
        del self.cookies[call.cookie]
        return OK

    # --- codes ------------------------------------------------------------------------------------

    @handles("requestAuthCode")
    def request_auth_code(self, call: ReceivedCall) -> Result:
        """Issue an auth code; the one that the user requested before becomes invalid."""
        user = self.by_password(call.values["email"], call.values["password"])
        return Result("Invalid") if user is None else ok(sAuthCode=self._new_code(user))

    def _new_code(self, user: EmulatedUser) -> str:
        self._codes.pop(self._requested.get(user.email, ""), None)
        code = "".join(self._random.choices(_CODE_ALPHABET, k=80))
        self._codes[code] = user
        self._requested[user.email] = code
        return code

    @handles("requestAuthCodeSSO")
    def request_auth_code_sso(self, call: ReceivedCall) -> Result:
        """Issue an auth code by single sign-on; a user's id is the e-mail address up to the @."""
        values = call.values
        if values["company"] != COMPANY:
            return Result("InvalidParam_Company")
        user = self._by_sso(values["sso_id"])
        if user is None or user.password != values["password"]:
            return Result("Invalid")
        return ok(sAuthCode=self._new_code(user))

    def _by_sso(self, sso_id: str) -> EmulatedUser | None:
        found = (user for user in self.users.values() if user.sso == sso_id.lower() and not user.gone)
        return next(found, None)

    # --- tickets for browsers and consoles --------------------------------------------------------

    def _ticket(self, call: ReceivedCall) -> str:
        values = call.values
        if not all(values[name] for name in ("sso_id", "password", "company")):
            raise Refusal("MissingParameters")
        if values["company"] != COMPANY:
            raise Refusal("InvalidCompanyID")
        user = self._by_sso(values["sso_id"])
        if user is None:
            raise Refusal("InvalidSSOID")
        if user.password != values["password"]:
            raise Refusal("InvalidPassword")
        return self.guid()

    def guid(self) -> str:
        """Make a new GUID, from the seeded source of random values."""
        bits = f"{self._random.getrandbits(128):032x}"
        return "-".join((bits[:8], bits[8:12], bits[12:16], bits[16:20], bits[20:]))

    @handles("getLoginTicket")
    def get_login_ticket(self, call: ReceivedCall) -> Result:
        """Issue a web address that logs a technician in."""
        return ok(address=f"https://secure.logmeinrescue.com/SSO/Login.aspx?Ticket={self._ticket(call)}")

    @handles("getDTCLoginTicket")
    def get_console_ticket(self, call: ReceivedCall) -> Result:
        """Issue a web address of a Technician Console that logs its technician in."""
        ticket = self._ticket(call)
        arch = f"&arch={call.values['arch']}" if call.values["arch"] else ""
        page = "https://secure.logmeinrescue.com/TechConsole/DesktopApp/DownloadSSO.aspx"
        return ok(address=f"{page}?companyid={COMPANY}&ticket={ticket}{arch}")
