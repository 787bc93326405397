"""Operations on tickets: getting, checking, renewing and ending one."""

from typing import Annotated

import attrs

from aiorescue import errors
from aiorescue.inforouter.answers.element import Element
from aiorescue.inforouter.answers.tickets import TicketHolder
from aiorescue.inforouter.service import BringsTicket, InfoRouterOperation, declare
from aiorescue.operation import Effect, Family, Needs, Parameter, Spec, operation

UserName = Annotated[str | None, Parameter("UID")]
Password = Annotated[str | None, Parameter("PWD", secret=True)]
Language = Annotated[str | None, Parameter("Lang", send_empty=True)]
#: Left out, it is not sent (over forms and queries: empty), and the server takes the ticket in the cookie.
OwnTicket = Annotated[str | None, Parameter("AuthenticationTicket", secret=True, send_empty=True)]
OldTicket = Annotated[str | None, Parameter("OldTicket", secret=True, send_empty=True)]


def _declare_login(name: str) -> Spec:
    """Declare a method that issues a ticket for a user name and a password."""
    return declare(
        name,
        ticket=None,
        effect=Effect.IDEMPOTENT,
        family=Family.LOGINS,
        own_credentials=("user", "password"),
        secret_answer=True,
    )


@operation
class AuthenticateUser(InfoRouterOperation[TicketHolder]):
    """Get a ticket for a user name and a password. Vendor: ``AuthenticateUser``."""

    user: UserName = None
    """Login name, in any case; left out, that of the client's `aiorescue.Login`."""
    password: Password = attrs.field(default=None, repr=False)
    """Password of the user; left out together with `user`, that of the client's `aiorescue.Login`."""

    spec = _declare_login("AuthenticateUser")
    read = TicketHolder.of


@operation
class RenewTicket(InfoRouterOperation[TicketHolder]):
    """Replace a ticket by a fresh one; name and password are checked every time. Vendor: ``RenewTicket``.

    Whether the ticket stays the same is not documented: always use the one returned.
    """

    user: UserName = None
    """Login name, in any case; left out, that of the client's `aiorescue.Login`."""
    password: Password = attrs.field(default=None, repr=False)
    """Password of the user; left out together with `user`, that of the client's `aiorescue.Login`."""
    language: Language = None
    """Language of the session; one that the server does not know falls back to its default."""
    old_ticket: OldTicket = attrs.field(default=None, repr=False)
    """Ticket to replace; one that has expired is no error. Left out, the client's own."""

    spec = _declare_login("RenewTicket")
    read = TicketHolder.of


@operation
class IsValidTicket(BringsTicket[bool]):
    """Check whether a ticket is valid, without putting its end off. Vendor: ``isValidTicket``."""

    ticket: OwnTicket = attrs.field(default=None, repr=False)
    """Ticket to check; left out, the client's own, sent as the ``ticket`` cookie."""

    spec = declare("isValidTicket", ticket=None, needs=Needs.SESSION, false_on=errors.NotLoggedIn)

    @classmethod
    def read(cls, root: Element) -> bool:
        """True: an invalid ticket is refused with [901], which `false_on` turns into False."""
        return True


@operation
class LogOut(BringsTicket[None]):
    """End a ticket. Vendor: ``LogOut``."""

    ticket: OwnTicket = attrs.field(default=None, repr=False)
    """Ticket to end, sent as a parameter; left out, the client's own, sent as the ``ticket`` cookie."""

    spec = declare("LogOut", ticket=None, needs=Needs.SESSION, effect=Effect.IDEMPOTENT)
