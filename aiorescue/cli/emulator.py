"""`aiorescue emulator`: both services on this machine, until Ctrl-C."""

import asyncio
import signal
import sys
from contextlib import suppress
from typing import Annotated

import typer

from aiorescue import errors
from aiorescue.cli import say
from aiorescue.cli.options import JsonOption
from aiorescue.cli.status import Status
from aiorescue.emulator import Emulator
from aiorescue.emulator.people import User, default_users


def emulator(
    *,
    port: Annotated[int, typer.Option(help="Where to listen; 0 takes a free port.", min=0, max=65535)] = 8765,
    pin_rate: Annotated[float, typer.Option(help="PINs per second and user.")] = 1.0,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    as_json: JsonOption = False,
) -> Status:
    """Emulate LogMeIn Rescue and infoRouter on this machine, until Ctrl-C."""
    if not pin_rate > 0:
        raise errors.InvalidRequest(f"--pin-rate must be above 0, not {pin_rate:g}")
    asyncio.run(_serve(Emulator(port, pin_rate, host=host), as_json=as_json))
    return Status.OK


async def _serve(service: Emulator, *, as_json: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: Ctrl-C ends the loop instead
            loop.add_signal_handler(number, stop.set)
    async with service:
        (_for_programs if as_json else _for_people)(service.url)
        await stop.wait()


def _for_programs(url: str) -> None:
    users = [
        {"email": user.email, "password": user.password, "auth_code": user.auth_code, "may": _abilities(user)}
        for user in default_users()
    ]
    say.answer({"url": url, "control": f"{url}/_emulator", "users": users})


def _for_people(url: str) -> None:
    users = list(default_users())
    widths = [max(len(cell) for cell in column) for column in zip(*map(_cells, users), strict=True)]
    lines = [
        f"LogMeIn Rescue and infoRouter, emulated, at {url}",
        "",
        "Test data, no secrets: e-mail address, password, auth code, what the user may",
        *("  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(_cells(user), widths, strict=True)).rstrip()
          for user in users),
        "",
        f"For example: RESCUE_BASE_URL={url} RESCUE_AUTH_CODE={users[0].auth_code} aiorescue session close 12345678",
        f"Control plane: {url}/_emulator (what it can do), {url}/_emulator/ledger (every PIN it issued)",
        "Ctrl-C ends it.",
    ]  # fmt: skip
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _cells(user: User) -> tuple[str, ...]:
    return user.email, user.password, user.auth_code or "-", _abilities(user)


def _abilities(user: User) -> str:
    """What a user may do, in words."""
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
