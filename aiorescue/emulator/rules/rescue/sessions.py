"""Operations on support sessions: customers enter with a PIN or by a channel, administrators act on the sessions."""

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from typing import Any

from aiorescue.emulator.clock import Calendar
from aiorescue.emulator.rules.call import OK, ReceivedCall, Refusal, Result, Rules, handles, ok
from aiorescue.emulator.rules.rescue.access import Access
from aiorescue.emulator.rules.rescue.hierarchy import Hierarchy
from aiorescue.emulator.rules.rescue.pins import Pins
from aiorescue.emulator.rules.rescue.report_settings import ReportSettings
from aiorescue.emulator.rules.rescue.support_session import (
    ACTIVE,
    CLOSED,
    FIELDS,
    LEFT,
    LEFT_WAITING,
    ON_HOLD,
    TRANSFERRING,
    WAITING,
    ChatLine,
    SupportSession,
)
from aiorescue.emulator.rules.rescue.tree import CHANNEL
from aiorescue.rescue.answers.nodes import NodeStatus, NodeType
from aiorescue.rescue.answers.sessions import Session, SessionStatus
from aiorescue.rescue.report_options import ReportOutput

FIRST_SESSION, WAITING_SESSIONS = 12345678, 10
#: Seconds for which the service still lists a closed session.
STAYS = 600.0

#: Custom fields that versions before the third list.
_OLD_FIELDS = 3


