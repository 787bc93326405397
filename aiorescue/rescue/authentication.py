"""Who is calling: login, logout and auth codes."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import attrs

from aiorescue.operation import Binding, Effect, Evidence, Family, Needs, Operation, Output, Parameter, Spec
from aiorescue.rescue.service import ASMX, ASMX_INFERRED, RESCUE, SOAP, TEXT, words

Email = Annotated[str | None, Parameter("sEmail", "email")]
Password = Annotated[str | None, Parameter("sPassword", "pwd", secret=True)]


@attrs.frozen
class Login(Operation[None]):
    """Log in; the server session arrives as a cookie and lasts until 20 minutes pass without a call.

    More than ten logins in three minutes are refused. Vendor: ``login`` (the guide writes ``logIn``).

    Args:
        email: e-mail address of the account; left out, that of the client's `aiorescue.Login`.
        password: its password.
    """

    email: Email = None
    password: Password = attrs.field(default=None, repr=False)

    spec: ClassVar[Spec] = Spec(
        service=RESCUE,
        name="login",
        bindings=SOAP | ASMX_INFERRED | TEXT,
        prefix="login_",
        root="loginRet",
        page="/API/login.aspx",
        words=words("Error OK Invalid LimitReached GlobalIpRestricted"),
        needs=Needs.NOBODY,
        effect=Effect.IDEMPOTENT,
        family=Family.LOGINS,
        own_credentials=("email", "password"),
    )


@attrs.frozen
class Logout(Operation[None]):
    """Log out: end the server session of the cookie. Takes no auth code. Vendor: ``logout``."""

    spec: ClassVar[Spec] = Spec(
        service=RESCUE,
        name="logout",
        bindings=SOAP | ASMX | TEXT,
        prefix="logout_",
        root="logoutRet",
        page="/API/logout.aspx",
        words=words("Error OK NotLoggedIn"),
        needs=Needs.SESSION,
        effect=Effect.IDEMPOTENT,
    )


@attrs.frozen
class RequestAuthCode(Operation[str]):
    """Ask for an auth code, which never times out and replaces the one asked for before.

    Two programs that both ask for codes of one account invalidate each other. Vendor: ``requestAuthCode``.

    Args:
        email: e-mail address of the account; left out, that of the client's `aiorescue.Login`.
        password: its password.

    Returns:
        The code, a secret; wrap it in `aiorescue.AuthCode`.
    """

    email: Email = None
    password: Password = attrs.field(default=None, repr=False)

    spec: ClassVar[Spec] = Spec(
        service=RESCUE,
        name="requestAuthCode",
        bindings={Binding.SOAP11: Evidence.CLIENT, Binding.SOAP12: Evidence.CLIENT} | TEXT,
        prefix="requestAuthCode_",
        page="/API/requestAuthCode.aspx",
        words=words("OK Error Invalid PollRateExceeded"),
        outputs=(Output("sAuthCode", "AUTHCODE"),),
        needs=Needs.NOBODY,
        # A second request replaces the code of the first, which nobody has seen then.
        effect=Effect.IDEMPOTENT,
        family=Family.AUTH_CODES,
        own_credentials=("email", "password"),
        secret_answer=True,
    )

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> str:
        """The code."""
        return str(values["sAuthCode"])
