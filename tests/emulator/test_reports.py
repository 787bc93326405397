"""Reports from the emulator's own history, with settings that stay with the person."""

from datetime import date, datetime, time, timedelta

import pytest

from aiorescue import AuthCode, Login, RescueClient, errors, rescue
from aiorescue.rescue import ReportArea, ReportOutput
from tests.emulator.sockets import page

JOHN, JANE, ROOT = 337366, 337368, 337363


@pytest.fixture
async def client(service):
    service.limits.report_interval = 0
    async with RescueClient(AuthCode("fixedtech0000"), base_url=service.url, pace=None) as client:
        yield client


async def history(service, client, hands):
    """A session of John's that was on hold and went to Jane; one that nobody took. Reports are of days around them."""
    today, day = service.state.now().replace(tzinfo=None), timedelta(days=1)
    await client.set_report_date_v2(today - day, today + day)  # the sessions may have begun before midnight
    hands.now += 5
    await client.start_session(12345678, JOHN)
    service.state.cases.say(12345678, "Customer", "a | b\nand more")
    hands.now += 60
    await client.hold_session(12345678)
    hands.now += 7
    await client.transfer_session(12345678, JANE, comment="over to you")
    hands.now += 3
    await client.start_session(12345678, JANE)
    hands.now += 30
    await client.close_session(12345678)
    service.state.cases.leave(12345679)


@pytest.mark.parametrize("output", ReportOutput)
async def test_the_session_report_tells_what_happened(service, client, hands, output):
    await history(service, client, hands)
    await client.set_output(output)
    report = await client.get_report_v2(ROOT)
    row = report[0]
    assert len(report) == 2
    assert (row["Session ID"], row["Technician Name"], row["Status"]) == (12345678, "Jane Roe", "Closed by technician")
    names = ("Waiting Time", "Active Time", "Hold Time", "Time in Transfer", "Total Time")
    assert [row[name].total_seconds() for name in names] == [5, 90, 7, 3, 105]
    assert row["End Time"] - row["Start Time"] == timedelta(seconds=105)
    assert [row["Session ID"] for row in await client.get_report(JANE)] == [12345678]


@pytest.mark.parametrize(
    ("area", "rows_and_last"),
    [
        (ReportArea.MISSED_SESSIONS, (1, "Waiting Time")),
        (ReportArea.PERFORMANCE, (1, "Total Hold Time")),
        (ReportArea.CHAT_LOG, (1, "Chatlog")),
        (ReportArea.CUSTOM_FIELDS, (2, "Custom field 5")),
        (ReportArea.TRANSFERRED_SESSIONS, (1, "Transferred Comment")),
        (ReportArea.CUSTOMER_SURVEY, (0, "Technician ID")),
    ],
)
async def test_the_other_areas_have_their_columns(service, client, hands, area, rows_and_last):
    rows, last = rows_and_last
    await history(service, client, hands)
    await client.set_output(ReportOutput.XML)
    await client.set_report_area(area)
    report = await client.get_report(ROOT)
    assert (len(report), report.columns[-1]) == (rows, last)


async def test_a_chat_log_with_delimiters_and_lines_survives_both_forms(service, client, hands):
    await history(service, client, hands)
    await client.set_report_area(ReportArea.CHAT_LOG)
    for output in ReportOutput:
        await client.set_output(output)
        (row,) = await client.get_report_v2(ROOT)
        assert row["Chatlog"].endswith("Customer: a | b\nand more")
    await client.set_report_area_v8(ReportArea.TRANSFERRED_SESSIONS_EXTENDED)
    await client.set_output(ReportOutput.XML)
    (row,) = await client.get_report_v2(ROOT)
    assert row["Transferred Comment"] == "over to you"
    assert (await client.get_chat(12345678)).lines[0].text == "a | b\nand more"


async def test_logins_are_reported(service, client):
    async with RescueClient(Login("second@example.com", "secret"), base_url=service.url, pace=None) as second:
        await second.get_account()
    await client.set_report_area(ReportArea.LOGIN)
    (row,) = await client.get_report(ROOT)
    assert (row["Technician Email"], row["Technician ID"]) == ("second@example.com", JANE)


