"""People: administrators and technicians, looked up, made and changed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import attrs

from aiorescue import errors
from aiorescue.operation import (
    Binding,
    Effect,
    Evidence,
    Operation,
    Output,
    PageLayout,
    Parameter,
    Slot,
    operation,
    slots_of,
)
from aiorescue.rescue.answers.nodes import User
from aiorescue.rescue.hierarchy import REFUSALS, NodeId, PageNode, new_node
from aiorescue.rescue.service import SOAP, SOAP11_SEEN, TEXT, TEXT_INFERRED, declare, either, on_page

#: The most users that the guide recommends in one call.
MOST_USERS = 1_000

_USER_WORDS = f"{REFUSALS} InvalidParam_NodeID"


@operation
class GetUser(Operation[User]):
    """An administrator or technician. Vendor: ``getUser``.

    Args:
        node: id of the user's node.
    """

    node: NodeId

    spec = declare(
        "getUser",
        SOAP | TEXT,
        words=_USER_WORDS,
        page_words="InvalidParam_Node",
        outputs=(Output("oUser", record=User),),
    )


@operation
class GetUserV2(Operation[User]):
    """An administrator or technician. SOAP only, known from a client's code. Vendor: ``getUser_v2``.

    That the user has the fields of the other versions is inferred.

    Args:
        node: id of the user's node.
    """

    node: Annotated[int, Parameter("iNodeID", holds=int)]

    spec = declare("getUser_v2", SOAP11_SEEN, words=_USER_WORDS, outputs=(Output("oUser", record=User),))


@operation
class GetUserV3(Operation[User]):
    """An administrator or technician, by node or e-mail address. Vendor: ``getUser_v3``.

    The text page's path follows from its title (inferred).

    Args:
        node: id of the user's node; 0 to look for the e-mail address.
        email: e-mail address; one of the two must be given, and only one.
    """

    node: NodeId = 0
    email: Annotated[str, Parameter("sUserEmail", "email")] = ""

    spec = declare(
        "getUser_v3",
        SOAP | TEXT_INFERRED,
        words=f"{_USER_WORDS} InvalidParam_Email Invalid_EmailAndNodeIdBothSpecified",
        page_words="InvalidParam_Node",
        outputs=(Output("oUser", record=User),),
    )

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if bool(self.node) == bool(self.email):
            raise errors.InvalidRequest("getUser_v3: give node or email, and only one of them", operation="getUser_v3")


# --- making -----------------------------------------------------------------------------------------


@operation
class CreateUser(Operation[int]):
    """Make an empty user. Never repeated after an unclear failure. Vendor: ``createUser``.

    Only the text page is known; name and the rest follow with `SetUser`.

    Args:
        parent: id of a group of master administrators, administrators or technicians.

    Returns:
        The id of the new user's node.
    """

    parent: Annotated[int, on_page("parent", int)]

    spec = declare(
        "createUser",
        TEXT,
        page_layout=PageLayout.BODY,
        words=REFUSALS,
        page_words="InvalidParam_Parent",
        outputs=(Output("node"),),
        effect=Effect.CREATES,
    )

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> int:
        """The id."""
        return new_node(values)


@attrs.frozen(kw_only=True)
class NewUser:
    """A user to make.

    Args:
        unique_id: a key of your own for this user; the service gives out node ids.
        parent: id of the group.
        name: of the person.
        email: of the person.
        password: sent as its own confirmation, too.
        nick: the name that customers see.
        sso_id: id for single sign-on.
        enabled: whether the user is.
    """

    unique_id: Annotated[str, on_page("uniqueid")] = attrs.field(converter=str)
    parent: Annotated[int, on_page("parentid", int)]
    name: Annotated[str, on_page("name")]
    nick: Annotated[str, on_page("nick")] = ""
    email: Annotated[str, on_page("email")]
    sso_id: Annotated[str, on_page("ssoid")] = ""
    password: Annotated[str, on_page("pwd", secret=True), on_page("confpwd", secret=True)] = attrs.field(repr=False)
    enabled: Annotated[bool, on_page("status", **either("Disabled", "Enabled"))] = True


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
    """Make many users at once. Never repeated after an unclear failure. Vendor: ``createUsers``.

    Master administrators only. The page's path follows from its title, and nobody has shown how it takes the array:
    that the fields are called ``USERDATA[0].name`` is inferred from its table (``USERDATA[].name``).

    Args:
        users: the users; the guide recommends at most about 1,000.
    """

    users: tuple[NewUser, ...] = attrs.field(converter=_new_users)

    spec = declare("createUsers", {Binding.TEXT_POST: Evidence.INFERRED}, words=REFUSALS, effect=Effect.CREATES)

    def __attrs_post_init__(self) -> None:
        if not 0 < len(self.users) <= MOST_USERS:
            raise errors.InvalidRequest(f"createUsers: give 1 to {MOST_USERS} users", operation="createUsers")
        super().__attrs_post_init__()

    def more_slots(self) -> Sequence[Slot]:
        """The fields of all users."""
        return [_numbered(slot, index, user) for index, user in enumerate(self.users) for slot in _USER_SLOTS]


def _numbered(slot: Slot, index: int, user: NewUser) -> Slot:
    parameter = attrs.evolve(slot.parameter, page_key=f"USERDATA[{index}].{slot.parameter.page_key}")
    value = slot.get(user)
    return Slot(f"users[{index}].{slot.name}", parameter, lambda _: value)


# --- changing ---------------------------------------------------------------------------------------

Password = Annotated[
    str,
    Parameter("sPwd", "pwd", secret=True),
    Parameter("sConfPwd", "confpwd", secret=True),  # the confirmation
]
PagePassword = Annotated[str, on_page("pwd", secret=True), on_page("confpwd", secret=True)]

_SET_WORDS = (
    f"{REFUSALS} InvalidParam_Status InvalidParam_Name InvalidParam_Email InvalidParam_Email_Already_In_Use"
    " InvalidParam_MobileAddOn InvalidParam_Missing_Current_Password"
)
_ONLY_OVER_SOAP = (
    "InvalidParam_NodeID InvalidParam_Password_Cannot_Contain_Whitespace_Characters"
    " InvalidParam_Password_Has_To_Be_At_Least_8_Characters_Long"
)


@operation(kw_only=True)
class SetUser(Operation[None]):
    """Change a user. Vendor: ``setUser``. The text page's path follows from its title (inferred).

    All of it is set, not only what is given: by default the user is enabled and has no add-on, and over SOAP a text
    that is left out is sent empty.

    Args:
        node: id of the user's node.
        name: of the person.
        email: of the person.
        nick: the name that customers see.
        sso_id: id for single sign-on.
        password: a new one; sent as its own confirmation, too.
        current_password: asked only of master administrators who change themselves.
        enabled: whether the user is.
        description: a text of the account's own.
        mobile_addon: whether they have the add-on for mobiles.
    """

    node: NodeId
    name: Annotated[str, Parameter("sName", "name")]
    nick: Annotated[str, Parameter("sNick", "nick")] = ""
    email: Annotated[str, Parameter("sEmail", "email")]
    sso_id: Annotated[str, Parameter("sSSOID", "ssoid")] = ""
    password: Password = attrs.field(default="", repr=False)
    current_password: Annotated[str, Parameter("sCurrentPwd", "oldpwd", secret=True)] = attrs.field(
        default="", repr=False
    )
    enabled: Annotated[bool, Parameter("eStatus", "status", **either("Disabled", "Enabled"))] = True
    description: Annotated[str, Parameter("sDescription", "description")] = ""
    mobile_addon: Annotated[bool, Parameter("eAddOns", "addons", **either("False", "True"))] = False

    spec = declare(
        "setUser",
        SOAP | TEXT_INFERRED,
        words=f"{_SET_WORDS} {_ONLY_OVER_SOAP}",
        page_words="InvalidParam_Node",
        effect=Effect.IDEMPOTENT,
    )


@operation(kw_only=True)
class SetUserV2(Operation[None]):
    """Change a user, the RPAT add-on as well. Vendor: ``setUser_v2``.

    Only the text page is known, and its path follows from its title (inferred); SOAP's names were not read. By default
    the user is enabled and has no add-on.

    Args:
        node: id of the user's node.
        name: of the person.
        email: of the person.
        nick: the name that customers see.
        sso_id: id for single sign-on.
        password: a new one; sent as its own confirmation, too.
        current_password: asked only of master administrators who change themselves.
        enabled: whether the user is.
        description: a text of the account's own.
        mobile_addon: whether they have the add-on for mobiles.
        rpat_addon: whether they have the RPAT add-on.
    """

    node: PageNode
    name: Annotated[str, on_page("name")]
    nick: Annotated[str, on_page("nick")] = ""
    email: Annotated[str, on_page("email")]
    sso_id: Annotated[str, on_page("ssoid")] = ""
    password: PagePassword = attrs.field(default="", repr=False)
    current_password: Annotated[str, on_page("oldpwd", secret=True)] = attrs.field(default="", repr=False)
    enabled: Annotated[bool, on_page("status", **either("Disabled", "Enabled"))] = True
    description: Annotated[str, on_page("description")] = ""
    mobile_addon: Annotated[bool, on_page("mobileaddon", **either("False", "True"))] = False
    rpat_addon: Annotated[bool, on_page("rpataddon", **either("False", "True"))] = False

    spec = declare(
        "setUser_v2",
        TEXT_INFERRED,
        words=_SET_WORDS,
        page_words="InvalidParam_Node InvalidParam_RPATAddOn",
        effect=Effect.IDEMPOTENT,
    )


@operation
class SetUserStatusV71(Operation[None]):
    """Enable or disable a user. SOAP only. Vendor: ``setUserStatus_v7_1``.

    A client was seen to call it with node, status and auth code; their element names are inferred from ``setUser``.

    Args:
        node: id of the user's node.
        enabled: whether the user is.
    """

    node: Annotated[int, Parameter("iNodeID", holds=int)]
    enabled: Annotated[bool, Parameter("eStatus", **either("Disabled", "Enabled"))]

    spec = declare(
        "setUserStatus_v7_1",
        {Binding.SOAP11: Evidence.INFERRED, Binding.SOAP12: Evidence.INFERRED},
        # its OK has no prefix; the other words are inferred
        words=_USER_WORDS,
        effect=Effect.IDEMPOTENT,
        prefix="",
    )
