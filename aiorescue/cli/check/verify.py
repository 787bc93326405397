"""`aiorescue verify`: whether the live service does as this library declares.

It only reads, unless an option allows more: the service description, then inferred bindings with an auth code that is
wrong on purpose, then calls that read as the first identity of the environment.
"""

import platform
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import attrs
import typer

import aiorescue
from aiorescue import AuthCode, Login, RetryPolicy, errors
from aiorescue.call.transport.probe import probe
from aiorescue.cli import credentials, settings, sheet, signals
from aiorescue.cli.check.live import description
from aiorescue.cli.check.live.description import Described
from aiorescue.cli.check.live.offered import Offered
from aiorescue.cli.check.live.pins import MOST, PAUSE, PinScope
from aiorescue.cli.check.live.reading import ReadingCheck
from aiorescue.cli.check.live.result import Check, Comparison, Verification
from aiorescue.cli.check.live.settings import ReportSettingsCheck
from aiorescue.cli.check.live.times import order_read, zone_read
from aiorescue.cli.options import JsonOption
from aiorescue.cli.output import complain, json_text
from aiorescue.cli.status import Status, status_of
from aiorescue.operation import frozen
from aiorescue.rescue.client import BASE_URL
from aiorescue.rescue.service import RESCUE
from aiorescue.wire import Unreadable

#: Seconds for the service description, and bytes of it.
_PATIENCE: Final = 60.0
_LARGEST: Final = 16 * 2**20
_OK: Final = 200
#: Bytes of a report, about.
_REPORT_BYTES: Final = 500_000
#: Seconds between two lines of progress.
_INTERVAL: Final = 5.0
_DESCRIPTION = "service description"


def verify(
    *,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="VERIFY.JSON",
            help="Write a report that can be attached to a bug report: no secrets, no data of the account.",
            show_default=False,
        ),
    ] = None,
    spend_pins: Annotated[
        bool,
        typer.Option("--spend-pins", help=f"Spend up to {MOST} PIN codes to find out what shares the rate of PINs."),
    ] = False,
    change_report_settings: Annotated[
        bool,
        typer.Option(
            "--change-report-settings",
            help="Change the report settings of the account and set them back, to find out the order of dates.",
        ),
    ] = False,
    session: Annotated[
        int | None, typer.Option(help="A session of yours whose chat and note are read.", show_default=False)
    ] = None,
    as_json: JsonOption = False,  # noqa: ARG001 - read where the result is printed
) -> Verification:
    """Compare what this library declares of the service with the live service; only reads, unless told otherwise.

    One line a check: as declared, differs, or could not be tried and why.
    """
    if report is not None:
        if sheet.is_stream(report) or report.is_dir():
            raise errors.InvalidRequest(f"{report} is not a file")
        sheet.check_writable(report, _REPORT_BYTES)
    plan = VerificationPlan(spend_pins=spend_pins, change_report_settings=change_report_settings, session=session)
    url = credentials.base_url()
    try:
        identities = credentials.find()
    except errors.CredentialsMissing:
        identities = []
    checks, trouble = signals.run(checked(plan, identities, url))
    found = Verification(checks, trouble, report)
    if report is None:
        return found
    try:
        sheet.write_whole(report, json_text(_report(plan, found, url)) + "\n")
    except OSError as problem:
        return attrs.evolve(found, problem=problem)
    return found


@frozen(kw_only=True)
class VerificationPlan:
    """What a verification may do.

    Attributes:
        spend_pins: whether PINs may be spent.
        change_report_settings: whether report settings may be changed and set back.
        session: id of a session whose chat and note may be read, or None.
        pause: seconds between two pairs of PINs.
    """

    spend_pins: bool = False
    change_report_settings: bool = False
    session: int | None = None
    pause: float = PAUSE


