"""Operations on each binding that their vendor's page shows, and refused on every other one before sending."""

import pytest

from aiorescue import AuthCode, Binding, InfoRouterClient, Login, RescueClient, Ticket, errors, inforouter, rescue
from aiorescue.emulator import Emulator
from aiorescue.operation import Operation

SOAP = {Binding.SOAP11, Binding.SOAP12}
FORMS = {Binding.HTTP_GET, Binding.HTTP_POST}
TEXT = {Binding.TEXT_GET, Binding.TEXT_POST}
OFFERED = {
    rescue.Logout: SOAP | FORMS | TEXT,
    rescue.StartSession: SOAP | FORMS | TEXT,
    rescue.CloseSession: SOAP | FORMS | TEXT,
    rescue.Login: SOAP | FORMS | TEXT,
    rescue.RequestAuthCode: SOAP | TEXT,
    rescue.RequestPinCode: SOAP | TEXT,
    rescue.RequestPinCodeV3: SOAP | TEXT,
    rescue.RequestLensPinCodeV2: SOAP,
    inforouter.AuthenticateUser: {Binding.SOAP11} | FORMS,
    inforouter.IsValidTicket: {Binding.SOAP11} | FORMS,
    inforouter.RenewTicket: {Binding.SOAP11} | FORMS,
    inforouter.LogOut: {Binding.SOAP11} | FORMS,
}
DIFFICULT = 'Zoë "Q" O\'Neil & <Söhne>\t漢字 😀\r\n  '


#: Those in the order of `Binding`, so that each run, and each process of one, has the tests in one order.
EACH = {operation: [binding for binding in Binding if binding in offered] for operation, offered in OFFERED.items()}


def test_bindings_are_those_of_the_vendors_pages():
    assert {operation: set(operation.spec.bindings) for operation in OFFERED} == OFFERED


@pytest.mark.parametrize("binding", EACH[rescue.Logout])
async def test_login_and_logout(service: Emulator, binding: Binding):
    async with RescueClient(Login("tech@example.com", "secret"), base_url=service.url) as client:
        assert await client.call(rescue.Login(), binding=binding) is None
        assert await client.call(rescue.Logout(), binding=binding) is None
        assert service.requests.count == 2
        assert await client.call(rescue.Logout(), binding=binding) is None
    assert service.requests.count == 2  # nothing was left to log out, so nothing was sent


@pytest.mark.parametrize("credentials", [AuthCode("fixedtech0000"), Login("tech@example.com", "secret")])
@pytest.mark.parametrize("binding", EACH[rescue.StartSession])
async def test_a_session_is_started_and_closed(service: Emulator, binding: Binding, credentials: AuthCode | Login):
    async with RescueClient(credentials, base_url=service.url, binding=binding) as client:
        assert await client.start_session(session=12345678, node=1) is None
        assert await client.close_session(12345678) is None
        with pytest.raises(errors.ActionFailed):
            await client.close_session(12345678)


@pytest.mark.parametrize("binding", EACH[rescue.RequestAuthCode])
async def test_an_auth_code_is_asked_for_and_used(service: Emulator, binding: Binding):
    async with RescueClient(base_url=service.url, binding=binding) as client:
        code = await client.request_auth_code("tech@example.com", "secret")
    async with RescueClient(AuthCode(code), base_url=service.url, binding=binding) as client:
        await client.close_session(12345678)


@pytest.mark.parametrize(
    ("operation", "binding"),
    [(op, b) for op in (rescue.RequestPinCode, rescue.RequestPinCodeV3, rescue.RequestLensPinCodeV2) for b in EACH[op]],
)
async def test_a_pin_is_six_digits_and_the_fields_arrive_as_they_are(
    service: Emulator, operation: type[rescue.PinRequest], binding: Binding
):
    text = DIFFICULT.replace("<S", "< S") if binding in TEXT else DIFFICULT
    request = operation(custom_fields=["Jane Doe", text], tracking=text, no_tech_console=True)
    async with RescueClient(AuthCode("fixedtech0000"), base_url=service.url) as client:
        pin = await client.call(request, binding=binding)
    assert pin == rescue.PinCode("012345")
    entry = service.ledger[0]
    assert (entry.pin, entry.tracking, entry.no_tech_console) == ("012345", text, True)
    assert list(entry.custom_fields)[:2] == ["Jane Doe", text]


@pytest.mark.parametrize("binding", EACH[inforouter.LogOut])
async def test_a_ticket_is_given_checked_renewed_and_ended(service: Emulator, binding: Binding):
    login = Login("tech@example.com", "secret")
    async with InfoRouterClient(login, base_url=service.url, binding=binding) as docs:
        first = await docs.authenticate_user()
        assert await docs.is_valid_ticket() is True
        assert await docs.is_valid_ticket(first.ticket) is True
        renewed = await docs.renew_ticket()
        assert await docs.is_valid_ticket(renewed.ticket) is True
        await docs.log_out(renewed.ticket)
        assert await docs.is_valid_ticket(renewed.ticket) is False
        with pytest.raises(errors.NotLoggedIn):
            await docs.log_out(renewed.ticket)


@pytest.mark.parametrize("binding", EACH[inforouter.LogOut])
async def test_without_a_ticket_to_end_its_own_goes_out_as_a_cookie(service: Emulator, binding: Binding):
    async with InfoRouterClient(base_url=service.url) as docs:
        holder = await docs.authenticate_user("tech@example.com", "secret")
        ours = InfoRouterClient(Ticket(holder.ticket), base_url=service.url, binding=binding)
        async with ours:
            await ours.log_out()
        assert await docs.is_valid_ticket(holder.ticket) is False


@pytest.mark.parametrize(
    ("operation", "binding"),
    [(op, b) for op, offered in OFFERED.items() for b in Binding if b not in offered],
)
async def test_a_binding_that_is_not_offered_is_refused_before_sending(
    service: Emulator, operation: type[Operation], binding: Binding
):
    needed = {"session": 1, "node": 1}
    fields = {name: value for name, value in needed.items() if operation in (rescue.StartSession, rescue.CloseSession)}
    if operation is rescue.CloseSession:
        del fields["node"]
    if operation.spec.service.name == "infoRouter":
        client = InfoRouterClient(Ticket("3f2a"), base_url=service.url)
    else:
        client = RescueClient(AuthCode("fixedtech0000"), base_url=service.url)
    async with client:
        with pytest.raises(errors.UnsupportedBinding, match="is not offered over"):
            await client.call(operation(**fields), binding=binding)
    assert service.requests.count == 0


async def test_a_preferred_binding_gives_way_to_the_best_that_is_documented(service: Emulator):
    async with RescueClient(AuthCode("fixedtech0000"), base_url=service.url, binding=Binding.HTTP_GET) as client:
        await client.request_lens_pin_code_v2()
        await client.request_pin_code()
        await client.close_session(12345678)
    assert [request.binding.lower().replace("_", "-") for request in service.requests] == [
        "soap11",
        "text-post",  # the guide documents the page; that SOAP works is known from a client
        "http-get",
    ]
