"""The command `aiorescue`: each command has a small file that returns a value, and `app.py` prints it.

typer is imported only when the command runs: without it the command must still name the missing extra.
"""

import sys

from aiorescue.cli import signals, stdio
from aiorescue.cli.status import Status

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit with its status."""
    stdio.prepare()
    try:
        signals.raise_for_signals()
        from aiorescue.cli.app import run  # noqa: PLC0415 - imports typer, which may be missing
    except ModuleNotFoundError as missing:
        library = (missing.name or "").partition(".")[0]
        if library not in ("typer", "rich"):
            raise
        stdio.complain(f"aiorescue: the command needs {library}: pip install 'aiorescue[cli]'\n")
        sys.exit(Status.NOT_INSTALLED)
    except KeyboardInterrupt as problem:  # while it is being imported
        stdio.complain("aiorescue: interrupted\n")
        sys.exit(Status.of_signal(signals.number_of(problem)))
    sys.exit(run(sys.argv[1:]))
