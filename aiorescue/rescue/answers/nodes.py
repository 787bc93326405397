"""The people, groups and channels of an account: what the operations of the hierarchy answer with."""

import enum
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, ClassVar

from aiorescue.operation import frozen
from aiorescue.rescue.answers.records import Field, content
from aiorescue.rescue.answers.values import member, truth
from aiorescue.wire.numbers import whole_number


class NodeType(enum.StrEnum):
    """The type of a node of the hierarchy, as the service writes it."""

    ROOT = "Root"
    MASTER_ADMINISTRATORS = "MasterAdministrators"
    ADMINISTRATORS = "Administrators"
    TECHNICIANS = "Technicians"
    ADMINISTRATOR_GROUP = "AdministratorGroup"
    TECHNICIAN_GROUP = "TechnicianGroup"
    MASTER_ADMINISTRATOR = "MasterAdministrator"
    ADMINISTRATOR = "Administrator"
    TECHNICIAN = "Technician"
    ADMINISTRATOR_LINK = "AdministratorLink"
    ADMINISTRATOR_GROUP_LINK = "AdministratorGroupLink"
    CHANNEL = "Channel"
    PSEUDO_GROUP = "PseudoGroup"

    @classmethod
    def _missing_(cls, value: object) -> "NodeType | None":
        """Find a type in any case: the vendor's guide spells some with fewer capitals."""
        wanted = str(value).casefold()
        return next((one for one in cls if one.value.casefold() == wanted), None)


class NodeStatus(enum.StrEnum):
    """The status of a technician's or administrator's node, as the service writes it."""

    DISABLED = "Disabled"
    OFFLINE = "Offline"
    ONLINE = "Online"
    BUSY = "Busy"
    AWAY = "Away"


_TYPE, _STATUS = member(NodeType), member(NodeStatus)


@frozen
class Node:
    """A node of the hierarchy. One person can have several, one for each role.

    Attributes:
        id: id of the node.
        parent_id: id of the node above; None where the answer does not say.
        name: name of the person, group or channel.
        email: e-mail address of a person; empty for other nodes.
        description: a text of the account's own.
        status: whether the person is online; a word that is not known is kept as it came.
        type: type of the node; a word that is not known is kept as it came.
        mended: True if U+FFFD stands in one of the texts for a character that could not be read, or that XML does not
            allow.
    """

    id: Annotated[int, Field("iNodeID", "NodeID", whole_number)]
    # Over SOAP the parent and the description were not seen; their names are inferred.
    parent_id: Annotated[int | None, Field("iParentID", "ParentID", whole_number)] = None
    name: Annotated[str, Field("sName", "Name")] = ""
    email: Annotated[str, Field("sEmail", "Email")] = ""
    description: Annotated[str, Field("sDescription", "Description")] = ""
    status: Annotated[NodeStatus | str, Field("eStatus", "Status", _STATUS)] = ""
    type: Annotated[NodeType | str, Field("eType", "Type", _TYPE)] = ""
    mended: bool = False

    #: What ends each block of a page; a page whose last block lacks it was cut.
    END_OF_PAGE: ClassVar = "type"


@frozen
class Hierarchy(Sequence[Node]):
    """The nodes of an account, in the service's order, as a tree that can be walked.

    Attributes:
        nodes: all nodes of the answer.
    """

    nodes: tuple[Node, ...]

    @cached_property
    def _by_id(self) -> dict[int, Node]:
        found: dict[int, Node] = {}
        for node in self.nodes:
            found.setdefault(node.id, node)
        return found

    @cached_property
    def _children(self) -> dict[int, list[Node]]:
        found: dict[int, list[Node]] = {}
        for node in self.nodes:
            if node.parent_id is not None and node.parent_id != node.id:
                found.setdefault(node.parent_id, []).append(node)
        return found

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, index: int) -> Node:  # type: ignore[override]  # no slices: a part of a tree is none
        return self.nodes[index]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def find(self, node_id: int) -> Node | None:
        """The node with an id; None if the answer does not list it."""
        return self._by_id.get(node_id)

    def parent(self, node: Node) -> Node | None:
        """The node above a node; None if the answer does not list it."""
        return None if node.parent_id is None or node.parent_id == node.id else self._by_id.get(node.parent_id)

    def children(self, node: Node) -> tuple[Node, ...]:
        """The nodes right below a node, in the service's order."""
        return tuple(self._children.get(node.id, ()))

    @property
    def roots(self) -> tuple[Node, ...]:
        """The nodes at the top: those whose parent the answer does not list."""
        return tuple(node for node in self.nodes if self.parent(node) is None)

    def walk(self, node: Node | None = None) -> Iterator[Node]:
        """Iterate over a node and all nodes below it, each once and before its children; over all without a node."""
        seen: set[Node] = set()
        # A service that answers in circles is no reason to run in them, nor to leave them out: they have no root.
        for start in (node,) if node is not None else (*self.roots, *self.nodes):
            ahead = [start]
            while ahead:
                current = ahead.pop()
                if current not in seen:
                    seen.add(current)
                    yield current
                    ahead += reversed(self.children(current))


