"""Results about the server and about the user that a client calls as."""

from datetime import datetime, timedelta, timezone

import attrs

from aiorescue.inforouter.answers.element import Element
from aiorescue.inforouter.answers.values import hours_of, moment, number
from aiorescue.operation import frozen
from aiorescue.wire.numbers import whole_number


@frozen(kw_only=True)
class ServerInformation:
    """What an infoRouter server says about itself, before a login as well as after one.

    Attributes:
        version: version of the server, such as ``"8.7.0.0"``.
        server_time: time of the server's clock; aware if the server sends the offset of its zone.
        utc_time: time of the server's clock in UTC.
        utc_offset: offset of the server's zone from UTC; None if the server does not send it.
        company: company that the licence was issued to.
        server_name: name of the server.
        licences: number of users that the licence allows; None if the server does not send it.
        subscription_ends: when the support that comes with the licence ends.
        windows_authentication: True if users sign in through Windows; passwords may not work then.
        workflow: True if the workflow module is on.
        anonymous_access: True if a call without a ticket runs as the anonymous user; None if the server does not say.
        compliance: True if the compliance module is on.
        element: root element of the answer, with whatever newer servers add.
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

    @classmethod
    def of(cls, root: Element) -> "ServerInformation":
        """Read the server's description from the attributes of the root element."""
        hours = root.get("UTC_Offset").strip()
        offset = timedelta(hours=hours_of(hours)) if hours else None
        local = moment(root.get("Server_date_time"))
        if local is not None and local.tzinfo is None and offset is not None:
            local = local.replace(tzinfo=timezone(offset))
        return cls(
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


@frozen(kw_only=True)
class User:
    """A user of infoRouter.

    Attributes:
        id: number of the user.
        user_name: login name.
        first_name: first name.
        last_name: last name.
        email: e-mail address.
        enabled: True if the user may log in.
        library: library that a local user belongs to; empty for a global user.
        last_logon: time of the last login; naive, as the server sends its local time without the zone.
        password_changed: time of the last change of the password; naive, in the server's local time.
        authority: what checks the password, such as ``"Native"``.
        read_only: True if the user may not change anything.
        element: the ``<User>`` element, with preferences and task redirection.
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

    @classmethod
    def of(cls, root: Element) -> "User":
        """Read the user from the ``<User>`` element in the root element. Raises KeyError where there is none."""
        found = root.find("User")
        if found is None:
            raise KeyError("User")
        return cls(
            id=whole_number(found["UserID"]),
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
