"""`aiorescue pins`: a PIN for each row of a CSV file."""

import asyncio
import random
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from aiorescue import Login, errors
from aiorescue.cli import credentials, provision, say
from aiorescue.cli.customers import Customers
from aiorescue.cli.options import BindingOption, JsonOption
from aiorescue.cli.status import Status
from aiorescue.cli.tally import duration
from aiorescue.emulator.people import default_users
from aiorescue.emulator.rules.rescue.pins import PINS, PINS_PER_SEED
from aiorescue.rescue import RequestLensPinCodeV2, RequestPinCode

#: PINs per second: as documented, and as the embedded emulator allows.
DOCUMENTED, EMULATED = 1.0, 20.0
#: What is said of a file that will never be the journal of this job.
_UNFIT = ("another job", "another program", "not a database")


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
    as_json: JsonOption = False,
) -> Status:
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
        callers=[Login(user.email, user.password)] if emulator else credentials.find(),
        base_url=None if emulator else credentials.base_url(),
        seed=_another_seed() if journal.exists() else 0,
        again=shlex.join(["aiorescue", *sys.argv[1:]]),
    )
    end = asyncio.run(provision.run(plan))
    (_for_programs if as_json else _for_people)(plan, end)
    return end.status


def _another_seed() -> int:
    """An emulator that goes on with a job knows nothing of the PINs of the one before, and must not repeat them."""
    return random.randrange(1, PINS // PINS_PER_SEED)  # noqa: S311 - nothing here is secret


def _check_files(customers: Path, output: Path, journal: Path) -> None:
    """No file may take the place of another. Raises `errors.InvalidRequest`."""
    files = {"the input": customers, "--output": output, "--journal": journal}
    if len({path.resolve() for path in files.values()}) < len(files):
        listed = ", ".join(f"{name} {path}" for name, path in files.items())
        raise errors.InvalidRequest(f"three different files are needed: {listed}")
    for path in (output, journal):
        if path.exists() and not path.is_file():
            raise errors.InvalidRequest(f"{path} is not a file")
        if not path.parent.is_dir():
            raise errors.InvalidRequest(f"{path}: there is no folder {path.parent}")


def _for_people(plan: provision.Plan, end: provision.End) -> None:
    tally = end.tally
    figures = tally.figures()
    if end.problem is None or tally.done:
        _print(
            f"{tally.issued} PINs issued in {duration(tally.seconds)} ({figures['pins_per_second']:.1f} PINs/s), "
            f"{tally.from_journal} from the journal",
            f"{tally.failed} failed, {tally.bad_rows} bad rows, {tally.possibly_orphaned} possibly orphaned",
            f"output:  {plan.output}" + ("" if end.written else " (as it was)"),
            f"journal: {plan.journal} (kept: the same command issues nothing twice)",
        )
    if end.problem is not None:
        say.complain(_with_advice(end.problem))
    if not tally.complete:
        say.complain(f"{tally.rows - tally.done} of {tally.rows} rows are left")
    if not _unfit(end.problem) and (tally.failed or not tally.complete):  # the same command would end the same way
        sys.stderr.write(f"To go on: {plan.again}\n")


def _for_programs(plan: provision.Plan, end: provision.End) -> None:
    problem = None
    if end.problem is not None:
        say.complain(_with_advice(end.problem))
        problem = say.in_fields(end.problem, end.status)
    files = {"output": str(plan.output) if end.written else None, "journal": str(plan.journal)}
    say.answer(end.tally.figures() | files | {"exit_status": int(end.status), "error": problem})


def _with_advice(problem: Exception) -> str:
    words = say.in_words(problem)
    words = words.removesuffix(". Use another journal")
    return f"{words}; choose another --journal or --output" if _unfit(problem) else words


def _unfit(problem: Exception | None) -> bool:
    return isinstance(problem, errors.JournalError) and any(words in str(problem) for words in _UNFIT)


def _print(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
