"""`report` as one call, and `raw`: which requests are sent, in which order and on which server session."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest

from aiorescue import AuthCode, Binding, Login, RescueClient, errors, rescue
from aiorescue.emulator import Emulator
from aiorescue.rescue import ReportArea, report_request
from tests.lab.clocks import QuickClock
from tests.lab.rescue_pages import pages
from tests.support import IMPATIENT

LOGIN = Login("tech@example.com", "secret")
SET = dict.fromkeys(
    (
        *("setdateformat", "setreportarea", "setreportarea_v8", "setreporttype", "settimezone", "setreportdate_v2"),
        *("setreporttime", "setoutput"),
    ),
    "OK",
)
ONE = (
    "OK\n\n<report><header><field id='0'>Session ID</field></header>"
    "<data><row><field id='0'>1663112</field></row></data></report>"
)
STEPS = [
    *("setdateformat", "setreportarea", "settimezone", "setreportdate_v2", "setreporttime", "setreporttype"),
    *("setoutput", "getreport_v2"),
]


def client(service, credentials=LOGIN, **options):
    options = {"binding": Binding.TEXT_POST, "clock": QuickClock(), "retry": IMPATIENT, **options}
    return RescueClient(credentials, base_url=service.url, **options)


async def test_a_report_is_set_up_and_fetched_on_one_session():
    async with pages(**SET, getreport_v2=ONE) as service, client(service) as docs:
        report = await docs.report(ReportArea.SESSION, date(2024, 1, 2), date(2024, 1, 31), node=7, timezone=-240)
        assert [row["Session ID"] for row in report] == [1663112]
        assert (report.begin, report.end) == (datetime(2024, 1, 2), datetime(2024, 1, 31, 23, 59, 59))
    assert service.names == ["login", *STEPS, "logout"]
    assert {cookie for _, _, cookie in service.asked[1:]} == {"ASP.NET_SessionId=s1"}
    assert [form for _, form, _ in service.asked[1:-1]] == [
        {"dateformat": "MMDDYY"},
        {"area": "0"},
        {"timezone": "-240"},
        {"bdate": "1/2/2024 0:00:00", "edate": "1/31/2024 23:59:59"},
        {"btime": "00:00:00", "etime": "23:59:59"},
        {"type": "LISTALL"},
        {"output": "XML"},
        {"node": "7", "nodetype": "NODE"},
    ]


async def test_an_auth_code_needs_no_session():
    async with pages(**SET, getreport_v2=ONE) as service, client(service, AuthCode("4ahx")) as docs:
        await docs.report("transferred_sessions_extended", date(2024, 1, 2), date(2024, 1, 2), node=7)
    assert service.names == [STEPS[0], "setreportarea_v8", *STEPS[2:]]
    assert all(form["authcode"] == "4ahx" and not cookie for _, form, cookie in service.asked)


async def test_reports_of_one_identity_come_one_after_the_other():
    async with pages(**SET, getreport_v2=ONE) as service, client(service) as docs:
        await asyncio.gather(*(docs.report("SESSION", date(2024, 1, n), date(2024, 1, n), node=n) for n in (1, 2, 3)))
    assert service.names[1:-1] == STEPS * 3


async def test_other_calls_use_other_server_sessions_during_a_report():
    async with pages(**SET, closesession="OK", getreport_v2=ONE) as service, client(service) as docs:
        begun = asyncio.create_task(docs.report("SESSION", date(2024, 1, 1), date(2024, 1, 1), node=1))
        while not service.names:
            await asyncio.sleep(0)
        await docs.close_session(1)
        await begun
    cookies = {name: cookie for name, _, cookie in service.asked}
    assert cookies["closesession"] != cookies["getreport_v2"]


@pytest.mark.parametrize("relogin", [False, True])
async def test_a_session_that_ends_on_the_way_ends_the_report_which_a_relogin_repeats_once(relogin: bool):
    # The settings went with the session, so the other requests must not be sent on another one.
    async with pages(**{**SET, "setoutput": "NOTLOGGEDIN"}) as service, client(service, relogin=relogin) as docs:
        with pytest.raises(errors.NotLoggedIn):
            await docs.report("SESSION", date(2024, 1, 1), date(2024, 1, 1), node=1)
    assert service.names.count("login") == service.names.count("setoutput") == 1 + relogin
    assert "getreport_v2" not in service.names


async def test_a_relogin_sets_the_whole_report_up_again_in_the_new_session():
    ended = iter(["NOTLOGGEDIN"])
    answers = {**SET, "getreport_v2": lambda _: next(ended, ONE)}
    async with (
        pages(**answers) as service,
        client(service, relogin=True) as docs,
        docs.stream_report("SESSION", date(2024, 1, 1), date(2024, 1, 1), node=1) as rows,
    ):
        assert len([row async for row in rows]) == 1
    cookies = [cookie for name, _, cookie in service.asked if name in {*SET, "getreport_v2"}]
    assert cookies == [f"ASP.NET_SessionId=s{number}" for number in (1, 2) for _ in range(len(cookies) // 2)]


async def test_a_report_of_an_auth_code_that_is_not_logged_in_is_one_request():
    options = {"credentials": AuthCode("4ahx"), "relogin": True}
    async with pages(setdateformat="NOTLOGGEDIN") as service, client(service, **options) as docs:
        with pytest.raises(errors.NotLoggedIn):
            await docs.report("SESSION", date(2024, 1, 1), date(2024, 1, 1), node=1)
    assert service.names == ["setdateformat"]


async def test_an_area_without_that_type_is_reported_all_the_same():
    async with pages(**{**SET, "setreporttype": "NOTSUPPORTED"}, getreport_v2=ONE) as service, client(service) as docs:
        assert len(await docs.report(2, date(2024, 1, 1), date(2024, 1, 1), node=1)) == 1


async def test_text_output_sets_its_delimiter():
    text = "OK\n\nSession ID;Chatlog;\n1;a|b;\n"
    async with pages(**SET, setdelimiter="OK", getreport_v2=text) as service, client(service) as docs:
        day = date(2024, 1, 1)
        report = await docs.report(5, day, day, node=1, output=rescue.ReportOutput.TEXT, delimiter=";")
    assert list(report) == [{"Session ID": 1, "Chatlog": "a|b"}]
    assert service.names[-3:-1] == ["setdelimiter", "getreport_v2"]


async def test_a_moment_with_a_zone_is_moved_into_the_zone_of_the_report():
    async with pages(**SET, getreport_v2=ONE) as service, client(service) as docs:
        noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
        await docs.report("SESSION", noon, noon + timedelta(hours=1), node=1, timezone=60)
    assert service.asked[4][1] == {"bdate": "1/1/2024 13:00:00", "edate": "1/1/2024 14:00:00"}


async def test_a_long_time_comes_window_by_window_without_a_gap():
    async with pages(**SET, getreport_v2=ONE) as service, client(service) as docs:
        windows = docs.reports("SESSION", date(2024, 1, 1), date(2024, 1, 5), window=timedelta(days=2), node=1)
        covered = [(report.begin, report.end) async for report in windows]
    assert covered == [
        (datetime(2024, 1, 1), datetime(2024, 1, 2, 23, 59, 59)),
        (datetime(2024, 1, 3), datetime(2024, 1, 4, 23, 59, 59)),
        (datetime(2024, 1, 5), datetime(2024, 1, 5, 23, 59, 59)),
    ]
    assert service.names.count("login") == 1


async def test_windows_of_parts_of_a_second_leave_no_second_out_and_the_longest_window_is_one_report():
    begin, last = datetime(2024, 1, 1), datetime(2024, 1, 1, 0, 0, 5)
    wanted = report_request.wanted("SESSION", begin, last, node=1)
    for window in (timedelta(seconds=1.3), timedelta(seconds=2.5), timedelta.max):
        covered = [(piece.begin, piece.end) for piece in wanted.windows(window)]
        assert (covered[0][0], covered[-1][1]) == (begin, last)
        assert all(after[0] - before[1] == timedelta(seconds=1) for before, after in pairwise(covered))
    at_the_end_of_the_calendar = report_request.wanted("SESSION", date(9999, 12, 1), date.max, node=1)
    assert len(list(at_the_end_of_the_calendar.windows(timedelta(days=7)))) == 5


async def test_one_report_a_minute():
    clock = QuickClock()
    async with pages(**SET, getreport_v2=ONE) as service, client(service, clock=clock) as docs:
        for _ in range(3):
            await docs.report("SESSION", date(2024, 1, 1), date(2024, 1, 1), node=1)
    assert 119 < clock.skipped < 130


@pytest.mark.parametrize(
    ("area", "begin", "end"),
    [("nonsense", date(2024, 1, 1), date(2024, 1, 1)), ("SESSION", date(2024, 1, 2), date(2024, 1, 1))],
)
async def test_a_wrong_report_sends_nothing(area, begin, end):
    async with pages() as service, client(service) as docs:
        with pytest.raises(errors.InvalidRequest):
            await docs.report(area, begin, end, node=1)
    assert service.names == []


@pytest.mark.parametrize("options", [{}, {"output": rescue.ReportOutput.TEXT}])
async def test_a_report_covers_the_days_asked_for_whatever_another_program_has_left(options):
    async with (
        Emulator() as service,
        RescueClient(AuthCode("fixedtech0000"), base_url=service.url, clock=QuickClock()) as docs,
    ):
        await docs.set_date_format("DDMMYY")
        await docs.set_report_date(date(2020, 3, 3), date(2020, 3, 3))
        await docs.set_report_time(time(9), time(10))
        await docs.set_report_type("SUMMARY")
        await docs.set_delimiter("~")
        await docs.set_time_zone(300)
        await docs.report("SESSION", date(2026, 2, 1), date(2026, 3, 5), node=337366, **options)
        left = (await docs.get_report_date(), await docs.get_report_time(), await docs.get_time_zone())
        assert await docs.get_report_type() == "LISTALL"
    # The days as the emulator has understood them.
    assert left == ((datetime(2026, 2, 1), datetime(2026, 3, 5)), (time(0), time(23, 59, 59)), 0)


@pytest.mark.parametrize("label", ["#", "?", ":", "", "5"])
async def test_a_text_report_is_split_by_the_delimiter_that_was_set(label):
    text = f"OK\n\nSession ID;Name?;{label};\n1;a;b;\n"
    async with pages(**SET, setdelimiter="OK", getreport_v2=text) as service, client(service) as docs:
        day, options = date(2024, 1, 1), {"node": 1, "output": rescue.ReportOutput.TEXT, "delimiter": ";"}
        report = await docs.report(5, day, day, **options)
        async with docs.stream_report(5, day, day, **options) as rows:
            assert [row async for row in rows] == list(report)
    assert list(report) == [{"Session ID": 1, "Name?": "a", label: "b"}]


async def test_a_report_that_cannot_be_told_apart_is_asked_for_once():
    text = "OK\n\nName|Comment|\na|b|c|\nd\ne|2|\nf|3|\n"
    async with pages(**SET, setdelimiter="OK", getreport_v2=text) as service, client(service) as docs:
        with pytest.raises(errors.ProtocolError):
            await docs.report(5, date(2024, 1, 1), date(2024, 1, 1), node=1, output=rescue.ReportOutput.TEXT)
    assert service.names.count("getreport_v2") == 1


# --- the escape hatch -------------------------------------------------------------------------------


async def test_raw_calls_what_is_known_by_name_only():
    async with pages(getdateformat="OK\n\nDATEFORMAT:DDMMYY\n") as service, client(service, AuthCode("4ahx")) as docs:
        answer = await docs.raw("getDateFormat", binding=Binding.TEXT_POST)
    assert (answer.status, dict(answer.outputs), answer.text) == ("OK", {"DATEFORMAT": "DDMMYY"}, "DATEFORMAT:DDMMYY")
    assert answer.seconds >= 0
    assert service.asked == [("getdateformat", {"authcode": "4ahx"}, "")]


async def test_raw_returns_an_unknown_word_and_raises_a_known_one():
    async with pages(setuserstatus=lambda form: form["word"]) as service, client(service, AuthCode("4ahx")) as docs:
        answer = await docs.raw("setUserStatus", {"word": "FLABBERGASTED", "node": 7}, binding=Binding.TEXT_POST)
        assert answer.status == "FLABBERGASTED"
        with pytest.raises(errors.InvalidParameter):
            await docs.raw("setUserStatus", {"word": "INVALIDPARAM_NODE"}, binding=Binding.TEXT_POST)
    assert service.asked[0][1] == {"word": "FLABBERGASTED", "node": "7", "authcode": "4ahx"}


@pytest.mark.parametrize("binding", [Binding.SOAP11, Binding.SOAP12, Binding.HTTP_POST])
async def test_raw_speaks_to_asmx(service, binding):
    async with RescueClient(AuthCode("fixedtech0000"), base_url=service.url) as docs:
        answer = await docs.raw("startSession", {"iSession": 12345678, "iNode": 1}, binding=binding)
        assert answer.status == "startSessionRet_OK"
        if binding is not Binding.HTTP_POST:
            pin = await docs.raw("requestPINCode", {"sCField0": "Jane", "bNoTechConsole": True}, binding=binding)
            assert pin.outputs["iPINCode"] == str(int(service.ledger[0].pin))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("get date", {}),
        ("x><y", {}),
        ("getChat", {"a b": "1"}),
        ("getChat", {"sAuthCode": "s"}),
        ("getChat", {"a": 1.5}),
    ],
)
async def test_raw_refuses_what_cannot_be_on_the_wire(name, parameters):
    async with pages() as service, client(service) as docs:
        with pytest.raises(errors.InvalidRequest):
            await docs.raw(name, parameters, binding=Binding.TEXT_POST)
    assert service.names == []


async def test_what_is_not_declared_is_never_done_twice():
    async with pages() as service, client(service, AuthCode("4ahx")) as docs:
        service.answers["setuserstatus"] = ""  # an empty answer: it may have happened
        with pytest.raises(errors.AmbiguousOutcome):
            await docs.raw("setUserStatus", {"node": 1}, binding=Binding.TEXT_POST)
    assert service.names == ["setuserstatus"]


async def test_a_moment_of_pandas_is_a_moment_and_none_is_refused():
    pandas = pytest.importorskip("pandas")
    days = pandas.Series(["2024-01-02 00:00:00.123456789", None], dtype="datetime64[ns]")
    async with pages(**SET, getreport_v2=ONE) as service, client(service) as docs:
        report = await docs.report("SESSION", days[0], days[0], node=7)
        assert (type(report.begin), report.begin) == (datetime, datetime(2024, 1, 2))
        for moments in ((days[0], days[1]), (days[1], days[0])):
            with pytest.raises(errors.InvalidRequest, match="NaT lies outside of the calendar"):
                await docs.report("SESSION", *moments, node=7)
    assert service.names.count("setdateformat") == 1


@pytest.mark.parametrize("window", [7, None, "7 days", timedelta(0), timedelta(days=-1)])
async def test_what_is_no_window_is_refused_before_anything_is_sent(window: Any):
    async with pages() as service, client(service) as docs:
        with pytest.raises(errors.InvalidRequest, match="window must be a timedelta of at least a second"):
            await anext(docs.reports("SESSION", date(2024, 1, 1), date(2024, 2, 9), node=0, window=window))
    assert service.names == []


async def test_no_window_of_a_long_time_comes_too_early():
    # The service answers a report that was requested too early with a plain Error, which costs another minute.
    clock = QuickClock()
    async with Emulator(clock=clock.time) as service:
        options = {"base_url": service.url, "clock": clock, "retry": IMPATIENT}
        async with RescueClient(AuthCode("fixedtech0000"), **options) as docs:
            days = docs.reports("SESSION", date(2024, 1, 1), date(2024, 2, 9), node=0, window=timedelta(days=1))
            assert len([report async for report in days]) == 40
        words = [request.word for request in service.requests if request.operation == "getReport_v2"]
    assert words == ["OK"] * 40


async def test_a_day_is_a_date_and_no_text(service: Emulator):
    async with client(service) as rescue_client:
        with pytest.raises(errors.InvalidRequest, match="must be a date or a datetime, not str"):
            await rescue_client.report("SESSION", "2024-01-01", date(2024, 1, 2), node=1)
    assert service.requests.count == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"timezone": "60"}, "timezone must be whole minutes from UTC"),
        ({"timezone": 24 * 60}, "timezone must be whole minutes from UTC"),
        ({"type": "NOPE"}, "type must be one of LISTALL, SUMMARY"),
        ({"output": "NOPE"}, "output must be one of XML, TEXT"),
        ({"node_ref": "NOPE"}, "node_ref must be one of NODE"),
        ({"output": "TEXT", "delimiter": ""}, "delimiter must not be empty"),
        *(({"output": "TEXT", "delimiter": one}, "cannot be read") for one in ("a", "1", " ", ":", "\n", "|\r\n")),
        ({"node": "x"}, "node must be int"),
        ({"begin": datetime.min.replace(tzinfo=UTC), "timezone": -60}, "lies outside of the calendar"),
    ],
)
async def test_no_setting_is_sent_before_all_can_be(options: dict[str, Any], says: str):
    days = {"begin": datetime(2024, 1, 2, tzinfo=UTC), "end": datetime(2024, 1, 2, tzinfo=UTC)}
    async with pages(**SET, getreport_v2=ONE) as service, client(service, AuthCode("4ahx")) as docs:
        with pytest.raises(errors.InvalidRequest, match=says):
            await docs.report("SESSION", **{"node": 7, **days, **options})
    assert service.names == []
