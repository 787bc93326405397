"""Requests that no proper client sends: each has an answer of the service, and none is trouble of the server's own.

That the log of the server stays empty is checked behind each test of this folder.
"""

import asyncio
import time
from urllib.parse import urlencode, urlsplit

import pytest

from aiorescue import Binding, InfoRouterClient, Login, errors
from aiorescue.emulator.http import joined
from tests.emulator.sockets import exchange, login, soap, until

ENVELOPE = (
    '<e:Envelope xmlns:e="http://{}"><e:Body><requestPINCodeV3 xmlns="https://secure.logmeinrescue.com/API/API.asmx">'
    "<sTracking0>{}</sTracking0><sAuthCode>fixedtech0000</sAuthCode></requestPINCodeV3></e:Body></e:Envelope>"
)
SOAP11, SOAP12 = "schemas.xmlsoap.org/soap/envelope/", "www.w3.org/2003/05/soap-envelope"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def send(service, content_type, body):
    return await exchange(service.url, "POST", "/API/API.asmx", {"Content-Type": content_type}, body)


@pytest.mark.parametrize("charset", ["idna", "undefined", "hex", "nonsense", "é", " utf-8"])
async def test_a_charset_that_decodes_no_text_counts_as_utf_8(service, charset):
    await send(service, f"text/xml; charset={charset}", ENVELOPE.format(SOAP11, "é").encode())
    assert service.ledger[0].tracking == "é"


@pytest.mark.parametrize(("charset", "half"), [("utf-7", b"+2AA-"), ("unicode_escape", rb"\ud800")])
async def test_half_of_a_surrogate_pair_is_an_empty_400_in_any_charset(service, charset, half):
    answer = await send(service, f"text/xml; charset={charset}", b"<a>%b</a>" % half)
    assert (answer.status, answer.body) == (400, b"")


async def test_soap_12_may_name_its_action_behind_the_charset(service):
    body = ENVELOPE.format(SOAP12, "é").encode("latin-1")
    await send(service, 'application/soap+xml; charset=ISO-8859-1; action="urn:other"', body)
    assert service.ledger[0].tracking == "é"


@pytest.mark.parametrize("content", ["abcde", "é", "aGk=aGk=", "aG-_"])
async def test_bytes_that_are_not_base64_are_an_error_of_each_binding(service, content):
    fields = urlencode({"authenticationTicket": "", "path": "/Public/a", "fileContent": content, "versionComment": ""})
    form = await exchange(service.url, "POST", "/srv.asmx/UploadDocument1", FORM, fields.encode())
    assert (form.status, form.text.splitlines()[0]) == (500, "Cannot convert {0} to {1}.")
    over_soap = await soap(
        service,
        "UploadDocument1",
        f"<FileContent>{content}</FileContent>",
        namespace="http://tempuri.org/",
        path="/srv.asmx",
    )
    assert (over_soap.status, "Base-64" in over_soap.text) == (500, True)


async def test_a_row_a_parent_and_a_short_path_may_have_any_number(service):
    body = urlencode({f"USERDATA[{'9' * 5000}].name": "x"}).encode()
    assert (await exchange(service.url, "POST", "/API/createUsers.aspx", FORM, body)).text == "NOTLOGGEDIN"
    body = urlencode({"USERDATA[0].parentid": "9" * 5000}).encode()
    cookie = {"Cookie": await login(service), **FORM}
    assert (await exchange(service.url, "POST", "/API/createUsers.aspx", cookie, body)).text == "ERROR"
    body = urlencode({"Path": f"~D{'9' * 5000}"}).encode()
    assert "Document not found" in (await exchange(service.url, "POST", "/srv.asmx/GetDocument", FORM, body)).text


def test_many_fields_of_one_name_cost_as_much_as_those_of_many_names():
    def seconds(fields):
        began = time.process_time()
        joined(fields)
        return time.process_time() - began

    many = [(str(number), "1") for number in range(200_000)]
    assert seconds([("a", "1")] * len(many)) < 5 * seconds(many)
    assert joined([("A", "1"), ("a", "2")]) == {"a": "1,2"}


@pytest.mark.parametrize("path", ["/API/login.aspx", "/_emulator/clock"])
async def test_a_client_that_leaves_within_its_request_is_no_trouble(service, path):
    host = urlsplit(service.url).netloc
    _, writer = await asyncio.open_connection(*host.split(":"))
    writer.write(f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n".encode())
    writer.write(b'Content-Length: 100\r\n\r\n{"advance"')
    await until(lambda: service.requests.count or path.startswith("/_"))
    writer.close()
    await writer.wait_closed()
    assert (await exchange(service.url, "GET", "/API/logout.aspx")).text == "NOTLOGGEDIN"


@pytest.mark.parametrize("binding", [Binding.HTTP_POST, Binding.HTTP_GET])
@pytest.mark.parametrize(("error", "kind"), [("[901] a\r\nX: b", errors.NotLoggedIn), ("Ärger", errors.ServiceError)])
async def test_an_error_to_order_of_a_method_that_answers_with_bytes_is_one(service, binding, error, kind):
    service.fault("word", "DownloadDocument", error=error)
    async with InfoRouterClient(Login("tech@example.com", "secret"), base_url=service.url, binding=binding) as docs:
        with pytest.raises(kind):
            await docs.download_document("/Public/a")
    assert service.requests.by_operation["DownloadDocument"] == 1