def _report(plan: VerificationPlan, found: Verification, url: str) -> dict[str, Any]:
    return {
        "aiorescue": aiorescue.__version__,
        "python": platform.python_version(),
        "day": f"{datetime.now(UTC):%Y-%m-%d}",
        "service": "the vendor's" if url.rstrip("/") == BASE_URL else "another host",
        "options": {
            "spend_pins": plan.spend_pins,
            "change_report_settings": plan.change_report_settings,
            "session": plan.session is not None,
        },
        **found.for_report(),
    }


async def checked(
    plan: VerificationPlan, identities: Sequence[AuthCode | Login], url: str
) -> tuple[list[Check], Status]:
    """All checks of a plan, and the exit status that what stood in their way asks for."""
    run = _Verifier(plan, identities, url)
    checks = []
    said = time.monotonic()
    async for check in run.checks():
        checks.append(check)
        if time.monotonic() - said >= _INTERVAL and not settings.current().quiet:
            said = time.monotonic()
            complain(f"{len(checks)} checks so far, the last one: {check.name}")
    return checks, run.trouble


class _Verifier:
    """Makes the checks of a plan, one after the other."""

    def __init__(self, plan: VerificationPlan, identities: Sequence[AuthCode | Login], url: str) -> None:
        self.trouble = Status.OK
        self._plan = plan
        self._identities = identities
        self._url = url
        self._described: dict[str, Described] = {}

    async def checks(self) -> AsyncIterator[Check]:
        """Make all checks, as long as the service is there."""
        await credentials.client([], self._url).aclose()  # refuses an address that no command takes
        async for check in self._of_description():
            yield check
        if self.trouble is Status.OK:
            offered = Offered(self._url, self._described)
            async for check in offered.checks():
                yield check
            self.trouble = offered.trouble
        if self.trouble is not Status.OK:
            return
        if not self._identities:
            self.trouble = Status.REFUSED
            yield Check("calls that read", Comparison.NOT_TRIED, f"no credentials: set {credentials.CODE}")
            return
        async for check in self._as_identity():
            yield check

    async def _of_description(self) -> AsyncIterator[Check]:
        url = f"{self._url.rstrip('/')}{RESCUE.asmx}?WSDL"
        try:
            found = await probe(url, seconds=_PATIENCE, most=_LARGEST, **credentials.route(url))
            if found.status != _OK:
                yield Check(_DESCRIPTION, Comparison.NOT_TRIED, f"the service has none (HTTP {found.status})")
                return
            self._described = description.read(found.body.decode("utf-8", "replace"))
        except errors.ConnectionFailed as problem:
            self.trouble = status_of(problem)
            yield Check(_DESCRIPTION, Comparison.NOT_TRIED, f"the service cannot be reached ({problem})")
            return
        except Unreadable:
            yield Check(_DESCRIPTION, Comparison.NOT_TRIED, "the service has one that cannot be read")
            return
        for check in description.compare(self._described):
            yield check

    async def _as_identity(self) -> AsyncIterator[Check]:
        options = {"sessions": 1, "retry": RetryPolicy(attempts=2)}
        async with credentials.client(self._identities[:1], self._url, **options) as client:
            reading = ReadingCheck(client, self._plan.session)
            async for check in reading.checks():
                yield check
            self.trouble = reading.trouble
            if self.trouble is not Status.OK:
                return
            yield zone_read(reading.kept.get("getSession_V3"))
            yield order_read(reading.kept.get("getReportDate"))
            tracking = ""
            if self._plan.spend_pins:
                tracking = f"verify-{secrets.token_hex(4)}"
                scope = PinScope(self._identities, self._url, tracking, pause=self._plan.pause)
                async for check in scope.checks():
                    yield check
                self.trouble = scope.trouble
                tracking = tracking if scope.spent else ""
            else:
                yield Check("scope of the PIN rate", Comparison.NOT_TRIED, "it spends PIN codes: --spend-pins")
            if not self._plan.change_report_settings:
                why = "it changes report settings: --change-report-settings"
                yield Check("order of day and month in reports, an unused PIN in reports", Comparison.NOT_TRIED, why)
                return
            changing = ReportSettingsCheck(client, reading.root, tracking)
            async for check in changing.checks():
                yield check
            self.trouble = self.trouble or changing.trouble
