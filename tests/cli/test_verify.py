"""`aiorescue verify` finds each planted difference, changes nothing unasked, and shows nothing of the account."""

import json
import re
import signal
from datetime import timedelta
from typing import Any

import pytest

from aiorescue import AuthCode, RescueClient
from aiorescue.cli.check.live.result import Check, Comparison
from aiorescue.cli.check.verify import VerificationPlan, checked
from aiorescue.cli.status import Status
from aiorescue.emulator import Emulator
from aiorescue.rescue.answers.values import moment
from tests.cli.altered_service import altered_service
from tests.rescue.verify_evidence import reads

CODE, SECOND = "fixedtech0000", "fixedsecond0000"


def verdicts(found: Any) -> dict[str, tuple[str, str]]:
    return {each["check"]: (each["verdict"], each["found"]) for each in found["checks"]}


async def test_the_emulator_is_as_declared_and_is_only_read_and_the_report_shows_nothing_of_the_account(
    command, service: Emulator
):
    session = service.state.support_sessions.arrive(custom_fields=("Zebulon Quagmire", "zebulon@customer.example"))
    service.state.support_sessions.say(session.id, "Zebulon", "my PIN is 867530")
    session.note = "call Quagmire:\nZEBULON: back at 555-0199"
    done = await command("verify", "--json", "--report", "verify.json", "--session", str(session.id))
    text = (command.folder / "verify.json").read_text("utf-8")
    report = json.loads(text)
    assert (done.status, done.err, done.json["counts"]["differs"]) == (Status.OK, "", 0)
    assert done.json["counts"]["as declared"] > 90
    assert verdicts(done.json)["zone of times in getSession_V3"] == (Comparison.AS_DECLARED, "UTC")
    assert not service.ledger
    assert {entry.word for entry in service.requests} <= {"OK", "TRUE", "200", "Invalid_SecretAuthCode"}, (
        "nothing else was answered"
    )
    changing = {entry.operation for entry in service.requests if entry.word == "OK"}
    assert all(name.startswith(("get", "isAny")) for name in changing)
    assert not [entry for entry in service.requests if entry.binding.endswith("get")], "no auth code is in a URL"
    planted = (
        "Zebulon",
        "ZEBULON",
        "Quagmire",
        "customer.example",
        "867530",
        "0199",
        "tech@example.com",
        str(session.id),
    )
    for shown in (text, done.out):
        assert not [each for each in (CODE, service.url, *planted) if each in shown]
    evidence = [each["evidence"] for each in report["checks"] if "evidence" in each]
    assert len(evidence) > 40
    assert [each for each in evidence if not reads(each)] == [], "a fixture can be made of each"


def earlier(found: re.Match[str]) -> str:
    """A time of a service whose clock is in Newfoundland."""
    there = moment(found[0]) - timedelta(hours=3, minutes=30)
    return f"{there.month}/{there.day}/{there.year} {there.hour % 12 or 12}:{there:%M %p}"


def plant(path: str, body: bytes) -> bytes | None:
    """The answers of a service that differs in all that is compared."""
    text = body.decode()
    if path.endswith("?WSDL"):
        text = text.replace("requestPINCode_OutOfPINCodes", "requestPINCode_NoMorePINs")
        text = text.replace('name="sTracking0"', 'name="sTracking"')
        text = re.sub(r'<wsdl:operation name="cancelAction"><http:operation.*?</wsdl:operation>', "", text)
        text = re.sub(
            r'(<s:element name="startSession">.*?<s:sequence>)(<s:element[^>]*>)(<s:element[^>]*>)', r"\1\3\2", text
        )
        text = text.replace('<wsdl:operation name="getUser_v3">', '<wsdl:operation name="getUser_v4">')
        text = text.replace('name="sNick"', 'name="sNickname"')
    elif path.endswith("setUser_v2.aspx"):
        return None
    elif path.endswith("setGroup.aspx"):
        text = "GOAWAY"
    elif path.endswith("getAccount.aspx"):
        text = text.replace("Email:", "Mail:")
    elif path.endswith("getOutput.aspx"):
        text = text.replace("TEXT", "PAPER")
    elif path.endswith("getTimezone.aspx"):
        text = text.replace("OK", "FINE", 1)
    elif path.endswith("getReportDate.aspx"):
        text = "OK\n\nBDATE:26/11/2026\nEDATE:27/11/2026"
    elif path.endswith("getSession_v3.aspx"):
        text = re.sub(r"\d+/\d+/\d{4} \d+:\d\d [AP]M", earlier, text)
    else:
        text = text.replace("<bAccountHolder>", "<sFax>0123</sFax><bAccountHolder>")
    return text.encode()


