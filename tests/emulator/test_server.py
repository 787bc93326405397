"""The server around the rules: pages for browsers, sizes, connections, life and pace."""

import asyncio
import gzip
from urllib.parse import urlencode, urlsplit

import pytest

from aiorescue import AuthCode, RescueClient
from aiorescue.emulator import Emulator
from tests.emulator.sockets import converse, exchange, page, soap, until

ENVELOPE = (
    b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    b'<logout xmlns="https://secure.logmeinrescue.com/API/API.asmx"/></e:Body></e:Envelope>'
)
CODE = "<sAuthCode>fixedtech0000</sAuthCode>"


async def test_it_can_be_started_and_stopped_twice():
    service = Emulator()
    await service.start()
    port = service.port
    await service.stop()
    await service.stop()
    await service.start()
    assert (await page(service, "logout"), service.port) == ("NOTLOGGEDIN", port)
    await service.stop()


async def test_stopping_does_not_wait_for_a_call_that_hangs():
    async with Emulator() as service:
        service.fault("delay_before", seconds=3600)
        call = asyncio.create_task(page(service, "logout"))
        await until(lambda: service.requests.count)
        await service.stop()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await call


async def test_two_emulators_know_nothing_of_each_other():
    async with Emulator(pin_rate=None) as one, Emulator(pin_rate=None) as other:
        await page(one, "requestPINCode", "authcode=fixedtech0000")
        assert (len(one.ledger), len(other.ledger)) == (1, 0)


async def test_a_port_that_is_taken_is_an_error_at_once():
    async with Emulator() as service:
        assert await service.start() is service
        with pytest.raises(OSError, match="address already in use"):
            await Emulator(service.port).start()


def test_a_rate_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="pin_rate is 0"):
        Emulator(pin_rate=0)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("port", ["80", 1.5, True, -1, 65_536]),
        ("host", ["", None, 5]),
        ("pin_rate", ["10", True, -1, float("nan")]),
        ("pins", ["10", 1.5, True, -1]),
        ("latency", ["1", True, -1, float("nan")]),
        ("jitter", ["1", None, -1]),
        ("seed", ["7", 1.5, None]),
        ("ledger_size", ["7", 1.5, True, 0]),
    ],
)
def test_an_argument_of_the_wrong_kind_is_named(name: str, values: list):
    for value in values:
        with pytest.raises(ValueError, match=f"{name} is {value!r}, but"):
            Emulator(**{name: value})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("pin_rate", [0, -1, "5", True, float("nan")]),
        ("pins_left", [-1, 1.5, "5"]),
        ("count_rejected", [1, None]),
        ("session_ttl", [None, -1]),
        ("page_rows", [0, 2.5]),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_when_it_is_set(name: str, values: list):
    limits = Emulator().limits
    for value in values:
        with pytest.raises(ValueError, match=f"{name} cannot be {value!r}"):
            setattr(limits, name, value)
    assert limits == Emulator().limits
    limits.pin_rate = limits.pins_left = limits.email_text_rate = None
    limits.pin_rate, limits.session_ttl = float("inf"), float("inf")


async def test_ipv6_has_brackets_in_its_url():
    assert Emulator(8765, host="::1").url == "http://[::1]:8765"


async def test_the_url_of_an_emulator_on_all_addresses_is_one_that_clients_take():
    async with Emulator(host="0.0.0.0") as service:
        assert service.url == f"http://127.0.0.1:{service.port}"
        async with RescueClient(AuthCode("fixedtech0000"), base_url=service.url) as rescue:
            assert (await rescue.request_pin_code_v3()).code == "012345"


# --- paths and pages ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/LOGOUT.ASPX", "/API/logout.aspx"])
async def test_paths_are_found_in_any_case(service, path):
    assert (await exchange(service.url, "GET", path)).text == "NOTLOGGEDIN"


@pytest.mark.parametrize("path", ["/x", "/API/requestLensPINCodeV2.aspx", "/API/API.asmxx", "/srv.asmx2/LogOut"])
async def test_what_there_is_not_is_a_404_in_html(service, path):
    answer = await exchange(service.url, "GET", path)
    assert (answer.status, answer.headers["Content-Type"]) == (404, "text/html")


@pytest.mark.parametrize(("path", "name"), [("/API/API.asmx", "startSession"), ("/srv.asmx", "isValidTicket")])
async def test_a_browser_sees_the_operations_and_their_samples(service, path, name):
    assert f"?op={name}" in (await exchange(service.url, "GET", path)).text
    sample = (await exchange(service.url, "GET", f"{path}?op={name}")).text
    for title in ("SOAP 1.1", "SOAP 1.2", "HTTP GET", "HTTP POST"):
        assert f"<h3>{title}</h3>" in sample


async def test_operations_with_outputs_are_soap_only(service):
    sample = (await exchange(service.url, "GET", "/API/API.asmx?op=requestLensPINCodeV2")).text
    assert "HTTP GET" not in sample
    assert "bNoTechConsole" in sample


