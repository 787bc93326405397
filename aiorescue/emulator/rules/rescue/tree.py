"""The tree of an account: root, administrators, technicians, groups, links and channels."""

from collections.abc import Iterator

import attrs

from aiorescue.emulator.people import EmulatedUser
from aiorescue.rescue.answers.nodes import NodeStatus, NodeType

ROOT, MASTERS, ADMINISTRATORS, TECHNICIANS = 337363, 337360, 337361, 337362
GROUP, FIRST_PERSON = 337364, 337365
CHANNEL = 1902861082

PERSONS = (NodeType.MASTER_ADMINISTRATOR, NodeType.ADMINISTRATOR, NodeType.TECHNICIAN)
GROUPS = (NodeType.ADMINISTRATOR_GROUP, NodeType.TECHNICIAN_GROUP)

#: The types of user node and of group that a node may hold; None for no groups.
BELOW: dict[NodeType, tuple[NodeType, NodeType | None]] = {
    NodeType.MASTER_ADMINISTRATORS: (NodeType.MASTER_ADMINISTRATOR, None),
    NodeType.ADMINISTRATORS: (NodeType.ADMINISTRATOR, NodeType.ADMINISTRATOR_GROUP),
    NodeType.ADMINISTRATOR_GROUP: (NodeType.ADMINISTRATOR, None),
    NodeType.TECHNICIANS: (NodeType.TECHNICIAN, NodeType.TECHNICIAN_GROUP),
    NodeType.TECHNICIAN_GROUP: (NodeType.TECHNICIAN, NodeType.TECHNICIAN_GROUP),
}

PERMISSIONS = ("RemoteControl", "RemoteView", "SendFile", "ViewSystemInformation")


@attrs.define
class TreeNode:
    """A node of the tree.

    Attributes:
        id: id of the node.
        parent: id of the node above; 0 for the root.
        type: type of the node.
        name: name of the user, group or channel.
        user: the user whose role the node is; None for other nodes and for users that are not filled in yet.
        enabled: whether the node is enabled.
        presence: busy or away, set by tests; None derives the status from the user's console.
        description: free text.
        nick: name that customers see.
        sso_id: id for single sign-on.
        mobile_addon: whether the user has the add-on for mobile devices.
        rpat_addon: whether the user has the RPAT add-on.
        permissions: permissions of a group.
        locked_permissions: permissions that subgroups cannot change.
        channels: ids of the channels that are assigned to the node itself.
    """

    id: int
    parent: int
    type: NodeType
    name: str = ""
    user: EmulatedUser | None = None
    enabled: bool = True
    presence: NodeStatus | None = None
    description: str = ""
    nick: str = ""
    sso_id: str = ""
    mobile_addon: bool = False
    rpat_addon: bool = False
    permissions: tuple[str, ...] = PERMISSIONS
    locked_permissions: tuple[str, ...] = ()
    channels: set[int] = attrs.field(factory=set)

    @property
    def email(self) -> str:
        """E-mail address of a user's node; empty for other nodes."""
        return self.user.email if self.user is not None and self.type in PERSONS else ""

    @property
    def status(self) -> NodeStatus:
        """Status of the node; a user is online while the Technician Console runs."""
        if not self.enabled or (self.user is not None and self.user.gone):
            return NodeStatus.DISABLED
        if self.type not in PERSONS or self.user is None or not self.user.console:
            return NodeStatus.OFFLINE
        return self.presence or NodeStatus.ONLINE


class Tree:
    """The nodes of an account by id, in the order of their creation."""

    def __init__(self) -> None:
        self.nodes: dict[int, TreeNode] = {}
        for number, parent, node_type, name in (
            (ROOT, 0, NodeType.ROOT, "Company"),
            (MASTERS, ROOT, NodeType.MASTER_ADMINISTRATORS, "Master Administrators"),
            (ADMINISTRATORS, ROOT, NodeType.ADMINISTRATORS, "Administrators"),
            (TECHNICIANS, ROOT, NodeType.TECHNICIANS, "Technicians"),
            (GROUP, TECHNICIANS, NodeType.TECHNICIAN_GROUP, "Technician Group1"),
            (CHANNEL, ROOT, NodeType.CHANNEL, "Support Channel"),
        ):
            self.nodes[number] = TreeNode(number, parent, node_type, name)
        self.nodes[GROUP].channels.add(CHANNEL)
        self._next = FIRST_PERSON

    def add(self, parent: int, node_type: NodeType, name: str = "", user: EmulatedUser | None = None) -> TreeNode:
        """Add a node below another; returns it."""
        node = self.nodes[self._next] = TreeNode(self._next, parent, node_type, name, user)
        self._next += 1
        return node

    def below(self, node: TreeNode) -> Iterator[TreeNode]:
        """A node and all nodes below it, parents before children."""
        yield node
        for child in [each for each in self.nodes.values() if each.parent == node.id]:
            yield from self.below(child)

    def above(self, node: TreeNode) -> Iterator[TreeNode]:
        """The nodes above a node, nearest first."""
        parent = self.nodes.get(node.parent)
        while parent is not None:
            yield parent
            parent = self.nodes.get(parent.parent)

    def remove(self, node: TreeNode) -> list[TreeNode]:
        """Remove a node and all nodes below it; returns them."""
        gone = list(self.below(node))
        for each in gone:
            del self.nodes[each.id]
        return gone
