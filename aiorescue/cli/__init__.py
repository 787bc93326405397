"""The command `aiorescue`: each command has a small file that returns a value, and `app.py` prints it.

Nothing that takes long is imported here: a signal that comes while the rest is being imported must find its handler.
And typer is imported only when the command runs: without it the command must still name the missing extra.
"""

import gc
import sys

from aiorescue.cli import signals
from aiorescue.cli.status import Status

__all__ = ["main"]

#: New objects after which Python looks for garbage, instead of its own 700. A call makes and drops hundreds, so that
#: after 700 many calls are still under way: looking at what they hold takes a twentieth of what a PIN costs.
_OBJECTS = 5_000


def main() -> None:
    """Run the command line and exit with its status."""
    signals.leave_at_once()
    # What is imported stays. Looking for garbage in it is a tenth of the start and a twentieth of what a PIN costs.
    gc.disable()
    from aiorescue.cli import stdio  # noqa: PLC0415 - see above

    stdio.prepare()
    try:
        from aiorescue.cli.app import run  # noqa: PLC0415 - imports typer, which may be missing
    except ModuleNotFoundError as missing:
        library = (missing.name or "").partition(".")[0]
        if library not in ("typer", "rich"):
            raise
        stdio.write_error(f"aiorescue: the command needs {library}: pip install 'aiorescue[cli]'\n")
        sys.exit(Status.NOT_INSTALLED)
    gc.freeze()
    gc.set_threshold(_OBJECTS)
    gc.enable()
    status = run(sys.argv[1:])
    signals.ignore()
    sys.exit(status)
