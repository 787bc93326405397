"""Exchanges captured from a real ASMX server, replayed: the emulator answers them byte for byte.

`captures/` holds them; random values (PINs, codes, tickets) are compared by their shape. The captured operation
requestPINCodeV2 is not declared; its version 3 has a name of the same length and takes the same fields.
"""

import json
import re
from pathlib import Path

import pytest

from tests.emulator.sockets import exchange, login

CAPTURES = Path(__file__).parent / "captures"

RANDOM = {
    "PIN": re.compile(r"(?<=sPINCode>)\d{6}\b|(?<=PINCODE:)\d{6}\b"),
    "CODE": re.compile(r"\b[a-z0-9]{80}\b"),
    "TICKET": re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"),
}
# The capture server put a blank where the vendor's pages have a blank line; widgets cut at fixed offsets behind it.
VENDORS_FORM = ((re.compile(r"^OK PINCODE:"), "OK\n\nPINCODE:"), (re.compile(r"^OK AUTHCODE: ?"), "OK\n\nAUTHCODE:"))


# The capture server knew tickets alone; whose they are is the vendor's form.
PROFILE = re.compile(r' userid="42" username="tech@example.com" .*? isAuthenticated="True"')


def captures():
    for path in sorted(CAPTURES.glob("*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        for each in data["exchanges"]:
            yield pytest.param(each, data["macros"], id=each["name"])


def spelt_out(text, macros):
    for name, value in macros.items():
        text = text.replace(name, value)
    return text.replace("requestPINCodeV2", "requestPINCodeV3")


def as_bytes(text):
    """The body as it was sent: bytes that are no text are written as \\xNN."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), text.encode())


def without_chance(text):
    for name, pattern in RANDOM.items():
        text = pattern.sub(name, text)
    return PROFILE.sub("", text)


async def set_the_scene(service, name, headers, path, body):
    """Bring the service into the state that the capture was taken in; returns the request with live secrets."""
    dead = any(
        word in name for word in ("not-logged-in", "expired", "odd-id", "ttl", "two-cookies", "lower-name", "stale")
    )
    cookie = headers.get("Cookie", "")
    if "SessionId" in cookie and not dead:
        headers["Cookie"] = await login(service)
    body = RANDOM["CODE"].sub("fixedtech0000", body)
    if name.startswith("ok-srv-LogOut"):
        found = await exchange(service.url, "GET", "/srv.asmx/AuthenticateUser?UID=tech@example.com&PWD=secret")
        ticket = RANDOM["TICKET"].search(found.text)[0]
        headers = {key: RANDOM["TICKET"].sub(ticket, value) for key, value in headers.items()}
        path, body = (RANDOM["TICKET"].sub(ticket, text) for text in (path, body))
    if name.endswith(("-again", "-failed")):
        await exchange(service.url, *request_of(path, headers, body))
    if name.endswith("-rate"):
        service.limits.pin_rate = 1.0
        await exchange(service.url, *request_of(path, headers, body))
    if name.endswith("-out-of-pins"):
        service.limits.pins_left = 0
    if name.endswith("-error"):
        service.fault("word", word="Error")
    return path, headers, body


def request_of(path, headers, body):
    is_post = bool(body) or "Content-Type" in headers
    return ("POST" if is_post else "GET", path, headers, as_bytes(body))


@pytest.mark.parametrize(("capture", "macros"), list(captures()))
async def test_answers_like_the_real_server(service, capture, macros):
    method, path, headers, body = capture["request"]
    status, content_type, closes, sets_cookie, expected = capture["answer"]
    path, headers, body = await set_the_scene(
        service,
        capture["name"],
        {name: spelt_out(value, macros) for name, value in headers.items()},
        spelt_out(path, macros),
        spelt_out(body, macros),
    )

    answer = await exchange(service.url, method, path, headers, as_bytes(body))

    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"] == content_type
    assert answer.closed == closes
    assert ("Set-Cookie" in answer.headers) == sets_cookie
    if expected is not None:  # ASP.NET's own error pages are not copied
        expected = spelt_out(expected, macros).replace("http://127.0.0.1:8765", service.url)
        for pattern, form in VENDORS_FORM:
            expected = pattern.sub(form, expected)
        assert without_chance(answer.text) == without_chance(expected)
    if "tracking" in capture:
        tracked = [entry.tracking for entry in service.ledger]
        assert tracked == ([] if capture["tracking"] is None else [capture["tracking"]])


def test_every_interface_is_among_the_captures():
    names = [parameter.id for parameter in captures()]
    for binding in ("soap11", "soap12", "get", "post", "text"):
        assert sum(f"-{binding}" in name for name in names) >= 10, binding
