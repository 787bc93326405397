"""What a session is to the emulator: its state, its times, and what was said in it."""

from collections import Counter

import attrs

from aiorescue.rescue.answers.sessions import SessionStatus

FIELDS = 6

WAITING, ACTIVE, ON_HOLD = SessionStatus.WAITING, SessionStatus.PICKED_UP, SessionStatus.ON_HOLD
TRANSFERRING = SessionStatus.TRANSFERRING_NOT_PICKED_UP
CLOSED, LEFT_WAITING, LEFT = (
    SessionStatus.CLOSED_BY_TECHNICIAN,
    SessionStatus.CLOSED_BY_WAITING_CUSTOMER,
    SessionStatus.CLOSED_BY_ACTIVE_CUSTOMER,
)

#: The states that a session goes through here: the service's word for each, and the control plane's.
WORDS = {
    WAITING: ("Waiting", "waiting"),
    ACTIVE: ("Active", "active"),
    ON_HOLD: ("On Hold", "hold"),
    TRANSFERRING: ("Transferring", "transferring"),
    CLOSED: ("Closed by technician", "closed"),
    LEFT_WAITING: ("Closed by waiting customer", "closed"),
    LEFT: ("Closed by active customer", "closed"),
}


@attrs.frozen
class Said:
    """A line of a chat, and when it was written."""

    time: float
    name: str
    text: str


@attrs.define
class Before:
    """How a session was before the last action, for whoever cancels that."""

    status: SessionStatus
    technician: int
    channel: int
    transferred_to: str
    comment: str


@attrs.define
class Case:
    """A session; times are the emulator's clock.

    Attributes:
        id: of the session.
        started: when it began.
        channel: id of its channel; 0 for a private one.
        technician: id of the technician's node; 0 while nobody has it.
        custom_fields: six texts.
        tracking: of the request for its PIN.
        pin: with which it began; empty for one of a channel.
        user: e-mail address of whoever asked for the PIN.
        status: its state.
        changed: when it came into that state.
        spent: the seconds in each state before.
        picked: when a technician first took it.
        ended: when it was closed.
        transferred_to: the name of who got it last.
        comment: what was said then.
        transfers: each: when, from whom, to whom, with which comment.
        chat: what was written.
        note: the technician's.
        before: what `cancelAction` would bring back.
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
    chat: list[Said] = attrs.field(factory=list)
    note: str = ""
    before: Before | None = None

    @property
    def closed(self) -> bool:
        """Whether it is over."""
        return self.ended is not None

    @property
    def word(self) -> str:
        """The service's word for its state."""
        return WORDS[self.status][0]

    @property
    def fields(self) -> tuple[str, ...]:
        """Six custom fields, whatever there are."""
        return (*self.custom_fields, *[""] * FIELDS)[:FIELDS]

    def remember(self) -> None:
        """An action begins: keep what is."""
        self.before = Before(self.status, self.technician, self.channel, self.transferred_to, self.comment)

    def become(self, status: SessionStatus, now: float) -> None:
        """Another state."""
        self.spent[self.status] += now - self.changed  # type: ignore[assignment]  # a Counter of seconds
        self.status, self.changed = status, now
        if status is ACTIVE and self.picked is None:
            self.picked = now
        if status in (CLOSED, LEFT, LEFT_WAITING):
            self.ended, self.before = now, None

    def time_in(self, status: SessionStatus, now: float) -> float:
        """Seconds in a state so far."""
        running = now - self.changed if self.status is status and not self.closed else 0.0
        return self.spent[status] + running
