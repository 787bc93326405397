"""Settings that hold for a whole run of the command, and its log on stderr."""

import logging
from contextvars import ContextVar

from aiorescue.cli import output
from aiorescue.operation import frozen


@frozen
class Settings:
    """The settings made by the options that every command takes.

    Attributes:
        quiet: print no progress and no notices; results and errors only.
        verbose: 1 logs at INFO, 2 at DEBUG.
        proxy: URL of the HTTP proxy; None for the one that the environment names.
    """

    quiet: bool = False
    verbose: int = 0
    proxy: str | None = None

    def joined(self, other: "Settings") -> "Settings":
        """Join the settings given before the command's name with those given behind it."""
        return Settings(self.quiet or other.quiet, self.verbose + other.verbose, other.proxy or self.proxy)


_DEFAULT = Settings()
_current: ContextVar[Settings | None] = ContextVar("settings", default=None)


def current() -> Settings:
    """The settings of this run."""
    return _current.get() or _DEFAULT


def use(settings: Settings) -> None:
    """Make settings the current ones, and begin to log at their level."""
    _current.set(settings)
    log = logging.getLogger("aiorescue")
    for handler in [handler for handler in log.handlers if isinstance(handler, _Stderr)]:
        log.removeHandler(handler)
    # A handler is there in any case: without one Python itself would write warnings to stderr, into the progress.
    level = (logging.CRITICAL, logging.INFO, logging.DEBUG)[min(settings.verbose, 2)]
    log.addHandler(_Stderr(level))
    log.setLevel(level if settings.verbose else logging.NOTSET)


class _Stderr(logging.Handler):
    """Writes one line on stderr for each record."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line of a record."""
        output.log_line(self.format(record))
