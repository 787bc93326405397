"""Progress on stderr: a bar on a terminal, a line every few seconds elsewhere."""

import sys
import time
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from aiorescue.cli import say
from aiorescue.cli.tally import Tally, clock

#: Seconds between two lines.
_EVERY: Final = 5.0
#: Bad rows that are told one by one; all are in the output.
_TELL: Final = 20


class Display(Protocol):
    """Where progress is shown."""

    def show(self, tally: Tally) -> None:
        """The figures have changed."""

    def line(self, text: str) -> None:
        """Something for people to read."""

    def close(self) -> None:
        """Nothing more comes; a second time does nothing."""


class Lines:
    """Lines, for logs."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def show(self, tally: Tally) -> None:
        """A line, if the last one is old."""
        if time.monotonic() - self._last >= _EVERY:
            self._last = time.monotonic()
            left = clock(tally.seconds_left)
            say.complain(f"{tally.done} of {tally.rows} rows, {tally.rate:.1f} PINs/s, {left} left")

    def line(self, text: str) -> None:
        """A line."""
        say.complain(text)

    def close(self) -> None:
        """Nothing to close."""


class Bar:
    """A bar with count, rate and the time that is left."""

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
        """Move on."""
        self._bar.update(self._task, completed=tally.done, rate=tally.rate, left=clock(tally.seconds_left))

    def line(self, text: str) -> None:
        """A line above the bar."""
        self._bar.console.print(f"aiorescue: {say.one_line(text)}", markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """The last figures stay; the cursor comes back."""
        self._bar.stop()


def display(rows: int) -> Display:
    """What suits stderr."""
    return Bar(rows) if sys.stderr.isatty() else Lines()


class Troubles:
    """What went wrong with rows, told one by one until they are too many."""

    def __init__(self, where: Display) -> None:
        self._where = where
        self._told = 0

    def tell(self, text: str) -> None:
        """One row."""
        self._told += 1
        if self._told <= _TELL:
            self._where.line(text)
        elif self._told == _TELL + 1:
            self._where.line("… and more; all of them are in the output, column error")
