"""Reports of any size: received in one piece, or read row by row in little memory beside the event loop."""

import asyncio
import errno
import re
import tempfile
from datetime import date, datetime
from pathlib import Path

import pytest

from aiorescue import AuthCode, Binding, Login, RescueClient, errors
from aiorescue.call import spool
from aiorescue.operation import Outcome
from aiorescue.rescue import GetReport, ReportOutput
from tests.lab.report_pages import MIB, chunked, nameless, reports, text, until, whole, xml
from tests.lab.report_server import report_server
from tests.lab.rescue_pages import pages
from tests.support import IMPATIENT

DAY = date(2024, 1, 1)
CODE = AuthCode("4ahx")


@pytest.fixture(autouse=True)
async def files():
    """Counts open temporary files beyond those that were open before the test; at its end there are none."""
    before = nameless()
    yield lambda: nameless() - before
    await until(lambda: nameless() == before)


def client(url, credentials=CODE, **options):
    return RescueClient(credentials, base_url=url, **{"retry": IMPATIENT, "pace": None, **options})


def stream(rescue, **options):
    return rescue.stream_report("SESSION", DAY, DAY, node=1, **options)


FORMS = pytest.mark.parametrize("form", [xml, text])


def numbered(rows):
    return [row["Session ID"] for row in rows] == list(range(len(rows)))


async def collect(rows):
    return [row async for row in rows]


# --- the promise ------------------------------------------------------------------------------------


