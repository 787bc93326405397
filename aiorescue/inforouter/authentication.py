"""Tickets: getting, checking, renewing and ending them."""

from datetime import datetime
from typing import Annotated, ClassVar

import attrs

from aiorescue import errors
from aiorescue.inforouter.answers.element import Element
from aiorescue.inforouter.answers.envelope import INFOROUTER, InfoRouterOperation
from aiorescue.inforouter.answers.values import moment, number
from aiorescue.inforouter.service import BINDINGS
from aiorescue.operation import Effect, Family, Needs, Parameter, Spec, operation

UserName = Annotated[str | None, Parameter("UID")]
Password = Annotated[str | None, Parameter("PWD", secret=True)]
Language = Annotated[str | None, Parameter("Lang", send_empty=True)]
#: Left out, the server takes the cookie.
OwnTicket = Annotated[str | None, Parameter("AuthenticationTicket", secret=True, send_empty=True)]


@attrs.frozen(kw_only=True)
class TicketHolder:
    """A ticket and whose it is. Servers of version 8.0 send the ticket alone; the rest is None there.

    Attributes:
        ticket: the ticket, a secret.
        user_id: the user's number.
        user_name: the login name.
        full_name: first and last name.
        email: e-mail address.
        expires_on: when the ticket ends (UTC) unless it is used: each call puts the end off again.
    """

    ticket: str = attrs.field(repr=False)
    user_id: int | None = None
    user_name: str | None = None
    full_name: str | None = None
    email: str | None = None
    expires_on: datetime | None = None


def _holder(root: Element) -> TicketHolder:
    if not root["ticket"].strip():
        # Never taken for one: infoRouter would run every call with it as the anonymous user.
        raise ValueError("a ticket")
    return TicketHolder(
        ticket=root["ticket"],
        user_id=number(root.get("userid")),
        user_name=root.get("username") or None,
        full_name=root.get("fullname") or None,
        email=root.get("email") or None,
        expires_on=moment(root.get("expireOn")),
    )


@operation
class AuthenticateUser(InfoRouterOperation[TicketHolder]):
    """Get a ticket for a name and a password. Vendor: ``AuthenticateUser``.

    Args:
        user: login name, in any case; left out, that of the client's `aiorescue.Login`.
        password: its password.
    """

    user: UserName = None
    password: Password = attrs.field(default=None, repr=False)

    spec: ClassVar[Spec] = Spec(
        service=INFOROUTER,
        name="AuthenticateUser",
        bindings=BINDINGS,
        needs=Needs.NOTHING,
        effect=Effect.IDEMPOTENT,
        family=Family.LOGINS,
        own_credentials=("user", "password"),
        secret_answer=True,
    )

    @classmethod
    def read(cls, root: Element) -> TicketHolder:
        """The ticket and its holder."""
        return _holder(root)


@operation
class RenewTicket(InfoRouterOperation[TicketHolder]):
    """Get a fresh ticket in place of an old one; name and password are checked every time.

    Whether the ticket stays the same is not documented: always use the one returned. Vendor: ``RenewTicket``.

    Args:
        user: login name; left out, that of the client's `aiorescue.Login`.
        password: its password.
        language: language of the session; one the server does not know falls back to its default.
        old_ticket: the ticket to replace; an expired one is no error. Left out, the client's own.
    """

    user: UserName = None
    password: Password = attrs.field(default=None, repr=False)
    language: Language = None
    old_ticket: Annotated[str | None, Parameter("OldTicket", secret=True, send_empty=True)] = attrs.field(
        default=None, repr=False
    )

    spec: ClassVar[Spec] = Spec(
        service=INFOROUTER,
        name="RenewTicket",
        bindings=BINDINGS,
        needs=Needs.NOTHING,
        effect=Effect.IDEMPOTENT,
        family=Family.LOGINS,
        own_credentials=("user", "password"),
        secret_answer=True,
    )

    @classmethod
    def read(cls, root: Element) -> TicketHolder:
        """The ticket and its holder."""
        return _holder(root)


@operation
class IsValidTicket(InfoRouterOperation[bool]):
    """Check a ticket without extending it. Vendor: ``isValidTicket``.

    Args:
        ticket: the ticket to check; left out, the client's own.
    """

    ticket: OwnTicket = attrs.field(default=None, repr=False)

    spec: ClassVar[Spec] = Spec(
        service=INFOROUTER,
        name="isValidTicket",
        bindings=BINDINGS,
        needs=Needs.SESSION,
        effect=Effect.READ,
        false_on=errors.NotLoggedIn,
    )

    @classmethod
    def read(cls, root: Element) -> bool:
        """True; an invalid ticket is refused with [901], which is this operation's No."""
        return True


@operation
class LogOut(InfoRouterOperation[None]):
    """End a ticket. Vendor: ``LogOut``.

    Args:
        ticket: the ticket to end, sent as a parameter. Left out, the client's own, sent as the ``ticket`` cookie.
    """

    ticket: OwnTicket = attrs.field(default=None, repr=False)

    spec: ClassVar[Spec] = Spec(
        service=INFOROUTER,
        name="LogOut",
        bindings=BINDINGS,
        needs=Needs.SESSION,
        effect=Effect.IDEMPOTENT,
    )
