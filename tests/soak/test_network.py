"""Calls through a faulty network, as many as a run of the suite has time for; `python -m tests.soak` makes more."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop

from tests.lab.proxy import NOTICEABLE, Disturbance
from tests.soak import network

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.mark.parametrize("make_loop", LOOPS.values(), ids=LOOPS)
def test_nothing_is_lost_swapped_or_left_behind_in_a_network_that_disturbs_one_answer_in_ten(
    make_loop: Callable[[], asyncio.AbstractEventLoop],
):
    with asyncio.Runner(loop_factory=make_loop) as runner:
        tally = runner.run(network.run(5000, seed=11))
    assert tally.disturbed.keys() == set(NOTICEABLE)
    assert sum(tally.disturbed.values()) > 400
    assert tally.results + sum(tally.errors.values()) == 5000
    assert tally.results > 4900
    tally.check()
    assert tally.unclaimed > 0


async def test_where_answers_change_places_no_pin_goes_to_two_requests():
    kinds = (Disturbance.SWAP, Disturbance.REPEAT, Disturbance.TOGETHER)
    tally = await network.run(1500, seed=12, share=0.3, kinds=kinds, pins_alone=True)
    assert tally.disturbed[Disturbance.SWAP] > 50
    assert tally.foreign, "no client can tell"
    tally.check()
