"""Who is calling: login, logout and auth codes."""

from collections.abc import Mapping
from typing import Annotated, Any

import attrs

from aiorescue.operation import (
    Binding,
    Effect,
    Evidence,
    Family,
    Needs,
    Operation,
    Output,
    PageLayout,
    Parameter,
    operation,
)
from aiorescue.rescue.service import ASMX, ASMX_INFERRED, SOAP, TEXT, declare, on_page

Email = Annotated[str | None, Parameter("sEmail", "email")]
Password = Annotated[str | None, Parameter("sPassword", "pwd", secret=True)]


@operation
class Login(Operation[None]):
    """Log in; the server session arrives as a cookie and lasts until 20 minutes pass without a call.

    More than ten logins in three minutes are refused. Vendor: ``login`` (the guide writes ``logIn``).

    Args:
        email: e-mail address of the account; left out, that of the client's `aiorescue.Login`.
        password: its password.
    """

    email: Email = None
    password: Password = attrs.field(default=None, repr=False)

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


@operation
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

    spec = declare(
        "requestAuthCode",
        {Binding.SOAP11: Evidence.CLIENT, Binding.SOAP12: Evidence.CLIENT} | TEXT,
        words="OK Error Invalid PollRateExceeded",
        outputs=(Output("sAuthCode", "AUTHCODE"),),
        needs=Needs.NOTHING,
        # A second request replaces the code of the first, which nobody has seen then.
        effect=Effect.IDEMPOTENT,
        family=Family.AUTH_CODES,
        own_credentials=("email", "password"),
        secret_answer=True,
    )

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> str:
        """The code."""
        return _code(values)


def _code(values: Mapping[str, Any]) -> str:
    code = str(values["sAuthCode"]).strip()
    if not code:
        raise ValueError("the answer is OK but its auth code is empty")
    return code


# --- single sign-on ---------------------------------------------------------------------------------

_TICKET_WORDS = "OK InvalidPassword InvalidCompanyID MissingParameters"


@operation
class RequestAuthCodeSso(Operation[str]):
    """Ask for an auth code as somebody who signs in with single sign-on. Vendor: ``requestAuthCodeSSO``.

    The SOAP operation exists, but its answer was not seen: only the text page is declared.

    Args:
        sso_id: id of the technician in the company's own directory.
        password: the company's single sign-on password.
        company: id of the company; digits only.

    Returns:
        The code, a secret; wrap it in `aiorescue.AuthCode`.
    """

    sso_id: Annotated[str, Parameter("sSSOID", "ssoid")]
    password: Annotated[str, Parameter("sPassword", "pwd", secret=True)] = attrs.field(repr=False)
    company: Annotated[str, Parameter("sCompany", "company")] = attrs.field(converter=str)

    spec = declare(
        "requestAuthCodeSSO",
        TEXT,
        words="Error OK Invalid",
        page_words="InvalidParam_Company",
        outputs=(Output("sAuthCode", "AUTHCODE"),),
        needs=Needs.NOTHING,
        effect=Effect.IDEMPOTENT,
        family=Family.AUTH_CODES,
        secret_answer=True,
    )

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> str:
        """The code."""
        return _code(values)


@operation
class GetLoginTicket(Operation[str]):
    """Ask for an address at which a technician is logged in to the web console. Vendor: ``getLoginTicket``.

    A page outside the API; SOAP has nothing like it.

    Args:
        sso_id: id of the technician in the company's own directory.
        password: the company's single sign-on password.
        company: id of the company.

    Returns:
        The address, a secret: whoever has it is logged in.
    """

    sso_id: Annotated[str, on_page("ssoid")]
    password: Annotated[str, on_page("Password", secret=True)] = attrs.field(repr=False)
    company: Annotated[str, on_page("CompanyID")] = attrs.field(converter=str)

    spec = declare(
        "getLoginTicket",
        TEXT,
        page="/SSO/GetLoginTicket.aspx",
        page_layout=PageLayout.ADDRESS,
        words=_TICKET_WORDS,
        page_words="InvalidSSOID",
        outputs=(Output("address"),),
        needs=Needs.NOTHING,
        effect=Effect.EXPIRES,
        secret_answer=True,
    )

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> str:
        """The address."""
        return _address(values)


@operation
class GetDtcLoginTicket(Operation[str]):
    """Ask for an address to download a desktop console that logs its technician in. Vendor: ``getDTCLoginTicket``.

    A page outside the API; SOAP has nothing like it. Whether an ``OK:`` stands before the address is not
    documented: both are read.

    Args:
        sso_id: id of the technician in the company's own directory.
        password: the company's single sign-on password.
        company: id of the company.
        arch: ``"64"`` for the 64-bit console; empty for the other.

    Returns:
        The address, a secret: whoever has it is logged in.
    """

    sso_id: Annotated[str, on_page("ssoid")]
    password: Annotated[str, on_page("Password", secret=True)] = attrs.field(repr=False)
    company: Annotated[str, on_page("CompanyID")] = attrs.field(converter=str)
    arch: Annotated[str, on_page("arch", choices=("", "64"))] = ""

    spec = declare(
        "getDTCLoginTicket",
        TEXT,
        page="/SSO/GetDTCLoginTicket.aspx",
        page_layout=PageLayout.ADDRESS,
        words=_TICKET_WORDS,
        outputs=(Output("address"),),
        needs=Needs.NOTHING,
        effect=Effect.EXPIRES,
        secret_answer=True,
    )

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> str:
        """The address."""
        return _address(values)


def _address(values: Mapping[str, Any]) -> str:
    address = str(values["address"])
    if not address.startswith(("https://", "http://")) or len(address.split()) != 1:
        raise ValueError("the answer is OK but holds no address")
    return address
