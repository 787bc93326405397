"""Findings of checks, which are one line each for people and one object each for programs."""

from collections.abc import Iterable, Sequence
from typing import Any

from aiorescue.cli.output import CommandResult, one_line
from aiorescue.cli.status import Status
from aiorescue.operation import frozen


@frozen
class Finding:
    """What one check found.

    Attributes:
        check: name of the check, such as ``"clock"``; for an identity its name.
        found: what was found, in words without secrets.
        advice: what to do about it; empty if nothing is wrong.
        status: exit status that the finding asks for; OK if nothing is wrong.
    """

    check: str
    found: str
    advice: str = ""
    status: Status = Status.OK

    @property
    def is_ok(self) -> bool:
        """Whether the check found nothing wrong."""
        return self.status is Status.OK

    def for_people(self) -> str:
        """The finding as one line, which begins with ``ok`` or ends with the advice."""
        mark = "ok" if self.is_ok else "!!"
        advice = f": {self.advice}" if self.advice else ""
        return one_line(f"{mark}  {self.check:<12} {self.found}{advice}")

    def for_programs(self) -> dict[str, Any]:
        """The fields of the finding, and whether nothing is wrong."""
        return {"check": self.check, "ok": self.is_ok, "found": self.found, "advice": self.advice}


@frozen
class Findings(CommandResult):
    """What all checks found; the exit status is that of the first problem.

    Attributes:
        findings: one for each check, in the order of the checks.
    """

    findings: Sequence[Finding]

    @property
    def status(self) -> Status:
        """The exit status of the first problem; OK if there is none."""
        return next((finding.status for finding in self.findings if not finding.is_ok), Status.OK)

    def for_people(self) -> Iterable[str]:
        """One line for each finding."""
        return [finding.for_people() for finding in self.findings]

    def for_programs(self) -> Any:
        """The findings, the exit status, and whether nothing is wrong."""
        checks = [finding.for_programs() for finding in self.findings]
        return {"ok": self.status is Status.OK, "exit_status": int(self.status), "checks": checks}
