"""The control plane under `/_emulator/`: JSON over HTTP, for tests that run in another process than the emulator."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import attrs
from aiohttp import web

from aiorescue.emulator.faults import KINDS
from aiorescue.emulator.rules.call import Limits
from aiorescue.emulator.world import World

PREFIX = "/_emulator"

_NUMBER, _COUNT, _FLAG = (int, float), (int,), (bool,)
_OPTIONAL = ("pin_rate", "pins_left", "email_text_rate")
#: Limits for which 0 would mean never.
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
Action = Callable[[World, Body], object]


def _status(world: World, _: Body) -> object:
    return {
        "url": world.url,
        "clock": world.clock(),
        "requests": world.requests.count,
        "pins": len(world.ledger),
        "limits": _limits_of(world),
        "faults": _script(world),
        "sessions": world.state.sessions,
        "help": [f"{method} {PREFIX}/{path}".rstrip("/") for method, path in _ACTIONS],
        "kinds": {name: {"effect": kind.effect, **kind.options} for name, kind in KINDS.items()},
    }


def _limits_of(world: World) -> dict[str, object]:
    return {**attrs.asdict(world.limits), "latency": world.latency, "jitter": world.jitter}


def _script(world: World) -> list[dict[str, Any]]:
    return [attrs.asdict(fault) for fault in world.faults.script]


def _reset(world: World, _: Body) -> object:
    world.reset()
    return {"reset": True}


def _ledger(world: World, _: Body) -> object:
    return [attrs.asdict(entry) for entry in world.ledger]


def _requests(world: World, _: Body) -> object:
    return {
        "count": world.requests.count,
        "by_operation": dict(world.requests.by_operation),
        "recent": [list(entry) for entry in world.requests],
    }


def _limits(world: World, body: Body) -> object:
    for name, value in body.items():
        _check(name, value)
    for name, value in body.items():
        setattr(world.limits if hasattr(Limits, name) else world, name, value)
    return _limits_of(world)


def _check(name: str, value: object) -> None:
    if name not in _LIMITS:
        raise ValueError(f"no limit {name!r}; there are {', '.join(_LIMITS)}")
    if value is None and name in _OPTIONAL:
        return
    if not isinstance(value, _LIMITS[name]) or (isinstance(value, bool) and _LIMITS[name] is not _FLAG):
        raise ValueError(f"{name} cannot be {value!r}")
    if isinstance(value, int | float) and (value < 0 or (name in _ABOVE_ZERO and value == 0)):
        raise ValueError(f"{name} cannot be {value!r}")


def _add_fault(world: World, body: Body) -> object:
    if "kind" not in body:
        raise ValueError(f'send {{"kind": name, …}}; the kinds are {", ".join(KINDS)}')
    try:
        world.fault(**body)
    except TypeError as problem:
        raise ValueError(str(problem)) from None
    return _script(world)


def _clear_faults(world: World, _: Body) -> object:
    world.faults.clear()
    return []


def _clock(world: World, body: Body) -> object:
    seconds = body.get("advance")
    if not isinstance(seconds, int | float):
        raise ValueError('send {"advance": seconds}')  # noqa: TRY004 - all bad input is one error here
    world.clock.advance(seconds)
    return {"clock": world.clock()}


def _expire(world: World, _: Body) -> object:
    return {"expired": world.state.expire()}


def _sessions(world: World, _: Body) -> object:
    words = world.state.sessions
    sessions = world.state.support_sessions.by_id.values()
    return [{**attrs.asdict(session, filter=_is_public), "status": words[session.id]} for session in sessions]


def _is_public(attribute: "attrs.Attribute[Any]", _: object) -> bool:
    return attribute.name not in ("spent", "before")


def _customer(world: World, body: Body) -> object:
    """Begin a session as a customer with a PIN or by a channel."""
    sessions = world.state.support_sessions
    known = {key: value for key, value in body.items() if key in ("channel", "custom_fields")}
    session = sessions.enter(str(body["pin"])) if "pin" in body else sessions.arrive(**known)
    return {"session": session.id}


def _session(body: Body) -> int:
    number = body.get("session")
    if not isinstance(number, int):
        raise ValueError('send {"session": number, …}')  # noqa: TRY004 - all bad input is one error here
    return number


def _chat(world: World, body: Body) -> object:
    """Write into the chat of a session, or its technician's note."""
    number = _session(body)
    session = world.state.support_sessions.by_id.get(number)
    if session is None:
        raise ValueError(f"there is no session {number}")
    if "text" in body:
        world.state.support_sessions.say(number, str(body.get("name", "Customer")), str(body["text"]))
    session.note = str(body.get("note", session.note))
    return {"lines": len(session.chat), "note": session.note}


def _leave(world: World, body: Body) -> object:
    """Close a session as its customer."""
    number = _session(body)
    if number not in world.state.sessions:
        raise ValueError(f"there is no session {number}")
    world.state.support_sessions.leave(number)
    return {"status": world.state.sessions[number]}


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


async def handle(world: World, request: web.BaseRequest, path: str) -> web.Response:
    """Carry out a request to the control plane.

    Args:
        world: what the request reads or changes.
        request: the request.
        path: path of the request below the prefix.

    Returns:
        The answer as JSON; 400 with an error for bad input, 404 for an unknown path.
    """
    action = _ACTIONS.get((request.method, path))
    if action is None:
        known = ", ".join(f"{method} {PREFIX}/{name}" for method, name in _ACTIONS)
        return _json(
            {"error": f"there is no {request.method} {PREFIX}/{path}; there are {known}"}, HTTPStatus.NOT_FOUND
        )
    try:
        return _json(action(world, _body(await request.read())))
    except ValueError as problem:
        return _json({"error": str(problem)}, HTTPStatus.BAD_REQUEST)


def _body(raw: bytes) -> Body:
    body = json.loads(raw or b"{}")
    if not isinstance(body, dict):
        raise ValueError("send a JSON object")  # noqa: TRY004 - all bad input is one error here
    return body


def _json(value: object, status: int = HTTPStatus.OK) -> web.Response:
    return web.Response(body=json.dumps(value, indent=1).encode(), status=status, content_type="application/json")
