"""Results of the operations that issue a ticket."""

from datetime import datetime

import attrs

from aiorescue.inforouter.answers.element import Element
from aiorescue.inforouter.answers.values import moment, number
from aiorescue.operation import frozen
from aiorescue.wire.characters import REPLACEMENT


@frozen(kw_only=True)
class TicketHolder:
    """A ticket and the user that it was issued to.

    Servers of version 8.0 send the ticket alone; every other attribute is then None.

    Attributes:
        ticket: the authentication ticket; a secret, never shown.
        user_id: number of the user.
        user_name: login name of the user.
        full_name: first and last name of the user.
        email: e-mail address of the user.
        expires_on: when the ticket ends if it is not used (UTC); each call with it puts this moment off.
    """

    ticket: str = attrs.field(repr=False)
    user_id: int | None = None
    user_name: str | None = None
    full_name: str | None = None
    email: str | None = None
    expires_on: datetime | None = None

    @classmethod
    def of(cls, root: Element) -> "TicketHolder":
        """Read the ticket and its user from the root element. Raises ValueError for a ticket that cannot be sent."""
        if not root["ticket"].strip():
            # An empty ticket is never accepted: infoRouter would run every call with it as the anonymous user.
            raise ValueError("the ticket is empty")
        if REPLACEMENT in root["ticket"] or not root["ticket"].isprintable():
            raise ValueError("the ticket holds a character that no request could bring back")
        return cls(
            ticket=root["ticket"],
            user_id=number(root.get("userid")),
            user_name=root.get("username") or None,
            full_name=root.get("fullname") or None,
            email=root.get("email") or None,
            expires_on=moment(root.get("expireOn")),
        )
