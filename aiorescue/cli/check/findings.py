"""What a check found: one line each for people, one object each for programs."""

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from aiorescue.cli.output import Result, one_line
from aiorescue.cli.status import Status


@attrs.frozen
class Finding:
    """What one check found.

    Attributes:
        check: what was looked at, as ``"clock"``; for an identity its name.
        found: what was found, without secrets.
        advice: what to do; empty if all is well.
        status: the exit status that the finding asks for; OK if all is well.
    """

    check: str
    found: str
    advice: str = ""
    status: Status = Status.OK

    @property
    def is_ok(self) -> bool:
        """Whether all is well."""
        return self.status is Status.OK

    def for_people(self) -> str:
        """One line: ok, or what to do."""
        mark = "ok" if self.is_ok else "!!"
        advice = f": {self.advice}" if self.advice else ""
        return one_line(f"{mark}  {self.check:<12} {self.found}{advice}")

    def for_programs(self) -> dict[str, Any]:
        """The fields, and whether all is well."""
        return {"check": self.check, "ok": self.is_ok, "found": self.found, "advice": self.advice}


@attrs.frozen
class Findings(Result):
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
        """Whether all is well, the exit status, and the findings."""
        checks = [finding.for_programs() for finding in self.findings]
        return {"ok": self.status is Status.OK, "exit_status": int(self.status), "checks": checks}
