"""Sessions: customers come with a PIN or by a channel, administrators act on what is there."""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from aiorescue.emulator.rules.call import OK, Call, RefusedError, Room, answers
from aiorescue.emulator.rules.call import Said as Answer
from aiorescue.emulator.rules.rescue import cases
from aiorescue.emulator.rules.rescue.cases import ACTIVE, CLOSED, ON_HOLD, TRANSFERRING, WAITING, Case, Said
from aiorescue.emulator.rules.rescue.tree import CHANNEL, Place
from aiorescue.rescue.answers.nodes import NodeStatus, NodeType
from aiorescue.rescue.answers.report import ReportOutput
from aiorescue.rescue.answers.sessions import Session, SessionStatus

if TYPE_CHECKING:
    from aiorescue.emulator.state import State

FIRST_SESSION, WAITING_SESSIONS = 12345678, 10
#: Closed sessions stay in the list for so many seconds.
STAYS = 600.0

_OLD_FIELDS = 3


class Sessions(Room):
    """All sessions by their id."""

    def __init__(self, state: "State") -> None:
        super().__init__(state)
        now = state.clock()
        ids = range(FIRST_SESSION, FIRST_SESSION + WAITING_SESSIONS)
        self.cases = {number: Case(number, now, CHANNEL, custom_fields=("Customer",)) for number in ids}

    # --- what customers do ------------------------------------------------------------------------

    def enter(self, pin: str) -> Case:
        """A customer types a PIN that was issued: its session waits for the technician. Raises ValueError."""
        entry = next((entry for entry in self.state.ledger if entry.pin == pin), None)
        if entry is None:
            raise ValueError(f"no PIN {pin!r} was issued")
        if any(case.pin == pin for case in self.cases.values()):
            raise ValueError(f"the PIN {pin} has been used already")
        technician = entry.node or self.state.hierarchy.node_of(entry.user, NodeType.TECHNICIAN)
        return self._begin(technician=technician, pin=pin, custom_fields=entry.custom_fields, tracking=entry.tracking)

    def arrive(self, channel: int = CHANNEL, custom_fields: tuple[str, ...] = ()) -> Case:
        """A customer comes by a channel. Raises ValueError."""
        place = self.state.hierarchy.places.get(channel)
        if place is None or place.type is not NodeType.CHANNEL:
            raise ValueError(f"there is no channel {channel}")
        return self._begin(channel=channel, custom_fields=tuple(custom_fields))

    def _begin(self, **known: Any) -> Case:
        number = max(self.cases) + 1
        case = self.cases[number] = Case(number, self.state.clock(), **known)
        return case

    def say(self, session: int, name: str, text: str) -> None:
        """Somebody writes into the chat. Raises KeyError."""
        self.cases[session].chat.append(Said(self.state.clock(), name, text))

    def leave(self, session: int) -> None:
        """The customer closes the session. Raises KeyError."""
        case = self.cases[session]
        if not case.closed:
            case.become(cases.LEFT_WAITING if case.picked is None else cases.LEFT, self.state.clock())

    # --- what administrators do -------------------------------------------------------------------

    def _case(self, call: Call, possible: Collection[SessionStatus]) -> Case:
        """The session of an action. Raises RefusedError."""
        self.state.access.administrator(call)
        for name, value in call.values.items():
            if value is None:  # only the text pages get here with what is no number
                raise RefusedError(f"InvalidParam_{name.capitalize()}")
        case = self.cases.get(call.values["session"])
        if case is None or case.status not in possible:
            raise RefusedError("ActionFailed")
        return case

    @answers("startSession")
    def start(self, call: Call) -> Answer:
        """A session that waits, is on hold or is being handed on becomes active.

        A node that there is not is taken for the caller's own, as tests like to send any number.
        """
        case = self._case(call, (WAITING, ON_HOLD, TRANSFERRING))
        node = call.values["node"]
        place = self.state.hierarchy.places.get(node)
        if place is None:
            user = self.state.access.administrator(call)
            node = self.state.hierarchy.node_of(user.email, NodeType.TECHNICIAN)
        elif place.type is not NodeType.TECHNICIAN or place.status in (NodeStatus.OFFLINE, NodeStatus.DISABLED):
            raise RefusedError("ActionFailed")
        case.remember()
        case.technician = node
        case.become(ACTIVE, self.state.clock())
        return OK

    @answers("holdSession")
    def hold(self, call: Call) -> Answer:
        """An active session waits for its technician; one on hold already is refused."""
        case = self._case(call, (ACTIVE,))
        case.remember()
        case.become(ON_HOLD, self.state.clock())
        return OK

    @answers("closeSession")
    def close(self, call: Call) -> Answer:
        """A session that is not closed yet is closed."""
        self._case(call, (WAITING, ACTIVE, ON_HOLD, TRANSFERRING)).become(CLOSED, self.state.clock())
        return OK

    @answers("cancelAction")
    def cancel(self, call: Call) -> Answer:
        """The last action is undone, once, unless it closed the session."""
        case = self._case(call, (WAITING, ACTIVE, ON_HOLD, TRANSFERRING))
        before = case.before
        if before is None:
            return Answer("ActionFailed")
        case.before = None
        case.technician, case.channel = before.technician, before.channel
        case.transferred_to, case.comment = before.transferred_to, before.comment
        case.become(before.status, self.state.clock())
        return OK

    @answers("transferSession")
    def transfer(self, call: Call) -> Answer:
        """A session is handed to a technician, or to a channel, where it waits."""
        case = self._case(call, (WAITING, ACTIVE, ON_HOLD, TRANSFERRING))
        place = self.state.hierarchy.places.get(call.values["node"])
        to_channel = call.values["node_ref"] == "CHANNEL"
        wanted = NodeType.CHANNEL if to_channel else NodeType.TECHNICIAN
        if place is None or place.type is not wanted:
            return Answer("InvalidParam_Node")
        if place.status is NodeStatus.DISABLED:
            return Answer("ActionFailed")
        now, comment = self.state.clock(), call.values["comment"]
        case.remember()
        case.transfers.append((now, self._name(case.technician), place.name, comment))
        case.transferred_to, case.comment = place.name, comment
        if to_channel:
            case.channel, case.technician = place.id, 0
        else:
            case.technician = place.id
        case.become(TRANSFERRING, now)
        return OK

    # --- which there are --------------------------------------------------------------------------

    @answers("getSession", "getSession_V2", "getSession_V3")
    def sessions(self, call: Call) -> Answer:
        """The sessions of a technician, a group, a channel, or all; closed ones stay for a while."""
        settings = self.state.settings.of(self.state.access.caller(call))
        fields = cases.FIELDS if call.operation.spec.name.endswith("V3") else _OLD_FIELDS
        node, now = call.values["node"] or 0, self.state.clock()
        by_channel = call.values["node_ref"] == "CHANNEL"
        return Answer(
            "OK",
            (
                [
                    self._row(case, fields)
                    for case in self.about(node, channel=by_channel)
                    if case.ended is None or now - case.ended < STAYS
                ],
            ),
            xml=settings.output is ReportOutput.XML,
        )

    def about(self, node: int, *, channel: bool) -> Iterator[Case]:
        """The sessions of a node; 0 is all of them. Raises RefusedError."""
        if not node:
            yield from self.cases.values()
            return
        place = self.state.hierarchy.places.get(node)
        if place is None or channel != (place.type is NodeType.CHANNEL):
            raise RefusedError("InvalidParam_NodeID")
        if channel:
            yield from (case for case in self.cases.values() if case.channel == node)
            return
        below = {each.id for each in self.state.hierarchy.below(place)}
        everything = place.type is NodeType.ROOT
        yield from (case for case in self.cases.values() if everything or case.technician in below)

    def _row(self, case: Case, fields: int) -> Session:
        return Session(
            id=case.id,
            status=case.status,
            status_word=case.word,
            channel_id=case.channel,
            channel=self._name(case.channel),
            technician_id=case.technician,
            technician=self._name(case.technician),
            started=self.state.when(case.started),
            waiting=int(self.state.clock() - case.changed),
            custom_fields=case.fields[:fields],
            language="en",
            transferred_to=case.transferred_to,
            transferred_comment=case.comment,
            is_lead=True,
            handing_off=case.status is TRANSFERRING,
        )

    def _name(self, node: int) -> str:
        place: Place | None = self.state.hierarchy.places.get(node)
        return place.name if place is not None else ""

    @answers("isAnyTechAvailableOnChannel")
    def is_anybody_there(self, call: Call) -> Answer:
        """Whether a technician of the channel is online."""
        self.state.access.caller(call)
        channel = call.values["channel"]
        there = {NodeStatus.ONLINE}
        if call.values["excluding_away_and_busy"] != "true":
            there |= {NodeStatus.BUSY, NodeStatus.AWAY}
        found = any(place.status in there for place in self.state.hierarchy.technicians_of(channel or 0))
        return Answer("TRUE" if found else "FALSE")
