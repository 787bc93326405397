"""The command line: registers the commands, prints what they return or raise, and maps it to an exit status."""

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any, Literal

import typer

import aiorescue
from aiorescue import errors
from aiorescue.cli import credentials, inforouter, output, session, settings, signals
from aiorescue.cli.bulk import job, work
from aiorescue.cli.bulk.pins import pins
from aiorescue.cli.call import call
from aiorescue.cli.check.doctor import doctor
from aiorescue.cli.check.verify import verify
from aiorescue.cli.emulator import emulator
from aiorescue.cli.options import ProxyOption, QuietOption, VerboseOption
from aiorescue.cli.report import report
from aiorescue.cli.status import MEANING, Status
from aiorescue.operation import frozen

# An empty line in between is what typer needs to print one line for each.
_EPILOG = "\n\n".join(("Exit status:", *(f"{status.value:3}  {meaning}" for status, meaning in MEANING.items())))
_HELP = (
    "PIN codes, sessions and reports of LogMeIn Rescue.\n\n"
    "Credentials come from the environment (RESCUE_AUTH_CODE, or RESCUE_EMAIL and RESCUE_PASSWORD; RESCUE_BASE_URL for"
    " another host) or from a prompt, never from an argument. Several auth codes, separated by commas, are several"
    " identities."
)


#: Options that every command takes, with their defaults.
_SHARED: Mapping[str, tuple[Any, Any]] = {
    "quiet": (QuietOption, False),
    "verbose": (VerboseOption, 0),
    "proxy": (ProxyOption, None),
}


def _printed(command: Callable[..., output.CommandResult | None]) -> Callable[..., Status]:
    """Make a command that takes the options which all commands share, and prints its result; None prints nothing."""

    @wraps(command)
    def run_and_print(*args: Any, quiet: bool, verbose: int, proxy: str | None, **kwargs: Any) -> Status:
        credentials.check_proxy_argument(proxy)
        settings.use(settings.current().joined(settings.Settings(quiet, verbose, proxy)))
        try:
            with signals.raised():
                result = command(*args, **kwargs)
        except (typer.Abort, KeyboardInterrupt) as problem:  # typer would take any signal for SIGINT
            return output.show_interruption(signals.number_of(problem), as_json=kwargs["as_json"])
        if result is None:
            return Status.OK
        with signals.heeded_twice():
            return output.show(result, as_json=kwargs["as_json"], quiet=settings.current().quiet)

    own = signature(command)
    shared = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=option)
        for name, (option, default) in _SHARED.items()
    ]
    run_and_print.__signature__ = own.replace(parameters=[*own.parameters.values(), *shared])  # type: ignore[attr-defined]
    hints = {name: option for name, (option, _) in _SHARED.items()}
    run_and_print.__annotations__ = command.__annotations__ | hints
    return run_and_print


def _with_settings(
    *,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)] = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
) -> None:
    settings.use(settings.Settings(quiet, verbose))
    if version:
        raise typer.Exit(output.show(PackageVersion(aiorescue.__version__), as_json=False))


@frozen
class PackageVersion(output.CommandResult):
    """The version of the package.

    Attributes:
        version: the version, such as ``1.2.3``.
    """

    version: str

    def for_people(self) -> Iterable[str]:
        """Yield the package's name and version as one line."""
        return [f"aiorescue {self.version}"]


_NAMES = {"help_option_names": ["--help", "-h"]}
#: Columns that the tables of the help need. In fewer their cells end in an ellipsis, even the names of options.
_TABLE_WIDTH = 80
_MARKUP: Literal["rich"] | None = "rich" if shutil.get_terminal_size().columns >= _TABLE_WIDTH else None


def _group(help_: str, **options: Any) -> typer.Typer:
    # typer's own tracebacks show local variables, which may hold secrets.
    return typer.Typer(
        help=help_, context_settings=_NAMES, rich_markup_mode=_MARKUP, pretty_exceptions_enable=False, **options
    )


def _register(group: typer.Typer, command: Callable[..., output.CommandResult | None], **options: Any) -> None:
    # Help without tables cuts the first sentence short, unless it is given for the list of commands.
    sentence = " ".join((command.__doc__ or "").partition("\n\n")[0].split())
    group.command(short_help=sentence, **options)(_printed(command))


def _add_group(name: str, help_: str, *commands: Callable[..., output.CommandResult | None]) -> None:
    group = _group(help_)
    for command in commands:
        _register(group, command)
    app.add_typer(group, name=name, short_help=help_)


app = _group(_HELP, epilog=_EPILOG, invoke_without_command=True, no_args_is_help=True)
app.callback()(_with_settings)
_register(app, pins)
_add_group(
    "job",
    "Look at a job, also while it runs: figures, rows, failures; put one into a database, and work there.",
    *(work.submit, work.work, job.status, job.export, job.failures, job.retry),
)
# Its own --help shows the parameters of an operation.
_register(app, call, add_help_option=False)
_add_group("session", "Start and close sessions; needs an administrator.", session.start, session.close)
_register(app, report)
_add_group(
    "inforouter",
    "Call infoRouter, upload and download documents. Credentials come from INFOROUTER_BASE_URL and INFOROUTER_TICKET,"
    " or INFOROUTER_USER and INFOROUTER_PASSWORD.",
    *(inforouter.call, inforouter.upload, inforouter.download),
)
for _command in (emulator, doctor, verify):
    _register(app, _command)

# Where this class lives changes with typer's versions.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]


def run(arguments: Sequence[str]) -> int:
    """Run a command line.

    Args:
        arguments: the words behind the command's name.

    Returns:
        The exit status, a `Status`.
    """
    # Looked for by hand, because a command line that cannot be parsed is an error to report as JSON, too.
    as_json = "--json" in arguments
    try:
        status = typer.main.get_command(app)(
            args=list(arguments) or ["--help"], prog_name="aiorescue", standalone_mode=False
        )
        return int(status or Status.OK)
    except (_UsageError, errors.RescueError, OSError) as problem:
        expected = errors.InvalidRequest(_usage(problem)) if isinstance(problem, _UsageError) else problem
        with signals.heeded_twice():
            return output.show_error(expected, as_json=as_json)
    except (typer.Abort, KeyboardInterrupt) as problem:
        return output.show_interruption(signals.number_of(problem), as_json=as_json)
    except SystemExit as ended:
        # typer's, for a pipe that its reader has closed; it has wrapped stdout, of which `show_error` takes leave.
        if not isinstance(ended.__context__, BrokenPipeError):
            raise
        return output.show_error(ended.__context__, as_json=as_json)


def _usage(problem: Any) -> str:
    help_ = f"{problem.ctx.command_path} --help" if problem.ctx else "aiorescue --help"
    return f"{problem.format_message().rstrip('.')} (see {help_})"
