"""Connections to the database of distributed jobs, and what its errors become."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, Self

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from aiorescue import errors
from aiorescue.bulk.distributed import schema
from aiorescue.errors import JournalReason

#: A host that vanished is noticed within half a minute, and its session locks are free then.
_OPTIONS: Final = {
    "autocommit": True,
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "application_name": "aiorescue",
}
#: Connections for the writes of a worker.
_MOST: Final = 4
#: Seconds for which a write waits for a database that is away.
PATIENCE: Final = 600.0


@contextmanager
def explained() -> Iterator[None]:
    """Turn what psycopg raises into `errors.JournalError`, or `errors.InvalidRequest` for a text that is no URL."""
    try:
        yield
    except psycopg.ProgrammingError as problem:
        if problem.sqlstate is None:
            raise errors.InvalidRequest("the database must be a URL: postgresql://user@host/database") from None
        raise _error(problem) from None
    except psycopg.Error as problem:
        raise _error(problem) from None


def _error(problem: psycopg.Error) -> errors.JournalError:
    text = " ".join(str(problem).split())
    return errors.JournalError(f"the database cannot be used: {text}", reason=JournalReason.FAILED)


@asynccontextmanager
async def connected(url: str, *, prepare: bool = False) -> AsyncIterator[AsyncConnection[Any]]:
    """A connection while the context lasts; the tables are checked, or made with `prepare`."""
    with explained():
        async with await AsyncConnection.connect(url, **_OPTIONS) as connection:  # type: ignore[arg-type]
            await (schema.prepare if prepare else schema.check_version)(connection)
            yield connection


class Statements:
    """Runs single statements on a few connections, and repeats them until a database that went away is back.

    Args:
        url: the database.
    """

    def __init__(self, url: str) -> None:
        self._pool = AsyncConnectionPool(url, min_size=1, max_size=_MOST, open=False, timeout=5.0, kwargs=_OPTIONS)

    async def __aenter__(self) -> Self:
        await self._pool.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.shield(self._pool.close())

    async def rows(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows that a statement returns. The statement must have one effect even if it is carried out twice."""

        async def once() -> list[tuple[Any, ...]]:
            async with self._pool.connection() as connection:
                return await (await connection.execute(statement.encode(), values)).fetchall()

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(psycopg.OperationalError),
            wait=wait_random_exponential(0.1, 2.0),
            stop=stop_after_delay(PATIENCE),
            reraise=True,
        )
        found: list[tuple[Any, ...]] = await retrying(once)
        return found
