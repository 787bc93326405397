"""Operations on the account's hierarchy: show it, move and delete nodes, assign channels. Users are in `users`."""

from collections.abc import Iterator

from aiorescue.emulator.people import EmulatedUser
from aiorescue.emulator.rules.call import OK, ReceivedCall, Refusal, Result, Rules, handles, ok
from aiorescue.emulator.rules.rescue.access import COMPANY, Access
from aiorescue.emulator.rules.rescue.tree import ADMINISTRATORS, BELOW, GROUP, GROUPS, MASTERS, PERSONS, Tree, TreeNode
from aiorescue.rescue.answers.nodes import Node, NodeStatus, NodeType

_ADMINISTRATOR_TYPES = (NodeType.MASTER_ADMINISTRATOR, NodeType.ADMINISTRATOR)


class Hierarchy(Rules):
    """The tree of the account, with a node for each role of each user.

    Attributes:
        tree: the tree.
        nodes: nodes of the tree by their ids.

    Args:
        access: the users, and which of them calls.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self.tree = Tree()
        self.nodes = self.tree.nodes
        for user in access.users.values():
            if not user.deleted:
                self.add_user(user)
        # Technician groups show who administers them.
        self.tree.add(GROUP, NodeType.ADMINISTRATOR_LINK, access.users["admin@example.com"].shown)

    def add_user(self, user: EmulatedUser) -> None:
        """Add a node for each role of a user; the first administrator becomes the master administrator."""
        if user.administrator:
            taken = any(node.type is NodeType.MASTER_ADMINISTRATOR for node in self.nodes.values())
            parent = ADMINISTRATORS if taken else MASTERS
            self.tree.add(parent, BELOW[self.nodes[parent].type][0], user.shown, user)
        if user.technician:
            self.tree.add(GROUP, NodeType.TECHNICIAN, user.shown, user)

    # --- finding ----------------------------------------------------------------------------------

    def node(self, number: int | None, word: str = "InvalidParam_NodeID") -> TreeNode:
        """The node with an id; raises Refusal with the given word if there is none."""
        found = self.nodes.get(number or 0)
        if found is None:
            raise Refusal(word)
        return found

    def node_of(self, email: str, *roles: NodeType) -> int:
        """Id of the enabled node that a user has in one of these roles, or 0."""
        found = (node for node in self.nodes.values() if node.email == email and node.type in roles)
        return next((node.id for node in found if node.enabled), 0)

    def name_of(self, number: int) -> str:
        """Name of the node with an id; empty if there is no such node any more."""
        node = self.nodes.get(number)
        return node.name if node is not None else ""

    def technicians_of(self, channel: int) -> Iterator[TreeNode]:
        """Technicians to whom a channel is assigned, directly or through a group."""
        for node in self.nodes.values():
            if node.type is NodeType.TECHNICIAN:
                assigned = node.channels.union(*(each.channels for each in self.tree.above(node)))
                if channel in assigned:
                    yield node

    def administrator(self, call: ReceivedCall, refusal: str = "Error") -> EmulatedUser:
        """The user who makes a call, who must be an administrator; raises Refusal with the given word otherwise."""
        user = self._access.user(call)
        if not user.administrator:
            raise Refusal(refusal)
        return user

    # --- showing ----------------------------------------------------------------------------------

    @handles("getAccount", "getAccount_v2")
    def account(self, call: ReceivedCall) -> Result:
        """Answer with the account and the user who calls; in version 2 also whether the user's console runs."""
        user = self._access.user(call)
        admin = self.node_of(user.email, *_ADMINISTRATOR_TYPES)
        technician = self.node_of(user.email, NodeType.TECHNICIAN)
        running = {"bTcRunning": user.console} if call.name == "getAccount_v2" else {}
        return ok(
            iAccountID=int(COMPANY),
            sOrganization="Company",
            iAdminID=admin,
            iTechID=technician,
            sEmail=user.email,
            **running,
        )

    @handles("getHierarchy", "getHierarchy_v2")
    def hierarchy(self, call: ReceivedCall) -> Result:
        """List all nodes, or those below one; on request without technicians who are offline."""
        self._access.user(call)
        values = call.values
        shown: Iterator[TreeNode] = iter(self.nodes.values())
        if values.get("node"):
            shown = self.tree.below(self.node(values["node"], "Error"))
        hide = values.get("without_offline") == "true"
        return ok(aHierarchy=[_record(each) for each in shown if not (hide and _is_offline(each))])

    # --- moving and deleting ----------------------------------------------------------------------

    @handles("moveNode")
    def move(self, call: ReceivedCall) -> Result:
        """Move a user's node or a group below another node that may hold it."""
        self.administrator(call, "Invalid_Move")
        node = self.node(call.values["node"], "InvalidParam_Node")
        target = self.node(call.values["target"], "InvalidParam_TargetNode")
        if node.type not in BELOW.get(target.type, ()) or target in self.tree.below(node):
            return Result("Invalid_Move")
        node.parent = target.id
        return OK

    @handles("deleteNode")
    def delete(self, call: ReceivedCall) -> Result:
        """Delete a user's node or a group with all nodes below it; no user can delete a node of their own."""
        user = self.administrator(call, "Invalid_Delete")
        node = self.node(call.values["node"], "InvalidParam_NodeID")
        if node.type not in (*PERSONS, *GROUPS) or any(each.user is user for each in self.tree.below(node)):
            return Result("Invalid_Delete")
        for gone in self.tree.remove(node):
            self.update_roles(gone.user)
        return OK

    def update_roles(self, user: EmulatedUser | None) -> None:
        """Set what a user may do from the nodes that the user has left; None does nothing."""
        if user is None:
            return
        own = [node for node in self.nodes.values() if node.user is user and node.type in PERSONS]
        roles = {node.type for node in own if node.enabled}
        user.technician = NodeType.TECHNICIAN in roles
        user.administrator = any(role in roles for role in _ADMINISTRATOR_TYPES)
        user.deleted = not own
        user.disabled = bool(own) and not roles

    # --- channels ---------------------------------------------------------------------------------

    @handles("assignChannel")
    def assign(self, call: ReceivedCall) -> Result:
        """Assign a channel to a technician or group."""
        node, channel = self._channel(call, "Invalid_Assign")
        node.channels.add(channel.id)
        return OK

    @handles("unassignChannel")
    def unassign(self, call: ReceivedCall) -> Result:
        """Take a channel from the technician or group it was assigned to; one inherited from a group stays."""
        node, channel = self._channel(call, "Invalid_Deassign")
        if channel.id not in node.channels:
            return Result("Invalid_Deassign")
        node.channels.discard(channel.id)
        return OK

    def _channel(self, call: ReceivedCall, refusal: str) -> tuple[TreeNode, TreeNode]:
        self.administrator(call, refusal)
        node = self.node(call.values["node"], "InvalidParam_Node")
        channel = self.node(call.values["channel"], "InvalidParam_Entry")
        if channel.type is not NodeType.CHANNEL:
            raise Refusal("InvalidParam_Entry")
        if node.type not in (NodeType.TECHNICIAN, NodeType.TECHNICIAN_GROUP, NodeType.TECHNICIANS):
            raise Refusal(refusal)
        return node, channel


def _is_offline(node: TreeNode) -> bool:
    return node.type is NodeType.TECHNICIAN and node.status is NodeStatus.OFFLINE


def _record(node: TreeNode) -> Node:
    return Node(
        id=node.id,
        parent_id=node.parent,
        name=node.name,
        email=node.email,
        description=node.description,
        status=node.status,
        type=node.type,
    )
