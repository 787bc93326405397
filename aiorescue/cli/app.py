"""The command line: registers the commands, prints what they return or raise, and maps it to an exit status."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec

import typer

from aiorescue import errors
from aiorescue.cli import output, session
from aiorescue.cli.call import call
from aiorescue.cli.emulator import emulator
from aiorescue.cli.pins import pins
from aiorescue.cli.report import report
from aiorescue.cli.status import MEANING, Status

P = ParamSpec("P")

# An empty line in between is what typer needs to print one line for each.
_EPILOG = "\n\n".join(("Exit status:", *(f"{status.value:3}  {meaning}" for status, meaning in MEANING.items())))
_HELP = (
    "PIN codes, sessions and reports of LogMeIn Rescue.\n\n"
    "Credentials come from the environment (RESCUE_AUTH_CODE, or RESCUE_EMAIL and RESCUE_PASSWORD; RESCUE_BASE_URL for"
    " another host) or from a prompt, never from an argument. Several auth codes, separated by commas, are several"
    " callers."
)


def _printed(command: Callable[P, output.Result | None]) -> Callable[P, Status]:
    """The command with its result printed, as its option ``--json`` says; None prints nothing."""

    @wraps(command)
    def run_and_print(*args: P.args, **kwargs: P.kwargs) -> Status:
        result = command(*args, **kwargs)
        if result is None:
            return Status.OK
        output.show(result, as_json=bool(kwargs["as_json"]))
        return result.status

    return run_and_print


# typer's own tracebacks show local variables, which may hold secrets.
app = typer.Typer(help=_HELP, epilog=_EPILOG, add_completion=False, pretty_exceptions_enable=False)
app.command()(_printed(pins))
app.command()(_printed(call))
_sessions = typer.Typer(help="Start and close sessions; needs an administrator.", rich_markup_mode="rich")
_sessions.command()(_printed(session.start))
_sessions.command()(_printed(session.close))
app.add_typer(_sessions, name="session")
app.command()(_printed(report))
app.command()(_printed(emulator))

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
    except _UsageError as problem:
        return output.show_error(errors.InvalidRequest(_usage(problem)), as_json=as_json)
    except (errors.RescueError, OSError) as problem:
        return output.show_error(problem, as_json=as_json)
    except (typer.Abort, KeyboardInterrupt):
        output.complain("interrupted")
        return Status.INTERRUPTED


def _usage(problem: Any) -> str:
    help_ = f"{problem.ctx.command_path} --help" if problem.ctx else "aiorescue --help"
    return f"{problem.format_message().rstrip('.')} (see {help_})"
