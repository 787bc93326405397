"""Scripted faults: what goes wrong, for which operation, how often, and what it makes of the reply."""

from collections.abc import Mapping
from typing import Any

import attrs

from aiorescue.emulator import soap
from aiorescue.emulator.http import XML_TYPE, Reading, Reply, error_page
from aiorescue.emulator.rules.call import Result
from aiorescue.operation import Binding

_HTML = (
    b"<html><head><title>Trouble</title></head>\n"
    b"<body><h1>HTTP 200</h1><p>&nbsp;Injected&copy; by the control endpoint<br></body></html>\n"
)
_ENTITIES = (
    '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>\n<x>&i;</x>"
)


@attrs.frozen
class FaultKind:
    """A kind of fault.

    Attributes:
        effect: whether the call is carried out nevertheless; the option of this name overrules it.
        options: options of the kind and their default values.
    """

    effect: bool
    options: Mapping[str, Any] = attrs.field(factory=dict)


#: All kinds of fault by name.
KINDS: Mapping[str, FaultKind] = {
    "word": FaultKind(effect=False, options={"word": "Error", "error": ""}),
    "unknown_word": FaultKind(effect=False, options={"word": "Flabbergasted"}),
    "http": FaultKind(effect=False, options={"status": 503, "retry_after": None, "body": ""}),
    "html": FaultKind(effect=False),
    "empty": FaultKind(effect=False),
    "huge": FaultKind(effect=False, options={"bytes": 20 * 2**20}),
    "redirect": FaultKind(effect=False, options={"location": "/login?returnUrl=%2fAPI%2fAPI.asmx"}),
    "fault_server": FaultKind(effect=False, options={"text": "Server was unable to process request. ---> Injected."}),
    "fault_client": FaultKind(effect=False, options={"text": "Server was unable to read request. ---> Injected."}),
    "drop_before": FaultKind(effect=False),
    "drop_after": FaultKind(effect=True),
    "delay_before": FaultKind(effect=True, options={"seconds": 1.0}),
    "delay_after": FaultKind(effect=True, options={"seconds": 1.0}),
    "expire": FaultKind(effect=True),
    "cut": FaultKind(effect=True, options={"at": None}),
    "truncate": FaultKind(effect=True, options={"at": None}),
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
    """The script of faults: a request meets the first entry for its operation."""

    def __init__(self) -> None:
        self.script: list[Fault] = []

    def add(self, kind: str, operation: str | None = None, times: int = 1, **options: Any) -> Fault:
        """Append a fault to the script; raises ValueError for an unknown kind or option."""
        if kind not in KINDS:
            raise ValueError(f"no fault {kind!r}; there are {', '.join(KINDS)}")
        known = {"effect": KINDS[kind].effect, **KINDS[kind].options}
        unknown = options.keys() - known.keys()
        if unknown:
            raise ValueError(f"the fault {kind} takes no {', '.join(sorted(unknown))}; it takes {', '.join(known)}")
        if times < 1:
            raise ValueError(f"times is {times}, but a fault happens once at least")
        fault = Fault(kind, operation, times, known | options)
        self.script.append(fault)
        return fault

    def take(self, operation: str) -> Fault | None:
        """The fault that a request of an operation meets, or None; the fault is used up once."""
        for fault in self.script:
            if fault.operation in (None, operation):
                fault.times -= 1
                if fault.times == 0:
                    self.script.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Remove all faults from the script."""
        self.script.clear()


def reply(fault: Fault, reading: Reading, usual: Reply | None) -> Reply:
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


def _content_type(reading: Reading) -> str:
    if reading.binding is Binding.SOAP12:
        return soap.SOAP12.content_type
    return "text/html" if reading.binding in (Binding.TEXT_GET, Binding.TEXT_POST) else XML_TYPE


def _fault(code: str, text: str, reading: Reading) -> Reply:
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
