"""The time limit that many requests share a timer for; in virtual time."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import pytest

from aiorescue import AuthCode, RescueClient, errors
from aiorescue.call.deadline import Deadlines
from aiorescue.emulator import Emulator
from tests.lab.virtual_time import run


async def request(deadlines: Deadlines, seconds: float) -> str:
    """What the transport does around a request that takes so long."""
    task = deadlines.begin()
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        if not deadlines.ran_out(task):
            raise
        return f"ran out at {asyncio.get_running_loop().time():.0f}"
    finally:
        deadlines.end(task)
    return "answered"


async def after(seconds: float, work: Coroutine[Any, Any, str]) -> str:
    await asyncio.sleep(seconds)
    return await work


def test_each_request_has_all_of_the_time():
    async def many() -> list[str]:
        deadlines = Deadlines(30)
        durations = [(0, 10), (5, 100), (10, 29), (10, 100), (40, 29), (50, 31)]
        return await asyncio.gather(*(after(start, request(deadlines, took)) for start, took in durations))

    assert run(many()) == ["answered", "ran out at 35", "answered", "ran out at 40", "answered", "ran out at 80"]


def test_a_task_may_go_on_and_make_another_request():
    async def twice() -> list[str]:
        deadlines = Deadlines(30)
        found = [await request(deadlines, 100), await request(deadlines, 1), await request(deadlines, 100)]
        assert asyncio.current_task().cancelling() == 0
        return found

    assert run(twice()) == ["ran out at 30", "answered", "ran out at 61"]


async def test_a_request_whose_limit_ends_while_the_client_is_closed_is_told_as_possibly_carried_out(
    service: Emulator, monkeypatch: pytest.MonkeyPatch
):
    service.fault("delay_after", seconds=1.0)
    client = RescueClient(AuthCode("fixedtech0000"), base_url=service.url, timeout=0.2)
    cancel = Deadlines._cancel

    def cancel_and_close(self: Deadlines, task: asyncio.Task[Any], before: int) -> None:
        cancel(self, task, before)
        monkeypatch.undo()
        client._interrupt()  # as `aclose` does when its time is over

    monkeypatch.setattr(Deadlines, "_cancel", cancel_and_close)
    async with client:
        with pytest.raises(errors.ConnectionFailed, match="closed before the answer") as ended:
            await client.request_pin_code()
        assert ended.value.possibly_orphaned == 1


@pytest.mark.parametrize("others_first", [True, False])
def test_who_is_cancelled_in_the_moment_of_the_limit_is_cancelled(others_first: bool):
    async def at_once() -> bool:
        deadlines = Deadlines(30)
        loop = asyncio.get_running_loop()
        task = loop.create_task(request(deadlines, 100))
        await asyncio.sleep(0)

        def both() -> None:
            for end in (task.cancel, deadlines.run_out) if others_first else (deadlines.run_out, task.cancel):
                end()

        loop.call_at(30.5, both)
        deadlines._timer.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert run(at_once())


def test_a_task_that_was_cancelled_before_may_clean_up_within_the_limit():
    async def cleaning() -> str:
        deadlines = Deadlines(30)
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            return await request(deadlines, 100)

    async def main() -> str:
        task = asyncio.ensure_future(cleaning())
        asyncio.get_running_loop().call_later(1, task.cancel)
        return await task

    assert run(main()) == "ran out at 31"


@pytest.mark.parametrize("seconds", [10, 30], ids=["earlier", "together with ours"])
def test_the_limit_of_an_outer_timeout_is_its_own(seconds: int):
    async def outer() -> str:
        try:
            async with asyncio.timeout(seconds):
                return await request(Deadlines(30), 100)
        except TimeoutError:
            return f"outer at {asyncio.get_running_loop().time():.0f}"

    assert run(outer()) == f"outer at {seconds}"


def test_a_limit_that_somebody_kept_from_the_request_leaves_no_trace():
    async def swallowed() -> int:
        deadlines = Deadlines(30)
        task = deadlines.begin()
        try:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(100)
        finally:
            deadlines.end(task)
        return task.cancelling()

    assert run(swallowed()) == 0


def test_a_request_under_way_keeps_its_limit_when_the_others_are_over():
    async def close() -> str:
        deadlines = Deadlines(30)
        task = asyncio.create_task(request(deadlines, 1000))
        await asyncio.sleep(1)
        deadlines.close()
        return await task

    assert run(close()) == "ran out at 30"


def test_nothing_is_left_on_the_loop_when_it_is_closed():
    async def close() -> list[str]:
        deadlines = Deadlines(30)
        await request(deadlines, 1)
        deadlines.close()
        return [repr(handle) for handle in asyncio.get_running_loop()._scheduled if not handle.cancelled()]

    assert run(close()) == []


def test_another_event_loop_has_a_timer_of_its_own():
    deadlines = Deadlines(30)
    assert run(request(deadlines, 1)) == "answered"  # the timer is still set when this loop is closed
    assert run(request(deadlines, 100)) == "ran out at 30"


def test_a_limit_that_ends_while_the_event_loop_is_blocked_is_extended_once():
    async def blocked() -> list[str]:
        deadlines = Deadlines(30)
        loop = asyncio.get_running_loop()

        def block(seconds: float) -> None:
            loop._virtual.now += seconds

        loop.call_at(20, block, 20)  # up to 40: the first limit is over by 10 seconds
        loop.call_at(45, block, 1000)  # only once, and not for longer than the limit
        durations = [(0, 45), (0, 5000), (10, 5000)]
        return await asyncio.gather(*(after(start, request(deadlines, took)) for start, took in durations))

    assert run(blocked()) == ["answered", "ran out at 1045", "ran out at 1045"]


def test_a_request_that_begins_when_the_event_loop_is_no_longer_blocked_has_the_limit_and_no_more():
    async def late() -> list[str]:
        deadlines = Deadlines(30)
        loop = asyncio.get_running_loop()
        begun = []

        def block() -> None:
            loop._virtual.now += 20  # up to 40: the first limit is over by 10 seconds, and its timer has not gone off
            begun.append(loop.create_task(request(deadlines, 5000)))

        loop.call_at(20, block)
        first = await request(deadlines, 5000)
        return [first, await begun[0]]

    assert run(late()) == ["ran out at 50", "ran out at 70"]


def test_an_answer_that_lies_in_the_socket_at_the_end_of_the_limit_is_read():
    async def arrived() -> str:
        deadlines = Deadlines(30)
        loop = asyncio.get_running_loop()
        answer = loop.create_future()

        async def reading() -> str:
            task = deadlines.begin()
            try:
                await answer
                for _ in range(50):  # one turn of the loop for each piece
                    await asyncio.sleep(0)
            finally:
                deadlines.end(task)
            return "read"

        loop.call_at(29.9999999, answer.set_result, None)
        return await reading()

    assert run(arrived()) == "read"
