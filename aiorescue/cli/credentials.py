"""Credentials and address of the service: from the environment or a prompt, never from an argument."""

import os
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import typer

from aiorescue import AuthCode, InfoRouterClient, Login, RescueClient, Ticket, errors
from aiorescue.cli import settings, stdio
from aiorescue.rescue.client import BASE_URL

CODE, EMAIL, PASSWORD, URL = "RESCUE_AUTH_CODE", "RESCUE_EMAIL", "RESCUE_PASSWORD", "RESCUE_BASE_URL"
PROXY = "RESCUE_PROXY"
_HINT = f"set {CODE}, or {EMAIL} and {PASSWORD}"
#: Address and credentials of infoRouter.
ROUTER_URL, TICKET, USER, USER_PASSWORD = (f"INFOROUTER_{name}" for name in ("BASE_URL", "TICKET", "USER", "PASSWORD"))


def client(identities: Sequence[AuthCode | Login], url: str, **options: Any) -> RescueClient:
    """A client for the command: its sessions are opened anew when they end, and a proxy is used where there is one."""
    return RescueClient(identities, base_url=url, relogin=True, **route(url), **options)


def inforouter() -> InfoRouterClient:
    """A client of the infoRouter that the environment names.

    Raises:
        errors.InvalidRequest: the environment names no infoRouter.
        errors.CredentialsMissing: the environment has no credentials for it, and there is no terminal to ask on.
    """
    url = os.environ.get(ROUTER_URL, "").strip()
    if not url:
        raise errors.InvalidRequest(f"set {ROUTER_URL} to the address of infoRouter")
    ticket = os.environ.get(TICKET)
    if ticket:
        return InfoRouterClient(Ticket(ticket), base_url=url, **route(url))
    hint = f"set {TICKET}, or {USER} and {USER_PASSWORD}"
    user = os.environ.get(USER) or _ask("User", hint)
    password = os.environ.get(USER_PASSWORD) or _ask("Password", hint, hidden=True)
    return InfoRouterClient(Login(user, password), base_url=url, relogin=True, **route(url))


def route(url: str) -> dict[str, Any]:
    """The proxy settings for a host; those of the environment do not hold for this machine itself."""
    proxy = settings.current().proxy or os.environ.get(PROXY)
    if proxy:
        return {"proxy": proxy}
    host = urlsplit(url).hostname or ""
    return {"trust_env": not (host in ("localhost", "::1") or host.startswith("127."))}


def check_proxy_argument(proxy: str | None) -> None:
    """Refuse a password in an argument, which other users of the machine can read. Raises `errors.InvalidRequest`."""
    if proxy is not None and "@" in proxy:
        raise errors.InvalidRequest(
            f"--proxy: others can read a password that is an argument; put the URL into {PROXY} instead"
        )


def base_url() -> str:
    """The base URL of the service: ``RESCUE_BASE_URL``, or the vendor's."""
    return os.environ.get(URL, "").strip() or BASE_URL


def find() -> Sequence[AuthCode | Login]:
    """The identities to call as: one for each auth code, or one login. Asks on a terminal for what is missing.

    Raises:
        errors.CredentialsMissing: the environment has none, and there is no terminal to ask on.
    """
    codes = re.findall(r"[^\s,]+", os.environ.get(CODE, ""))
    if not codes and not os.environ.get(EMAIL):
        code = _ask("Auth code (leave empty to log in by e-mail address)", _HINT, hidden=True, optional=True)
        codes = [code] if code else []
    return [AuthCode(code) for code in dict.fromkeys(codes)] or [login()]


def login(email: str | None = None) -> Login:
    """The login for operations that an auth code cannot do.

    Args:
        email: the e-mail address; None takes that of the environment, or asks for it.

    Raises:
        errors.CredentialsMissing: something is missing, and there is no terminal to ask on.
    """
    email = email or os.environ.get(EMAIL) or _ask("E-mail address", _HINT)
    return Login(email, os.environ.get(PASSWORD) or _ask("Password", _HINT, hidden=True))


def _ask(what: str, hint: str, *, hidden: bool = False, optional: bool = False) -> str:
    if not stdio.has_terminal_in():
        raise errors.CredentialsMissing(f"no credentials: {hint} (there is no terminal to ask on)")
    default = "" if optional else None
    text: str = typer.prompt(what, default=default, hide_input=hidden, show_default=False, err=True)
    return text
