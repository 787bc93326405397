"""What is tried again, and what never is."""

import asyncio
import socket
from contextlib import closing

import attrs
import pytest

from aiorescue import AuthCode, Binding, Pace, RescueClient, RetryPolicy, errors, rescue
from aiorescue.emulator import Emulator
from aiorescue.operation import Effect
from tests.lab.clocks import QuickClock
from tests.support import IMPATIENT

TRIES = IMPATIENT.attempts
CODE = AuthCode("fixedtech0000")
TRANSIENT = {
    "error word": ("word", {"word": "Error"}, errors.ServiceError),
    "HTTP 408": ("http", {"status": 408}, errors.ServiceError),
    "HTTP 429": ("http", {"status": 429}, errors.ServiceError),
    "HTTP 500": ("http", {"status": 500}, errors.ServiceError),
    "HTTP 503": ("http", {"status": 503}, errors.ServiceError),
    "HTTP 504": ("http", {"status": 504}, errors.ServiceError),
    "SOAP fault of the server": ("fault_server", {}, errors.ServiceError),
    "hung up before": ("drop_before", {}, errors.ConnectionFailed),
    "hung up after": ("drop_after", {}, errors.ConnectionFailed),
    "answer cut short": ("cut", {}, errors.ProtocolError),
    "XML cut short": ("truncate", {}, errors.ProtocolError),
    "empty answer": ("empty", {}, errors.ProtocolError),
}
FINAL = {
    "HTML": ("html", {}, errors.ProtocolError),
    "redirect to a login page": ("redirect", {}, errors.ProtocolError),
    "20 MiB": ("huge", {}, errors.ProtocolError),
    "entities": ("entities", {}, errors.ProtocolError),
    "not XML": ("garble", {}, errors.ProtocolError),
    "HTTP 400": ("http", {"status": 400}, errors.ServiceFault),
    "HTTP 404": ("http", {"status": 404}, errors.ServiceFault),
    "SOAP fault of the client": ("fault_client", {}, errors.ServiceFault),
}


def client_of(service: Emulator, **options) -> RescueClient:
    return RescueClient(CODE, base_url=service.url, **{"retry": IMPATIENT, "pace": None, **options})


@pytest.mark.parametrize("binding", [Binding.SOAP11, Binding.SOAP12])
@pytest.mark.parametrize(("kind", "options", "error"), TRANSIENT.values(), ids=TRANSIENT)
async def test_what_may_pass_is_tried_again(service: Emulator, kind: str, options: dict, error: type, binding: Binding):
    service.fault(kind, times=TRIES - 1, **options)
    async with client_of(service) as client:
        pin = await client.call(rescue.RequestLensPinCodeV2(), binding=binding)
        assert len(pin.code) == 6
        assert service.requests.count == TRIES
        service.fault(kind, times=TRIES, **options)
        with pytest.raises(error) as caught:
            await client.call(rescue.RequestLensPinCodeV2(), binding=binding)
    assert caught.value.attempts == TRIES
    assert service.requests.count == 2 * TRIES


@pytest.mark.parametrize("binding", [Binding.SOAP11, Binding.SOAP12])
@pytest.mark.parametrize(("kind", "options", "error"), FINAL.values(), ids=FINAL)
async def test_what_cannot_pass_is_raised_at_once(
    service: Emulator, kind: str, options: dict, error: type, binding: Binding
):
    service.fault(kind, times=100, **options)
    async with client_of(service) as client:
        with pytest.raises(error) as caught:
            await client.call(rescue.RequestLensPinCodeV2(), binding=binding)
    assert service.requests.count == 1
    assert "fixedtech0000" not in str(caught.value)


async def test_a_pin_says_how_many_may_be_orphaned(service: Emulator):
    service.fault("drop_after", times=2)
    async with client_of(service) as client:
        pin = await client.request_pin_code()
    assert pin.possibly_orphaned == 2
    assert [entry.pin for entry in service.ledger][-1] == pin.code
    assert len(service.ledger) == 3


async def test_a_timeout_is_tried_again_and_then_named(service: Emulator):
    service.fault("delay_before", times=TRIES, seconds=5.0)
    async with client_of(service, timeout=0.2) as client:
        with pytest.raises(errors.RequestTimeout, match=r"no answer within 0\.2 s; tried 4 times"):
            await client.request_pin_code()
    assert service.requests.count == TRIES


async def test_a_refused_connection_is_tried_again_and_then_named():
    async with Emulator() as service:
        url = service.url
    async with RescueClient(CODE, base_url=url, retry=IMPATIENT) as client:
        with pytest.raises(errors.ConnectionFailed, match="cannot connect") as caught:
            await client.close_session(1)
    assert caught.value.attempts == TRIES
    assert caught.value.possibly_orphaned == 0


