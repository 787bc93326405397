"""The commands put together, and what becomes of errors: one line on stderr and a status."""

import sys
from collections.abc import Sequence
from typing import Any

import typer

from aiorescue import errors
from aiorescue.cli import say, session
from aiorescue.cli.call import call
from aiorescue.cli.emulator import emulator
from aiorescue.cli.pins import pins
from aiorescue.cli.report import report
from aiorescue.cli.status import MEANING, Status, status_of

# An empty line in between is what typer needs to print one line for each.
_EPILOG = "\n\n".join(("Exit status:", *(f"{status.value:3}  {meaning}" for status, meaning in MEANING.items())))
_HELP = (
    "PIN codes, sessions and reports of LogMeIn Rescue.\n\n"
    "Credentials come from the environment (RESCUE_AUTH_CODE, or RESCUE_EMAIL and RESCUE_PASSWORD; RESCUE_BASE_URL for"
    " another host) or from a prompt, never from an argument. Several auth codes, separated by commas, are several"
    " callers."
)

# typer's own tracebacks show local variables, which may hold secrets.
app = typer.Typer(help=_HELP, epilog=_EPILOG, add_completion=False, pretty_exceptions_enable=False)
app.command()(pins)
app.command()(call)
app.add_typer(session.app, name="session")
app.command()(report)
app.command()(emulator)

# Where this class lives changes with typer's versions.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]


def run(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit status."""
    # Looked for by hand, because options that cannot be read are an error to report, too.
    as_json = "--json" in arguments
    try:
        done = typer.main.get_command(app)(
            args=list(arguments) or ["--help"], prog_name="aiorescue", standalone_mode=False
        )
        return int(done or Status.OK)
    except _UsageError as problem:
        return _failed(errors.InvalidRequest(_usage(problem)), as_json=as_json)
    except (errors.RescueError, OSError) as problem:
        return _failed(problem, as_json=as_json)
    except (typer.Abort, KeyboardInterrupt):
        say.complain("interrupted")
        return Status.INTERRUPTED


def _usage(problem: Any) -> str:
    help_ = f"{problem.ctx.command_path} --help" if problem.ctx else "aiorescue --help"
    return f"{problem.format_message().rstrip('.')} (see {help_})"


def _failed(problem: Exception, *, as_json: bool) -> int:
    status = status_of(problem)
    say.complain(say.in_words(problem))
    if as_json:
        say.answer({"error": say.in_fields(problem, status), "exit_status": int(status)})
    elif isinstance(problem, BrokenPipeError):
        sys.stdout = None  # nobody reads it; the interpreter must not try again
    return status
