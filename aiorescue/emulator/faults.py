"""Scripted faults: which operation meets which fault, how often, and what the fault makes of the reply."""

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

import attrs

from aiorescue import inforouter, rescue
from aiorescue.emulator import soap
from aiorescue.emulator.http import XML_TYPE, ReadCall, Reply, error_page
from aiorescue.emulator.rules.call import Result
from aiorescue.inforouter import METHODS
from aiorescue.operation import Binding, Spec, frozen
from aiorescue.operation.number import is_number, is_whole
from aiorescue.operation.suggest import did_you_mean

_HTML = (
    b"<html><head><title>Trouble</title></head>\n"
    b"<body><h1>HTTP 200</h1><p>&nbsp;Injected&copy; by the control endpoint<br></body></html>\n"
)
_ENTITIES = (
    '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>\n<x>&i;</x>"
)


#: The first and the last of the characters that cannot be written.
_SURROGATES = "\ud800", "\udfff"
_LARGEST = 2**30


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not any(_SURROGATES[0] <= each <= _SURROGATES[1] for each in value)


def _is_header(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable()


def _is_count(value: object) -> bool:
    return is_whole(value) and 0 <= value <= _LARGEST


def _is_duration(value: object) -> bool:
    return is_number(value) and 0 <= value <= _LARGEST


def _is_status(value: object) -> bool:
    return _is_count(value) and value in range(200, 600)


def _or_none(is_one: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or is_one(value)


@frozen
class Option:
    """An option of a kind of fault.

    Attributes:
        default: value of an option that is not given.
        expected: what a value has to be, in words.
        accepts: tells whether a value is that.
    """

    default: Any
    expected: str
    accepts: Callable[[object], bool]


@frozen
class FaultKind:
    """A kind of fault.

    Attributes:
        effect: whether the call is carried out nevertheless; the option of this name overrules it.
        declared: options of the kind by name, without the effect.
    """

    effect: bool
    declared: Mapping[str, Option] = attrs.field(factory=dict)

    @property
    def options(self) -> dict[str, Any]:
        """Options of the kind and their default values, without the effect."""
        return {name: option.default for name, option in self.declared.items()}

    def complete(self, kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """All options of a fault: those that are given, checked, and the others; raises ValueError."""
        known = {"effect": Option(self.effect, "True or False", _is_flag), **self.declared}
        for name, value in given.items():
            if name not in known:
                meant = did_you_mean(name, known)
                raise ValueError(f"the fault {kind} takes no {name}{meant}; it takes {', '.join(known)}")
            if not known[name].accepts(value):
                raise ValueError(f"{name} of the fault {kind} is {known[name].expected}, not {value!r:.100}")
        return {name: given.get(name, option.default) for name, option in known.items()}


def _text(default: str) -> Option:
    return Option(default, "text", _is_text)


_SECONDS = {"seconds": Option(1.0, "a number of seconds", _is_duration)}
_AT = {"at": Option(None, "a number of bytes, or None for two thirds", _or_none(_is_count))}
_HTTP = {
    "status": Option(503, "an HTTP status from 200 to 599", _is_status),
    "retry_after": Option(
        None,
        "a number of seconds, a date, or None",
        lambda value: value is None or _is_duration(value) or _is_header(value),
    ),
    "body": _text(""),
}
_LOCATION = "/login?returnUrl=%2fAPI%2fAPI.asmx"

#: All kinds of fault by name.
KINDS: Mapping[str, FaultKind] = {
    "word": FaultKind(effect=False, declared={"word": _text("Error"), "error": _text("")}),
    "unknown_word": FaultKind(effect=False, declared={"word": _text("Flabbergasted")}),
    "http": FaultKind(effect=False, declared=_HTTP),
    "html": FaultKind(effect=False),
    "empty": FaultKind(effect=False),
    "huge": FaultKind(effect=False, declared={"bytes": Option(20 * 2**20, "a number of bytes", _is_count)}),
    "redirect": FaultKind(
        effect=False, declared={"location": Option(_LOCATION, "an address in printable ASCII", _is_header)}
    ),
    "fault_server": FaultKind(
        effect=False, declared={"text": _text("Server was unable to process request. ---> Injected.")}
    ),
    "fault_client": FaultKind(
        effect=False, declared={"text": _text("Server was unable to read request. ---> Injected.")}
    ),
    "drop_before": FaultKind(effect=False),
    "drop_after": FaultKind(effect=True),
    "delay_before": FaultKind(effect=True, declared=_SECONDS),
    "delay_after": FaultKind(effect=True, declared=_SECONDS),
    "expire": FaultKind(effect=True),
    "cut": FaultKind(effect=True, declared=_AT),
    "truncate": FaultKind(effect=True, declared=_AT),
    "garble": FaultKind(effect=True),
    "entities": FaultKind(effect=True),
}


@attrs.define
class Fault:
    """An entry of the script.

    Attributes:
        kind: name of the kind of fault.
        operation: name of the operation that meets the fault; None for any.
        times: number of requests that will still meet the fault.
        options: options of the kind, all of them.
    """

    kind: str
    operation: str | None
    times: int
    options: dict[str, Any]

    @property
    def effect(self) -> bool:
        """Whether the call is carried out nevertheless."""
        return bool(self.options["effect"])


class Faults:
    """The script of faults: a request meets the first entry for its operation. Any thread may change the script."""

    def __init__(self) -> None:
        self.script: list[Fault] = []
        self._lock = Lock()

    def add(self, kind: str, operation: str | None = None, times: int = 1, **options: Any) -> Fault:
        """Append a fault to the script; raises ValueError for an unknown kind, operation, word or option."""
        if str(kind) not in KINDS:
            raise ValueError(f"no fault {kind!r:.100}{did_you_mean(kind, KINDS)}; there are {', '.join(KINDS)}")
        complete = KINDS[kind].complete(kind, options)
        if not _is_count(times) or times < 1:
            raise ValueError(f"times is {times!r:.100}, but a fault happens once at least")
        _check_operation(operation)
        if kind == "word" and not complete["error"]:
            _check_word(operation, complete["word"])
        fault = Fault(kind, operation, times, complete)
        with self._lock:
            self.script.append(fault)
        return fault

    def take(self, operation: str) -> Fault | None:
        """The fault that a request of an operation meets, or None; the fault is used up once."""
        if not self.script:
            return None
        with self._lock:
            for fault in self.script:
                if fault.operation in (None, operation):
                    fault.times -= 1
                    if fault.times == 0:
                        self.script.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        """Remove all faults from the script."""
        with self._lock:
            self.script.clear()


# --- what a fault may name ------------------------------------------------------------------------


def _spec(operation: str) -> Spec | None:
    for known in (rescue.OPERATIONS, inforouter.OPERATIONS, inforouter.TYPED):
        if operation in known:
            return known[operation].spec
    return None


def _check_operation(operation: object) -> None:
    if operation is None:
        return
    if not isinstance(operation, str):
        raise ValueError(f"an operation is named by text, not by {operation!r:.100}")  # noqa: TRY004 - one error for all
    if _spec(operation) is None and operation not in METHODS:
        meant = did_you_mean(operation, [*rescue.OPERATIONS, *METHODS])
        raise ValueError(f"no operation {operation!r:.100}{meant or '; docs/coverage.md lists them'}")


def _check_word(operation: str | None, word: str) -> None:
    """Raise ValueError for a word that an operation of Rescue does not answer; infoRouter's errors are any text."""
    spec = None if operation is None else _spec(operation)
    if operation is not None and (spec is None or not spec.words):
        return
    specs = [each.spec for each in rescue.OPERATIONS.values()] if spec is None else [spec]
    words = {word: None for each in specs for word in (*each.words, *each.page_words)}
    if word.lower() not in {each.lower() for each in words}:
        meant = did_you_mean(word, words) or (f"; it answers {', '.join(words)}" if spec is not None else "")
        who = "no operation answers" if operation is None else f"{operation} does not answer"
        raise ValueError(f'{who} {word!r:.100}{meant} (the fault "unknown_word" takes any word)')


# --- what a fault does ----------------------------------------------------------------------------


def reply(fault: Fault, reading: ReadCall, usual: Reply | None) -> Reply:
    """Reply that a fault makes of a request.

    Args:
        fault: the fault.
        reading: the request.
        usual: the proper reply, if the call was carried out.
    """
    options, kind = fault.options, fault.kind
    if kind in ("word", "unknown_word"):
        word = options.get("error") or options["word"]
        return attrs.evolve(reading.write(Result(word)), word=word)
    if kind in ("truncate", "garble") and usual is not None:
        size = len(usual.body)
        if kind == "garble":
            return attrs.evolve(usual, body=usual.body[: size // 2] + b"<\x00>&" + usual.body[size // 2 + 4 :])
        return attrs.evolve(usual, body=usual.body[: cut_at(fault, usual)])
    if kind in ("fault_server", "fault_client"):
        return _fault(kind.removeprefix("fault_").capitalize(), options["text"], reading)
    if kind == "http":
        return _status(options)
    if kind == "redirect":
        head = "<html><head><title>Object moved</title></head><body>"
        link = f'<a href="{options["location"]}">here</a>'
        body = f"{head}\n<h2>Object moved to {link}</h2>\n</body><html>\n".encode()
        return Reply(body, "text/html", 302, headers={"Location": options["location"]})
    bodies = {"html": _HTML, "entities": _ENTITIES.encode(), "garble": b"<\x00>&"}
    body = b"x" * options["bytes"] if kind == "huge" else bodies.get(kind, b"")
    return Reply(body, "text/html" if kind == "html" else _content_type(reading))


def cut_at(fault: Fault, usual: Reply) -> int:
    """Number of bytes of a cut reply that arrive: the option `at`, or two thirds, as in the captures."""
    at = fault.options["at"]
    return len(usual.body) * 2 // 3 if at is None else int(at)


def _content_type(reading: ReadCall) -> str:
    if reading.binding is Binding.SOAP12:
        return soap.SOAP12.content_type
    return "text/html" if reading.binding in (Binding.TEXT_GET, Binding.TEXT_POST) else XML_TYPE


def _fault(code: str, text: str, reading: ReadCall) -> Reply:
    if reading.binding in (Binding.SOAP11, Binding.SOAP12):
        return soap.fault(soap.SOAP12 if reading.binding is Binding.SOAP12 else soap.SOAP11, code, text)
    # Only SOAP has faults; forms and pages answer with an error page of ASP.NET.
    return error_page(500 if code == "Server" else 400, text)


def _status(options: Mapping[str, Any]) -> Reply:
    status = int(options["status"])
    after = options["retry_after"]
    headers = {} if after is None else {"Retry-After": str(after)}
    title = f"HTTP {status}"
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    body = str(options["body"]) or page
    return Reply(body.encode(), "text/html", status, close=status >= 400, headers=headers)  # noqa: PLR2004
