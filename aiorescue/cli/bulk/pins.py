"""`aiorescue pins`: asks for a PIN for each row of a CSV file."""

import shlex
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated

import attrs
import typer

import aiorescue
from aiorescue import Login, errors, files
from aiorescue.bulk.job import PATIENCE
from aiorescue.call.base_url import check_base_url
from aiorescue.cli import credentials, sheet, signals
from aiorescue.cli.bulk import run
from aiorescue.cli.bulk.customers import Customers, headers_of, job_label
from aiorescue.cli.bulk.run_page.file import RunPage
from aiorescue.cli.bulk.run_page.page import RunFacts
from aiorescue.cli.bulk.summary import Summary
from aiorescue.cli.options import BindingOption, JsonOption, SafeOption, check_pin_rate
from aiorescue.emulator.people import default_users
from aiorescue.rescue import RequestLensPinCodeV2, RequestPinCode

#: PINs per second: as documented, and as the embedded emulator allows.
DOCUMENTED, EMULATED = 1.0, 20.0
#: Bytes that the columns of the results add to a row, about.
_RESULT_BYTES = 32
#: Bytes of a page about a run, at most about.
_PAGE_BYTES = 100_000


def pins(
    customers: Annotated[
        Path,
        typer.Argument(
            metavar="CUSTOMERS.CSV",
            help="A CSV file in UTF-8, a pipe, or - for stdin. Its header names any of the columns"
            " custom_field_0 … custom_field_5, tracking; other columns are carried through to the output.",
        ),
    ],
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Where the rows go, in the order of the input, with the columns pin, status (issued, failed, bad,"
            " left) and error; - is stdout.",
        ),
    ] = Path("pins.csv"),
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=HEADER",
            help="The header of a column in your file: tracking='Ticket No'. May be repeated.",
            show_default=False,
        ),
    ] = None,
    safe_csv: SafeOption = False,
    lens: Annotated[bool, typer.Option("--lens", help="Ask for Rescue Lens PINs (requestLensPINCodeV2).")] = False,
    journal: Annotated[
        Path | None, typer.Option(help="The journal: what makes the job resumable.", show_default="OUTPUT.journal")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN.HTML",
            help="Write a page about the run: PINs over time, waits, rejections, failures, identities.",
            show_default=False,
        ),
    ] = None,
    emulator: Annotated[
        bool, typer.Option("--emulator", help="Try it: use an emulator of its own, and no credentials of yours.")
    ] = False,
    pin_rate: Annotated[
        float | None,
        typer.Option(
            help="PINs per second that the service allows each identity.",
            show_default=f"{DOCUMENTED:g} as documented; {EMULATED:g} with --emulator",
        ),
    ] = None,
    patience: Annotated[
        float, typer.Option(help="Seconds to wait for a service that is away before the rest is left.")
    ] = PATIENCE,
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

    The input is staged in a journal first, and results are journalled: the same command goes on where it stopped, and
    issues nothing twice. A corrected row keeps its PIN, new rows are added, and rows that failed are asked for again.

    A signal (Ctrl-C, SIGTERM, SIGHUP) lets what is in flight finish; a second one leaves at once.
    """
    operation = RequestLensPinCodeV2 if lens else RequestPinCode
    if binding is not None:
        operation.spec.require(binding)
    if pin_rate is not None:
        check_pin_rate(pin_rate)
    if not patience >= 0:
        raise errors.InvalidRequest(f"--patience must be at least 0 seconds, not {patience:g}")
    headers = headers_of(column or ())
    output = sheet.dash_if_stdout(output)
    journal = journal or _journal_beside(customers, output)
    _check_files(customers, output, journal, report)
    with closing(Customers.check(customers, headers)) as given:
        sheet.check_writable(output, given.size + given.rows * _RESULT_BYTES)
        if report is not None:
            sheet.check_writable(report, _PAGE_BYTES)
        user = next(default_users())
        # Checked first: the journal is named for the address, which has to be one.
        base_url = None if emulator else check_base_url(credentials.base_url(), allow_plain_http=False)
        plan = run.RunPlan(
            customers=given,
            name=f"{operation.spec.name} for {job_label(customers)} at {base_url or 'the emulator'}",
            operation=operation,
            no_tech_console=not tech_console,
            output=output,
            safe=safe_csv,
            journal=journal,
            page=None,
            binding=binding,
            pace=pin_rate or (EMULATED if emulator else DOCUMENTED),
            patience=patience,
            credentials=[Login(user.email, user.password)] if emulator else credentials.find(),
            base_url=base_url,
            again=shlex.join(["aiorescue", *sys.argv[1:]]),
        )
        if report is not None:
            plan = attrs.evolve(plan, page=RunPage(report, _facts(plan)))
        return signals.run(run.run(plan))


def _facts(plan: run.RunPlan) -> RunFacts:
    return RunFacts(
        label=plan.customers.label,
        operation=plan.operation.spec.name,
        service=plan.base_url or "",
        rate=plan.pace,
        identities=len(plan.credentials),
        began=datetime.now().astimezone(),
        version=aiorescue.__version__,
    )


def _journal_beside(customers: Path, output: Path) -> Path:
    """The default path of the journal: beside the output, or beside the input if the output is a pipe.

    Raises:
        errors.InvalidRequest: neither is a file with a name of its own. Beside ``/dev/stdout``, jobs that have nothing
            to do with each other would share a journal.
    """
    for file in (output, customers):
        if not (sheet.is_stream(file) or sheet.is_descriptor(file)):
            return Path(f"{file}.journal")
    raise errors.InvalidRequest("input and output are pipes: name a file for the journal with --journal")


def _check_files(customers: Path, output: Path, journal: Path, report: Path | None) -> None:
    """Check that all files can be written side by side; raises `errors.InvalidRequest`."""
    paths = {"the input": customers, "--output": output, "--journal": journal}
    if report is not None:
        paths["--report"] = report
    kept = {name: path for name, path in paths.items() if not sheet.is_stream(path)}
    if len({files.real(path) for path in kept.values()}) < len(kept):
        listed = ", ".join(f"{name} {path}" for name, path in kept.items())
        raise errors.InvalidRequest(f"different files are needed: {listed}")
    for path in (journal, report):
        if path is not None and sheet.is_stream(path):
            raise errors.InvalidRequest(f"{path} is not a file")
    for path in (output, journal, report):
        if path is None:
            continue
        if path.is_dir():
            raise errors.InvalidRequest(f"{path} is not a file")
        if not path.parent.is_dir():
            raise errors.InvalidRequest(f"{path}: there is no folder {path.parent}")
