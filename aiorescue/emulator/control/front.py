"""The front page of an emulator for people: its users, sessions and requests, and buttons for limits, clock and faults.

It is one document without outside resources. Its tables are written here, and fetched anew every two seconds; its
buttons send JSON to the control plane.
"""

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Mapping

from aiohttp import web

from aiorescue import rescue
from aiorescue.emulator.faults import KINDS
from aiorescue.emulator.world import World

#: Entries of the ledger and of the request log that are shown, the newest first.
_SHOWN = 25

_STYLE = """
:root { color-scheme: light dark; --line: #ddd; --text: #222; --back: #fff; --bad: #a00; --good: #276749; --link: #00c }
@media (prefers-color-scheme: dark) { :root { --line: #3a4048; --text: #e6e8eb; --back: #15181d; --bad: #f08080;
  --good: #68c08f; --link: #8ab4f8 } }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 72em; padding: 0 1em; color: var(--text);
  background: var(--back) }
h1 { font-size: 1.5em } h2 { font-size: 1.1em; margin: 1.6em 0 .4em } a { color: var(--link) }
table { border-collapse: collapse; width: 100%; font-size: .92em }
th, td { text-align: left; padding: .25em .8em .25em 0; border-bottom: 1px solid var(--line); vertical-align: top }
code, td { overflow-wrap: anywhere } .two { display: grid; grid-template-columns: 1fr 1fr; gap: 0 2.5em }
form { display: inline-flex; flex-wrap: wrap; gap: .4em; margin: .2em 1em .2em 0; align-items: center; max-width: 100% }
input, select, button { font: inherit; padding: .2em .5em; max-width: 100%; min-width: 0 } input { width: 7em }
input[name="options"] { width: 13em }
#message { min-height: 1.5em; color: var(--good) } #message.bad { color: var(--bad) }
@media (max-width: 45em) { body { margin: 1em auto } .two { grid-template-columns: 1fr } }
"""
_SCRIPT = """
const message = document.getElementById("message");
function say(text, bad) {
  message.textContent = text;
  message.className = bad ? "bad" : "";
}
async function refresh() {
  const page = new DOMParser().parseFromString(await (await fetch("/")).text(), "text/html");
  document.getElementById("live").replaceWith(document.adoptNode(page.getElementById("live")));
}
function value(text) {
  try { return JSON.parse(text); } catch { return text; }
}
function bodyOf(form) {
  const body = {};
  for (const field of form.elements) {
    if (field.name === "options") {
      for (const part of field.value.match(/[^\\s=]+=("[^"]*"|\\S*)/g) || []) {
        const at = part.indexOf("=");
        body[part.slice(0, at)] = value(part.slice(at + 1));
      }
    } else if (field.name && field.value !== "") {
      body[field.name] = field.type === "number" ? Number(field.value) : field.value;
    } else if (field.name && field.dataset.empty) {
      body[field.name] = value(field.dataset.empty);
    }
  }
  return body;
}
async function send(form) {
  const method = form.dataset.method || "POST";
  const request = method === "POST"
    ? { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(bodyOf(form)) } : { method };
  const answer = await fetch(form.getAttribute("action"), request);
  const told = await answer.json();
  const said = "session" in told ? ": session " + told.session : "expired" in told ? ": " + told.expired : "";
  say(answer.ok ? form.querySelector("button").textContent + said + " \\u2713" : told.error, !answer.ok);
  await refresh();
}
document.addEventListener("submit", (event) => {
  event.preventDefault();
  send(event.target).catch((problem) => { say(String(problem), true); });
});
setInterval(() => {
  if (getSelection().isCollapsed) {  // what is being copied stays selected
    refresh().catch(() => { say("The emulator does not answer.", true); });
  }
}, 2000);
"""
_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_HASH}'; connect-src 'self'; "
        "img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def answer(world: World) -> web.Response:
    """The front page as it is now."""
    return web.Response(body=page(world).encode(), content_type="text/html", charset="utf-8", headers=_HEADERS)


def page(world: World) -> str:
    """HTML of the front page."""
    with world.lock:
        live = _live(world)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>aiorescue emulator</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<style>{_STYLE}</style></head>\n<body><h1>LogMeIn Rescue and infoRouter, emulated</h1>\n"
        '<p><a href="/API/API.asmx">Rescue: API.asmx</a> · <a href="/srv.asmx">infoRouter: srv.asmx</a> · '
        '<a href="/_emulator/">control plane (JSON)</a> · <a href="/_emulator/ledger">whole ledger (JSON)</a></p>\n'
        f'{_controls()}<p id="message" role="status"></p>\n{live}\n<script>{_SCRIPT}</script></body></html>\n'
    )


