"""The control plane under `/_emulator/`: JSON over HTTP, for tests that run in another process than the emulator."""

import asyncio
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from http import HTTPStatus
from typing import Any

import attrs
from aiohttp import web

from aiorescue.emulator.control import front
from aiorescue.emulator.control.guard import forbidden
from aiorescue.emulator.faults import KINDS
from aiorescue.emulator.rules.call import Limits, check_limit
from aiorescue.emulator.rules.rescue.tree import CHANNEL
from aiorescue.emulator.world import World
from aiorescue.operation.number import is_number, is_whole
from aiorescue.operation.suggest import did_you_mean

PREFIX = "/_emulator"

_LIMITS = (*(each.name for each in attrs.fields(Limits)), "latency", "jitter")

Body = dict[str, Any]
Action = Callable[[World, Body], object]

#: The largest number that a limit or a step of the clock may be.
_MOST = 1e12
#: Entries of the ledger that are written at a stretch.
_PIECE = 1000
_MOST_DIGITS = 15


def _status(world: World, _: Body) -> object:
    return {
        "url": world.url,
        "clock": world.clock(),
        "requests": world.requests.count,
        "pins": world.ledger.issued,
        "ledger": {"issued": world.ledger.issued, "dropped": world.ledger.dropped, "size": world.ledger.size},
        "limits": _limits_of(world),
        "faults": _script(world),
        "sessions": world.state.sessions,
        "help": _KNOWN,
        "kinds": {name: {"effect": kind.effect, **kind.options} for name, kind in KINDS.items()},
    }


def _limits_of(world: World) -> dict[str, object]:
    return {**attrs.asdict(world.limits), "latency": world.latency, "jitter": world.jitter}


def _script(world: World) -> list[dict[str, Any]]:
    return [attrs.asdict(fault) for fault in world.faults.script]


def _reset(world: World, _: Body) -> object:
    world.reset()
    return {"reset": True}


async def _ledger(world: World, query: Mapping[str, str]) -> web.Response:
    """The ledger from `offset` (PINs that were issued before) on, at most `limit` entries; all that is kept without.

    The headers tell how many PINs were issued, and how many of them are not kept any more.
    """
    ledger = world.ledger
    _refuse_unknown("the ledger", query, ("offset", "limit"))
    start = max(_whole(query, "offset", 0), ledger.dropped)
    end = min(start + _whole(query, "limit", ledger.issued), ledger.issued)
    headers = {"Ledger-Issued": str(ledger.issued), "Ledger-Dropped": str(ledger.dropped)}
    pieces: list[str] = []
    for first in range(start, end, _PIECE):
        pieces += [json.dumps(attrs.asdict(entry)) for entry in world.ledger_between(first, min(first + _PIECE, end))]
        await asyncio.sleep(0)  # a long ledger does not hold up the calls
    return _answer(("[" + ",\n ".join(pieces) + "]").encode(), headers=headers)


def _whole(query: Mapping[str, str], name: str, usual: int) -> int:
    text = query.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise ValueError(f"{name} is a whole number, not {text!r:.100}")
    return int(text)


def _refuse_unknown(what: str, given: Iterable[str], known: Collection[str]) -> None:
    for name in given:
        if name not in known:
            meant = did_you_mean(name, known)
            raise ValueError(f"{what} takes no {name!r:.100}{meant}; it takes {', '.join(known) or 'nothing'}")


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
        raise ValueError(f"no limit {name!r:.100}{did_you_mean(name, _LIMITS)}; there are {', '.join(_LIMITS)}")
    check_limit(name, value)
    if isinstance(value, int | float) and value > _MOST:
        raise ValueError(f"{name} cannot be {value!r:.100}")


def _add_fault(world: World, body: Body) -> object:
    if "kind" not in body:
        raise ValueError(f'send {{"kind": name, …}}; the kinds are {", ".join(KINDS)}')
    options = {name: value for name, value in body.items() if name not in ("kind", "operation", "times")}
    world.faults.add(body["kind"], body.get("operation"), body.get("times", 1), **options)
    return _script(world)


def _clear_faults(world: World, _: Body) -> object:
    world.faults.clear()
    return []


def _clock(world: World, body: Body) -> object:
    seconds = body.get("advance")
    if not is_number(seconds) or not 0 <= seconds <= _MOST:
        raise ValueError('send {"advance": seconds}, forward only')
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
    _refuse_unknown("a customer", body, ("pin", "channel", "custom_fields"))
    if "pin" in body:
        return {"session": sessions.enter(str(body["pin"])).id}
    fields, channel = body.get("custom_fields", ()), body.get("channel", CHANNEL)
    if not isinstance(fields, list | tuple) or not all(isinstance(field, str) for field in fields):
        raise ValueError("custom_fields is a list of texts")
    if not isinstance(channel, int):
        raise ValueError("channel is the number of a channel")  # noqa: TRY004 - all bad input is one error here
    return {"session": sessions.arrive(channel, tuple(fields)).id}


def _session(body: Body) -> int:
    number = body.get("session")
    if not is_whole(number):
        raise ValueError('send {"session": number, …}')
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
_LEDGER = ("GET", "ledger")
_KNOWN = [f"{method} {PREFIX}/{path}".rstrip("/") for method, path in [*_ACTIONS, _LEDGER]]


def is_for(path: str) -> bool:
    """Whether the path of a request is one of the control plane, or its front page."""
    return path == "/" or path.lower() == PREFIX or path.lower().startswith(f"{PREFIX}/")


async def handle(world: World, request: web.BaseRequest, path: str, bound: str) -> web.Response:
    """Carry out a request to the control plane.

    Args:
        world: what the request reads or changes.
        request: the request.
        path: path of the request.
        bound: host that the emulator listens on.

    Returns:
        The answer as JSON; with an error 400 for bad input, 403 and 415 for what may come from a web page, 404 for an
        unknown path, and 413 for too much.
    """
    refused = forbidden(request, bound)
    if refused is not None:
        return _error(refused.reason, refused.status)
    if path == "/":
        if request.method not in ("GET", "HEAD"):
            return _error("the front page is read by GET", HTTPStatus.METHOD_NOT_ALLOWED)
        return front.answer(world)
    asked = request.method, path[len(PREFIX) :].strip("/")
    action = _ACTIONS.get(asked)
    try:
        body = _body(await request.read())
        if asked == _LEDGER:
            return await _ledger(world, request.query)
        if action is not None:
            with world.lock:
                return _json(action(world, body))
    except web.HTTPRequestEntityTooLarge:
        return _error("that is too much for the control plane", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    except (ValueError, RecursionError, ConnectionError) as problem:  # the last if the client went away
        return _error(str(problem), HTTPStatus.BAD_REQUEST)
    return _error(f"there is no {asked[0]} {PREFIX}/{asked[1]}; there are {', '.join(_KNOWN)}", HTTPStatus.NOT_FOUND)


def _body(raw: bytes) -> Body:
    body = json.loads(raw or b"{}", parse_constant=_no_number)
    if not isinstance(body, dict):
        raise ValueError("send a JSON object")  # noqa: TRY004 - all bad input is one error here
    json.dumps(body, ensure_ascii=False).encode()  # a half of a surrogate pair is refused here
    return body


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _error(text: str, status: int) -> web.Response:
    return _json({"error": text}, status)


def _json(value: object, status: int = HTTPStatus.OK) -> web.Response:
    return _answer(json.dumps(value, indent=1).encode(), status)


def _answer(body: bytes, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> web.Response:
    more = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})}
    return web.Response(body=body, status=status, content_type="application/json", headers=more)
