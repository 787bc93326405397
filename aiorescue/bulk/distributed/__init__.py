"""Bulk jobs of many machines: rows in PostgreSQL, and any number of workers, each with credentials of its own.

The unit of work is a *lane*: all the work of one identity in one job. A worker holds an identity by a session advisory
lock of PostgreSQL, which is free as soon as the worker's connection ends, and raises the *epoch* of the identity when
it begins. Each claim and each note of what became of a row names that epoch in its own statement, so that a worker
whose identity is held elsewhere stops before it sends. Rows that a dead worker had sent count one possible orphan each.
"""

try:
    import psycopg as _psycopg  # noqa: F401 - only whether it is there
except ImportError as problem:
    raise ImportError("aiorescue.bulk.distributed needs psycopg: pip install 'aiorescue[distributed]'") from problem

from aiorescue.bulk.distributed.reader import PostgresReader
from aiorescue.bulk.distributed.results import delete, results, retry, status
from aiorescue.bulk.distributed.submission import submit
from aiorescue.bulk.distributed.worker import work

__all__ = ["PostgresReader", "delete", "results", "retry", "status", "submit", "work"]