async def test_retry_after_is_honoured(service: Emulator):
    service.fault("http", status=503, retry_after=7)
    clock = QuickClock()
    async with client_of(service, clock=clock) as client:
        await client.request_pin_code()
    assert clock.skipped >= 7.0


async def test_no_try_is_started_after_the_total_time(service: Emulator):
    service.fault("http", status=503, retry_after=60)
    clock = QuickClock()
    async with client_of(service, retry=RetryPolicy(total=30.0), clock=clock) as client:
        with pytest.raises(errors.ServiceError):
            await client.request_pin_code()
    assert clock.skipped == 0.0
    assert service.requests.count == 1


async def test_one_attempt_means_no_retry(service: Emulator):
    service.fault("word", word="Error")
    async with client_of(service, retry=RetryPolicy(attempts=1)) as client:
        with pytest.raises(errors.ServiceError):
            await client.request_pin_code()
    assert service.requests.count == 1


async def test_concurrent_calls_do_not_share_their_tries(service: Emulator):
    service.fault("word", times=50 * (TRIES - 1), word="Error")
    async with client_of(service) as client:
        results = await asyncio.gather(*(client.request_pin_code() for _ in range(50)), return_exceptions=True)
    failed = [result for result in results if isinstance(result, Exception)]
    assert service.requests.count == 50 + 50 * (TRIES - 1) - len(failed)
    assert all(problem.attempts == TRIES for problem in failed)


async def test_what_creates_is_not_repeated_when_the_outcome_is_unknown(
    service: Emulator, monkeypatch: pytest.MonkeyPatch
):
    creating = attrs.evolve(rescue.CloseSession.spec, effect=Effect.CREATES)
    monkeypatch.setattr(rescue.CloseSession, "spec", creating)
    service.fault("drop_after")
    async with client_of(service) as client:
        with pytest.raises(errors.AmbiguousOutcome):
            await client.close_session(12345678)
    assert service.requests.count == 1


async def test_a_get_is_never_sent_a_second_time_by_the_library_below(service: Emulator):
    async with client_of(service, retry=RetryPolicy(attempts=1)) as client:
        await client.call(rescue.RequestPinCode(), binding=Binding.TEXT_GET)  # the connection is kept alive
        service.fault("drop_after")
        with pytest.raises(errors.ConnectionFailed):
            await client.call(rescue.RequestPinCode(), binding=Binding.TEXT_GET)
    assert service.requests.count == 2
    assert len(service.ledger) == 2


async def test_an_action_that_fails_after_a_lost_answer_says_so(service: Emulator):
    service.fault("drop_after")
    async with client_of(service) as client:
        with pytest.raises(errors.ActionFailed, match="an earlier try may have been carried out"):
            await client.close_session(12345678)


async def test_a_rejected_call_is_waited_out_and_not_counted(service: Emulator):
    service.fault("word", times=2, word="PollRateExceeded")
    async with client_of(service, retry=RetryPolicy(attempts=1), clock=QuickClock()) as client:
        await client.request_pin_code()
    assert service.requests.count == 3


async def test_rejections_end_at_the_deadline_with_a_hint(service: Emulator):
    service.fault("word", times=1000, word="PollRateExceeded")
    async with client_of(service, retry=RetryPolicy(total=0.5), pace=Pace(pins=10.0)) as client:
        with pytest.raises(errors.RateLimited) as caught:
            await client.request_pin_code()
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 0


async def test_without_a_pace_rejections_end_at_the_deadline_too(service: Emulator):
    service.fault("word", times=1000, word="PollRateExceeded")
    clock = QuickClock()
    async with client_of(service, retry=RetryPolicy(total=10.0), pace=None, clock=clock) as client:
        began = clock.time()
        with pytest.raises(errors.RateLimited) as caught:
            await client.request_pin_code()
        assert clock.time() - began <= 10.0
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 0


async def test_no_try_is_started_after_the_total_time_for_the_paces_sake(service: Emulator):
    service.fault("word", word="Error")
    async with client_of(service, retry=RetryPolicy(first=0.0, total=2.0), pace=Pace(pins=0.1)) as client:
        with pytest.raises(errors.ServiceError):
            await asyncio.wait_for(client.request_pin_code(), 5)
    assert service.requests.count == 1


async def test_a_connection_that_was_never_made_is_no_doubt_about_the_call():
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    with listening, closing(socket.create_connection(listening.getsockname())):
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        options = {"retry": RetryPolicy(attempts=1), "timeout": 1.0}
        async with RescueClient(CODE, base_url=url, **options) as client:
            problems = await asyncio.gather(*(client.close_session(1) for _ in range(4)), return_exceptions=True)
    never = [problem for problem in problems if isinstance(problem, errors.ConnectionFailed)]
    assert never
    assert all(problem.possibly_orphaned == 0 for problem in never)
