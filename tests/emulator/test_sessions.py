"""Sessions from the customer's PIN to the report on them."""

import pytest

from aiorescue import AuthCode, RescueClient, errors, rescue
from aiorescue.emulator.rules.rescue.tree import CHANNEL
from aiorescue.rescue import NodeRef, SessionStatus
from tests.emulator.sockets import JSON, exchange, page, soap

JOHN, JANE, GROUP = 337366, 337368, 337364


@pytest.fixture
async def client(service):
    async with RescueClient(AuthCode("fixedtech0000"), base_url=service.url, pace=None) as client:
        yield client


async def only(client, session, node=None):
    return next(one for one in await client.get_session_v3(node) if one.id == session)


async def test_a_pin_becomes_a_waiting_private_session_of_its_technician(service, client):
    pin = await client.request_pin_code_v3(custom_fields=["Jane Doe", "ACME"], tracking="CASE-7")
    case = service.state.cases.enter(pin.code)
    session = await only(client, case.id, JOHN)
    assert (session.status, session.status_word, session.channel_id) == (SessionStatus.WAITING, "Waiting", 0)
    assert (session.technician_id, session.technician) == (JOHN, "John Doe")
    assert session.custom_fields == ("Jane Doe", "ACME", "", "", "", "")
    assert (case.tracking, case.user) == ("CASE-7", "tech@example.com")


async def test_a_pin_is_good_for_one_session_and_must_have_been_issued(service, client):
    pin = await client.request_pin_code_v3()
    service.state.cases.enter(pin.code)
    for code in (pin.code, "999999"):
        with pytest.raises(ValueError, match=code):
            service.state.cases.enter(code)


async def test_a_session_goes_through_its_life(client, hands):
    async def state():
        return (await only(client, 12345678)).status

    await client.start_session(12345678, JOHN)
    assert await state() is SessionStatus.PICKED_UP
    await client.hold_session(12345678)
    assert await state() is SessionStatus.ON_HOLD
    with pytest.raises(errors.ActionFailed):
        await client.hold_session(12345678)
    await client.start_session(12345678, JOHN)
    await client.transfer_session(12345678, JANE, comment="Please take over")
    handed = await only(client, 12345678, JANE)
    assert handed.status is SessionStatus.TRANSFERRING_NOT_PICKED_UP
    assert (handed.handing_off, handed.transferred_to, handed.transferred_comment) == (
        True,
        "Jane Roe",
        "Please take over",
    )
    await client.cancel_action(12345678)
    assert (await only(client, 12345678)).technician_id == JOHN
    await client.transfer_session(12345678, CHANNEL, NodeRef.CHANNEL)
    assert (await only(client, 12345678)).technician_id == 0
    hands.now += 13
    assert (await only(client, 12345678)).waiting == 13
    await client.close_session(12345678)
    assert await state() is SessionStatus.CLOSED_BY_TECHNICIAN
    hands.now += 601
    assert 12345678 not in [session.id for session in await client.get_session_v3()]
    with pytest.raises(errors.ActionFailed):
        await client.cancel_action(12345678)


async def test_who_is_offline_takes_no_session(service, client):
    service.state.users["second@example.com"].console = False
    with pytest.raises(errors.ActionFailed):
        await client.start_session(12345678, JANE)


async def test_a_customer_who_leaves_closes_the_session(service, client):
    await client.start_session(12345678, JOHN)
    service.state.cases.leave(12345678)
    service.state.cases.leave(12345679)
    assert [(await only(client, number)).status for number in (12345678, 12345679)] == [
        SessionStatus.CLOSED_BY_ACTIVE_CUSTOMER,
        SessionStatus.CLOSED_BY_WAITING_CUSTOMER,
    ]


async def test_lists_are_of_a_node_a_group_a_channel_or_all(service, client):
    await client.start_session(12345678, JOHN)
    sizes = [len(await client.get_session_v3(*asked)) for asked in ((), (JOHN,), (GROUP,), (CHANNEL, NodeRef.CHANNEL))]
    assert sizes == [10, 1, 1, 10]
    with pytest.raises(errors.InvalidParameter):
        await client.get_session_v3(1)
    assert await page(service, "getSession_v3", "node=1&authcode=fixedtech0000") == "INVALIDPARAM_NODE"