class Sessions(Rules):
    """All support sessions, and the operations on them.

    Attributes:
        by_id: support sessions by their id.

    Args:
        access: tells which user calls.
        hierarchy: technicians and channels.
        pins: the ledger of issued PINs.
        settings: the report settings, which decide how a text page lists sessions.
        calendar: the emulator's clock and dates.
        lock: held while customers act, which they may from another thread.
    """

    def __init__(
        self,
        access: Access,
        hierarchy: Hierarchy,
        pins: Pins,
        settings: ReportSettings,
        calendar: Calendar,
        *,
        lock: AbstractContextManager[object],
    ) -> None:
        self._lock = lock
        self._access, self._hierarchy, self._pins, self._settings = access, hierarchy, pins, settings
        self._calendar, self._clock = calendar, calendar.clock
        now = self._clock()
        ids = range(FIRST_SESSION, FIRST_SESSION + WAITING_SESSIONS)
        self.by_id = {number: SupportSession(number, now, CHANNEL, custom_fields=("Customer",)) for number in ids}

    # --- what customers do ------------------------------------------------------------------------

    def enter(self, pin: str) -> SupportSession:
        """Begin a session as a customer who types an issued PIN; raises ValueError for any other or a used PIN."""
        with self._lock:
            entry = self._pins.ledger.of_pin(pin)
            if entry is None:
                raise ValueError(f"no PIN {pin!r} was issued")
            if any(session.pin == pin for session in self.by_id.values()):
                raise ValueError(f"the PIN {pin} has been used already")
            return self._begin(
                technician=entry.node or self._hierarchy.node_of(entry.user, NodeType.TECHNICIAN),
                custom_fields=entry.custom_fields,
                tracking=entry.tracking,
                pin=pin,
                user=entry.user,
            )

    def arrive(self, channel: int = CHANNEL, custom_fields: tuple[str, ...] = ()) -> SupportSession:
        """Begin a session as a customer who comes by a channel; raises ValueError if there is no such channel."""
        with self._lock:
            node = self._hierarchy.nodes.get(channel)
            if node is None or node.type is not NodeType.CHANNEL:
                raise ValueError(f"there is no channel {channel}")
            return self._begin(channel=channel, custom_fields=tuple(custom_fields))

    def _begin(self, **known: Any) -> SupportSession:
        number = max(self.by_id) + 1
        session = self.by_id[number] = SupportSession(number, self._clock(), **known)
        return session

    def _get(self, number: int) -> SupportSession:
        session = self.by_id.get(number)
        if session is None:
            raise KeyError(f"there is no session {number}")
        return session

    def say(self, session: int, name: str, text: str) -> None:
        """Write a line into the chat of a session under a name; raises KeyError if there is no such session."""
        with self._lock:
            self._get(session).chat.append(ChatLine(self._clock(), name, text))

    def leave(self, session: int) -> None:
        """Close a session as its customer; raises KeyError if there is no such session."""
        with self._lock:
            left = self._get(session)
            if not left.closed:
                left.become(LEFT_WAITING if left.picked is None else LEFT, self._clock())

    # --- what administrators do -------------------------------------------------------------------

    def _session(self, call: ReceivedCall, possible: Collection[SessionStatus]) -> SupportSession:
        """The session of an action, whose state must be one of the possible ones; raises Refusal otherwise."""
        self._access.administrator(call)
        for name, value in call.values.items():
            if value is None:  # a text page sent something that is not a number
                raise Refusal(f"InvalidParam_{name.capitalize()}")
        session = self.by_id.get(call.values["session"])
        if session is None or session.status not in possible:
            raise Refusal("ActionFailed")
        return session

    @handles("startSession")
    def start(self, call: ReceivedCall) -> Result:
        """Make a session that waits, is on hold or is being transferred active.

        An unknown node counts as that of the user who calls, because the tests of programs send any number.
        """
        session = self._session(call, (WAITING, ON_HOLD, TRANSFERRING))
        technician = call.values["node"]
        node = self._hierarchy.nodes.get(technician)
        if node is None:
            user = self._access.administrator(call)
            technician = self._hierarchy.node_of(user.email, NodeType.TECHNICIAN)
        elif node.type is not NodeType.TECHNICIAN or node.status in (NodeStatus.OFFLINE, NodeStatus.DISABLED):
            raise Refusal("ActionFailed")
        session.remember()
        session.technician = technician
        session.become(ACTIVE, self._clock())
        return OK

    @handles("holdSession")
    def hold(self, call: ReceivedCall) -> Result:
        """Put an active session on hold; a session that is on hold already is refused."""
        session = self._session(call, (ACTIVE,))
        session.remember()
        session.become(ON_HOLD, self._clock())
        return OK

    @handles("closeSession")
    def close(self, call: ReceivedCall) -> Result:
        """Close a session that is not closed yet."""
        self._session(call, (WAITING, ACTIVE, ON_HOLD, TRANSFERRING)).become(CLOSED, self._clock())
        return OK

    @handles("cancelAction")
    def cancel(self, call: ReceivedCall) -> Result:
        """Undo the last action, once, unless it closed the session."""
        session = self._session(call, (WAITING, ACTIVE, ON_HOLD, TRANSFERRING))
        before = session.before
        if before is None:
            return Result("ActionFailed")
        session.before = None
        session.technician, session.channel = before.technician, before.channel
        session.transferred_to, session.comment = before.transferred_to, before.comment
        session.become(before.status, self._clock())
        return OK

    @handles("transferSession")
    def transfer(self, call: ReceivedCall) -> Result:
        """Transfer a session to a technician, or to a channel, where it waits."""
        session = self._session(call, (WAITING, ACTIVE, ON_HOLD, TRANSFERRING))
        node = self._hierarchy.nodes.get(call.values["node"])
        to_channel = call.values["node_ref"] == "CHANNEL"
        wanted = NodeType.CHANNEL if to_channel else NodeType.TECHNICIAN
        if node is None or node.type is not wanted:
            return Result("InvalidParam_Node")
        if node.status is NodeStatus.DISABLED:
            return Result("ActionFailed")
        now, comment = self._clock(), call.values["comment"]
        session.remember()
        session.transfers.append((now, self._hierarchy.name_of(session.technician), node.name, comment))
        session.transferred_to, session.comment = node.name, comment
        if to_channel:
            session.channel, session.technician = node.id, 0
        else:
            session.technician = node.id
        session.become(TRANSFERRING, now)
        return OK

    # --- listing ----------------------------------------------------------------------------------

    @handles("getSession", "getSession_V2", "getSession_V3")
    def sessions(self, call: ReceivedCall) -> Result:
        """List the sessions of a technician, a group, a channel, or all; closed ones stay listed for ten minutes."""
        settings = self._settings.of(self._access.user(call))
        fields = FIELDS if call.name.endswith("V3") else _OLD_FIELDS
        node, now = call.values["node"] or 0, self._clock()
        by_channel = call.values["node_ref"] == "CHANNEL"
        rows = [
            self._row(session, fields)
            for session in self.about(node, channel=by_channel)
            if session.ended is None or now - session.ended < STAYS
        ]
        return ok(aSessions=rows)._replace(as_xml=settings.output is ReportOutput.XML)

    def about(self, number: int, *, channel: bool) -> Iterator[SupportSession]:
        """The sessions of the node with an id, or all for 0; raises Refusal if `channel` does not fit the node."""
        if not number:
            yield from self.by_id.values()
            return
        node = self._hierarchy.nodes.get(number)
        if node is None or channel != (node.type is NodeType.CHANNEL):
            raise Refusal("InvalidParam_NodeID")
        if channel:
            yield from (session for session in self.by_id.values() if session.channel == number)
            return
        below = {each.id for each in self._hierarchy.tree.below(node)}
        everything = node.type is NodeType.ROOT
        yield from (session for session in self.by_id.values() if everything or session.technician in below)

    def _row(self, session: SupportSession, fields: int) -> Session:
        return Session(
            id=session.id,
            status=session.status,
            status_word=session.word,
            channel_id=session.channel,
            channel=self._hierarchy.name_of(session.channel),
            technician_id=session.technician,
            technician=self._hierarchy.name_of(session.technician),
            started=self._calendar.when(session.started),
            waiting=int(self._clock() - session.changed),
            custom_fields=session.fields[:fields],
            language="en",
            transferred_to=session.transferred_to,
            transferred_comment=session.comment,
            is_lead=True,
            handing_off=session.status is TRANSFERRING,
        )

    @handles("isAnyTechAvailableOnChannel")
    def is_technician_available(self, call: ReceivedCall) -> Result:
        """Answer TRUE if a technician of the channel is online, or busy or away where these count."""
        self._access.user(call)
        channel = call.values["channel"]
        available = {NodeStatus.ONLINE}
        if call.values["excluding_away_and_busy"] != "true":
            available |= {NodeStatus.BUSY, NodeStatus.AWAY}
        found = any(node.status in available for node in self._hierarchy.technicians_of(channel or 0))
        return Result("TRUE" if found else "FALSE")
