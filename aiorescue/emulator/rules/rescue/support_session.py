"""One support session: its state, its times, its transfers and its chat."""

from collections import Counter

import attrs

from aiorescue.operation import frozen
from aiorescue.rescue.answers.sessions import SessionStatus

#: Custom fields of a support session.
FIELDS = 6

WAITING, ACTIVE, ON_HOLD = SessionStatus.WAITING, SessionStatus.PICKED_UP, SessionStatus.ON_HOLD
TRANSFERRING = SessionStatus.TRANSFERRING_NOT_PICKED_UP
CLOSED, LEFT_WAITING, LEFT = (
    SessionStatus.CLOSED_BY_TECHNICIAN,
    SessionStatus.CLOSED_BY_WAITING_CUSTOMER,
    SessionStatus.CLOSED_BY_ACTIVE_CUSTOMER,
)

#: The states of an emulated support session: the service's word for each, and the control plane's.
WORDS = {
    WAITING: ("Waiting", "waiting"),
    ACTIVE: ("Active", "active"),
    ON_HOLD: ("On Hold", "hold"),
    TRANSFERRING: ("Transferring", "transferring"),
    CLOSED: ("Closed by technician", "closed"),
    LEFT_WAITING: ("Closed by waiting customer", "closed"),
    LEFT: ("Closed by active customer", "closed"),
}


@frozen
class ChatLine:
    """A line of a chat.

    Attributes:
        time: moment at which the line was written, in seconds on the emulator's clock.
        name: name of the person who wrote the line.
        text: text of the line.
    """

    time: float
    name: str
    text: str


@attrs.define
class BeforeAction:
    """What `cancelAction` restores: state and owner of a support session before its last action."""

    status: SessionStatus
    technician: int
    channel: int
    transferred_to: str
    comment: str


@attrs.define
class SupportSession:
    """A support session of a customer; its times are seconds on the emulator's clock.

    Attributes:
        id: id of the session.
        started: when the session began.
        channel: id of the session's channel; 0 for a private session.
        technician: id of the technician's node; 0 until a technician has the session.
        custom_fields: values of the custom fields, as many as there are.
        tracking: tracking field of the request for the PIN.
        pin: the PIN with which the session began; empty for a session of a channel.
        user: e-mail address of the user who requested the PIN; empty for a session of a channel.
        status: state of the session.
        changed: when the session came into its state.
        spent: seconds in each earlier state.
        picked: when a technician first took the session; None before.
        ended: when the session was closed; None before.
        transferred_to: name of the technician or channel that the session was last transferred to.
        comment: comment of the last transfer.
        transfers: time, from whom, to whom and comment of each transfer.
        chat: lines of the chat.
        note: the technician's note.
        before: what `cancelAction` restores; None if there is no action to cancel.
    """

    id: int
    started: float
    channel: int = 0
    technician: int = 0
    custom_fields: tuple[str, ...] = ()
    tracking: str = ""
    pin: str = ""
    user: str = ""
    status: SessionStatus = WAITING
    changed: float = attrs.field(default=attrs.Factory(lambda self: self.started, takes_self=True))
    spent: Counter[SessionStatus] = attrs.field(factory=Counter)
    picked: float | None = None
    ended: float | None = None
    transferred_to: str = ""
    comment: str = ""
    transfers: list[tuple[float, str, str, str]] = attrs.field(factory=list)
    chat: list[ChatLine] = attrs.field(factory=list)
    note: str = ""
    before: BeforeAction | None = None

    @property
    def closed(self) -> bool:
        """Whether the session has ended."""
        return self.ended is not None

    @property
    def word(self) -> str:
        """The service's word for the state."""
        return WORDS[self.status][0]

    @property
    def fields(self) -> tuple[str, ...]:
        """Six custom fields; those that were not given are empty."""
        return (*self.custom_fields, *[""] * FIELDS)[:FIELDS]

    def remember(self) -> None:
        """Keep what `cancelAction` restores; called before an action."""
        self.before = BeforeAction(self.status, self.technician, self.channel, self.transferred_to, self.comment)

    def become(self, status: SessionStatus, now: float) -> None:
        """Change the state, and count the time that the session spent in the one before."""
        self.spent[self.status] += now - self.changed  # type: ignore[assignment]  # a Counter of seconds
        self.status, self.changed = status, now
        if status is ACTIVE and self.picked is None:
            self.picked = now
        if status in (CLOSED, LEFT, LEFT_WAITING):
            self.ended, self.before = now, None

    def time_in(self, status: SessionStatus, now: float) -> float:
        """Seconds that the session has been in a state so far."""
        running = now - self.changed if self.status is status and not self.closed else 0.0
        return self.spent[status] + running
