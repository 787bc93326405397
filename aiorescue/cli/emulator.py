"""`aiorescue emulator`: serves an emulated LogMeIn Rescue and infoRouter on this machine, until Ctrl-C."""

import asyncio
import errno
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aiorescue import errors
from aiorescue.cli import output, settings, signals
from aiorescue.cli.options import JsonOption, check_pin_rate
from aiorescue.cli.status import Status
from aiorescue.emulator.people import EmulatedUser, default_users
from aiorescue.operation import frozen

if TYPE_CHECKING:
    from aiorescue.emulator import Emulator


def emulator(
    *,
    port: Annotated[int, typer.Option(help="Where to listen; 0 takes a free port.", min=0, max=65535)] = 8765,
    pin_rate: Annotated[float, typer.Option(help="PINs per second and user.")] = 1.0,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    seed: Annotated[int, typer.Option(help="Chooses the PINs: a number gives the same ones each time.", min=0)] = 0,
    as_json: JsonOption = False,
) -> None:
    """Emulate LogMeIn Rescue and infoRouter on this machine, until Ctrl-C."""
    check_pin_rate(pin_rate)
    from aiorescue.emulator import Emulator  # noqa: PLC0415 - takes long to import, and no other command serves

    try:
        status = signals.run(_serve(Emulator(port, pin_rate, host=host, seed=seed), as_json=as_json))
    except ValueError as problem:  # such as an empty --host
        raise errors.InvalidRequest(str(problem)) from None
    except OSError as problem:
        if problem.errno != errno.EADDRINUSE:
            raise
        raise errors.InvalidRequest(f"port {port} of {host} is taken; --port 0 takes a free one") from None
    raise typer.Exit(status)


async def _serve(service: "Emulator", *, as_json: bool) -> Status:
    """Serve until a signal comes. Where stdout cannot take the address, it may be unknown: then that is an error."""
    stop = asyncio.Event()
    with signals.on_signal(lambda _: stop.set(), lambda _: None):
        async with service:
            status = output.show(Listening(service.url), as_json=as_json, quiet=settings.current().quiet)
            if status is Status.OK:
                await stop.wait()
            return status


@frozen
class Listening(output.CommandResult):
    """An emulator that accepts connections; shown when it begins, since the command ends only with the emulator.

    Attributes:
        url: the address of the emulated services.
    """

    url: str

    @property
    def is_notice(self) -> bool:
        """Whether the result only says what is known elsewhere, as the port was chosen by the command line."""
        return True

    def for_people(self) -> Iterable[str]:
        """The address, the users with their test credentials, and a command to try."""
        users = list(default_users())
        widths = [max(len(cell) for cell in column) for column in zip(*map(_cells, users), strict=True)]
        environment = f"RESCUE_BASE_URL={self.url} RESCUE_AUTH_CODE={users[0].auth_code}"
        return [
            f"LogMeIn Rescue and infoRouter, emulated, at {self.url}",
            "",
            "Test data, no secrets: e-mail address, password, auth code, what the user may",
            *(_aligned(_cells(user), widths) for user in users),
            "",
            f"For example: {environment} aiorescue session close 12345678",
            f"Control plane: {self.url}/_emulator (what it can do), {self.url}/_emulator/ledger (every PIN it issued)",
            "Ctrl-C ends it.",
        ]

    def for_programs(self) -> Any:
        """Address, control plane and users."""
        users = [
            {"email": user.email, "password": user.password, "auth_code": user.auth_code, "may": _abilities(user)}
            for user in default_users()
        ]
        return {"url": self.url, "control": f"{self.url}/_emulator", "users": users}


def _aligned(cells: Iterable[str], widths: Iterable[int]) -> str:
    padded = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
    return f"  {'  '.join(padded)}".rstrip()


def _cells(user: EmulatedUser) -> tuple[str, ...]:
    return user.email, user.password, user.auth_code or "-", _abilities(user)


def _abilities(user: EmulatedUser) -> str:
    """The permissions of a user, in words."""
    if user.gone:
        return "nothing: deleted" if user.deleted else "nothing: disabled"
    if user.no_ticket:
        return "no infoRouter ticket"
    able = (
        ("administrator", user.administrator),
        ("technician", user.technician),
        ("Lens", user.technician and user.lens),
        ("console running", user.technician and user.console),
    )
    return ", ".join(name for name, yes in able if yes)