def _live(world: World) -> str:
    ledger, log, limits = world.ledger, world.requests, world.limits
    users = (
        (user.email, user.password, user.auth_code, ", ".join(_roles(user))) for user in world.state.users.values()
    )
    limit_rows = (
        ("PINs a second and user", _or(limits.pin_rate, "no limit")),
        ("PINs left", _or(limits.pins_left, "plenty")),
        ("idle seconds of a session", _number(limits.session_ttl)),
        ("idle seconds of a ticket", _number(limits.ticket_ttl)),
        ("e-mail texts a second", _or(limits.email_text_rate, "no limit")),
        ("seconds between reports", _number(limits.report_interval)),
        ("latency, jitter in seconds", f"{_number(world.latency)}, {_number(world.jitter)}"),
        ("clock turned forward by seconds", _number(world.clock.offset)),
    )
    faults = (
        (fault.kind, fault.operation or "any", fault.times, _options(fault.options)) for fault in world.faults.script
    )
    pins = (
        (entry.number, entry.pin, entry.user, entry.tracking, ", ".join(filter(None, entry.custom_fields)))
        for entry in reversed(ledger[-_SHOWN:])
    )
    requests = list(log)[: -_SHOWN - 1 : -1]
    return (
        '<main id="live">\n<div class="two"><div>'
        + _table("Limits", ("limit", "value"), limit_rows)
        + "</div><div>"
        + _table("Support sessions", ("session", "state"), list(world.state.sessions.items())[: -_SHOWN - 1 : -1])
        + "</div></div>\n"
        + _table("Faults to come", ("kind", "operation", "times", "options"), faults)
        + _table(f"Requests: {log.count}", ("operation", "binding", "answer"), requests)
        + _table(
            f"Ledger: {ledger.issued} PINs, {ledger.dropped} no longer kept",
            ("number", "PIN", "user", "tracking", "custom fields"),
            pins,
        )
        + _table("Users", ("e-mail", "password", "auth code", "may"), users)
        + "</main>"
    )


def _roles(user: object) -> Iterable[str]:
    for name in ("administrator", "technician", "lens", "console", "deleted", "disabled"):
        if getattr(user, name):
            yield name


def _or(value: object, absent: str) -> object:
    return absent if value is None else value


def _number(value: float) -> str:
    """A number as people write it, without a fraction that is zero."""
    return f"{value:.12g}"


def _options(options: Mapping[str, object]) -> str:
    """Options of a fault as the field for them takes them: those that have a value."""
    return " ".join(f"{name}={json.dumps(value)}" for name, value in options.items() if value not in (None, ""))


def _table(title: str, heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = "".join(f"<th>{html.escape(each)}</th>" for each in heads)
    body = "".join(f"<tr>{''.join(f'<td>{_cell(each)}</td>' for each in row)}</tr>\n" for row in rows)
    return f"<h2>{html.escape(title)}</h2>\n<table><tr>{head}</tr>\n{body}</table>\n"


def _cell(value: object) -> str:
    return html.escape(str(value).encode("utf-8", "replace").decode())


def _controls() -> str:
    kinds = "".join(f"<option>{kind}</option>" for kind in KINDS)
    names = "".join(f"<option>{name}</option>" for name in rescue.OPERATIONS)
    number, none = 'type="number" step="any" min="0"', 'data-empty="null"'
    fault = (
        f'<select name="kind" aria-label="kind">{kinds}</select><select name="operation" aria-label="operation">'
        f'<option value="">any operation</option>{names}</select>'
        '<input name="times" type="number" min="1" value="1" aria-label="times">'
        '<input name="options" placeholder="seconds=5 status=429" aria-label="options of the fault">'
    )
    forms = (
        ("faults", fault, "Add fault"),
        ("limits", f'<input name="pin_rate" {number} {none} placeholder="no limit" aria-label="PINs/s">', "Set PINs/s"),
        (
            "limits",
            f'<input name="pins_left" type="number" min="0" {none} placeholder="plenty" aria-label="PINs left">',
            "Set PINs left",
        ),
        ("clock", f'<input name="advance" {number} value="1200" aria-label="seconds">', "Turn clock"),
        ("sessions", '<input name="pin" placeholder="PIN or none" aria-label="PIN">', "Customer arrives"),
        (
            "leave",
            '<input name="session" type="number" required placeholder="session" aria-label="session">',
            "Customer leaves",
        ),
        ("expire", "", "End all logins"),
        ("reset", "", "Reset all"),
    )
    clear = '<form action="/_emulator/faults" data-method="DELETE"><button>Clear faults</button></form>\n'
    return clear + "".join(
        f'<form action="/_emulator/{path}" method="post">{fields}<button>{title}</button></form>\n'
        for path, fields, title in forms
    )