async def test_each_planted_difference_is_named(command, service: Emulator):
    async with altered_service(service.url, plant) as url:
        done = await command("verify", "--json", RESCUE_BASE_URL=url)
    assert done.status == done.json["exit_status"] == Status.SOME_FAILED
    differ = {name: found for name, (verdict, found) in verdicts(done.json).items() if verdict == Comparison.DIFFERS}
    for name, says in {
        "description of requestPINCode": "fields that are not declared: sTracking; fields that are not described: "
        "sTracking0; words that are not declared: requestPINCode_NoMorePINs; words that are not described: "
        "requestPINCode_OutOfPINCodes",
        "description of cancelAction": "not described over http-get (which was inferred); not described over http-post "
        "(which was inferred)",
        "description of startSession": "fields in another order: iNode, iSession, sAuthCode",
        "description of getUser_v3": "not described over soap11; not described over soap12",
        "description of other operations": "not declared: getUser_v4",
        "description of getUser": "fields of oUser that are not declared: sNickname",
        "setUser_v2 over text-post (inferred)": "is not offered (HTTP 404)",
        "setGroup over text-post (inferred)": "is offered, and answers GOAWAY, which is not declared",
        "getAccount over text-post": "keys that are not declared: Mail; keys that are missing: Email; the answer "
        "cannot be read as it is declared",
        "getUser over soap11": "elements of oUser that are not declared: sFax",
        "getOutput over text-post": "the answer cannot be read as it is declared",
        "getTimeZone over text-post": "answers FINE, which is not declared",
        "zone of times in getSession_V3": "UTC-03:30, and not UTC as in the emulator",
        "order of day and month in getReportDate": "the days are not written month first",
    }.items():
        assert differ[name] == says
    assert "0123" not in done.out


async def test_without_a_description_inferred_bindings_are_tried_with_a_wrong_auth_code(command, service: Emulator):
    def hide(path: str, body: bytes) -> bytes | None:
        if path.endswith("?WSDL") or b"getNote" in body:
            return None
        return body

    async with altered_service(service.url, hide) as url:
        done = await command("verify", "--json", RESCUE_BASE_URL=url)
    found = verdicts(done.json)
    assert found["service description"] == (Comparison.NOT_TRIED, "the service has none (HTTP 404)")
    offered = (
        Comparison.AS_DECLARED,
        "is offered: a wrong auth code is answered with requestPINCode_Invalid_SecretAuthCode",
    )
    assert found["requestPINCode over soap12 (inferred)"] == offered
    assert found["closeSession over http-post (inferred)"][0] == Comparison.AS_DECLARED
    assert found["getNote over soap12 (inferred)"] == (Comparison.DIFFERS, "is not offered (HTTP 404)")
    assert not service.ledger


async def test_what_stands_in_the_way_has_an_exit_status_of_its_own(command, unused_tcp_port):
    refused = await command("verify", RESCUE_AUTH_CODE="hunter2hunter2")
    assert refused.status == Status.REFUSED
    assert "--  getAccount over soap11: could not be tried: the credentials are refused" in refused.out
    assert "hunter2" not in refused.out + refused.err
    without = await command("verify", RESCUE_AUTH_CODE="")
    assert without.status == Status.REFUSED
    assert "--  calls that read: could not be tried: no credentials: set RESCUE_AUTH_CODE" in without.out
    away = await command("verify", RESCUE_BASE_URL=f"http://127.0.0.1:{unused_tcp_port}")
    assert away.status == Status.SERVICE
    assert "--  service description: could not be tried: the service cannot be reached" in away.out