async def test_settings_stay_with_the_person_whatever_the_session(service, client):
    await client.set_report_date(date(2024, 1, 2), date(2024, 1, 31))
    await client.set_report_time(time(3, 4, 5), time(6, 7, 8))
    await client.set_time_zone(-240)
    await client.set_delimiter("<;>")
    await client.set_output(ReportOutput.XML)
    await client.set_report_area(ReportArea.LOGIN)
    async with RescueClient(Login("tech@example.com", "secret"), base_url=service.url, pace=None) as same:
        assert await same.get_report_date() == (datetime(2024, 1, 2), datetime(2024, 1, 31))
        assert await same.get_report_time() == (time(3, 4, 5), time(6, 7, 8))
        assert (await same.get_time_zone(), await same.get_delimiter()) == (-240, "<;>")
        assert (await same.get_output(), await same.get_report_area()) == (ReportOutput.XML, ReportArea.LOGIN)
    async with RescueClient(AuthCode("fixedsecond0000"), base_url=service.url, pace=None) as other:
        assert await other.get_time_zone() == 0


async def test_only_what_began_within_the_time_is_reported(service, client, hands):
    await history(service, client, hands)
    now = service.state.now()
    await client.set_report_date_v2(now - timedelta(hours=1), now)
    assert len(await client.get_report(ROOT)) == 2
    await client.set_report_date_v2(now + timedelta(hours=1), now + timedelta(hours=2))
    assert len(await client.get_report(ROOT)) == 0
    await client.set_time_zone(90)
    assert len(await client.get_report(ROOT)) == 2


async def test_one_report_a_minute_unless_that_is_turned_off(service, hands):
    query = f"node={ROOT}&nodetype=NODE&authcode=fixedtech0000"
    assert (await page(service, "getReport", query)).startswith("OK\n\nStart Time|")
    assert await page(service, "getReport", query) == "ERROR"
    assert (await page(service, "getReport", query.replace("tech0", "second0"))).startswith("OK")
    hands.now += 60
    assert (await page(service, "getReport_v2", query)).startswith("OK")
    service.limits.report_interval = 0
    assert (await page(service, "getReport_v2", query)).startswith("OK")


@pytest.mark.parametrize(
    ("name", "query", "word"),
    [
        ("setReportDate", "bdate=soon&edate=1/2/2024", "INVALIDFORMAT"),
        ("setReportDate", "bdate=31/1/2024&edate=31/1/2024", "INVALIDFORMAT"),
        ("setReportDate", "bdate=2/1/2024&edate=1/1/2024", "INVALIDDATERANGE"),
        ("setReportArea", "area=77", "ERROR"),
        ("setReportType", "type=NONE", "ERROR"),
        ("setOutput", "output=PDF", "ERROR"),
        ("setTimezone", "timezone=CET", "ERROR"),
        ("setTimezone", "timezone=2147483647", "ERROR"),
        ("getReport", "node=1&nodetype=NODE", "ERROR"),
        ("getChat", "session=1", "ERROR"),
        ("getNote", "session=x", "INVALIDPARAM_SESSION"),
    ],
)
async def test_what_cannot_be_set_is_refused(service, name, query, word):
    assert await page(service, name, f"{query}&authcode=fixedtech0000") == word


async def test_days_may_stand_first(service):
    assert await page(service, "setDateFormat", "dateformat=DDMMYY&authcode=fixedtech0000") == "OK"
    assert await page(service, "setReportDate", "bdate=31/1/2024&edate=31/1/2024&authcode=fixedtech0000") == "OK"


async def test_a_summary_is_there_for_sessions_alone(service, client, hands):
    await history(service, client, hands)
    await client.set_report_type(rescue.ReportType.SUMMARY)
    assert (await client.get_report(ROOT))[0]["Number of Sessions"] == 1
    await client.set_report_area(ReportArea.LOGIN)
    assert await client.get_report_type() is rescue.ReportType.LISTALL
    with pytest.raises(errors.PreconditionFailed):
        await client.set_report_type(rescue.ReportType.SUMMARY)
