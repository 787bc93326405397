"""What is decoded on the event loop, and what in a thread."""

import threading

import pytest

from aiorescue import AuthCode, Binding, Login, RescueClient, RetryPolicy, errors, wire
from aiorescue.emulator import Emulator


@pytest.mark.parametrize("called", ["closeSession", "login"])
@pytest.mark.parametrize("binding", [Binding.SOAP11, Binding.HTTP_POST, Binding.TEXT_POST])
@pytest.mark.parametrize("size", [100, 3_000, 5_000, 60_000, 300_000])
async def test_only_short_answers_are_decoded_on_the_event_loop(
    service: Emulator, binding: Binding, size: int, called: str, monkeypatch: pytest.MonkeyPatch
):
    decoded: list[int] = []
    read = wire.read

    def noted(*arguments):
        decoded.append(threading.get_ident())
        return read(*arguments)

    monkeypatch.setattr(wire, "read", noted)
    service.fault("huge", called, bytes=size)
    credentials = Login("tech@example.com", "secret") if called == "login" else AuthCode("fixedtech0000")
    async with RescueClient(
        credentials, base_url=service.url, binding=binding, retry=RetryPolicy(attempts=1)
    ) as client:
        with pytest.raises(errors.RescueError):
            await client.close_session(1)
    assert [thread == threading.get_ident() for thread in decoded] == [size < 4_096]