async def test_a_report_that_cannot_be_written_is_refused_before_anything_is_sent(command, service: Emulator):
    done = await command("verify", "--report", "nowhere/verify.json")
    assert (done.status, done.err) == (Status.BAD_INPUT, "aiorescue: nowhere/verify.json: No such file or directory\n")
    assert not service.requests.count


@pytest.fixture
def limited(service: Emulator) -> Emulator:
    """Twenty PINs a second and user, and reports at any time."""
    service.limits.pin_rate, service.limits.report_interval = 20.0, 0.0
    return service


async def run(url: str) -> dict[str, Check]:
    plan = VerificationPlan(spend_pins=True, change_report_settings=True, pause=0.1)
    checks, trouble = await checked(plan, [AuthCode(CODE), AuthCode(SECOND)], url)
    assert trouble is Status.OK
    return {check.name: check for check in checks}


async def test_with_leave_pins_are_spent_and_report_settings_are_changed_and_set_back(limited: Emulator):
    async with RescueClient(AuthCode(CODE), base_url=limited.url) as rescue:
        await rescue.set_time_zone(-240)
        await rescue.set_delimiter("#")
        await rescue.set_report_type("SUMMARY")
        before = await settings(rescue)
        found = await run(limited.url)
        assert await settings(rescue) == before
    for name in ("one identity, one binding", "one identity, two bindings", "one identity, two operations"):
        said = found[f"scope of the PIN rate: {name}"]
        assert (said.verdict, said.found) == (
            Comparison.AS_DECLARED,
            "of two requests at once, the second is rejected",
        )
    assert found["scope of the PIN rate: two identities"].verdict is Comparison.AS_DECLARED
    assert found["order of day and month in setReportDate"].verdict is Comparison.AS_DECLARED
    assert found["an unused PIN in reports"].verdict is Comparison.AS_DECLARED
    assert found["report settings set back"].verdict is Comparison.AS_DECLARED
    assert 0 < len(limited.ledger) <= 8


async def settings(rescue: RescueClient) -> list[Any]:
    calls = (rescue.get_report_area, rescue.get_report_type, rescue.get_report_date, rescue.get_report_time)
    more = (rescue.get_time_zone, rescue.get_delimiter, rescue.get_output)
    return [await call() for call in (*calls, *more)]


async def test_another_scope_another_order_of_dates_and_an_unused_pin_in_a_report_are_found(limited: Emulator):
    def as_another_user(path: str, body: bytes) -> bytes:
        """Give pages a limit of their own, and both auth codes one limit; let a customer use the first PIN."""
        if path.endswith("getReport_v2.aspx"):
            sessions = limited.state.support_sessions
            sessions.leave(sessions.enter(limited.ledger[0].pin).id)
        if b"requestPINCode" in body and ".aspx" not in path:
            return body.replace(CODE.encode(), SECOND.encode())
        return body

    def day_first(path: str, body: bytes) -> bytes:
        if path.endswith("getReportDate.aspx"):
            return body.replace(b"1/28/2026", b"28/1/2026")
        if path.endswith("getReport_v2.aspx"):
            return re.sub(rb"\b1?\d/\d+/(\d{4})", rb"28/1/\1", body)
        return body

    async with altered_service(limited.url, day_first, request=as_another_user) as url:
        found = await run(url)
    differ = {name.rpartition(": ")[2] for name, check in found.items() if check.verdict is Comparison.DIFFERS}
    assert differ == {
        "one identity, two bindings",
        "two identities",
        "order of day and month in setReportDate",
        "order of day and month in reports",
        "an unused PIN in reports",
    }


async def test_report_settings_are_set_back_by_a_verify_that_is_asked_to_end(command, limited: Emulator, until):
    limited.fault("delay_before", "getReport_v2", seconds=60.0)
    async with RescueClient(AuthCode(CODE), base_url=limited.url) as rescue:
        await rescue.set_time_zone(-240)
        before = await settings(rescue)
        process = await command.start("verify", "--change-report-settings")
        await until(lambda: limited.requests.by_operation["getReport_v2"])
        assert await settings(rescue) != before
        process.send_signal(signal.SIGTERM)
        done = await command.ended(process)
        assert (done.status, await settings(rescue)) == (Status.TERMINATED, before)
        assert done.err.splitlines()[-1] == "aiorescue: interrupted"
