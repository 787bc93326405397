"""Fixtures of the pace: a Redis server, and each way in which processes share a pace."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.lab.redis_server import redis_server
from tests.lab.sharing import HostSharing, RedisSharing, Sharing


@pytest.fixture(scope="session")
def _redis_server() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest.fixture
def redis_url(_redis_server: str) -> str:
    """An empty Redis."""
    with redis.Redis.from_url(_redis_server) as client:
        client.flushall()
    return _redis_server


@pytest.fixture(params=["redis", "host"])
def sharing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sharing]:
    """A way to share a pace, with empty books."""
    if request.param == "host":
        found = HostSharing(tmp_path / "pace")
    else:
        found = RedisSharing(request.getfixturevalue("redis_url"))
    yield found
    found.close()
