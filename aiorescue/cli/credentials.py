"""Credentials and address of the service: from the environment or a prompt, never from an argument."""

import os
import re
import sys
from collections.abc import Sequence

import typer

from aiorescue import AuthCode, Login, errors
from aiorescue.rescue.client import BASE_URL

CODE, EMAIL, PASSWORD, URL = "RESCUE_AUTH_CODE", "RESCUE_EMAIL", "RESCUE_PASSWORD", "RESCUE_BASE_URL"


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
        code = _ask("Auth code (leave empty to log in by e-mail address)", hidden=True, optional=True)
        codes = [code] if code else []
    return [AuthCode(code) for code in dict.fromkeys(codes)] or [login()]


def login(email: str | None = None) -> Login:
    """The login for operations that an auth code cannot do.

    Args:
        email: the e-mail address; None takes that of the environment, or asks for it.

    Raises:
        errors.CredentialsMissing: something is missing, and there is no terminal to ask on.
    """
    email = email or os.environ.get(EMAIL) or _ask("E-mail address")
    return Login(email, os.environ.get(PASSWORD) or _ask("Password", hidden=True))


def _ask(what: str, *, hidden: bool = False, optional: bool = False) -> str:
    if not sys.stdin.isatty():
        raise errors.CredentialsMissing(
            f"no credentials: set {CODE}, or {EMAIL} and {PASSWORD} (there is no terminal to ask on)"
        )
    default = "" if optional else None
    text: str = typer.prompt(what, default=default, hide_input=hidden, show_default=False, err=True)
    return text
