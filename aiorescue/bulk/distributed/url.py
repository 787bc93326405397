"""URLs of databases: one that cannot be meant is refused before it is used, and no message shows a password of one.

libpq reads a URL whose password holds an ``@`` or a ``/`` in another way than its author: parts of the password become
the host, the port or the name of the database, which errors quote.
"""

import re
from collections.abc import Sequence
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from aiorescue import errors

_EXPECTED: Final = (
    "the database must be a URL: postgresql://user@host/database"
    " (in a password write @ as %40, / as %2F, % as %25 and a blank as %20)"
)
_SCHEME: Final = re.compile(r"postgres(?:ql)?://")
#: Where libpq ends the user and the password.
_END_OF_USER: Final = re.compile(r"[@/]")


def check_url(url: str) -> None:
    """Refuse a text that is no URL of a database, or holds what can only be a part of a password in another place.

    Raises:
        errors.InvalidRequest: it is refused; the message quotes nothing of it.
    """
    if not isinstance(url, str):
        raise errors.InvalidRequest(f"the database must be a URL as text, not {type(url).__name__}")
    try:
        ports = str(conninfo_to_dict(url).get("port", ""))
        is_possible = "\0" not in url
    except (psycopg.ProgrammingError, UnicodeEncodeError):
        is_possible = False
    if not is_possible:
        raise errors.InvalidRequest(_EXPECTED)
    if "@" in _behind_user(url):
        raise errors.InvalidRequest(
            "the URL of the database has one @ too many: in a user name or a password write @ as %40 and / as %2F"
        )
    if not re.fullmatch(r"[0-9,]*", ports):
        raise errors.InvalidRequest(
            "the port in the URL of the database is no number; in a password write @ as %40 and / as %2F"
        )


def _behind_user(url: str) -> str:
    """Hosts, ports and the name of the database, as libpq finds them; empty for a text of keywords and values."""
    scheme = _SCHEME.match(url)
    if scheme is None:
        return ""
    rest = url[scheme.end() :]
    end = _END_OF_USER.search(rest)
    if end is not None and end[0] == "@":
        rest = rest[end.end() :]
    return rest.partition("?")[0]


def secrets_of(url: str) -> Sequence[str]:
    """The passwords in a URL that `check_url` accepts."""
    return [str(value) for name, value in conninfo_to_dict(url).items() if "password" in name or "secret" in name]
