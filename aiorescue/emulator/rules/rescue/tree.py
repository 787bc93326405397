"""The tree of an account: its root, groups, people, links and channels."""

from collections.abc import Iterator

import attrs

from aiorescue.emulator.people import User
from aiorescue.rescue.answers.nodes import NodeStatus, NodeType

ROOT, MASTERS, ADMINISTRATORS, TECHNICIANS = 337363, 337360, 337361, 337362
GROUP, FIRST_PERSON = 337364, 337365
CHANNEL = 1902861082

PERSONS = (NodeType.MASTER_ADMINISTRATOR, NodeType.ADMINISTRATOR, NodeType.TECHNICIAN)
GROUPS = (NodeType.ADMINISTRATOR_GROUP, NodeType.TECHNICIAN_GROUP)

#: What may be made below a node: the person and the group.
BELOW: dict[NodeType, tuple[NodeType, NodeType | None]] = {
    NodeType.MASTER_ADMINISTRATORS: (NodeType.MASTER_ADMINISTRATOR, None),
    NodeType.ADMINISTRATORS: (NodeType.ADMINISTRATOR, NodeType.ADMINISTRATOR_GROUP),
    NodeType.ADMINISTRATOR_GROUP: (NodeType.ADMINISTRATOR, None),
    NodeType.TECHNICIANS: (NodeType.TECHNICIAN, NodeType.TECHNICIAN_GROUP),
    NodeType.TECHNICIAN_GROUP: (NodeType.TECHNICIAN, NodeType.TECHNICIAN_GROUP),
}

PERMISSIONS = ("RemoteControl", "RemoteView", "SendFile", "ViewSystemInformation")


@attrs.define
class Place:
    """A node.

    Attributes:
        id: of the node.
        parent: id of the node above; 0 above the root.
        type: what it is.
        name: of the person, group or channel.
        user: who it is, if it is a person with a login; name, address and status follow from that.
        seat: it is not disabled.
        mood: busy or away, for tests; None follows from the console.
        description: a text of the account's own.
        nick: the name that customers see.
        sso_id: id for single sign-on.
        mobile_addon: the add-on for mobiles.
        rpat_addon: the RPAT add-on.
        permissions: of a group.
        locked_permissions: of a group.
        channels: those that it was assigned to.
    """

    id: int
    parent: int
    type: NodeType
    name: str = ""
    user: User | None = None
    seat: bool = True
    mood: NodeStatus | None = None
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
        """The address of a person."""
        return self.user.email if self.user is not None and self.type in PERSONS else ""

    @property
    def status(self) -> NodeStatus:
        """Online is who has a console running."""
        if not self.seat or (self.user is not None and self.user.gone):
            return NodeStatus.DISABLED
        if self.type not in PERSONS or self.user is None or not self.user.console:
            return NodeStatus.OFFLINE
        return self.mood or NodeStatus.ONLINE


class Tree:
    """The nodes by id, in the order in which they were made."""

    def __init__(self) -> None:
        self.places: dict[int, Place] = {}
        for number, parent, kind, name in (
            (ROOT, 0, NodeType.ROOT, "Company"),
            (MASTERS, ROOT, NodeType.MASTER_ADMINISTRATORS, "Master Administrators"),
            (ADMINISTRATORS, ROOT, NodeType.ADMINISTRATORS, "Administrators"),
            (TECHNICIANS, ROOT, NodeType.TECHNICIANS, "Technicians"),
            (GROUP, TECHNICIANS, NodeType.TECHNICIAN_GROUP, "Technician Group1"),
            (CHANNEL, ROOT, NodeType.CHANNEL, "Support Channel"),
        ):
            self.places[number] = Place(number, parent, kind, name)
        self.places[GROUP].channels.add(CHANNEL)
        self._next = FIRST_PERSON

    def add(self, parent: int, kind: NodeType, name: str = "", user: User | None = None) -> Place:
        """A new node."""
        place = self.places[self._next] = Place(self._next, parent, kind, name, user)
        self._next += 1
        return place

    def below(self, place: Place) -> Iterator[Place]:
        """A node and all below it, each before its children."""
        yield place
        for child in [each for each in self.places.values() if each.parent == place.id]:
            yield from self.below(child)

    def above(self, place: Place) -> Iterator[Place]:
        """The nodes above, the nearest first."""
        parent = self.places.get(place.parent)
        while parent is not None:
            yield parent
            parent = self.places.get(parent.parent)

    def remove(self, place: Place) -> list[Place]:
        """Take a node out, and all below it; returns them."""
        gone = list(self.below(place))
        for each in gone:
            del self.places[each.id]
        return gone
