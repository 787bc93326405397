"""People: administrators and technicians; looking them up, creating and changing them."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import attrs

from aiorescue import errors
from aiorescue.operation import (
    Binding,
    Effect,
    Evidence,
    Operation,
    Output,
    Parameter,
    Slot,
    frozen,
    operation,
    slots_of,
)
from aiorescue.rescue.answers.nodes import User
from aiorescue.rescue.hierarchy import HIERARCHY, NodeId, PageNode, declare_creation, new_node
from aiorescue.rescue.service import (
    SOAP,
    SOAP11_SEEN,
    SOAP_INFERRED,
    TEXT,
    TEXT_INFERRED,
    declare,
    either,
    id_text,
    on_page,
)

#: The most users that the guide recommends in one call.
MOST_USERS = 1_000

USER = f"{HIERARCHY} InvalidParam_NodeID"
SET_USER = (
    f"{HIERARCHY} InvalidParam_Status InvalidParam_Name InvalidParam_Email InvalidParam_Email_Already_In_Use "
    "InvalidParam_MobileAddOn InvalidParam_Missing_Current_Password"
)

_ENABLED = either("Disabled", "Enabled")
_ADDON = either("False", "True")

# --- looking up -----------------------------------------------------------------------------------

_USER = Output("oUser", record=User)


@operation
class GetUser(Operation[User]):
    """An administrator or technician. Vendor: ``getUser``."""

    node: NodeId
    """Id of the user's node."""

    spec = declare("getUser", SOAP | TEXT, _USER, words=USER, page_words="InvalidParam_Node")


@operation
class GetUserV2(Operation[User]):
    """An administrator or technician. SOAP only, known from a client's code. Vendor: ``getUser_v2``.

    That the user has the fields of the other versions is inferred.
    """

    node: Annotated[int, Parameter("iNodeID", holds=int)]
    """Id of the user's node."""

    spec = declare("getUser_v2", SOAP11_SEEN, _USER, words=USER)


@operation
class GetUserV3(Operation[User]):
    """An administrator or technician, by node or e-mail address. Vendor: ``getUser_v3``.

    The text page's path follows from its title (inferred).
    """

    node: NodeId = 0
    """Id of the user's node; 0 to look for the e-mail address."""
    email: Annotated[str, Parameter("sUserEmail", "email")] = ""
    """E-mail address; either `email` or `node` must be given, and only one of them."""

    spec = declare(
        "getUser_v3",
        SOAP | TEXT_INFERRED,
        _USER,
        words=f"{USER} InvalidParam_Email Invalid_EmailAndNodeIdBothSpecified",
        page_words="InvalidParam_Node",
    )

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if bool(self.node) == bool(self.email):
            raise errors.InvalidRequest("getUser_v3: give node or email, and only one of them", operation="getUser_v3")


# --- creating -------------------------------------------------------------------------------------


@operation
class CreateUser(Operation[int]):
    """Create an empty user. Never repeated after an ambiguous failure. Vendor: ``createUser``.

    Only the text page is known; name and the rest follow with `SetUser`.

    Returns:
        The id of the new user's node.
    """

    parent: Annotated[int, on_page("parent", int)]
    """Id of a group of master administrators, administrators or technicians."""

    spec = declare_creation("createUser")
    result = staticmethod(new_node)


@frozen(kw_only=True)
class NewUser:
    """A user to create with `CreateUsers`."""

    unique_id: Annotated[str, on_page("uniqueid")] = attrs.field(converter=id_text)
    """A key of your own for the user; node ids are given by the service."""
    parent: Annotated[int, on_page("parentid", int)]
    """Id of the group."""
    name: Annotated[str, on_page("name")]
    """Name of the person."""
    nick: Annotated[str, on_page("nick")] = ""
    """Name that customers see."""
    email: Annotated[str, on_page("email")]
    """E-mail address of the person."""
    sso_id: Annotated[str, on_page("ssoid")] = ""
    """Id for single sign-on."""
    password: Annotated[str, on_page("pwd", secret=True), on_page("confpwd", secret=True)] = attrs.field(repr=False)
    """Password of the user; sent as its own confirmation, too."""
    enabled: Annotated[bool, on_page("status", **_ENABLED)] = True
    """Whether the user is enabled."""


_USER_SLOTS = tuple(slots_of(NewUser))


def _new_users(users: Iterable[NewUser]) -> tuple[NewUser, ...]:
    try:
        found = tuple(users)
    except TypeError:
        found = (None,)  # type: ignore[assignment]
    if not all(isinstance(user, NewUser) for user in found):
        raise errors.InvalidRequest("createUsers: users must be a list of NewUser", operation="createUsers")
    return found


@operation
class CreateUsers(Operation[None]):
    """Create many users at once. Never repeated after an ambiguous failure. Vendor: ``createUsers``.

    Master administrators only. The page's path follows from its title, and how it takes the array was not seen:
    that the fields are called ``USERDATA[0].name`` is inferred from its table (``USERDATA[].name``).
    """

    users: tuple[NewUser, ...] = attrs.field(converter=_new_users)
    """The users; the guide recommends at most about 1,000."""

    spec = declare("createUsers", {Binding.TEXT_POST: Evidence.INFERRED}, words=HIERARCHY, effect=Effect.CREATES)

    def __attrs_post_init__(self) -> None:
        if not 0 < len(self.users) <= MOST_USERS:
            raise errors.InvalidRequest(f"createUsers: give 1 to {MOST_USERS} users", operation="createUsers")
        super().__attrs_post_init__()

    def more_slots(self) -> Sequence[Slot]:
        """The slots of all users' fields."""
        return [_numbered(slot, index, user) for index, user in enumerate(self.users) for slot in _USER_SLOTS]


