"""`aiorescue doctor` names each problem that is planted, and neither changes anything nor shows a secret."""

import asyncio

import pytest

from aiorescue import AuthCode, HostPace, Pace, RescueClient
from aiorescue.emulator import Emulator
from aiorescue.pace.shared.host_books import users_folder
from aiorescue.pace.shared.pacers import digest_of
from tests.support import serving


async def test_all_is_well_and_no_pin_is_issued(command, service: Emulator):
    done = await command("doctor")
    assert (done.status, done.err) == (0, "")
    assert all(line.startswith("ok  ") for line in done.out.splitlines())
    assert "tech@example.com, administrator and technician; the Technician Console is running" in done.out
    assert not list(service.ledger)


async def test_each_auth_code_has_a_finding_and_a_refused_one_is_named_without_being_shown(command):
    done = await command("doctor", "--json", RESCUE_AUTH_CODE="fixedtech0000,wrong5678")
    assert done.status == done.json["exit_status"] == 3
    findings = {each["check"]: each for each in done.json["checks"]}
    assert findings["auth code 1"]["ok"]
    assert not findings["auth code 2"]["ok"]
    assert "refused (" in findings["auth code 2"]["found"]
    assert not [secret for secret in ("fixedtech0000", "wrong5678") if secret in done.out + done.err]


async def test_a_wrong_password_is_refused_and_not_shown(command):
    done = await command("doctor", RESCUE_AUTH_CODE="", RESCUE_EMAIL="tech@example.com", RESCUE_PASSWORD="mistyped99")
    assert done.status == 3
    assert "!!  tech@example.com refused (" in done.out
    assert "mistyped99" not in done.out + done.err


@pytest.mark.parametrize(
    ("code", "status", "says"),
    [
        ("fixedoffline0000", 1, "no Technician Console is running: start it"),
        ("fixedadmin0000", 3, "admin@example.com, administrator: PIN codes need an enabled technician"),
    ],
)
async def test_what_an_identity_may_not_do_is_said(command, code, status, says):
    done = await command("doctor", RESCUE_AUTH_CODE=code)
    assert done.status == status
    assert says in done.out


async def test_the_rate_is_said_and_what_programs_of_this_machine_have_learned_of_it(command, service: Emulator):
    service.limits.pin_rate = 1.0
    both = {"RESCUE_AUTH_CODE": "fixedtech0000,fixedsecond0000,fixedadmin0000"}
    alone = await command("doctor", **both)
    documented = "1 a second for each identity, as documented, 2 a second for 2 identities: 7,200 an hour"
    assert f"ok  PIN rate     {documented}; no programs of this machine share a pace (HostPace)\n" in alone.out
    code = AuthCode("fixedtech0000")
    async with RescueClient(code, base_url=service.url, pace=HostPace(pace=Pace(pins=0.5))) as rescue:
        await rescue.request_pin_code()
        [identity] = rescue.identities
        shared = await command("doctor", **both)
    keeps = "programs of this machine share a pace (HostPace) of 0.496 a second for each, 1 process in the last minute"
    assert f"ok  PIN rate     {documented}; {keeps}\n" in shared.out
    await asyncio.to_thread(remove_books, digest_of(identity.account, service.url))


def remove_books(digest: str) -> None:
    for book in users_folder().glob(f"{digest}-*"):
        book.unlink()


async def test_missing_credentials_are_a_finding_and_the_service_is_looked_at_all_the_same(command):
    done = await command("doctor", RESCUE_AUTH_CODE="")
    assert done.status == 3
    assert "ok  service" in done.out
    assert "!!  credentials  none: no credentials: set RESCUE_AUTH_CODE" in done.out


async def test_a_service_that_is_not_there_and_an_address_that_is_refused_are_told_apart(command, unused_tcp_port):
    gone = await command("doctor", RESCUE_BASE_URL=f"http://127.0.0.1:{unused_tcp_port}")
    assert gone.status == 5
    assert "cannot be reached (" in gone.out
    plain = await command("doctor", RESCUE_BASE_URL="http://rescue.example")
    assert plain.status == 2
    assert "correct RESCUE_BASE_URL" in plain.out


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as a service whose clock stands in the year 2001."""
    await reader.readuntil(b"\r\n\r\n")
    date = b"Date: Mon, 01 Jan 2001 00:00:00 GMT\r\n"
    writer.write(b"HTTP/1.1 404 Not Found\r\n" + date + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
    writer.close()


async def test_a_clock_that_differs_is_said(command):
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        done = await command("doctor", RESCUE_AUTH_CODE="", RESCUE_BASE_URL=f"http://127.0.0.1:{port}")
    assert "!!  clock" in done.out
    assert "ahead of the service's: set this machine's clock" in done.out
    assert done.status == 1


async def test_a_certificate_of_an_unknown_authority_is_said(command):
    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=serving("127.0.0.1")) as server:
        port = server.sockets[0].getsockname()[1]
        done = await command("doctor", RESCUE_BASE_URL=f"https://127.0.0.1:{port}")
    assert done.status == 5
    why = "TLS failed: CERTIFICATE_VERIFY_FAILED (unable to get local issuer certificate)"
    assert f"cannot be reached ({why}" in done.out
    assert "have SSL_CERT_FILE name its certificates" in done.out