async def test_a_page_reads_a_form_in_parts_and_nothing_in_other_bodies(service):
    form = {"email": "tech@example.com", "pwd": "secret"}
    parts = "".join(f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{form[name]}\r\n' for name in form)

    async def send(kind, body, path="/API/login.aspx"):
        headers = {"Content-Type": kind} if kind else {}
        return await exchange(service.url, "POST", path, headers, body.encode())

    assert (await send("multipart/form-data; boundary=x", f"{parts}--x--\r\n")).text == "OK"
    assert (await send("multipart/form-data; boundary=x", parts.replace("secret", "<b>"))).status == 500
    for kind in ("", "application/json", "text/plain"):
        assert (await send(kind, urlencode(form))).text == "INVALID"
        assert (await send(kind, "{}", f"/API/login.aspx?{urlencode(form)}")).text == "OK"
    assert (await send("multipart/form-data; boundary=x", parts, "/API/API.asmx/login")).status == 500


async def test_the_text_page_reads_the_query_of_a_post_too(service):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    path = "/API/requestPINCode.aspx?authcode=fixedtech0000"
    answer = await exchange(service.url, "POST", path, headers, b"tracking0=caf%C3%A9+1")
    assert answer.text == "OK\n\nPINCODE:012345"
    assert service.ledger[0].tracking == "café 1"


# --- what no capture shows whole ------------------------------------------------------------------


@pytest.mark.parametrize(("length", "status"), [(2048, 200), (2049, 400)])
async def test_a_query_has_2048_characters(service, length, status):
    query = "sPassword=x&sEmail=".ljust(length, "x")
    answer = await exchange(service.url, "GET", f"/API/API.asmx/login?{query}")
    assert (answer.status, answer.closed) == (status, status == 400)


@pytest.mark.parametrize("value", ["%3Cb%3E", "%26%231;", "%3C/x", "%3C!--"])
async def test_markup_on_a_text_page_is_a_500(service, value):
    answer = await exchange(service.url, "GET", f"/API/login.aspx?email={value}&pwd=x")
    assert (answer.status, answer.headers["Content-Type"]) == (500, "text/html")


@pytest.mark.parametrize("value", ["%3C", "%3C3", "a%26b", "%26amp;", "a%20%3C%20b"])
async def test_a_harmless_angle_or_ampersand_passes(service, value):
    assert await page(service, "login", f"email={value}&pwd=x") == "INVALID"


async def test_utf_16_is_read_by_its_mark(service):
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        '<requestPINCodeV3 xmlns="https://secure.logmeinrescue.com/API/API.asmx"><sTracking0>é</sTracking0>'
        f"{CODE}</requestPINCodeV3></e:Body></e:Envelope>"
    ).encode("utf-16")
    await exchange(service.url, "POST", "/API/API.asmx", {"Content-Type": "text/xml; charset=utf-16"}, body)
    assert service.ledger[0].tracking == "é"


async def test_fields_may_be_longer_than_documented(service):
    await soap(service, "requestPINCodeV3", f"<sTracking0>{'x' * 100_000}</sTracking0>{CODE}")
    assert len(service.ledger[0].tracking) == 100_000


async def test_a_body_has_four_mebibytes(service):
    answer = await soap(service, "requestPINCodeV3", f"<sTracking0>{'x' * 5_000_000}</sTracking0>{CODE}")
    assert answer.status == 500
    assert "---&gt; Upload size exceeds httpRuntime limit." in answer.text


async def test_a_request_in_gzip_is_not_read(service):
    headers = {"Content-Type": "text/xml; charset=utf-8", "Content-Encoding": "gzip"}
    answer = await exchange(service.url, "POST", "/API/API.asmx", headers, gzip.compress(ENVELOPE))
    assert (answer.status, answer.body) == (400, b"")
    assert (await exchange(service.url, "POST", "/API/API.asmx", headers, b"no gzip")).body == b""
    headers.pop("Content-Encoding")
    assert (await exchange(service.url, "POST", "/API/API.asmx", headers, ENVELOPE)).status == 200


async def test_soap_12_faults_have_their_own_layout(service):
    body = b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><nope/></e:Body></e:Envelope>'
    headers = {"Content-Type": "application/soap+xml; charset=utf-8"}
    answer = await exchange(service.url, "POST", "/API/API.asmx", headers, body)
    assert (answer.status, answer.headers["Content-Type"]) == (500, "application/soap+xml; charset=utf-8")
    assert "<soap:Value>soap:Sender</soap:Value>" in answer.text


async def test_soap_12_ignores_an_action_that_it_does_not_know(service):
    body = (
        b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>'
        b'<logout xmlns="https://secure.logmeinrescue.com/API/API.asmx"/></e:Body></e:Envelope>'
    )
    headers = {"Content-Type": 'application/soap+xml; charset=utf-8; action="urn:other"'}
    assert "logout_NotLoggedIn" in (await exchange(service.url, "POST", "/API/API.asmx", headers, body)).text


# --- connections ----------------------------------------------------------------------------------


async def test_the_101st_answer_closes_the_connection(service):
    host = urlsplit(service.url).netloc
    reader, writer = await asyncio.open_connection(*host.split(":"))
    answers = [await converse((reader, writer), "GET", "/API/logout.aspx", {"Host": host}) for _ in range(101)]
    assert [answer.closed for answer in answers] == [False] * 100 + [True]
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("kind", ["delay_before", "delay_after"])
async def test_a_call_is_carried_out_though_its_client_has_gone(service, kind):
    service.fault(kind, seconds=0.05)
    asking = asyncio.ensure_future(soap(service, "requestPINCodeV3", CODE))
    await until(lambda: service.requests.by_operation)
    asking.cancel()
    await until(lambda: service.ledger)
    await asyncio.sleep(0.1)  # the answer to nobody is written, or not, without a word in the log


async def test_a_thousand_pins_at_once_are_a_thousand_pins(service):
    async def ask(number):
        await soap(service, "requestPINCodeV3", f"<sTracking0>{number}</sTracking0>{CODE}")

    for start in range(0, 1000, 50):
        await asyncio.gather(*(ask(number) for number in range(start, start + 50)))
    assert len({entry.pin for entry in service.ledger}) == 1000
    assert {int(entry.tracking) for entry in service.ledger} == set(range(1000))