def resident():
    """The resident memory of this process in MiB."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


@pytest.fixture
def from_threads(monkeypatch):
    """What threads have returned to the event loop, in order; of a list only its length, so that no row is kept."""
    results = []
    in_a_thread = asyncio.to_thread

    async def to_thread(function, *arguments):
        result = await in_a_thread(function, *arguments)
        results.append(len(result) if isinstance(result, list) else result)
        return result

    monkeypatch.setattr(asyncio, "to_thread", to_thread)
    return results


@pytest.mark.parametrize("output", list(ReportOutput))
async def test_a_report_of_60_mib_takes_little_memory_and_is_decoded_in_threads(output, files, from_threads):
    with report_server() as url:
        async with client(url) as rescue:
            async with rescue.stream_report("SESSION", DAY, DAY, node=MIB, output=output) as rows:
                await collect(rows)  # what is loaded or allocated once, is now
            before = peak = resident()
            from_threads.clear()
            count = 0
            async with rescue.stream_report("SESSION", DAY, DAY, node=60 * MIB, output=output) as rows:
                assert files() == 1
                async for row in rows:
                    assert row["Session ID"] == count or output is ReportOutput.TEXT
                    count += 1
                    if not count % 1_000:
                        peak = max(peak, resident())
    assert count > 100_000
    assert row["Start Time"] == datetime(2012, 2, 16, 9)
    assert peak - before < 32
    # How long the loop is held up is measured by `python -m benchmarks stream`.
    batches = [result for result in from_threads if isinstance(result, int)]
    assert max(batches) < count / 100
    assert 0 <= count - sum(batches) <= max(batches)  # the first rows came with the answer's beginning


@FORMS
async def test_more_than_16_mib_can_be_got_in_one_piece_too(form):
    async with reports(chunked(form(17 * MIB))) as service, client(service.url) as rescue:
        first = rescue.call(GetReport(1), binding=Binding.TEXT_POST)
        for report in (await rescue.report("SESSION", DAY, DAY, node=1), await first):
            assert len(report) > 60_000
            assert numbered(report)


@FORMS
@pytest.mark.parametrize("size", [2_000, 2 * MIB])
async def test_a_byte_order_mark_tells_the_encoding_however_long_an_answer_is(form, size):
    async with reports(chunked(form(size), encoding="utf-16")) as service, client(service.url) as rescue:
        assert (await rescue.report("SESSION", DAY, DAY, node=1))[-1]["Name"].startswith("Jörg & Söhne")


@pytest.mark.parametrize("binding", [Binding.SOAP11, Binding.SOAP12])
async def test_over_soap_the_limit_stays_and_the_text_page_is_named(binding):
    async with reports(whole(xml(17 * MIB))) as service, client(service.url, binding=binding) as rescue:
        with pytest.raises(errors.ProtocolError, match=r"16,777,216 bytes.*TEXT_POST"):
            await rescue.get_report_v2(1)
    assert service.asked == 1


async def test_a_long_answer_over_soap_is_decoded_beside_the_loop(from_threads):
    escaped = xml(10 * MIB).removeprefix("OK\r\n\r\n").replace("&", "&amp;").replace("<", "&lt;")
    body = (
        '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        '<getReport_v2Response xmlns="https://secure.logmeinrescue.com/API/API.asmx">'
        f"<getReport_v2Result>getReport_OK</getReport_v2Result><sReport>{escaped}</sReport>"
        "</getReport_v2Response></s:Body></s:Envelope>"
    )
    async with reports(whole(body)) as service, client(service.url) as rescue:
        report = await rescue.get_report_v2(1)
    assert len(report) > 30_000
    assert numbered(report)
    assert [result.value for result in from_threads if isinstance(result, Outcome)] == [report]


async def test_a_long_answer_to_anything_else_is_none():
    answer = whole("OK\n\n" + "x" * 20 * MIB)
    async with reports(answer) as service, client(service.url, binding=Binding.TEXT_POST) as rescue:
        with pytest.raises(errors.ProtocolError, match=r"16,777,216 bytes: OK x"):
            await rescue.raw("getReport")


# --- row by row -------------------------------------------------------------------------------------


@FORMS
@pytest.mark.parametrize("size", [2_000, 200_000, 3 * MIB])
async def test_a_stream_has_the_rows_of_the_report(form, size):
    async with reports(chunked(form(size))) as service, client(service.url) as rescue:
        report = await rescue.report("SESSION", DAY, DAY, node=1)
        async with stream(rescue) as rows:
            assert (rows.columns, rows.begin, rows.end) == (report.columns, report.begin, report.end)
            assert await collect(rows) == list(report)
            assert rows.mended == 0
            assert await collect(rows) == []
    assert numbered(report)
    assert len(report) > size // 300


async def test_a_cell_that_is_not_what_its_title_says_is_a_text_and_its_neighbours_are_not():
    body = "OK\n\nDate|Session ID|Name|Name|\nsoon|1|a|b|\n2/3/2024||c|d|e|\n"
    async with reports(whole(body)) as service, client(service.url) as rescue, stream(rescue) as rows:
        assert await collect(rows) == [
            {"Date": "soon", "Session ID": 1, "Name": "a", "Name (2)": "b"},
            {"Date": datetime(2024, 2, 3), "Session ID": None, "Name": "c|d", "Name (2)": "e"},
        ]
        assert rows.mended == 1


@pytest.mark.parametrize("begin", ["\ufeffOK \r\n\r\n", "\ufeff \r\n", "OK\n"])
async def test_what_stands_before_a_long_table_is_no_part_of_it(begin):
    body = begin + xml(2 * MIB).removeprefix("OK\r\n\r\n")
    async with reports(whole(body)) as service, client(service.url) as rescue, stream(rescue) as rows:
        assert numbered(await collect(rows))


async def test_session_and_turn_are_free_once_the_answer_is_there():
    settings = (
        *("setdateformat", "setreportarea", "setreporttype", "settimezone", "setreportdate_v2", "setreporttime"),
        *("setoutput", "closesession"),
    )
    login = Login("tech@example.com", "secret")
    async with pages(**dict.fromkeys(settings, "OK"), getreport_v2=xml(2 * MIB)) as service:
        rescue = client(service.url, login, sessions=1, binding=Binding.TEXT_POST)
        async with rescue, stream(rescue) as first, stream(rescue) as second:
            await rescue.close_session(1)
            await rescue.aclose()
            assert await collect(first) == await collect(second)
    assert service.names.count("login") == 1


async def test_a_wait_that_was_given_up_loses_no_row():
    async with reports(whole(xml(2 * MIB))) as service, client(service.url) as rescue, stream(rescue) as rows:
        found = []
        while True:
            waiting = asyncio.ensure_future(anext(rows))
            await asyncio.sleep(0)
            if not waiting.done():
                waiting.cancel()
            try:
                found.append(await waiting)
            except asyncio.CancelledError:
                continue
            except StopAsyncIteration:
                break
    assert numbered(found)
    assert len(found) > 7_000


async def test_several_readers_share_the_rows():
    async with reports(whole(xml(2 * MIB))) as service, client(service.url) as rescue, stream(rescue) as rows:
        parts = await asyncio.gather(*(collect(rows) for _ in range(3)))
    assert sorted(row["Session ID"] for part in parts for row in part) == list(range(sum(map(len, parts))))


@pytest.mark.parametrize("size", [2_000, 2 * MIB])
async def test_rows_are_there_only_inside(size):
    async with reports(whole(xml(size))) as service, client(service.url) as rescue:
        async with stream(rescue) as rows:
            await anext(rows)
        with pytest.raises(errors.InvalidRequest):
            await anext(rows)


# --- what goes wrong --------------------------------------------------------------------------------


@FORMS
async def test_a_long_answer_cut_short_is_asked_for_again(form):
    body = form(2 * MIB)
    async with reports(chunked(body, cut=True), chunked(body)) as service, client(service.url) as rescue:
        async with stream(rescue) as rows:
            assert numbered(await collect(rows))
        assert service.asked == 2


async def test_an_error_is_an_error_however_long():
    answers = whole("ERROR"), whole("ERROR\r\n\r\n" + "x" * 2 * MIB), whole(xml(2 * MIB))
    async with reports(*answers) as service, client(service.url) as rescue:
        async with stream(rescue) as rows:
            assert numbered(await collect(rows))
        assert service.asked == 3


@pytest.mark.parametrize("body", ["NOTLOGGEDIN" + " " * 2 * MIB, "<html>" + "x" * 2 * MIB, "OK\n\n" + "\n" * 2 * MIB])
async def test_a_long_answer_that_is_no_report_leaves_no_file(body):
    async with reports(whole(body)) as service, client(service.url) as rescue:
        with pytest.raises(errors.RescueError):
            async with stream(rescue):
                pass


CUT = pytest.mark.parametrize(
    "body",
    [
        xml(2 * MIB, end=""),
        xml(2 * MIB, end="<row><field id='0'>1"),
        text(2 * MIB, end="7|Ja"),
        text(2 * MIB, end="7|"),
    ],
    ids=["xml between rows", "xml in a row", "text in a cell", "text in a row"],
)


@CUT
async def test_a_table_that_stops_before_its_end_is_an_error_behind_all_of_its_rows(body, files):
    async with reports(whole(body)) as service, client(service.url) as rescue:
        found = []
        async with stream(rescue) as rows:
            for _ in range(2):  # however often one asks
                with pytest.raises(errors.ProtocolError, match="getReport_v2"):
                    async for row in rows:
                        found.append(row)
            assert files() == 1
        assert files() == 0
    assert numbered(found)
    assert len(found) == (body.count("</row>") or body.count("\r\n") - len(["OK", "", "header"]))
    assert service.asked == 1


@CUT
async def test_got_in_one_piece_it_is_asked_for_again(body):
    async with reports(whole(body), whole(xml(2 * MIB))) as service, client(service.url) as rescue:
        assert numbered(await rescue.report("SESSION", DAY, DAY, node=1))
        assert service.asked == 2


@pytest.mark.parametrize("answer", [whole, chunked])
async def test_a_long_answer_has_a_limit_too(monkeypatch, answer):
    monkeypatch.setattr(spool, "LARGEST_LONG_ANSWER", 3 * MIB)
    async with reports(answer(xml(2 * MIB)), answer(xml(4 * MIB))) as service, client(service.url) as rescue:
        async with stream(rescue) as rows:
            assert numbered(await collect(rows))
        with pytest.raises(errors.ProtocolError, match="3,145,728 bytes"):
            async with stream(rescue):
                pass
        assert service.asked == 2


async def test_without_room_for_the_file_it_says_so_and_asks_no_more(monkeypatch):
    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    async with reports(whole(xml(2 * MIB))) as service, client(service.url) as rescue:
        with pytest.raises(errors.RescueError, match="temporary file: No space left on device"):
            async with stream(rescue):
                pass
        assert service.asked == 1


async def test_a_long_answer_may_take_its_time_as_long_as_it_flows():
    answer = chunked(xml(6 * MIB), between=lambda: asyncio.sleep(0.25))
    async with reports(answer) as service, client(service.url, timeout=1.0) as rescue, stream(rescue) as rows:
        assert numbered(await collect(rows))


async def test_one_that_stands_still_is_given_up():
    answer = chunked(xml(2 * MIB), between=asyncio.Event().wait)
    async with reports(answer) as service, client(service.url, timeout=0.2) as rescue:
        with pytest.raises(errors.RequestTimeout):
            async with stream(rescue):
                pass
        assert service.asked == IMPATIENT.attempts


# --- before the end ---------------------------------------------------------------------------------


async def test_cancelled_while_it_is_received(files):
    answer = chunked(xml(3 * MIB), between=asyncio.Event().wait)
    async with reports(answer) as service, client(service.url) as rescue:
        task = asyncio.ensure_future(stream(rescue).__aenter__())
        await until(lambda: files() == 1)
        await ends(task, [])


@pytest.mark.parametrize("moment", [0.0, 0.01, 0.03])
async def test_cancelled_while_it_is_decoded(moment, files, from_threads):
    async with reports(whole(xml(16 * MIB))) as service, client(service.url) as rescue:
        task = asyncio.ensure_future(rescue.report("SESSION", DAY, DAY, node=1))
        await until(lambda: files() == 1 or task.done())
        await asyncio.sleep(moment)
        await ends(task, from_threads)


@pytest.mark.parametrize("rows_before", [0, 1, 5_000])
async def test_cancelled_while_it_is_read(rows_before, files, from_threads):
    reading = asyncio.Event()

    async def read(rescue):
        async with stream(rescue) as rows:
            for _ in range(rows_before):
                await anext(rows)
            reading.set()
            async for _ in rows:
                await asyncio.sleep(0)

    async with reports(whole(xml(4 * MIB))) as service, client(service.url) as rescue:
        task = asyncio.ensure_future(read(rescue))
        await reading.wait()
        assert files() == 1
        await ends(task, from_threads)


async def ends(task, from_threads):
    """Cancel a task, which waits for no more of its threads than that of the batch under way and that which closes."""
    before = len(from_threads)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(from_threads) - before <= 2


@pytest.mark.parametrize("how", ["break", "raise"])
async def test_a_consumer_that_leaves_early_leaves_no_file(how, files):
    async def read(rescue):
        async with stream(rescue) as rows:
            async for _ in rows:
                if how == "break":
                    break
                raise KeyError(how)

    async with reports(whole(xml(4 * MIB))) as service, client(service.url) as rescue:
        if how == "break":
            await read(rescue)
        else:
            with pytest.raises(KeyError):
                await read(rescue)
        assert files() == 0
