"""Authentication: login, logout, auth codes and single sign-on."""

from collections.abc import Mapping
from typing import Annotated, Any

import attrs

from aiorescue.operation import Effect, Family, Needs, Operation, Output, PageLayout, Parameter, operation
from aiorescue.rescue.service import ASMX, ASMX_INFERRED, SOAP, SOAP_SEEN, TEXT, declare, id_text, on_page
from aiorescue.wire.characters import REPLACEMENT

Email = Annotated[str | None, Parameter("sEmail", "email")]
Password = Annotated[str | None, Parameter("sPassword", "pwd", secret=True)]


@operation
class Login(Operation[None]):
    """Log in; the server session arrives as a cookie and lasts until 20 minutes pass without a call.

    More than ten logins in three minutes are refused. Vendor: ``login`` (the guide writes ``logIn``).
    """

    email: Email = None
    """E-mail address of the account; left out, that of the client's `aiorescue.Login`."""
    password: Password = attrs.field(default=None, repr=False)
    """Password of the account; left out together with `email`, that of the client's `aiorescue.Login`."""

    spec = declare(
        "login",
        SOAP | ASMX_INFERRED | TEXT,
        words="Error OK Invalid LimitReached GlobalIpRestricted",
        needs=Needs.NOTHING,
        effect=Effect.IDEMPOTENT,
        family=Family.LOGINS,
        own_credentials=("email", "password"),
    )


@operation
class Logout(Operation[None]):
    """Log out: end the server session of the cookie. Takes no auth code. Vendor: ``logout``."""

    spec = declare(
        "logout", SOAP | ASMX | TEXT, words="Error OK NotLoggedIn", needs=Needs.SESSION, effect=Effect.IDEMPOTENT
    )


# --- auth codes -----------------------------------------------------------------------------------


def _code(values: Mapping[str, Any]) -> str:
    """The auth code of an answer; raises ValueError if it is empty."""
    code = str(values["sAuthCode"]).strip()
    if not code:
        raise ValueError("the answer is OK but its auth code is empty")
    if REPLACEMENT in code:
        raise ValueError("the answer is OK but its auth code holds a character that cannot be read")
    return code


@operation
class RequestAuthCode(Operation[str]):
    """Ask for an auth code, which never times out and replaces the code issued before.

    Two programs that each ask for codes of one account invalidate each other's. Vendor: ``requestAuthCode``.

    Returns:
        The code, a secret; wrap it in `aiorescue.AuthCode`.
    """

    email: Email = None
    """E-mail address of the account; left out, that of the client's `aiorescue.Login`."""
    password: Password = attrs.field(default=None, repr=False)
    """Password of the account; left out together with `email`, that of the client's `aiorescue.Login`."""

    spec = declare(
        "requestAuthCode",
        SOAP_SEEN | TEXT,
        Output("sAuthCode", "AUTHCODE"),
        words="OK Error Invalid PollRateExceeded",
        needs=Needs.NOTHING,
        # A second request replaces the code of the first, which did not arrive in that case.
        effect=Effect.IDEMPOTENT,
        family=Family.AUTH_CODES,
        own_credentials=("email", "password"),
        secret_answer=True,
    )
    result = staticmethod(_code)


@operation
class RequestAuthCodeSso(Operation[str]):
    """Ask for an auth code of a technician who signs in with single sign-on. Vendor: ``requestAuthCodeSSO``.

    The SOAP operation exists, but its answer was not seen: only the text page is declared.

    Returns:
        The code, a secret; wrap it in `aiorescue.AuthCode`.
    """

    sso_id: Annotated[str, Parameter("sSSOID", "ssoid")]
    """Id of the technician in the company's own directory."""
    password: Annotated[str, Parameter("sPassword", "pwd", secret=True)] = attrs.field(repr=False)
    """Single sign-on password of the company."""
    company: Annotated[str, Parameter("sCompany", "company")] = attrs.field(converter=id_text)
    """Id of the company; digits only."""

    spec = declare(
        "requestAuthCodeSSO",
        TEXT,
        Output("sAuthCode", "AUTHCODE"),
        words="Error OK Invalid",
        page_words="InvalidParam_Company",
        needs=Needs.NOTHING,
        effect=Effect.IDEMPOTENT,
        family=Family.AUTH_CODES,
        secret_answer=True,
    )
    result = staticmethod(_code)


# --- login tickets --------------------------------------------------------------------------------

TICKET = "OK InvalidPassword InvalidCompanyID MissingParameters"


def _address(values: Mapping[str, Any]) -> str:
    """The address of an answer; raises ValueError if it is not one."""
    address = str(values["address"])
    if not address.startswith(("https://", "http://")) or len(address.split()) != 1:
        raise ValueError("the answer is OK but holds no address")
    return address


@operation
class GetLoginTicket(Operation[str]):
    """Ask for an address at which a technician is logged in to the web console. Vendor: ``getLoginTicket``.

    A page outside the API, without a counterpart in SOAP.

    Returns:
        The address, a secret: opening it needs no other login.
    """

    sso_id: Annotated[str, on_page("ssoid")]
    """Id of the technician in the company's own directory."""
    password: Annotated[str, on_page("Password", secret=True)] = attrs.field(repr=False)
    """Single sign-on password of the company."""
    company: Annotated[str, on_page("CompanyID")] = attrs.field(converter=id_text)
    """Id of the company."""

    spec = declare(
        "getLoginTicket",
        TEXT,
        Output("address"),
        words=TICKET,
        page_words="InvalidSSOID",
        page="/SSO/GetLoginTicket.aspx",
        page_layout=PageLayout.ADDRESS,
        needs=Needs.NOTHING,
        effect=Effect.EXPIRES,
        secret_answer=True,
    )
    result = staticmethod(_address)


@operation
class GetDtcLoginTicket(Operation[str]):
    """Ask for an address to download a desktop console that logs its technician in. Vendor: ``getDTCLoginTicket``.

    A page outside the API, without a counterpart in SOAP. Whether an ``OK:`` stands before the address is not
    documented: an address is read with it and without it.

    Returns:
        The address, a secret: the downloaded console needs no other login.
    """

    sso_id: Annotated[str, on_page("ssoid")]
    """Id of the technician in the company's own directory."""
    password: Annotated[str, on_page("Password", secret=True)] = attrs.field(repr=False)
    """Single sign-on password of the company."""
    company: Annotated[str, on_page("CompanyID")] = attrs.field(converter=id_text)
    """Id of the company."""
    arch: Annotated[str, on_page("arch", choices=("", "64"))] = ""
    """``"64"`` for the 64-bit console; empty for the 32-bit one."""

    spec = declare(
        "getDTCLoginTicket",
        TEXT,
        Output("address"),
        words=TICKET,
        page="/SSO/GetDTCLoginTicket.aspx",
        page_layout=PageLayout.ADDRESS,
        needs=Needs.NOTHING,
        effect=Effect.EXPIRES,
        secret_answer=True,
    )
    result = staticmethod(_address)
