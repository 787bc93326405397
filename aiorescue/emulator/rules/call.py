"""What all rules share: a call, the result of a call, a refusal, the limits, and the base class of rules."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import attrs

from aiorescue.inforouter import Element
from aiorescue.operation import Operation, frozen
from aiorescue.operation.number import is_number, is_whole

F = TypeVar("F", bound=Callable[..., "Result"])
V = TypeVar("V")

_NO_OUTPUTS: Mapping[str, Any] = MappingProxyType({})


@frozen
class ReceivedCall:
    """A call of an operation as the rules see it, whatever binding it came by.

    Attributes:
        operation: the operation type, which carries the declaration.
        values: parameters by the operation's attribute names; a number that a text page could not read is None.
        auth_code: auth code of Rescue or ticket of infoRouter; empty if the request had none.
        cookie: value of the cookie that identifies the client: the server session of Rescue, the ticket of infoRouter.
        records: rows of an array parameter, which text pages send as numbered fields (``USERDATA[0].name``).
    """

    operation: type[Operation[Any]]
    values: Mapping[str, Any]
    auth_code: str = ""
    cookie: str = ""
    records: Sequence[Mapping[str, str]] = ()

    @property
    def name(self) -> str:
        """Name of the operation on the wire."""
        return self.operation.spec.name


class Result(NamedTuple):
    """What a rule returns for a call; the writers of the bindings turn it into bytes.

    Attributes:
        word: status word of Rescue in its SOAP spelling without the prefix; for infoRouter "OK" or the error's text.
        outputs: values by the SOAP names of the declared outputs; a missing one is absent or empty on the wire.
        cookie: id of a server session that the call opened; empty for none.
        code: infoRouter's error number; 0 for none.
        root: infoRouter's whole answer where it is more than success or failure.
        content: infoRouter's answer where it is bytes.
        as_xml: whether a text page writes the result's table as XML instead of text.
    """

    word: str
    outputs: Mapping[str, Any] = _NO_OUTPUTS
    cookie: str = ""
    code: int = 0
    root: Element | None = None
    content: bytes | None = None
    as_xml: bool = False


OK = Result("OK")

#: infoRouter's error number for a call that the server could not complete.
NOT_COMPLETED = 5000


def ok(**outputs: Any) -> Result:
    """Result of a successful call with these outputs, by their declared SOAP names."""
    return Result("OK", outputs)


class Refusal(Exception):
    """Refusal of a call by the rules; `result` is what the service answers.

    Args:
        word: status word of Rescue, or text of infoRouter's error.
        code: infoRouter's error number; 0 for none.
    """

    def __init__(self, word: str, code: int = 0) -> None:
        super().__init__(word)
        self.result = Result(word, code=code)


_OPTIONAL = ("pin_rate", "pins_left", "email_text_rate")
#: Limits for which 0 would mean never.
_ABOVE_ZERO = ("pin_rate", "email_text_rate", "page_rows")
_WHOLE = ("pins_left", "page_rows")


def check_limit(name: str, value: object) -> None:
    """Raise ValueError for a value that a limit, or the latency or jitter, cannot have."""
    if (value is None and name in _OPTIONAL) or (isinstance(value, bool) and name == "count_rejected"):
        return
    if name == "count_rejected" or not is_number(value) or (name in _WHOLE and not is_whole(value)):
        raise ValueError(f"{name} cannot be {value!r:.100}")
    if value < 0 or (value == 0 and name in _ABOVE_ZERO):
        raise ValueError(f"{name} cannot be {value!r:.100}")


def _checked(_: object, attribute: "attrs.Attribute[Any]", value: V) -> V:
    check_limit(attribute.name, value)
    return value


@attrs.define(on_setattr=_checked)
class Limits:
    """Limits that the emulated services enforce; each may be changed while the emulator runs.

    A value that makes no sense, as a rate of 0, is refused with a ValueError when it is set.

    Attributes:
        pin_rate: PINs per second and user, and as many invitation links; None for no limit.
        count_rejected: whether a rejected PIN request starts the interval anew.
        pins_left: number of PINs in stock; None for an unlimited stock.
        session_ttl: seconds that a server session may idle before it expires.
        ticket_ttl: seconds that a ticket may idle before it expires.
        email_text_rate: e-mail texts per second and user; None for no limit.
        report_interval: least seconds between two reports of one user; 0 for no limit.
        page_rows: rows on one page of search results.
    """

    pin_rate: float | None = 1.0
    count_rejected: bool = False
    pins_left: int | None = None
    session_ttl: float = 20 * 60.0
    ticket_ttl: float = 30 * 86400.0
    email_text_rate: float | None = 1.0
    report_interval: float = 60.0
    page_rows: int = 20


# --- rules ----------------------------------------------------------------------------------------


def handles(*names: str) -> Callable[[F], F]:
    """Mark a method of `Rules` as the handler of the operations with these names."""

    def mark(method: F) -> F:
        vars(method)["handles"] = names
        return method

    return mark


class Rules:
    """Base class of the rules: one part of the services' state, and the operations on it."""

    @classmethod
    def handled(cls) -> Iterator[tuple[str, str]]:
        """Names of the operations that this class handles, each with the name of its method."""
        for attribute, method in vars(cls).items():
            for name in getattr(method, "handles", ()):
                yield name, attribute
