"""Credentials: the auth code, login or ticket that a program gives a client."""

from collections.abc import Callable, Sequence

import attrs

from aiorescue import errors
from aiorescue.operation import discreetly_made, frozen


def _secret(what: str) -> Callable[[object, "attrs.Attribute[str]", object], None]:
    def check(_: object, field: "attrs.Attribute[str]", value: object) -> None:
        if not isinstance(value, str):  # not shown either: bytes of a secret are one
            raise errors.InvalidRequest(f"{what}: {field.name} must be a text, not {type(value).__name__}")
        if not value.strip():
            raise errors.InvalidRequest(f"{what}: {field.name} must not be empty")
        if not all(character.isprintable() for character in value):
            # Not shown: it is a secret. In a header it would end the line, and XML cannot carry most of them.
            raise errors.InvalidRequest(f"{what}: {field.name} holds a line break or another control character")

    return check


@discreetly_made
@frozen
class AuthCode:
    """Call with an auth code (or an API token): no login, no session, no cookie.

    Args:
        code: the secret code.
    """

    code: str = attrs.field(repr=False, validator=_secret("AuthCode"))


@discreetly_made
@frozen
class Login:
    """Log in with a name and a password, and call in the server sessions that this opens.

    Args:
        email: e-mail address of the account; for infoRouter the login name.
        password: password of the account.
    """

    email: str = attrs.field(validator=_secret("Login"))
    password: str = attrs.field(repr=False, validator=_secret("Login"))


@discreetly_made
@frozen
class Ticket:
    """Call infoRouter with a ticket that another program asked for. The client never logs it out.

    Args:
        ticket: the secret ticket.
    """

    ticket: str = attrs.field(repr=False, validator=_secret("Ticket"))


def type_name(given: object) -> str:
    """The name of the type of a value given as credentials, for a message; the value itself may be a secret."""
    # With its module: the operation Login is easily taken for the credentials of that name.
    return f"{type(given).__module__}.{type(given).__name__}".removeprefix("builtins.")


def several(credentials: AuthCode | Login | Sequence[AuthCode | Login] | None) -> Sequence[AuthCode | Login]:
    """The credentials given to a client as a sequence: none, one or several.

    Raises:
        errors.InvalidRequest: something else is among them, or one of them twice.
    """
    if credentials is None:
        return ()
    given = credentials if isinstance(credentials, Sequence) else [credentials]
    for one in given:
        if not isinstance(one, AuthCode | Login):
            raise errors.InvalidRequest(
                f"credentials must be aiorescue's AuthCode(…) or Login(…), not {type_name(one)}"
            )
    if len(set(given)) != len(given):
        raise errors.InvalidRequest("credentials name one identity twice; give each of them once")
    return given
