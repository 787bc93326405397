"""Only our exceptions leave a call, whatever bytes a server answers with: heads, charsets, cookies, lengths, depths."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from io import BytesIO

import pytest

from aiorescue import AuthCode, Binding, InfoRouterClient, Login, RescueClient, RetryPolicy, Ticket, errors, rescue
from aiorescue.bulk import issue

ONCE = RetryPolicy(attempts=1)
PIN = b"OK\n\nPINCODE:012345\n"
SOAP = (
    b'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    b'<getNoteResponse xmlns="https://secure.logmeinrescue.com/API/API.asmx"><getNoteResult>getNote_OK</getNoteResult>'
    b"<sNote>%b</sNote></getNoteResponse></soap:Body></soap:Envelope>"
)
ROOT = b'<response success="%b" error="%b" errorCode="%b" %b/>'


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"\r\n".join((b"HTTP/1.1 " + status, *headers, b"Content-Length: %d" % len(body)))
    return head + b"\r\n\r\n" + body


@asynccontextmanager
async def server(*answers: bytes | Callable[[bytes], bytes]) -> AsyncIterator[str]:
    """A server that gives these answers, one a request, and the last one again and again; gives its base URL."""
    left = list(answers)

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            body = await reader.readexactly(int(length[1]) if length else 0)
            found = left.pop(0) if len(left) > 1 else left[0]
            writer.write(found if isinstance(found, bytes) else found(head + body))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    listening = await asyncio.start_server(speak, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()


CHARSETS = ["idna", "undefined", "punycode", "utf-7", "unicode_escape", "raw_unicode_escape", "base64", "hex", "zlib"]
HEADS = {
    **{f"charset {name}": answer(PIN, b"Content-Type: text/plain; charset=" + name.encode()) for name in CHARSETS},
    "a charset of 5,000 signs": answer(PIN, b"Content-Type: text/plain; charset=" + b"a" * 5_000),
    "a charset in quotes": answer(PIN, b'Content-Type: text/plain; charset="utf-8'),
    "no text in the type": answer(PIN, b"Content-Type: ;;;=\xff"),
    # In Python's development mode aiohttp's parser refuses control characters.
    **({} if sys.flags.dev_mode else {"a cookie with a control character": answer(PIN, b"Set-Cookie: a=b\x01c")}),
    "a cookie that is none": answer(PIN, b"Set-Cookie: ="),
    "a cookie of odd bytes": answer(PIN, b"Set-Cookie: \xff\xfe=\x80; path=\x81; expires=never; max-age=" + b"9" * 999),
    "many cookies": answer(PIN, *[b"Set-Cookie: a%d=b" % number for number in range(90)]),
    "a header of odd bytes": answer(PIN, b"X: \xff\xfe"),
}


@pytest.mark.parametrize("sent", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("binding", [Binding.TEXT_GET, Binding.TEXT_POST])
async def test_an_odd_head_does_not_cost_the_value(sent: bytes, binding: Binding):
    async with server(sent) as url, RescueClient(AuthCode("code"), base_url=url, retry=ONCE, pace=None) as client:
        assert (await client.call(rescue.RequestPinCode(), binding=binding)).code == "012345"


BROKEN = {
    "a length of 400 digits": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 400 + b"\r\n\r\nOK",
    "a length of 19 digits": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 19 + b"\r\n\r\nOK",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nOK",
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: \xd9\xa1\r\n\r\nOK",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nOK\n",
    "a chunk that is none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nOK",
    "a chunk of 400 digits": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 400 + b"\r\nOK",
    "an unknown transfer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nOK",
    "gzip that is none": answer(b"OK\n", b"Content-Encoding: gzip"),
    "an encoding that is none": answer(b"\x00\xff", b"Content-Encoding: br"),
    "a status of five digits": answer(PIN, status=b"99999 OK"),
    "a status that is none": answer(PIN, status=b"OK 200"),
    "status 999": answer(PIN, status=b"999 Odd"),
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a redirect to nowhere": answer(b"", b"Location: http://[::", status=b"302 Found"),
    "a header without end": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000,
    "a thousand headers": answer(PIN, *[b"X-%d: a" % number for number in range(40_000)]),
    "a switch": answer(b"", b"Upgrade: websocket", b"Connection: Upgrade", status=b"101 Switching"),
    "rubbish": bytes(range(256)) * 10,
    "an absurd Retry-After": answer(b"", b"Retry-After: Wed, 21 Oct 2065 07:28:00 +9999999999", status=b"503 No"),
    "an endless Retry-After": answer(b"", b"Retry-After: " + b"9" * 5_000, status=b"503 No"),
    "a Retry-After of odd years": answer(b"", b"Retry-After: Mon, 99 Foo 99999 99:99:99 GMT", status=b"429 No"),
    "json": answer(b"[" * 50_000, b"Content-Type: application/json"),
    "nothing": answer(b""),
}


@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN)
async def test_a_broken_answer_is_an_error_of_ours(sent: bytes):
    async with (
        server(sent) as url,
        RescueClient(AuthCode("code"), base_url=url, retry=ONCE, pace=None) as client,
        RescueClient(Login("me", "pw"), base_url=url, retry=ONCE, pace=None) as person,
        InfoRouterClient(Ticket("t"), base_url=url, retry=ONCE) as docs,
    ):
        for binding in Binding:
            for call in (client.call(rescue.Login("me", "pw"), binding=binding), person.close_session(1)):
                with pytest.raises(errors.RescueError):
                    await call
        for binding in (Binding.SOAP11, Binding.HTTP_GET, Binding.HTTP_POST):
            for name in ("GetDocument", "DownloadDocument"):
                with pytest.raises(errors.RescueError):
                    await docs.call(name, Path="/a", binding=binding)
        for call in (client.report("SESSION", date(2024, 1, 1), date(2024, 1, 2), node=1), docs.upload(b"a", "/a")):
            with pytest.raises(errors.RescueError):
                await call
        with pytest.raises(errors.RescueError):
            async with client.stream_report("SESSION", date(2024, 1, 1), date(2024, 1, 2), node=1):
                pass
        with pytest.raises(errors.RescueError):
            await client.raw("getDateFormat")


NINES = b"9" * 5_000
REFUSALS = {
    "a bracket of 5,000 digits": ROOT % (b"false", b"[" + NINES + b"] no", b"", b""),
    "a code of 5,000 digits": ROOT % (b"false", b"no", NINES, b""),
    "success without anything": ROOT % (b"true", b"", b"", b""),
    "numbers of 5,000 digits": ROOT
    % (b"true", b"", b"", b'ChunkSize="%b" UserID="%b" DocumentID="%b"' % ((NINES,) * 3)),
    "a depth of 50,000": ROOT[:-2] % (b"true", b"", b"", b"")
    + b">"
    + b"<a>" * 50_000
    + b"</a>" * 50_000
    + b"</response>",
}


@pytest.mark.parametrize("body", REFUSALS.values(), ids=REFUSALS)
async def test_an_odd_answer_of_inforouter_is_an_error_of_ours(body: bytes):
    async with (
        server(answer(body, b"Content-Type: text/xml")) as url,
        InfoRouterClient(Ticket("t"), base_url=url, retry=ONCE, binding=Binding.HTTP_POST) as docs,
    ):
        for call in (
            docs.get_document("/a"),
            docs.get_current_user(),
            docs.download_document("/a"),
            docs.upload(b"a", "/a"),
            docs.authenticate_user("me", "pw"),
        ):
            with pytest.raises(errors.RescueError):
                await call
    refused = answer(b"", b"X-InfoRouter-ErrorCode: " + NINES, b"X-InfoRouter-Error: \xff[99999999999]")
    async with server(refused) as url, InfoRouterClient(Ticket("t"), base_url=url, retry=ONCE) as docs:
        with pytest.raises(errors.ServiceError):
            await docs.download_document("/a")


async def test_bytes_as_json_50_000_deep_are_no_answer():
    deep = answer(b"[" * 50_000, b"Content-Type: application/json")
    async with (
        server(deep) as url,
        InfoRouterClient(Ticket("t"), base_url=url, retry=ONCE, binding=Binding.HTTP_POST) as docs,
    ):
        with pytest.raises(errors.ProtocolError):
            await docs.download_document("/a")


async def test_a_login_whose_cookie_no_request_can_bring_back_is_no_login():
    for cookie in (b"ASP.NET_SessionId=a\x01b", b"ASP.NET_SessionId=\xff\xfe"):
        async with (
            server(answer(b"OK\n", b"Set-Cookie: " + cookie)) as url,
            RescueClient(Login("me", "pw"), base_url=url, retry=ONCE, binding=Binding.TEXT_POST) as client,
        ):
            # The second is what aiohttp's parser says of control characters in Python's development mode.
            with pytest.raises(errors.ProtocolError, match=r"brought no cookie|Invalid header value"):
                await client.close_session(1)


async def test_an_answer_names_a_charset_in_itself_and_is_read_as_what_it_can_be():
    body = b'<?xml version="1.0" encoding="utf-16"?>' + SOAP % "é".encode()
    async with (
        server(answer(body, b"Content-Type: text/xml")) as url,
        RescueClient(AuthCode("code"), base_url=url, retry=ONCE) as client,
    ):
        assert await client.get_note(1) == "é"


def table(*cells: str) -> bytes:
    return answer(f"OK\n\nTotal Time|Session ID|\n{''.join(f'{cell}|' for cell in cells)}\n".encode())


def settings_then(report: bytes) -> Callable[[bytes], bytes]:
    """OK for what is set before a report, and the report for the last request."""
    return lambda sent: report if b"getReport" in sent.partition(b"\r\n")[0] else answer(b"OK\n")


async def test_a_duration_of_30_digits_is_a_text():
    days = (date(2024, 1, 1), date(2024, 1, 2))
    for cell in ("9" * 30, f"{'9' * 30}:00:00", f"{'9' * 5_000}.01:00:00"):
        async with (
            server(settings_then(table(cell, "7"))) as url,
            RescueClient(AuthCode("code"), base_url=url, retry=ONCE, pace=None) as client,
        ):
            report = await client.report("SESSION", *days, node=1, output=rescue.ReportOutput.TEXT)
            assert report.rows[0]["Total Time"] == cell
            async with client.stream_report("SESSION", *days, node=1, output=rescue.ReportOutput.TEXT) as rows:
                assert [row["Total Time"] async for row in rows] == [cell]


async def test_a_bulk_job_outlives_any_single_answer():
    odd = [*BROKEN.values(), *HEADS.values()]
    requests = [rescue.RequestPinCode(tracking=f"CASE-{number}") for number in range(len(odd) + 1)]
    async with (
        server(*odd, answer(PIN)) as url,
        RescueClient(AuthCode("code"), base_url=url, retry=ONCE, pace=None, binding=Binding.TEXT_POST) as client,
    ):
        results = [issued async for issued in issue(client, requests, patience=0)]
    assert len(results) == len(requests)
    assert all(isinstance(issued.error, errors.RescueError) or issued.pin for issued in results)
    assert sum(issued.pin is not None for issued in results) >= len(HEADS)


async def test_a_ticket_that_no_cookie_can_carry_is_none():
    body = ROOT % (b"true", b"", b"", b'ticket="a&#10;X: y"')
    async with (
        server(answer(body, b"Content-Type: text/xml")) as url,
        InfoRouterClient(Login("me", "pw"), base_url=url, retry=ONCE, binding=Binding.HTTP_POST) as docs,
    ):
        with pytest.raises(errors.ProtocolError, match="a character that no request could bring back"):
            await docs.authenticate_user()


async def test_a_chunk_of_a_size_beyond_all_bounds_is_asked_for_in_parts():
    handler = ROOT % (b"true", b"", b"", b'downloadhandler="a" UploadHandler="a" ChunkSize="%b"' % (b"9" * 30))
    asked: list[bytes] = []

    def serve(sent: bytes) -> bytes:
        asked.append(sent)
        return answer(handler, b"Content-Type: text/xml")

    async with (
        server(serve) as url,
        InfoRouterClient(Ticket("t"), base_url=url, retry=ONCE, binding=Binding.HTTP_POST) as docs,
    ):
        with pytest.raises(errors.ProtocolError):
            await docs.download("/a", BytesIO())
        assert b"ChunkSize=8388608" in asked[1]
        await docs.upload(b"abc", "/a")
