"""The account and its tree: shown, moved about, channels given and taken. People are in `users`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aiorescue.emulator.people import User
from aiorescue.emulator.rules.call import OK, Call, RefusedError, Room, Said, answers
from aiorescue.emulator.rules.rescue.access import COMPANY
from aiorescue.emulator.rules.rescue.tree import ADMINISTRATORS, BELOW, GROUP, GROUPS, MASTERS, PERSONS, Place, Tree
from aiorescue.rescue.answers.nodes import Node, NodeStatus, NodeType

if TYPE_CHECKING:
    from aiorescue.emulator.state import State

_ADMINISTRATOR_TYPES = (NodeType.MASTER_ADMINISTRATOR, NodeType.ADMINISTRATOR)


class Hierarchy(Room):
    """The tree with everybody in it."""

    def __init__(self, state: "State") -> None:
        super().__init__(state)
        self.tree = Tree()
        self.places = self.tree.places
        for user in state.access.users.values():
            if not user.deleted:
                self.seat(user)
        # Technician groups show who administers them.
        self.tree.add(GROUP, NodeType.ADMINISTRATOR_LINK, state.access.users["admin@example.com"].shown)

    def seat(self, user: User) -> None:
        """Give a person the nodes of their roles; the first administrator is the master."""
        if user.administrator:
            taken = any(place.type is NodeType.MASTER_ADMINISTRATOR for place in self.places.values())
            parent = ADMINISTRATORS if taken else MASTERS
            self.tree.add(parent, BELOW[self.places[parent].type][0], user.shown, user)
        if user.technician:
            self.tree.add(GROUP, NodeType.TECHNICIAN, user.shown, user)

    # --- finding ----------------------------------------------------------------------------------

    def place(self, number: int | None, word: str = "InvalidParam_NodeID") -> Place:
        """A node. Raises RefusedError."""
        found = self.places.get(number or 0)
        if found is None:
            raise RefusedError(word)
        return found

    def node_of(self, email: str, *kinds: NodeType) -> int:
        """The node of a person in one of these roles, or 0."""
        found = (place for place in self.places.values() if place.email == email and place.type in kinds)
        return next((place.id for place in found if place.seat), 0)

    def below(self, place: Place) -> Iterator[Place]:
        """A node and all below it."""
        return self.tree.below(place)

    def technicians_of(self, channel: int) -> Iterator[Place]:
        """Who takes the sessions of a channel, by themselves or with their group."""
        for place in self.places.values():
            if place.type is NodeType.TECHNICIAN:
                assigned = place.channels.union(*(each.channels for each in self.tree.above(place)))
                if channel in assigned:
                    yield place

    def changer(self, call: Call, refusal: str = "Error") -> User:
        """The caller, who must be an administrator. Raises RefusedError."""
        user = self.state.access.caller(call)
        if not user.administrator:
            raise RefusedError(refusal)
        return user

    # --- showing ----------------------------------------------------------------------------------

    @answers("getAccount", "getAccount_v2")
    def account(self, call: Call) -> Said:
        """The caller's account, and in version 2 whether their console runs."""
        user = self.state.access.caller(call)
        admin = self.node_of(user.email, *_ADMINISTRATOR_TYPES)
        technician = self.node_of(user.email, NodeType.TECHNICIAN)
        values = (int(COMPANY), "Company", admin, technician, user.email, user.console)
        return Said("OK", values[: len(call.operation.spec.outputs)])

    @answers("getHierarchy", "getHierarchy_v2")
    def hierarchy(self, call: Call) -> Said:
        """All nodes, or those below one; on request without the technicians who are offline."""
        self.state.access.caller(call)
        values = call.values
        shown: Iterator[Place] = iter(self.places.values())
        if values.get("node"):
            shown = self.below(self.place(values["node"], "Error"))
        hide = values.get("without_offline") == "true"
        return Said("OK", ([_node(each) for each in shown if not (hide and _is_offline(each))],))

    # --- moving and deleting ----------------------------------------------------------------------

    @answers("moveNode")
    def move(self, call: Call) -> Said:
        """A person or group goes below another node, where such a one may be."""
        self.changer(call, "Invalid_Move")
        place = self.place(call.values["node"], "InvalidParam_Node")
        target = self.place(call.values["target"], "InvalidParam_TargetNode")
        if place.type not in BELOW.get(target.type, ()) or target in self.below(place):
            return Said("Invalid_Move")
        place.parent = target.id
        return OK

    @answers("deleteNode")
    def delete(self, call: Call) -> Said:
        """A person or group goes, and all in it; nobody deletes themselves."""
        user = self.changer(call, "Invalid_Delete")
        place = self.place(call.values["node"], "InvalidParam_NodeID")
        if place.type not in (*PERSONS, *GROUPS) or any(each.user is user for each in self.below(place)):
            return Said("Invalid_Delete")
        for gone in self.tree.remove(place):
            self.has_changed(gone.user)
        return OK

    def has_changed(self, user: User | None) -> None:
        """What a person may do follows from the nodes they have left."""
        if user is None:
            return
        own = [place for place in self.places.values() if place.user is user and place.type in PERSONS]
        left = {place.type for place in own if place.seat}
        user.technician = NodeType.TECHNICIAN in left
        user.administrator = any(kind in left for kind in _ADMINISTRATOR_TYPES)
        user.deleted = not own
        user.disabled = bool(own) and not left

    # --- channels ---------------------------------------------------------------------------------

    @answers("assignChannel")
    def assign(self, call: Call) -> Said:
        """A technician or group takes the sessions of a channel from now on."""
        place, channel = self._channel(call, "Invalid_Assign")
        place.channels.add(channel.id)
        return OK

    @answers("unassignChannel")
    def unassign(self, call: Call) -> Said:
        """They do no longer; whoever has it from the group cannot give it back alone."""
        place, channel = self._channel(call, "Invalid_Deassign")
        if channel.id not in place.channels:
            return Said("Invalid_Deassign")
        place.channels.discard(channel.id)
        return OK

    def _channel(self, call: Call, refusal: str) -> tuple[Place, Place]:
        self.changer(call, refusal)
        place = self.place(call.values["node"], "InvalidParam_Node")
        channel = self.place(call.values["channel"], "InvalidParam_Entry")
        if channel.type is not NodeType.CHANNEL:
            raise RefusedError("InvalidParam_Entry")
        if place.type not in (NodeType.TECHNICIAN, NodeType.TECHNICIAN_GROUP, NodeType.TECHNICIANS):
            raise RefusedError(refusal)
        return place, channel


def _is_offline(place: Place) -> bool:
    return place.type is NodeType.TECHNICIAN and place.status is NodeStatus.OFFLINE


def _node(place: Place) -> Node:
    return Node(
        id=place.id,
        parent_id=place.parent,
        name=place.name,
        email=place.email,
        description=place.description,
        status=place.status,
        type=place.type,
    )
