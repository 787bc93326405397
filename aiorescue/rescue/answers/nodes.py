"""The people, groups and channels of an account: what the operations of the hierarchy answer with."""

import enum
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, ClassVar

import attrs

from aiorescue.rescue.answers.records import Field, content
from aiorescue.rescue.answers.values import member, truth


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
        """The guide spells some with fewer capitals."""
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


@attrs.frozen
class Node:
    """A node of the hierarchy. One person can have several, one for each role.

    Attributes:
        id: of the node.
        parent_id: id of the node above; None where the answer does not say.
        name: of the person, group or channel.
        email: of a person.
        description: a text of the account's own.
        status: online or not; a word that is not known is kept as it came.
        type: what it is; a word that is not known is kept as it came.
        mended: a character that XML does not allow was replaced in one of its texts.
    """

    id: Annotated[int, Field("iNodeID", "NodeID", int)]
    # Over SOAP the parent and the description were not seen; their names are inferred.
    parent_id: Annotated[int | None, Field("iParentID", "ParentID", int)] = None
    name: Annotated[str, Field("sName", "Name")] = ""
    email: Annotated[str, Field("sEmail", "Email")] = ""
    description: Annotated[str, Field("sDescription", "Description")] = ""
    status: Annotated[NodeStatus | str, Field("eStatus", "Status", _STATUS)] = ""
    type: Annotated[NodeType | str, Field("eType", "Type", _TYPE)] = ""
    mended: bool = False


@attrs.frozen
class Hierarchy(Sequence[Node]):
    """The nodes of an account, in the service's order, as a tree that can be walked.

    Attributes:
        nodes: all of them.
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
        """The node of that id, if it is listed."""
        return self._by_id.get(node_id)

    def parent(self, node: Node) -> Node | None:
        """The node above, if it is listed."""
        return None if node.parent_id in (None, node.id) else self._by_id.get(node.parent_id or 0)

    def children(self, node: Node) -> tuple[Node, ...]:
        """The nodes right below a node, in the service's order."""
        return tuple(self._children.get(node.id, ()))

    @property
    def roots(self) -> tuple[Node, ...]:
        """The nodes whose parent is not listed."""
        return tuple(node for node in self.nodes if self.parent(node) is None)

    def walk(self, node: Node | None = None) -> Iterator[Node]:
        """A node and all below it, each before its children; left out, the whole tree."""
        ahead = [node] if node is not None else list(self.roots)
        seen: set[int] = set()
        while ahead:
            current = ahead.pop(0)
            if current.id not in seen:  # a service that answers in circles is no reason to run in them
                seen.add(current.id)
                yield current
                ahead[:0] = self.children(current)


@attrs.frozen
class Account:
    """The account of the caller.

    Attributes:
        id: of the account.
        organization: its name.
        admin_id: the caller's node as an administrator; 0 if the caller is no administrator.
        technician_id: the caller's node as a technician; 0 if the caller is no enabled technician.
        email: of the caller.
        console_running: whether the caller's Technician Console runs; None where the answer does not say (version 1).
    """

    id: Annotated[int, Field("iAccountID", "AccountID", int)]
    organization: Annotated[str, Field("sOrganization", "Organization")]
    admin_id: Annotated[int, Field("iAdminID", "AdminID", int)]
    technician_id: Annotated[int, Field("iTechID", "TechID", int)]
    email: Annotated[str, Field("sEmail", "Email")]
    console_running: Annotated[bool | None, Field("bTcRunning", "", truth)] = None


@attrs.frozen
class User:
    """An administrator or technician.

    Attributes:
        id: of the node.
        name: of the person.
        nick: the name that customers see.
        email: of the person.
        sso_id: id for single sign-on.
        description: a text of the account's own.
        type: what it is; a word that is not known is kept as it came.
        status: online or not; a word that is not known is kept as it came.
        account_holder: whether the account is theirs.
        mobile_addon: whether they have the add-on for mobiles; None where the answer does not say.
        rpat_addon: whether they have the RPAT add-on; None where the answer does not say (version 1).
    """

    #: Attributes that come last on the text page, in its order.
    LAST_ON_PAGE: ClassVar[tuple[str, ...]] = ("mobile_addon", "account_holder", "rpat_addon", "status")

    id: Annotated[int, Field("iNodeID", "NODEID", int)]
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


def _names(value: object) -> tuple[str, ...]:
    """Names from a comma list with its trailing comma, or from the elements of an array. Raises ValueError."""
    if isinstance(value, Mapping):
        items = (content(item) for held in value.values() for item in (held if isinstance(held, list) else [held]))
        value = ",".join(item or "" for item in items)
    if not isinstance(value, str):
        raise ValueError("no permissions")  # noqa: TRY004 - as of all that cannot be read
    return tuple(name.strip() for name in value.split(",") if name.strip())


@attrs.frozen
class Group:
    """A group of administrators or technicians.

    Over SOAP it was read on the vendor's page up to the permissions; the rest is known from the text page.

    Attributes:
        id: of the node.
        name: of the group.
        description: a text of the account's own.
        type: what it is; a word that is not known is kept as it came.
        permissions: their names (``"RemoteControl"``).
        locked_permissions: those that groups below cannot change.
        enabled: whether it is; None where the answer does not say.
        standard_limit: licences that may be used at once; None where the answer does not say, as with the next two.
        mobile_limit: the same for the mobile add-on.
        rpat_limit: the same for the RPAT add-on (version 2).
    """

    id: Annotated[int, Field("iNodeID", "NODEID", int)]
    name: Annotated[str, Field("sName", "NAME")] = ""
    description: Annotated[str, Field("sDescription", "DESCRIPTION")] = ""
    type: Annotated[NodeType | str, Field("eType", "TYPE", _TYPE)] = ""
    permissions: Annotated[tuple[str, ...], Field("aPermissions", "PERMISSIONS", _names, array=True)] = ()
    locked_permissions: Annotated[tuple[str, ...], Field("", "LOCKEDPERMISSIONS", _names)] = ()
    enabled: Annotated[bool | None, Field("", "ISENABLED", truth)] = None
    standard_limit: Annotated[int | None, Field("", "STANDARDCONCURRENTLIMIT", int)] = None
    mobile_limit: Annotated[int | None, Field("", "MOBILECONCURRENTLIMIT", int)] = None
    rpat_limit: Annotated[int | None, Field("", "RPATCONCURRENTLIMIT", int)] = None
