"""`HostPace`: one pace for all processes of one machine, without a server."""

import sys
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Literal

import attrs

from aiorescue import errors
from aiorescue.clock import Clock
from aiorescue.operation import frozen
from aiorescue.pace.pace import Pace, SharedPace, check_shared
from aiorescue.pace.shared.pacers import BookPacers


def _is_folder(_: object, __: "attrs.Attribute[Any]", value: Any) -> None:
    if value is None:
        return
    path = fspath(value) if isinstance(value, str | PathLike) else b""
    if not isinstance(path, str) or not path or "\0" in path:
        raise errors.InvalidRequest(f"HostPace: directory must be the path of a folder, not {value!r}")


@frozen(kw_only=True)
class HostPace(SharedPace):
    """A pace that all processes of one machine share: ``RescueClient(…, pace=HostPace())``.

    It is kept in small files, which processes lock in turn; a process that ends or is killed blocks no other. Auth
    codes and logins are known by a digest. Where the files cannot be used, each process paces for itself, and a warning
    is logged once under ``aiorescue.pace``. Windows has no such locks: use `RedisPace` there.

    Attributes:
        pace: what the service allows each identity, or ``"auto"``; all who share must give an equal one.
        directory: folder of the files, made if it is missing. Left out, it is one of the user's own, in the memory of
            the machine (``/dev/shm``) or else among the temporary files, so that processes of one user share. Processes
            of several users, or containers, share a folder that is named here and that all of them may write.
    """

    pace: Pace | Literal["auto"] = attrs.field(default=Pace(), validator=check_shared)
    directory: str | PathLike[str] | None = attrs.field(default=None, validator=_is_folder)

    def open(self, clock: Clock, service: str) -> BookPacers:
        """Pacers for one client of one service. Raises `errors.InvalidRequest` on Windows."""
        if sys.platform == "win32":
            raise errors.InvalidRequest("HostPace needs POSIX file locks, which Windows lacks; use RedisPace(url)")
        from aiorescue.pace.shared.host_books import HostBooks  # noqa: PLC0415 - cannot be imported on Windows

        directory = None if self.directory is None else Path(self.directory)
        place = attrs.evolve(self, pace=Pace(), directory=directory)
        return BookPacers(self.pace, HostBooks(directory, clock), clock, service, place=place)
