"""What the rules take and give: calls, answers, refusals, limits, and the rooms in which the rules live."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import attrs

from aiorescue.inforouter import Element
from aiorescue.operation import Operation

if TYPE_CHECKING:
    from aiorescue.emulator.state import State

F = TypeVar("F", bound=Callable[..., "Said"])


@attrs.frozen
class Call:
    """One request, read.

    Attributes:
        operation: its declaration.
        values: the parameters by attribute name; a number that a text page could not read is None.
        auth_code: the auth code or infoRouter's ticket, empty if none came.
        cookie: the cookie that says who calls: the server session, or infoRouter's ticket.
        fields: all that a text page was sent, by name in small letters; None where it was none.
    """

    operation: type[Operation[Any]]
    values: Mapping[str, Any]
    auth_code: str = ""
    cookie: str = ""
    fields: Mapping[str, str] | None = None


class Said(NamedTuple):
    """What a handler answers.

    Attributes:
        word: the status word in the SOAP spelling without its prefix; of infoRouter OK or the error's text.
        outputs: values, records or lists of records in the declared order; None for one that is not there.
        cookie: of a new server session.
        code: infoRouter's number of the error.
        root: infoRouter's answer, all of it.
        content: the bytes that infoRouter answers with.
        xml: a text page writes its table as XML.
    """

    word: str
    outputs: tuple[Any, ...] = ()
    cookie: str = ""
    code: int = 0
    root: Element | None = None
    content: bytes | None = None
    xml: bool = False


OK = Said("OK")


class RefusedError(Exception):
    """A call ends here, with this answer."""

    def __init__(self, word: str, code: int = 0) -> None:
        super().__init__(word)
        self.said = Said(word, code=code)


@attrs.define
class Limits:
    """What the services allow; all of it may be changed under way.

    Attributes:
        pin_rate: PINs per second and user, and as many invitation links; None for no limit.
        count_rejected: a refused PIN request starts the interval anew, too.
        pins_left: the stock of PINs; None for plenty.
        session_ttl: seconds that a server session may idle.
        ticket_ttl: seconds that a ticket may idle.
        email_text_rate: texts of e-mails per second and user; None for no limit.
        report_interval: seconds between two reports of one user; 0 for no limit.
        page_rows: rows on a page of a search.
    """

    pin_rate: float | None = 1.0
    count_rejected: bool = False
    pins_left: int | None = None
    session_ttl: float = 20 * 60.0
    ticket_ttl: float = 30 * 86400.0
    email_text_rate: float | None = 1.0
    report_interval: float = 60.0
    page_rows: int = 20


# --- rooms ----------------------------------------------------------------------------------------


def answers(*names: str) -> Callable[[F], F]:
    """Mark a method of a room as the one that answers these operations."""

    def mark(method: F) -> F:
        vars(method)["answers"] = names
        return method

    return mark


class Room:
    """A part of the rules, and what it remembers."""

    def __init__(self, state: "State") -> None:
        self.state = state

    @classmethod
    def answered(cls) -> Iterator[tuple[str, str]]:
        """The operations that this room answers, and the method for each."""
        for attribute, method in vars(cls).items():
            for name in getattr(method, "answers", ()):
                yield name, attribute
