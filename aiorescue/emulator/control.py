"""The control plane under `/_emulator/`: JSON over HTTP, for tests that are not in the same process."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import attrs
from aiohttp import web

from aiorescue.emulator.faults import KINDS
from aiorescue.emulator.rules.call import Limits

if TYPE_CHECKING:
    from aiorescue.emulator.app import Emulator

PREFIX = "/_emulator"

_NUMBER, _COUNT, _FLAG = (int, float), (int,), (bool,)
_OPTIONAL = ("pin_rate", "pins_left", "email_text_rate")
#: Of these 0 would say never.
_ABOVE_ZERO = ("pin_rate", "email_text_rate", "page_rows")
_LIMITS: Mapping[str, tuple[type, ...]] = {
    "pin_rate": _NUMBER,
    "pins_left": _COUNT,
    "count_rejected": _FLAG,
    "session_ttl": _NUMBER,
    "ticket_ttl": _NUMBER,
    "email_text_rate": _NUMBER,
    "report_interval": _NUMBER,
    "page_rows": _COUNT,
    "latency": _NUMBER,
    "jitter": _NUMBER,
}

Body = dict[str, Any]
Action = Callable[["Emulator", Body], object]


def _status(service: "Emulator", _: Body) -> object:
    return {
        "url": service.url,
        "clock": service.clock(),
        "requests": service.requests.count,
        "pins": len(service.ledger),
        "limits": _limits_of(service),
        "faults": _script(service),
        "sessions": service.state.sessions,
        "help": [f"{method} {PREFIX}/{path}".rstrip("/") for method, path in _ACTIONS],
        "kinds": {name: {"effect": kind.effect, **kind.options} for name, kind in KINDS.items()},
    }


def _limits_of(service: "Emulator") -> dict[str, object]:
    return {**attrs.asdict(service.limits), "latency": service.latency, "jitter": service.jitter}


def _script(service: "Emulator") -> list[dict[str, Any]]:
    return [attrs.asdict(fault) for fault in service.faults.script]


def _reset(service: "Emulator", _: Body) -> object:
    service.reset()
    return {"reset": True}


def _ledger(service: "Emulator", _: Body) -> object:
    return [attrs.asdict(entry) for entry in service.ledger]


def _requests(service: "Emulator", _: Body) -> object:
    return {
        "count": service.requests.count,
        "by_operation": dict(service.requests.by_operation),
        "recent": [list(entry) for entry in service.requests],
    }


def _limits(service: "Emulator", body: Body) -> object:
    for name, value in body.items():
        _check(name, value)
    for name, value in body.items():
        setattr(service.limits if hasattr(Limits, name) else service, name, value)
    return _limits_of(service)


def _check(name: str, value: object) -> None:
    if name not in _LIMITS:
        raise ValueError(f"no limit {name!r}; there are {', '.join(_LIMITS)}")
    if value is None and name in _OPTIONAL:
        return
    if not isinstance(value, _LIMITS[name]) or (isinstance(value, bool) and _LIMITS[name] is not _FLAG):
        raise ValueError(f"{name} cannot be {value!r}")
    if isinstance(value, int | float) and (value < 0 or (name in _ABOVE_ZERO and value == 0)):
        raise ValueError(f"{name} cannot be {value!r}")


def _add_fault(service: "Emulator", body: Body) -> object:
    try:
        service.fault(**body)
    except TypeError as problem:
        raise ValueError(str(problem)) from None
    return _script(service)


def _clear_faults(service: "Emulator", _: Body) -> object:
    service.faults.clear()
    return []


def _clock(service: "Emulator", body: Body) -> object:
    seconds = body.get("advance")
    if not isinstance(seconds, int | float):
        raise ValueError('send {"advance": seconds}')  # noqa: TRY004 - all bad input is one error here
    service.clock.advance(seconds)
    return {"clock": service.clock()}


def _expire(service: "Emulator", _: Body) -> object:
    return {"expired": service.state.expire()}


def _sessions(service: "Emulator", _: Body) -> object:
    cases = service.state.cases.cases.values()
    return [{**attrs.asdict(case, filter=_shown), "status": service.state.sessions[case.id]} for case in cases]


def _shown(attribute: "attrs.Attribute[Any]", _: object) -> bool:
    return attribute.name not in ("spent", "before")


def _customer(service: "Emulator", body: Body) -> object:
    """A customer comes, with a PIN or by a channel."""
    sessions = service.state.cases
    known = {key: value for key, value in body.items() if key in ("channel", "custom_fields")}
    case = sessions.enter(str(body["pin"])) if "pin" in body else sessions.arrive(**known)
    return {"session": case.id}


def _session(body: Body) -> int:
    number = body.get("session")
    if not isinstance(number, int):
        raise ValueError('send {"session": number, …}')  # noqa: TRY004 - all bad input is one error here
    return number


def _chat(service: "Emulator", body: Body) -> object:
    """Somebody writes into the chat, or the technician a note."""
    number = _session(body)
    case = service.state.cases.cases.get(number)
    if case is None:
        raise ValueError(f"there is no session {number}")
    if "text" in body:
        service.state.cases.say(number, str(body.get("name", "Customer")), str(body["text"]))
    case.note = str(body.get("note", case.note))
    return {"lines": len(case.chat), "note": case.note}


def _leave(service: "Emulator", body: Body) -> object:
    """The customer leaves."""
    number = _session(body)
    if number not in service.state.sessions:
        raise ValueError(f"there is no session {number}")
    service.state.cases.leave(number)
    return {"status": service.state.sessions[number]}


_ACTIONS: Mapping[tuple[str, str], Action] = {
    ("GET", ""): _status,
    ("POST", "reset"): _reset,
    ("GET", "ledger"): _ledger,
    ("GET", "requests"): _requests,
    ("POST", "limits"): _limits,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "clock"): _clock,
    ("POST", "expire"): _expire,
    ("GET", "sessions"): _sessions,
    ("POST", "sessions"): _customer,
    ("POST", "chat"): _chat,
    ("POST", "leave"): _leave,
}


async def handle(service: "Emulator", request: web.BaseRequest, path: str) -> web.Response:
    """Do what is asked. 400 with an error for bad input, 404 for what there is not."""
    action = _ACTIONS.get((request.method, path))
    if action is None:
        known = ", ".join(f"{method} {PREFIX}/{name}" for method, name in _ACTIONS)
        return _json(
            {"error": f"there is no {request.method} {PREFIX}/{path}; there are {known}"}, HTTPStatus.NOT_FOUND
        )
    try:
        return _json(action(service, _body(await request.read())))
    except ValueError as problem:
        return _json({"error": str(problem)}, HTTPStatus.BAD_REQUEST)


def _body(raw: bytes) -> Body:
    body = json.loads(raw or b"{}")
    if not isinstance(body, dict):
        raise ValueError("send a JSON object")  # noqa: TRY004 - all bad input is one error here
    return body


def _json(value: object, status: int = HTTPStatus.OK) -> web.Response:
    return web.Response(body=json.dumps(value, indent=1).encode(), status=status, content_type="application/json")
