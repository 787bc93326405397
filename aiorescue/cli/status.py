"""Exit statuses of the command: one table of meanings, which the help prints, and one of errors."""

import enum
from collections.abc import Mapping

from aiorescue import errors


class Status(enum.IntEnum):
    """The exit status of the command; `MEANING` explains each."""

    OK = 0
    SOME_FAILED = 1
    BAD_INPUT = 2
    REFUSED = 3
    OUT_OF_PINS = 4
    SERVICE = 5
    JOURNAL = 6
    NOT_INSTALLED = 7
    HUNG_UP = 129
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    TERMINATED = 143

    @classmethod
    def of_signal(cls, number: int) -> "Status":
        """The exit status of a command that a signal ended: 128 and the signal's number."""
        return cls(128 + number)


MEANING: Mapping[Status, str] = {
    Status.OK: "done",
    Status.SOME_FAILED: "rows failed, doctor or verify found something, or the service cannot act",
    Status.BAD_INPUT: "bad usage or input, or a file that cannot be read or written, stdout included",
    Status.REFUSED: "credentials missing, refused or not enough",
    Status.OUT_OF_PINS: "the account is out of PIN codes",
    Status.SERVICE: "the service is unreachable or failing",
    Status.JOURNAL: "the journal cannot be used",
    Status.NOT_INSTALLED: "a package that the command needs is not installed; the message names it",
    Status.HUNG_UP: "the terminal went away (SIGHUP)",
    Status.INTERRUPTED: "interrupted (Ctrl-C, SIGINT)",
    Status.BROKEN_PIPE: "the program that read the output has ended",
    Status.TERMINATED: "asked to end (SIGTERM)",
}


class NotInstalled(errors.InvalidRequest):
    """A command needs a package that is not installed; the message says how to install it."""


# The first match counts: CredentialsMissing is an InvalidRequest, too.
_BY_ERROR: tuple[tuple[type[Exception], Status], ...] = (
    (NotInstalled, Status.NOT_INSTALLED),
    (errors.AuthenticationError, Status.REFUSED),
    (errors.PermissionDenied, Status.REFUSED),
    (errors.InvalidRequest, Status.BAD_INPUT),
    (errors.InvalidParameter, Status.BAD_INPUT),
    (errors.OutOfPinCodes, Status.OUT_OF_PINS),
    (errors.PreconditionFailed, Status.SOME_FAILED),  # a session that has ended, a technician who is away
    (errors.JournalError, Status.JOURNAL),
    (errors.RescueError, Status.SERVICE),
    (BrokenPipeError, Status.BROKEN_PIPE),
    (OSError, Status.BAD_INPUT),  # of a file, or the port of an emulator; those of the network are RescueErrors
)


def status_of(problem: Exception) -> Status:
    """The exit status for an expected error: a `RescueError` or an `OSError`."""
    return next(status for error, status in _BY_ERROR if isinstance(problem, error))
