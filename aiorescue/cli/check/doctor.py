"""`aiorescue doctor`: whether this machine, the service and the credentials are ready for work.

Nothing is changed and no PIN is requested: each identity makes one call, `getAccount_v2`. An identity with an e-mail
address logs in for that and logs out again.
"""

import asyncio
import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import metadata

from aiorescue import AuthCode, Login, Pace, errors
from aiorescue.call.transport.probe import probe
from aiorescue.cli import credentials, signals
from aiorescue.cli.check.findings import Finding, Findings
from aiorescue.cli.options import JsonOption
from aiorescue.cli.output import counted
from aiorescue.cli.status import Status, status_of
from aiorescue.operation import Family
from aiorescue.pace.shared.host_look import look
from aiorescue.rescue import Account, GetAccountV2

_NEEDED = ("aiohttp", "attrs", "tenacity", "xmltodict")
_OPTIONAL = ("redis", "opentelemetry-api")
#: What an identity was found to be that may request PIN codes, with or without a console.
_MAY_REQUEST = (Status.OK, Status.SOME_FAILED)
#: Seconds until the service counts as unreachable.
_PATIENCE = 15.0
#: Seconds that the clocks may differ; a Date header has no fractions, and an answer takes a moment.
_MOST_SKEW = 60.0


def doctor(
    *,
    as_json: JsonOption = False,  # noqa: ARG001 - read where the result is printed
) -> Findings:
    """Check Python, packages, connection, clock and credentials; requests no PIN and changes nothing."""
    here = [_python(), _packages()]
    try:
        identities, missing = credentials.find(), []
    except errors.CredentialsMissing as problem:
        identities, missing = [], [Finding("credentials", "none", str(problem), Status.REFUSED)]
    return Findings([*here, *signals.run(_examine(identities)), *missing])


def _python() -> Finding:
    return Finding("Python", f"{platform.python_version()} on {platform.system()}")


def _packages() -> Finding:
    versions = [f"{name} {metadata.version(name)}" for name in ("aiorescue", *_NEEDED)]
    return Finding("packages", ", ".join([*versions, *_installed(_OPTIONAL)]))


def _installed(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            yield f"no {name} (optional)"


async def _examine(identities: Sequence[AuthCode | Login]) -> list[Finding]:
    """Check the service, and if it answers, each identity."""
    url = credentials.base_url()
    try:
        # Checks the address as any command does, and connects nowhere.
        async with credentials.client([], url) as anyone:
            url = anyone.base_url
    except errors.InvalidRequest as problem:
        advice = f"correct {credentials.URL}, or unset it for the vendor's service"
        return [Finding("service", str(problem), advice, Status.BAD_INPUT)]
    service = await _service(url)
    if not all(finding.is_ok or finding.check == "clock" for finding in service):
        return service
    found = [await _identity(each, number, url) for number, each in enumerate(identities, 1)]
    able = [each for each, finding in zip(identities, found, strict=True) if finding.status in _MAY_REQUEST]
    return [*service, *found, *([await _rate(able, url)] if able else [])]


# --- the service ----------------------------------------------------------------------------------


async def _service(url: str) -> list[Finding]:
    """Check whether the service answers, with whatever HTTP status, and compare its clock with this machine's."""
    try:
        status, date, _ = await probe(url, seconds=_PATIENCE, **credentials.route(url))
    except errors.ConnectionFailed as problem:
        advice = (
            f"check the network, the firewall, {credentials.PROXY} or https_proxy, and {credentials.URL}; where a"
            " company's own authority is in between, have SSL_CERT_FILE name its certificates"
        )
        return [Finding("service", f"{url} cannot be reached ({problem})", advice, Status.SERVICE)]
    secured = "TLS, certificate verified" if url.startswith("https") else "plain HTTP on this machine"
    return [Finding("service", f"{url} answers (HTTP {status}; {secured})"), _clock(date)]


def _clock(date: str) -> Finding:
    """Compare this machine's clock with a Date header."""
    try:
        there = parsedate_to_datetime(date)
    except ValueError:
        return Finding("clock", "the service does not say what time it is")
    skew = (datetime.now(UTC) - there.replace(tzinfo=there.tzinfo or UTC)).total_seconds()
    if abs(skew) <= _MOST_SKEW:
        return Finding("clock", f"within {_MOST_SKEW:g} s of the service's")
    found = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the service's"
    return Finding("clock", found, "set this machine's clock: dates of reports go by it", Status.SOME_FAILED)


# --- the identities -------------------------------------------------------------------------------


async def _identity(given: AuthCode | Login, number: int, url: str) -> Finding:
    """Check an identity by one call: which user it is, and what that user may do."""
    name = given.email if isinstance(given, Login) else f"auth code {number}"
    try:
        async with credentials.client([given], url) as rescue:
            account = await rescue.call(GetAccountV2())
    except errors.AuthenticationError as problem:
        word = problem.status or type(problem).__name__
        advice = "correct the credentials in the environment, or ask an administrator for a new auth code"
        return Finding(name, f"refused ({word})", advice, Status.REFUSED)
    except errors.RescueError as problem:
        return Finding(name, str(problem), "try again later; report it if it lasts", status_of(problem))
    return _rights(name, account)


def _rights(name: str, account: Account) -> Finding:
    roles = {"administrator": account.admin_id, "technician": account.technician_id}
    found = f"{account.email}, {' and '.join(role for role, node in roles.items() if node) or 'no role'}"
    if not account.technician_id:
        advice = "PIN codes need an enabled technician; all else works" if account.admin_id else "ask for a role"
        return Finding(name, found, advice, Status.REFUSED)
    if account.console_running is False:
        advice = "start it, or request PIN codes with no_tech_console"
        return Finding(name, f"{found}; no Technician Console is running", advice, Status.SOME_FAILED)
    console = (
        "the Technician Console is running" if account.console_running else "the service says nothing of the console"
    )
    return Finding(name, f"{found}; {console}")


# --- the rate -------------------------------------------------------------------------------------


async def _rate(identities: Sequence[AuthCode | Login], url: str) -> Finding:
    """Say how many PIN codes the identities may request, and what programs of this machine have learned of that."""
    each = Pace().pins or 0.0
    total = each * len(identities)
    found = f"{each:g} a second for each identity, as documented"
    if len(identities) > 1:
        found += f", {total:g} a second for {len(identities)} identities"
    found += f": {total * 3600:,.0f} an hour"
    async with credentials.client(identities, url) as rescue:
        accounts = [identity.account for identity in rescue.identities]
    known = [await asyncio.to_thread(look, account, url, Family.PINS) for account in accounts]
    shared = [one for one in known if one is not None]
    if not shared:
        return Finding("PIN rate", f"{found}; no programs of this machine share a pace (HostPace)")
    processes, slowest = sum(one.processes for one in shared), min(one.rate for one in shared)
    keeps = f"programs of this machine share a pace (HostPace) of {slowest:.3g} a second for each"
    return Finding("PIN rate", f"{found}; {keeps}, {counted(processes, 'process', 'processes')} in the last minute")
