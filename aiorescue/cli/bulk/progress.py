"""Progress on stderr: a bar on a terminal, a line every few seconds elsewhere."""

import sys
import time
from collections.abc import Iterator
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from aiorescue.bulk import Job
from aiorescue.cli import settings, stdio
from aiorescue.cli.bulk.tally import Tally, clock
from aiorescue.cli.output import complain, complaint
from aiorescue.rescue import PinRequest

#: Seconds between two lines of figures.
_INTERVAL: Final = 5.0
#: Row errors that are shown one by one; all are in the output.
_SHOWN: Final = 20
#: Columns that the figures take, and those that a bar needs and deserves.
_FIGURES, _NARROW, _WIDE = 72, 10, 40


class Display(Protocol):
    """Shows the progress of a run on stderr."""

    def show(self, tally: Tally, waits_for: str = "") -> None:
        """Show the present figures, and what the run waits for."""

    def line(self, text: str) -> None:
        """Show a line of text between the figures."""

    def close(self) -> None:
        """Leave stderr as it should stay; a second call does nothing."""


def waits_for(job: Job[PinRequest]) -> str:
    """What a job waits for at this moment, and for how long; empty if it goes on."""
    if (outage := job.outage) is not None:
        return f"service away, {clock(outage.seconds)} of {clock(outage.patience)}"
    wait = job.login_wait
    return "" if wait is None else f"waiting {clock(wait)} to log in"


def figures(tally: Tally, waits_for: str) -> Iterator[str]:
    """The figures to show, the most useful first: where there is little room, the last ones are left out."""
    yield f"{tally.done}/{tally.rows}"
    if tally.failed:
        yield f"{tally.failed} failed"
    if waits_for:
        yield waits_for
    else:
        yield f"{tally.rate:.1f} PINs/s"
        yield f"{clock(tally.seconds_left)} left"
    if tally.from_journal:
        yield f"{tally.from_journal} from before"
    if tally.bad_rows:  # each was named before the first request
        yield f"{tally.bad_rows} bad"


class Quiet:
    """Shows no progress, only the lines that report problems."""

    def show(self, tally: Tally, waits_for: str = "") -> None:
        """Show nothing: the command is quiet."""

    def line(self, text: str) -> None:
        """Write a line of text to stderr."""
        complain(text)

    def close(self) -> None:
        """Leave stderr as it is: nothing was drawn on it."""


class LineDisplay(Quiet):
    """Progress as lines, for logs and pipes."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def show(self, tally: Tally, waits_for: str = "") -> None:
        """Write a line of figures, unless one was written a moment ago."""
        if time.monotonic() - self._last >= _INTERVAL:
            self._last = time.monotonic()
            complain(", ".join(figures(tally, waits_for)))


class Bar:
    """Progress as a bar with figures, for terminals; a narrow one has no room for the bar.

    Args:
        rows: rows of the input, which make the bar full.
    """

    def __init__(self, rows: int) -> None:
        console = Console(file=sys.stderr)
        # Not the whole width: the terminal's own ^C at its end would begin another line.
        room = console.width - _FIGURES
        bar = [BarColumn(bar_width=min(room, _WIDE))] if room >= _NARROW else []
        self._bar = Progress(*bar, TextColumn("{task.fields[figures]}", markup=False), console=console)
        self._task = self._bar.add_task("PINs", total=rows, figures="")
        self._bar.start()

    def show(self, tally: Tally, waits_for: str = "") -> None:
        """Redraw the bar with as many figures as there is room for."""
        text = ""
        for figure in figures(tally, waits_for):
            longer = f"{text} · {figure}" if text else figure
            if len(longer) > min(self._bar.console.width - 4, _FIGURES - 2) and text:
                break
            text = longer
        self._bar.update(self._task, total=tally.rows, completed=tally.done, figures=text)

    def line(self, text: str) -> None:
        """Print the text above the bar."""
        self._bar.console.print(complaint(text), markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Stop redrawing: the last figures stay and the cursor comes back."""
        self._bar.stop()


def display(rows: int) -> Display:
    """The display that suits stderr: a bar on a terminal, else lines; none where the command shall be quiet."""
    if settings.current().quiet:
        return Quiet()
    is_plain = (
        settings.current().verbose or not stdio.is_terminal(sys.stderr) or Console(file=sys.stderr).is_dumb_terminal
    )
    return LineDisplay() if is_plain else Bar(rows)


class RowErrors:
    """Shows the errors of rows one by one, up to a number after which no more are shown.

    Args:
        display: shows each error as a line.
    """

    def __init__(self, display: Display) -> None:
        self._display = display
        self._count = 0

    @property
    def are_enough(self) -> bool:
        """Whether no more are shown."""
        return self._count > _SHOWN

    def show(self, text: str) -> None:
        """Show the error of one row, if not too many were shown before."""
        self._count += 1
        if self._count <= _SHOWN:
            self._display.line(text)
        elif self._count == _SHOWN + 1:
            self._display.line("… and more; all of them are in the output, column error")
