"""Progress on stderr: a bar on a terminal, a line every few seconds elsewhere."""

import sys
import time
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from aiorescue.cli.output import complain, complaint
from aiorescue.cli.tally import Tally, clock

#: Seconds between two lines of figures.
_INTERVAL: Final = 5.0
#: Row errors that are shown one by one; all are in the output.
_SHOWN: Final = 20


class Display(Protocol):
    """Shows the progress of a run on stderr."""

    def show(self, tally: Tally) -> None:
        """Show the present figures."""

    def line(self, text: str) -> None:
        """Show a line of text between the figures."""

    def close(self) -> None:
        """Leave stderr as it should stay; a second call does nothing."""


class Lines:
    """Progress as lines, for logs and pipes."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def show(self, tally: Tally) -> None:
        """Write a line of figures, unless the last one is too young."""
        if time.monotonic() - self._last >= _INTERVAL:
            self._last = time.monotonic()
            left = clock(tally.seconds_left)
            complain(f"{tally.done} of {tally.rows} rows, {tally.rate:.1f} PINs/s, {left} left")

    def line(self, text: str) -> None:
        """Write the text."""
        complain(text)

    def close(self) -> None:
        """Do nothing: lines stay as they are."""


class Bar:
    """Progress as a bar with count, rate and remaining time, for terminals.

    Args:
        rows: rows of the input, which make the bar full.
    """

    def __init__(self, rows: int) -> None:
        self._bar = Progress(
            TextColumn("PINs"),
            # Not the whole width: the terminal's own ^C at its end would begin another line.
            BarColumn(bar_width=40),
            TextColumn("{task.completed}/{task.total}"),
            TextColumn("{task.fields[rate]:.1f} PINs/s"),
            TextColumn("{task.fields[left]} left"),
            console=Console(file=sys.stderr),
        )
        self._task = self._bar.add_task("PINs", total=rows, rate=0.0, left=clock(None))
        self._bar.start()

    def show(self, tally: Tally) -> None:
        """Redraw the bar."""
        self._bar.update(self._task, completed=tally.done, rate=tally.rate, left=clock(tally.seconds_left))

    def line(self, text: str) -> None:
        """Print the text above the bar."""
        self._bar.console.print(complaint(text), markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Stop redrawing: the last figures stay and the cursor comes back."""
        self._bar.stop()


def display(rows: int) -> Display:
    """The display that suits stderr: a bar on a terminal, else lines."""
    return Bar(rows) if sys.stderr.isatty() else Lines()


class RowErrors:
    """Shows the errors of rows one by one, until they are too many.

    Args:
        display: where they are shown.
    """

    def __init__(self, display: Display) -> None:
        self._display = display
        self._count = 0

    def show(self, text: str) -> None:
        """Show the error of one row, if not too many were shown before."""
        self._count += 1
        if self._count <= _SHOWN:
            self._display.line(text)
        elif self._count == _SHOWN + 1:
            self._display.line("… and more; all of them are in the output, column error")
