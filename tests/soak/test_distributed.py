"""Distributed jobs under faults, short enough for the suite; `python -m tests.soak distributed` plays all of it."""

import pytest

from tests.lab.distributed.postgres_server import postgres_server
from tests.soak import distributed


@pytest.mark.timeout(400)  # each of the workers takes as long to begin as a machine is busy
async def test_each_request_has_one_pin_though_the_database_is_away_and_then_a_worker_is_killed():
    with postgres_server() as server:
        await distributed.play(server, "away-then-killed", 7, 0.1)