def _numbered(slot: Slot, index: int, user: NewUser) -> Slot:
    parameter = attrs.evolve(slot.parameter, page_key=f"USERDATA[{index}].{slot.parameter.page_key}")
    value = slot.get(user)
    return Slot(f"users[{index}].{slot.name}", parameter, lambda _: value)


# --- changing -------------------------------------------------------------------------------------

Password = Annotated[
    str,
    Parameter("sPwd", "pwd", secret=True),
    Parameter("sConfPwd", "confpwd", secret=True),  # the confirmation
]
PagePassword = Annotated[str, on_page("pwd", secret=True), on_page("confpwd", secret=True)]


@operation(kw_only=True)
class SetUser(Operation[None]):
    """Change a user. Vendor: ``setUser``. The text page's path follows from its title (inferred).

    Every field is set, given or not: by default the user is enabled and has no add-on, and over SOAP a text
    that is left out is sent empty.
    """

    node: NodeId
    """Id of the user's node."""
    name: Annotated[str, Parameter("sName", "name")]
    """Name of the person."""
    nick: Annotated[str, Parameter("sNick", "nick")] = ""
    """Name that customers see."""
    email: Annotated[str, Parameter("sEmail", "email")]
    """E-mail address of the person."""
    sso_id: Annotated[str, Parameter("sSSOID", "ssoid")] = ""
    """Id for single sign-on."""
    password: Password = attrs.field(default="", repr=False)
    """New password; sent as its own confirmation, too."""
    current_password: Annotated[str, Parameter("sCurrentPwd", "oldpwd", secret=True)] = attrs.field(
        default="", repr=False
    )
    """Current password, asked only of master administrators who change themselves."""
    enabled: Annotated[bool, Parameter("eStatus", "status", **_ENABLED)] = True
    """Whether the user is enabled."""
    description: Annotated[str, Parameter("sDescription", "description")] = ""
    """A text of the account's own."""
    mobile_addon: Annotated[bool, Parameter("eAddOns", "addons", **_ADDON)] = False
    """Whether the user has the add-on for mobiles."""

    spec = declare(
        "setUser",
        SOAP | TEXT_INFERRED,
        words=f"{SET_USER} InvalidParam_NodeID InvalidParam_Password_Cannot_Contain_Whitespace_Characters "
        "InvalidParam_Password_Has_To_Be_At_Least_8_Characters_Long",
        page_words="InvalidParam_Node",
        effect=Effect.IDEMPOTENT,
    )


@operation(kw_only=True)
class SetUserV2(Operation[None]):
    """Change a user, the RPAT add-on as well. Vendor: ``setUser_v2``.

    Only the text page is known, and its path follows from its title (inferred); SOAP's names were not read. Every field
    is set, given or not: by default the user is enabled and has no add-on.
    """

    node: PageNode
    """Id of the user's node."""
    name: Annotated[str, on_page("name")]
    """Name of the person."""
    nick: Annotated[str, on_page("nick")] = ""
    """Name that customers see."""
    email: Annotated[str, on_page("email")]
    """E-mail address of the person."""
    sso_id: Annotated[str, on_page("ssoid")] = ""
    """Id for single sign-on."""
    password: PagePassword = attrs.field(default="", repr=False)
    """New password; sent as its own confirmation, too."""
    current_password: Annotated[str, on_page("oldpwd", secret=True)] = attrs.field(default="", repr=False)
    """Current password, asked only of master administrators who change themselves."""
    enabled: Annotated[bool, on_page("status", **_ENABLED)] = True
    """Whether the user is enabled."""
    description: Annotated[str, on_page("description")] = ""
    """A text of the account's own."""
    mobile_addon: Annotated[bool, on_page("mobileaddon", **_ADDON)] = False
    """Whether the user has the add-on for mobiles."""
    rpat_addon: Annotated[bool, on_page("rpataddon", **_ADDON)] = False
    """Whether the user has the RPAT add-on."""

    spec = declare(
        "setUser_v2",
        TEXT_INFERRED,
        words=SET_USER,
        page_words="InvalidParam_Node InvalidParam_RPATAddOn",
        effect=Effect.IDEMPOTENT,
    )


@operation
class SetUserStatusV71(Operation[None]):
    """Enable or disable a user. SOAP only. Vendor: ``setUserStatus_v7_1``.

    A client was seen to call it with node, status and auth code; their element names are inferred from ``setUser``.
    """

    node: Annotated[int, Parameter("iNodeID", holds=int)]
    """Id of the user's node."""
    enabled: Annotated[bool, Parameter("eStatus", **_ENABLED)]
    """Whether the user is enabled."""

    spec = declare(
        "setUserStatus_v7_1",
        SOAP_INFERRED,
        words=USER,  # its OK has no prefix; the other words are inferred
        prefix="",
        effect=Effect.IDEMPOTENT,
    )
