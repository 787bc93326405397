"""`aiorescue pins`: asks for a PIN for each row of a CSV file."""

import asyncio
import random
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from aiorescue import Login, errors
from aiorescue.cli import credentials, provision
from aiorescue.cli.customers import Customers
from aiorescue.cli.options import BindingOption, JsonOption
from aiorescue.cli.summary import Summary
from aiorescue.emulator.people import default_users
from aiorescue.emulator.rules.rescue.ledger import PINS, PINS_PER_SEED
from aiorescue.rescue import RequestLensPinCodeV2, RequestPinCode

#: PINs per second: as documented, and as the embedded emulator allows.
DOCUMENTED, EMULATED = 1.0, 20.0


def pins(
    customers: Annotated[
        Path,
        typer.Argument(
            metavar="CUSTOMERS.CSV",
            help="A CSV file in UTF-8; its header names any of the columns custom_field_0 … custom_field_5, tracking.",
        ),
    ],
    *,
    output: Annotated[Path, typer.Option(help="Where the rows go, with the columns pin and error.")] = Path("pins.csv"),
    lens: Annotated[bool, typer.Option("--lens", help="Ask for Rescue Lens PINs (requestLensPINCodeV2).")] = False,
    journal: Annotated[
        Path | None, typer.Option(help="The journal: what makes the job resumable.", show_default="OUTPUT.journal")
    ] = None,
    emulator: Annotated[
        bool, typer.Option("--emulator", help="Try it: use an emulator of its own, and no credentials of yours.")
    ] = False,
    pin_rate: Annotated[
        float | None,
        typer.Option(
            help="PINs per second that the service allows each caller.",
            show_default=f"{DOCUMENTED:g} as documented; {EMULATED:g} with --emulator",
        ),
    ] = None,
    tech_console: Annotated[
        bool,
        typer.Option(
            "--tech-console",
            help="Let the service insist on a running Technician Console. A bulk job has none, so it does not.",
        ),
    ] = False,
    binding: BindingOption = None,
    as_json: JsonOption = False,  # noqa: ARG001 - read where the result is printed
) -> Summary:
    """Ask for a PIN for each row of a CSV file.

    Results are journalled: the same command goes on where it stopped, and issues nothing twice.
    """
    operation = RequestLensPinCodeV2 if lens else RequestPinCode
    if binding is not None:
        operation.spec.require(binding)
    if pin_rate is not None and not pin_rate > 0:
        raise errors.InvalidRequest(f"--pin-rate must be above 0, not {pin_rate:g}")
    journal = journal or Path(f"{output}.journal")
    _check_files(customers, output, journal)
    user = next(default_users())
    plan = provision.Plan(
        customers=Customers.check(customers),
        operation=operation,
        no_tech_console=not tech_console,
        output=output,
        journal=journal,
        binding=binding,
        pace=pin_rate or (EMULATED if emulator else DOCUMENTED),
        credentials=[Login(user.email, user.password)] if emulator else credentials.find(),
        base_url=None if emulator else credentials.base_url(),
        seed=_new_seed() if journal.exists() else 0,
        again=shlex.join(["aiorescue", *sys.argv[1:]]),
    )
    return asyncio.run(provision.run(plan))


def _new_seed() -> int:
    """A seed for the emulator of a resumed job, which must not repeat the PINs of the emulator before it."""
    return random.randrange(1, PINS // PINS_PER_SEED)  # noqa: S311 - nothing here is secret


def _check_files(customers: Path, output: Path, journal: Path) -> None:
    """Check that input, output and journal can be written side by side; raises `errors.InvalidRequest`."""
    files = {"the input": customers, "--output": output, "--journal": journal}
    if len({path.resolve() for path in files.values()}) < len(files):
        listed = ", ".join(f"{name} {path}" for name, path in files.items())
        raise errors.InvalidRequest(f"three different files are needed: {listed}")
    for path in (output, journal):
        if path.exists() and not path.is_file():
            raise errors.InvalidRequest(f"{path} is not a file")
        if not path.parent.is_dir():
            raise errors.InvalidRequest(f"{path}: there is no folder {path.parent}")
