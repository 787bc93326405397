"""Results of checks of declarations: one line each for people, one object each for programs and for a report."""

import enum
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aiorescue.cli.output import CommandResult, complaint, message_of, one_line
from aiorescue.cli.status import Status, status_of
from aiorescue.operation import frozen


class Comparison(enum.StrEnum):
    """The result of a comparison of a declaration with the service."""

    AS_DECLARED = "as declared"
    DIFFERS = "differs"
    NOT_TRIED = "could not be tried"


_MARKS = {Comparison.AS_DECLARED: "ok", Comparison.DIFFERS: "!=", Comparison.NOT_TRIED: "--"}


@frozen
class Check:
    """What one check found. Neither text nor evidence holds a secret or data of the account.

    Attributes:
        name: what was compared, as ``"getUser over soap12"``.
        verdict: the result.
        found: what is different, or why it could not be tried, or what was compared.
        evidence: what the service sent, with each value replaced by one of its shape; None if there is nothing to keep.
    """

    name: str
    verdict: Comparison
    found: str
    evidence: Mapping[str, Any] | None = None

    def for_people(self) -> str:
        """The check as one line: its mark, name and verdict, and what was found."""
        return one_line(f"{_MARKS[self.verdict]}  {self.name}: {self.verdict.value}: {self.found}")

    def for_programs(self) -> dict[str, Any]:
        """The fields but for the evidence."""
        return {"check": self.name, "verdict": self.verdict.value, "found": one_line(self.found)}


@frozen
class Verification(CommandResult):
    """What all checks found.

    Attributes:
        checks: one for each comparison, in the order in which they were made.
        trouble: why checks were left out: the exit status that the service or the credentials ask for; OK if none were.
        report: the file for the report, or None.
        problem: why the report could not be written; None if it was, or if there is none.
    """

    checks: Sequence[Check]
    trouble: Status = Status.OK
    report: Path | None = None
    problem: OSError | None = None

    @property
    def status(self) -> Status:
        """The exit status: a difference first, then what stood in the way."""
        if any(check.verdict is Comparison.DIFFERS for check in self.checks):
            return Status.SOME_FAILED
        if self.trouble is not Status.OK or self.problem is None:
            return self.trouble
        return status_of(self.problem)

    def _counts(self) -> dict[str, int]:
        counts = Counter(check.verdict for check in self.checks)
        return {verdict.value: counts[verdict] for verdict in Comparison}

    def for_people(self) -> Iterable[str]:
        """One line for each check, and a line of counts."""
        yield from (check.for_people() for check in self.checks)
        yield ", ".join(f"{count} {verdict}" for verdict, count in self._counts().items())
        if self.report is not None and self.problem is None:
            yield f"report: {self.report} (no secrets, no data of the account: it can be attached to a bug report)"

    def on_stderr(self, *, as_json: bool) -> Iterable[str]:
        """Why the report could not be written."""
        if self.problem is not None:
            yield complaint(message_of(self.problem))

    def for_programs(self) -> Any:
        """Counts, checks and exit status."""
        return {
            "exit_status": int(self.status),
            "counts": self._counts(),
            "checks": [check.for_programs() for check in self.checks],
            "report": str(self.report) if self.report is not None and self.problem is None else None,
        }

    def for_report(self) -> dict[str, Any]:
        """Counts and checks with their evidence."""
        checks = [
            {**check.for_programs(), **({"evidence": check.evidence} if check.evidence is not None else {})}
            for check in self.checks
        ]
        return {"counts": self._counts(), "checks": checks}
