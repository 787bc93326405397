"""The server and the user that a client calls as."""

from datetime import datetime, timedelta, timezone
from typing import ClassVar

import attrs

from aiorescue.inforouter.answers.element import Element
from aiorescue.inforouter.answers.envelope import InfoRouterOperation
from aiorescue.inforouter.answers.values import moment, number
from aiorescue.inforouter.service import TICKET_LOWER, declare
from aiorescue.operation import Spec, operation


@attrs.frozen(kw_only=True)
class ServerInformation:
    """What a server says of itself, also before a login.

    Attributes:
        version: such as ``"8.7.0.0"``.
        server_time: its clock, aware of the server's zone if it tells its offset.
        utc_time: the same moment in UTC.
        utc_offset: its zone.
        company: the licence's holder.
        server_name: its name.
        licences: how many users the licence allows.
        subscription_ends: when the licence's support ends.
        windows_authentication: people sign in by Windows; passwords may not work.
        workflow: the workflow module is on.
        anonymous_access: a call without a ticket is a call of the anonymous user; None if it does not say.
        compliance: the compliance module is on.
        element: the answer, for what newer servers add.
    """

    version: str
    server_time: datetime | None
    utc_time: datetime | None
    utc_offset: timedelta | None
    company: str
    server_name: str
    licences: int | None
    subscription_ends: datetime | None
    windows_authentication: bool
    workflow: bool
    anonymous_access: bool | None
    compliance: bool
    element: Element = attrs.field(repr=False)


@operation
class ServerInfo(InfoRouterOperation[ServerInformation]):
    """Ask the server about itself; needs no ticket. Vendor: ``ServerInfo``."""

    spec: ClassVar[Spec] = declare("ServerInfo", ticket=None)

    @classmethod
    def read(cls, root: Element) -> ServerInformation:
        """The root's attributes."""
        hours = root.get("UTC_Offset").strip()
        offset = timedelta(hours=float(hours)) if hours else None
        local = moment(root.get("Server_date_time"))
        if local is not None and local.tzinfo is None and offset is not None:
            local = local.replace(tzinfo=timezone(offset))
        return ServerInformation(
            version=root["VersionNumber"],
            server_time=local,
            utc_time=moment(root.get("Coordinated_Universal_Time")),
            utc_offset=offset,
            company=root.get("Company"),
            server_name=root.get("ServerName"),
            licences=number(root.get("LicenseCount")),
            subscription_ends=moment(root.get("SubscriptionEndDate")),
            windows_authentication=root.true("WindowsAuthenticationIsOn"),
            workflow=root.true("WorkflowIsOn"),
            anonymous_access=root.true("AnonymousAccessIsOn") if "AnonymousAccessIsOn" in root else None,
            compliance=root.true("ComplianceModuleIsOn"),
            element=root,
        )


@attrs.frozen(kw_only=True)
class User:
    """A user of infoRouter.

    Attributes:
        id: the user's number.
        user_name: the login name.
        first_name: first name.
        last_name: last name.
        email: e-mail address.
        enabled: may log in.
        library: the library of a local user; empty for a global one.
        last_logon: in the server's zone, which it does not tell: naive.
        password_changed: the same.
        authority: who checks the password, such as ``"Native"``.
        read_only: may not change anything.
        element: the ``<User>`` element with preferences and task redirection.
    """

    id: int
    user_name: str
    first_name: str
    last_name: str
    email: str
    enabled: bool
    library: str
    last_logon: datetime | None
    password_changed: datetime | None
    authority: str
    read_only: bool
    element: Element = attrs.field(repr=False)


@operation
class GetCurrentUser(InfoRouterOperation[User]):
    """The user that the client calls as. Vendor: ``GetCurrentUser``."""

    spec: ClassVar[Spec] = declare("GetCurrentUser", ticket=TICKET_LOWER)

    @classmethod
    def read(cls, root: Element) -> User:
        """The ``<User>`` in the root."""
        found = root.find("User")
        if found is None:
            raise KeyError("User")
        return User(
            id=int(found["UserID"]),
            user_name=found["UserName"],
            first_name=found.get("FirstName"),
            last_name=found.get("LastName"),
            email=found.get("Email"),
            enabled=found.true("Enabled"),
            library=found.get("Domain"),
            last_logon=moment(found.get("LastLogonDate")),
            password_changed=moment(found.get("LastPasswordChangeDate")),
            authority=found.get("AuthenticationAuthority"),
            read_only=found.true("ReadOnlyUser"),
            element=found,
        )
