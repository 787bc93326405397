"""The database of `aiorescue job`: its option, its URL, and the store that an argument names."""

import os
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from aiorescue import AuthCode, Login, errors
from aiorescue.bulk import Journal, StoreReader
from aiorescue.cli.credentials import CODE, EMAIL, PASSWORD
from aiorescue.cli.sheet import is_database
from aiorescue.cli.status import NotInstalled
from aiorescue.errors import JournalReason

DATABASE = "RESCUE_DATABASE"
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help=f"postgresql://user@host/database. A password belongs into {DATABASE} or a password file.",
        show_default=DATABASE,
    ),
]


def distributed() -> Any:
    """The module of distributed jobs. Raises `NotInstalled` if its extra is not."""
    try:
        from aiorescue.bulk import distributed as module  # noqa: PLC0415 - psycopg may be missing
    except ImportError as problem:
        raise NotInstalled(str(problem)) from None
    return module


def find_url(option: str | None) -> str | None:
    """The URL of the database, or None. Raises `errors.InvalidRequest` for a password in an argument."""
    if option is not None and re.match(r"[^?@]*//[^?@]*:[^?]+@|(?s:.*)password\s*=", option):
        raise errors.InvalidRequest(
            f"--database: others can read a password that is an argument; put the URL into {DATABASE} instead"
        )
    return option or os.environ.get(DATABASE, "").strip() or None


def url_of(option: str | None) -> str:
    """The URL of the database. Raises `errors.InvalidRequest` if there is none."""
    url = find_url(option)
    if url is None:
        raise errors.InvalidRequest(f"name the database with --database or {DATABASE}: postgresql://user@host/database")
    return url


def reader_of(name: str, option: str | None) -> StoreReader:
    """The store of a job: with a database that of its name, else the journal at this path."""
    url = find_url(option)
    if url is None:
        return Journal.reading(journal_at(name))
    reader: StoreReader = distributed().PostgresReader(url, name)
    return reader


def journal_at(name: str) -> str:
    """The path of a journal. Raises `errors.JournalError` for the output of a job, whose journal lies beside it."""
    beside = Path(f"{name}.journal")
    if beside.is_file() and not is_database(Path(name)):
        raise errors.JournalError(
            f"journal {name}: it is not a journal; did you mean {beside}?", reason=JournalReason.NO_DATABASE
        )
    return name


def identities() -> dict[str, AuthCode | Login]:
    """The identities that the environment has credentials for, by name; names in capitals stand for small letters, too.

    Raises:
        errors.CredentialsMissing: the environment has none.
    """
    found: dict[str, AuthCode | Login] = {}
    for variable, value in os.environ.items():
        if variable.startswith(f"{CODE}_") and value:
            found[variable.removeprefix(f"{CODE}_")] = AuthCode(value)
        elif variable.startswith(f"{EMAIL}_") and value:
            name = variable.removeprefix(f"{EMAIL}_")
            password = os.environ.get(f"{PASSWORD}_{name}")
            if not password:
                raise errors.CredentialsMissing(f"set {PASSWORD}_{name} beside {variable}")
            found.setdefault(name, Login(value, password))
    if not found:
        raise errors.CredentialsMissing(
            f"no credentials: for each identity NAME set {CODE}_NAME, or {EMAIL}_NAME and {PASSWORD}_NAME"
        )
    return {name.lower(): one for name, one in found.items()} | found
