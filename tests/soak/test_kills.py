"""Jobs that are killed while they issue hundreds of PINs a second; `python -m tests.soak` kills more of them."""

from pathlib import Path

import pytest

from tests.soak import kills


@pytest.mark.timeout(400)  # each of the runs takes as long to begin as a machine is busy
async def test_no_pin_is_lost_of_jobs_that_are_killed_twenty_times(tmp_path: Path):
    tally = await kills.run(20, 17, tmp_path)
    assert tally.kills >= 20
    assert tally.jobs >= 2
    assert tally.yielded > 0
