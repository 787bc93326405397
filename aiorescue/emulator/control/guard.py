"""Decides which requests may reach the control plane: those of programs and people here, but not those of web pages.

A page on the web can make a browser send requests to a server on the same machine: straight away, which the browser
marks with the page's ``Origin``, or by DNS rebinding, where the page's own name suddenly means 127.0.0.1 and stands in
``Host``. A page cannot send ``application/json`` to another server without being asked to prove that it may.
"""

from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from aiohttp import web

_JSON = "application/json"
_LOCAL = "localhost"


class Forbidden(NamedTuple):
    """Answer to a request that may not reach the control plane.

    Attributes:
        status: HTTP status.
        reason: what is wrong with the request, and what to send instead.
    """

    status: int
    reason: str


def forbidden(request: web.BaseRequest, bound: str) -> Forbidden | None:
    """Why a request may not reach the control plane; None if it may.

    Args:
        request: the request.
        bound: host that the emulator listens on.
    """
    hosts = request.headers.getall("Host", [])
    host = hosts[0].strip() if len(hosts) == 1 else ""
    if not _is_ours(host, bound, _arrived_at(request)):
        return Forbidden(
            403, f"the Host of a request to the control plane is localhost or {bound}, not {_shown(hosts)}"
        )
    origins = request.headers.getall("Origin", [])
    if any(origin.strip().lower() != f"http://{host.lower()}" for origin in origins):
        return Forbidden(403, f"a page of {_shown(origins)} may not use the control plane; only its own page may")
    if request.body_exists and request.content_type != _JSON:
        return Forbidden(415, f"send a body as Content-Type: {_JSON}")
    return None


def _arrived_at(request: web.BaseRequest) -> str:
    """The address of this machine at which the connection arrived, which matters where the emulator listens on all."""
    address = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return str(address[0]) if isinstance(address, tuple) else ""


def _is_ours(host: str, bound: str, arrived_at: str) -> bool:
    """Whether a Host names this machine's loopback, the host that the emulator listens on, or its address."""
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not name or parts.netloc != host or "@" in host:
        return False
    name = name.removesuffix(".")
    if name in (_LOCAL, bound.lower().removesuffix(".")):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or name == arrived_at.partition("%")[0].lower()


def _shown(values: list[str]) -> str:
    return ", ".join(repr(value[:80]) for value in values) or "absent"