async def test_older_lists_have_three_custom_fields_and_text_pages_can_answer_xml(service, client):
    assert {len(one.custom_fields) for one in await client.get_session()} == {3}
    assert {len(one.custom_fields) for one in await client.get_session_v2()} == {3}
    await client.set_output(rescue.ReportOutput.XML)
    text = await page(service, "getSession", "node=&authcode=fixedtech0000")
    assert text.startswith('OK\n\n<report><header><field id="0">ID</field>')
    assert len(await client.get_session_v2()) == 10


async def test_a_channel_has_somebody_while_a_technician_of_it_is_online(service, client):
    assert await client.is_any_tech_available_on_channel(CHANNEL)
    for node in service.state.hierarchy.nodes.values():
        node.presence = rescue.NodeStatus.AWAY
    assert await client.is_any_tech_available_on_channel(CHANNEL)
    assert not await client.is_any_tech_available_on_channel(CHANNEL, excluding_away_and_busy=True)
    await client.unassign_channel(GROUP, CHANNEL)
    assert not await client.is_any_tech_available_on_channel(CHANNEL)
    await client.assign_channel(JOHN, CHANNEL)
    assert await client.is_any_tech_available_on_channel(CHANNEL)


async def test_customers_come_chat_and_leave_through_the_control_plane(service, client):
    async def control(path, body):
        return await exchange(service.url, "POST", f"/_emulator/{path}", JSON, body)

    pin = (await client.request_pin_code_v3()).code
    assert (await control("sessions", f'{{"pin": "{pin}"}}'.encode())).text == '{\n "session": 12345688\n}'
    assert "12345689" in (await control("sessions", b'{"channel": 1902861082, "custom_fields": ["A"]}')).text
    assert (await control("sessions", b'{"channel": 1}')).status == 400
    assert (await control("chat", b'{"session": 12345688, "text": "Hello", "note": "A drive"}')).status == 200
    assert "Customer: Hello" in (await client.get_chat(12345688)).text
    assert await client.get_note(12345688) == "A drive"
    assert '"closed"' in (await control("leave", b'{"session": 12345688}')).text
    for path in ("chat", "leave"):
        assert (await control(path, b'{"session": 1}')).status == 400
        assert (await control(path, b'{"session": "x"}')).status == 400
    listed = await exchange(service.url, "GET", "/_emulator/sessions")
    assert '"id": 12345688' in listed.text


# --- invitations ------------------------------------------------------------------------------------


async def test_links_have_an_interval_of_their_own(service, client):
    service.limits.pin_rate = 1.0
    await client.request_pin_code_v3()
    assert (await client.request_invitation_link(custom_fields=["A", "B"])).endswith("Code=020264")
    assert "PollRateExceeded" in (await raw(service, "requestInvitationLink"))
    assert [entry.operation for entry in service.ledger] == ["requestPINCodeV3", "requestInvitationLink"]


async def raw(service, name):
    return (await soap(service, name, "<sAuthCode>fixedtech0000</sAuthCode>")).text


async def test_the_second_e_mail_text_in_a_second_is_an_error(service, hands):
    query = "pincode=012345&authcode=fixedtech0000"
    assert (await page(service, "generateEmailText", query)).startswith("OK\n\nSUBJECT:")
    assert await page(service, "generateEmailText", query) == "ERROR"
    hands.now += 1
    assert (await page(service, "generateEmailText", query)).startswith("OK")
    service.limits.email_text_rate = None
    assert (await page(service, "generateEmailText", query)).startswith("OK")


async def test_login_tickets_know_the_company_the_id_and_the_password(service):
    async def ask(query):
        return (await exchange(service.url, "GET", f"/SSO/GetDTCLoginTicket.aspx?{query}")).text

    assert (await ask("ssoid=tech&Password=secret&CompanyID=560961&arch=64")).startswith("OK:https://")
    for query, word in {
        "ssoid=tech&Password=secret": "MISSINGPARAMETERS",
        "ssoid=tech&Password=x&CompanyID=560961": "INVALIDPASSWORD",
        "ssoid=tech&Password=secret&CompanyID=1": "INVALIDCOMPANYID",
        "ssoid=nobody&Password=secret&CompanyID=560961": "INVALIDSSOID",
    }.items():
        assert await ask(query) == word