@frozen
class Account:
    """The account of the identity that calls, and its user in that account.

    Attributes:
        id: id of the account.
        organization: name of the account.
        admin_id: id of the user's node as an administrator; 0 if the user is no administrator.
        technician_id: id of the user's node as a technician; 0 if the user is no enabled technician.
        email: e-mail address of the user.
        console_running: whether the user's Technician Console runs; None where the answer does not say (version 1).
    """

    id: Annotated[int, Field("iAccountID", "AccountID", whole_number)]
    organization: Annotated[str, Field("sOrganization", "Organization")]
    admin_id: Annotated[int, Field("iAdminID", "AdminID", whole_number)]
    technician_id: Annotated[int, Field("iTechID", "TechID", whole_number)]
    email: Annotated[str, Field("sEmail", "Email")]
    console_running: Annotated[bool | None, Field("bTcRunning", "", truth)] = None


@frozen
class User:
    """An administrator or technician.

    Attributes:
        id: id of the user's node.
        name: name of the person.
        nick: name that customers see.
        email: e-mail address of the person.
        sso_id: id for single sign-on.
        description: a text of the account's own.
        type: type of the node; a word that is not known is kept as it came.
        status: whether the person is online; a word that is not known is kept as it came.
        account_holder: whether the user is the holder of the account.
        mobile_addon: whether the user has the add-on for mobiles; None where the answer does not say.
        rpat_addon: whether the user has the RPAT add-on; None where the answer does not say (version 1).
    """

    #: Attributes that come last on the text page, in its order.
    LAST_ON_PAGE: ClassVar[tuple[str, ...]] = ("mobile_addon", "account_holder", "rpat_addon", "status")
    #: What ends a whole page, as the guide prints it; a page without it was cut.
    END_OF_PAGE: ClassVar = "status"

    id: Annotated[int, Field("iNodeID", "NODEID", whole_number)]
    name: Annotated[str, Field("sName", "NAME")] = ""
    nick: Annotated[str, Field("sNick", "NICK")] = ""
    email: Annotated[str, Field("sEmail", "EMAIL")] = ""
    sso_id: Annotated[str, Field("sSSOID", "SSOID")] = ""
    description: Annotated[str, Field("sDescription", "DESCRIPTION")] = ""
    type: Annotated[NodeType | str, Field("eType", "TYPE", _TYPE)] = ""
    status: Annotated[NodeStatus | str, Field("eStatus", "STATUS", _STATUS)] = ""
    account_holder: Annotated[bool, Field("bAccountHolder", "ISACCOUNTHOLDER", truth)] = False
    mobile_addon: Annotated[bool | None, Field("hasMobileAddon", "HASMOBILEADDON", truth)] = None
    rpat_addon: Annotated[bool | None, Field("hasRPATAddon", "HASRPATADDON", truth)] = None


#: Names of permissions that a group may have; the service knows some dozens.
_MOST_NAMES = 10_000


def _names(value: object) -> tuple[str, ...]:
    """Names from a comma list with its trailing comma, or from the elements of an array. Raises ValueError."""
    if isinstance(value, Mapping):
        items = (content(item) for held in value.values() for item in (held if isinstance(held, list) else [held]))
        value = ",".join(item or "" for item in items)
    if not isinstance(value, str):
        raise ValueError("no permissions")  # noqa: TRY004 - as of all that cannot be read
    if value.count(",") > _MOST_NAMES:
        raise ValueError("too many permissions")
    return tuple(name.strip() for name in value.split(",") if name.strip())


@frozen
class Group:
    """A group of administrators or technicians.

    Over SOAP it was read on the vendor's page up to the permissions; the rest is known from the text page.

    Attributes:
        id: id of the group's node.
        name: name of the group.
        description: a text of the account's own.
        type: type of the node; a word that is not known is kept as it came.
        permissions: names of the permissions (``"RemoteControl"``).
        locked_permissions: names of the permissions that groups below cannot change.
        enabled: whether the group is enabled; None where the answer does not say.
        standard_limit: licences that may be used at once; None where the answer does not say.
        mobile_limit: licences for the mobile add-on that may be used at once; None where the answer does not say.
        rpat_limit: licences for the RPAT add-on that may be used at once (version 2); None where the answer does not
            say.
    """

    #: What a page of each version has last; a page without it was cut.
    END_OF_PAGE: ClassVar = "type"

    id: Annotated[int, Field("iNodeID", "NODEID", whole_number)]
    name: Annotated[str, Field("sName", "NAME")] = ""
    description: Annotated[str, Field("sDescription", "DESCRIPTION")] = ""
    type: Annotated[NodeType | str, Field("eType", "TYPE", _TYPE)] = ""
    permissions: Annotated[tuple[str, ...], Field("aPermissions", "PERMISSIONS", _names, array=True)] = ()
    locked_permissions: Annotated[tuple[str, ...], Field("", "LOCKEDPERMISSIONS", _names)] = ()
    enabled: Annotated[bool | None, Field("", "ISENABLED", truth)] = None
    standard_limit: Annotated[int | None, Field("", "STANDARDCONCURRENTLIMIT", whole_number)] = None
    mobile_limit: Annotated[int | None, Field("", "MOBILECONCURRENTLIMIT", whole_number)] = None
    rpat_limit: Annotated[int | None, Field("", "RPATCONCURRENTLIMIT", whole_number)] = None
