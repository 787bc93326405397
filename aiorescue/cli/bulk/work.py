"""`aiorescue job submit` and `aiorescue job work`: a job in a database, and a worker of such jobs."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import attrs
import typer

from aiorescue import Pace
from aiorescue.bulk import Staging
from aiorescue.cli import credentials, signals
from aiorescue.cli.bulk.customers import Customers, headers_of
from aiorescue.cli.bulk.database import DatabaseOption, distributed, identities, url_of
from aiorescue.cli.options import JsonOption, check_pin_rate
from aiorescue.cli.output import CommandResult, counted
from aiorescue.cli.status import Status
from aiorescue.operation import frozen
from aiorescue.rescue import RequestLensPinCodeV2, RequestPinCode


@frozen
class Submitted(CommandResult):
    """The result of ``job submit``: how the input differs from an earlier one of the job.

    Attributes:
        job: name of the job.
        staging: what the input held, compared with an earlier one.
    """

    job: str
    staging: Staging

    def for_people(self) -> Iterator[str]:
        """Yield the figures as lines, and what to do next."""
        found = self.staging
        yield f"{counted(found.rows, 'row')} in job {self.job}: {found.new} new, {found.bad} bad"
        if found.corrected or found.vanished:
            yield f"{found.corrected} corrected after the PIN was issued, {found.vanished} gone from the input"

    def for_programs(self) -> Any:
        """The name of the job and the figures of its staging."""
        return {"job": self.job} | attrs.asdict(self.staging) | {"exit_status": int(self.status)}


@frozen
class Worked(CommandResult):
    """The result of ``job work``: why the worker has ended.

    Attributes:
        identities: names of the identities that the worker could call as.
        number: signal that ended the worker; 0 if no row of these identities was left.
    """

    identities: list[str]
    number: int

    @property
    def status(self) -> Status:
        """The exit status: 128 plus the number of the signal, or 0."""
        return Status.of_signal(self.number) if self.number else Status.OK

    def for_people(self) -> Iterable[str]:
        """Yield one line: that no row of its identities is left, or that a signal has ended the worker."""
        names = ", ".join(self.identities)
        return [
            "stopped; what was under way is recorded" if self.number else f"no row of these identities is left: {names}"
        ]


def submit(
    customers: Annotated[
        Path, typer.Argument(metavar="CUSTOMERS.CSV", help="A CSV file, a pipe, or - for stdin, as `pins` takes it.")
    ],
    *,
    job: Annotated[str, typer.Option("--job", help="A name for the job.")],
    names: Annotated[
        str,
        typer.Option(
            "--identities", help="Names of the identities that may work on it, separated by commas: north,south."
        ),
    ],
    database: DatabaseOption = None,
    column: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN=HEADER", help="The header of a column in your file.")
    ] = None,
    lens: Annotated[bool, typer.Option("--lens", help="Ask for Rescue Lens PINs (requestLensPINCodeV2).")] = False,
    tech_console: Annotated[
        bool, typer.Option("--tech-console", help="Let the service insist on a running Technician Console.")
    ] = False,
    as_json: JsonOption = False,  # noqa: ARG001 - read where the result is printed
) -> Submitted:
    """Enter all rows of a CSV file into a database; workers on any machine ask for their PINs."""
    url = url_of(database)
    able = [name.strip() for name in names.split(",") if name.strip()]
    operation = RequestLensPinCodeV2 if lens else RequestPinCode
    with closing(Customers.check(customers, headers_of(column or ()))) as given:
        rows = given.read(operation, no_tech_console=not tech_console)
        found = signals.run(distributed().submit(url, job, rows, identities=able, columns=given.columns))
    return Submitted(job, found)


def work(
    *,
    database: DatabaseOption = None,
    pin_rate: Annotated[float, typer.Option(help="PINs per second that the service allows each identity.")] = 1.0,
    until_done: Annotated[
        bool, typer.Option("--until-done", help="End when no row of these identities is left.")
    ] = False,
    as_json: JsonOption = False,  # noqa: ARG001 - read where the result is printed
) -> Worked:
    """Work on the jobs of a database, until it is interrupted.

    A signal lets what is under way finish and gives the rows back; a worker that is killed is replaced by another one.

    Credentials of the identity NAME come from RESCUE_AUTH_CODE_NAME, or RESCUE_EMAIL_NAME and RESCUE_PASSWORD_NAME.
    """
    url = url_of(database)
    check_pin_rate(pin_rate)
    return signals.run(_work(url, pin_rate, until_done=until_done))


async def _work(url: str, pin_rate: float, *, until_done: bool) -> Worked:
    base_url = credentials.base_url()
    found = identities()
    stop = asyncio.Event()
    numbers: list[int] = []

    def first(number: int) -> None:
        numbers.append(number)
        stop.set()

    with signals.on_signal(first, signals.leave_with_a_line):
        await distributed().work(
            url,
            found,
            base_url=base_url,
            pace=Pace(pins=pin_rate),
            until_done=until_done,
            stop=stop,
            **credentials.route(base_url),
        )
    return Worked(sorted(found), numbers[0] if numbers else 0)
