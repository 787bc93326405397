"""The password of a database is in no message and in no frame, however its URL is spelt and whatever fails."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from aiorescue import AuthCode, RedisPace, errors
from aiorescue.bulk import distributed
from aiorescue.bulk.distributed.database import explained
from aiorescue.clock import SystemClock
from aiorescue.rescue import RequestPinCode
from tests.secrets.test_frames import shown_by

ONE, TWO = "pl4ntedAA", "pl4ntedBB"
NOWHERE = "127.0.0.1:1"


async def first_of(iterator: AsyncIterator[Any]) -> Any:
    return await anext(iterator)


def submit(url: str) -> Awaitable[object]:
    return distributed.submit(url, "spring", [RequestPinCode(tracking="a")], identities=["north"])


WORK: dict[str, Callable[[str], Awaitable[object]]] = {
    "submit": submit,
    "work": lambda url: distributed.work(url, {"north": AuthCode("x")}, base_url="http://127.0.0.1:1"),
    "status": lambda url: distributed.status(url, "spring"),
    "retry": lambda url: distributed.retry(url, "spring"),
    "delete": lambda url: distributed.delete(url, "spring"),
    "results": lambda url: first_of(distributed.results(url, "spring")),
    "a reader's status": lambda url: distributed.PostgresReader(url, "spring").status(),
    "a reader's columns": lambda url: distributed.PostgresReader(url, "spring").columns(),
    "a reader's rows": lambda url: first_of(distributed.PostgresReader(url, "spring").rows()),
    "a reader's orphans": lambda url: first_of(distributed.PostgresReader(url, "spring").orphans()),
}


def assert_no_password(text: str) -> None:
    for password in (ONE, TWO):
        assert password not in text, text[max(0, text.index(password) - 700) : text.index(password) + 100]


async def failure(work: Callable[[str], Awaitable[object]], url: str) -> Exception:
    # Started by a task, so that no frame of a test is in the traceback: they hold the URL, too.
    coroutine: Any = work(url)
    [problem] = await asyncio.gather(coroutine, return_exceptions=True)
    assert isinstance(problem, errors.InvalidRequest | errors.JournalError)
    return problem


@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize("url", [f"postgresql://u:{ONE}@{NOWHERE}/d", f"postgresql//u:{ONE}@{NOWHERE}/d"])
async def test_no_frame_of_distributed_work_shows_the_url(work: str, url: str):
    assert_no_password(shown_by(await failure(WORK[work], url)))


REFUSED = {
    "@": f"postgresql://u:{ONE}@{TWO}@{NOWHERE}/d",
    "@ and /": f"postgresql://u:{ONE}/{TWO}@{NOWHERE}/d",
    "a number and /": f"postgresql://u:5432/{TWO}@{NOWHERE}/d",
    "/ and ?": f"postgresql://u:{ONE}/{TWO}?x@{NOWHERE}/d",
    "%": f"postgresql://u:{ONE}%{TWO}@{NOWHERE}/d",
    "a blank": f"postgresql://u:{ONE} {TWO}@{NOWHERE}/d",
    "a blank among keywords": f"host=127.0.0.1 port=1 password={ONE} {TWO}",
    "an open quotation mark": f"host=127.0.0.1 password='{ONE}",
    "NUL": f"postgresql://u:{ONE}\0{TWO}@{NOWHERE}/d",
    "half a pair": f"postgresql://u:{ONE}\ud800{TWO}@{NOWHERE}/d",
    "the password as port": f"postgresql://u@127.0.0.1:{ONE}/d",
    "the password as port among keywords": f"host=127.0.0.1 port={ONE}",
    "a wrong port": f"postgresql://u:{ONE}@127.0.0.1:5432x/d",
    "a wrong name in the query": f"postgresql://{NOWHERE}/d?passwrd={ONE}",
    "another scheme": f"postgresql+psycopg://u:{ONE}@{NOWHERE}/d",
}


@pytest.mark.parametrize("url", REFUSED.values(), ids=REFUSED)
async def test_a_url_that_cannot_be_meant_is_refused_and_not_quoted(url: str):
    problem = await failure(submit, url)
    assert isinstance(problem, errors.InvalidRequest)
    assert "%40" in str(problem)
    assert_no_password(shown_by(problem))


ACCEPTED = {
    "#": f"postgresql://u:{ONE}#{TWO}@{NOWHERE}/d",
    "?": f"postgresql://u:{ONE}?{TWO}@{NOWHERE}/d",
    "escaped": f"postgresql://u:{quote(f'{ONE}@/{TWO}', safe='')}@{NOWHERE}/d",
    "keywords": f"host=127.0.0.1 port=1 password={ONE}",
    "the query": f"postgresql://{NOWHERE}/d?password={ONE}&user=me@there",
    "a key's": f"postgresql://{NOWHERE}/d?sslpassword={ONE}",
    "two hosts": f"postgresql://u:{ONE}@{NOWHERE},127.0.0.1:2/d",
}


@pytest.mark.parametrize("url", ACCEPTED.values(), ids=ACCEPTED)
async def test_a_url_with_a_password_is_used_and_its_errors_say_what_happened(
    url: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    problem = await failure(submit, url)
    assert isinstance(problem, errors.JournalError)
    assert "Connection refused" in str(problem)
    assert_no_password(shown_by(problem) + caplog.text)


@pytest.mark.parametrize("said", [f"{ONE}@/{TWO}", quote(f"{ONE}@/{TWO}"), quote(f"{ONE}@/{TWO}", safe="")])
def test_a_password_that_psycopg_quotes_is_replaced(said: str):
    with pytest.raises(errors.JournalError, match="the database cannot") as caught, explained([f"{ONE}@/{TWO}"]):
        raise psycopg.OperationalError(f"no host {said} here")
    assert_no_password(str(caught.value))


def test_what_redis_refuses_shows_no_url():
    for make in (
        lambda: RedisPace(f"redis://u:{ONE}@h", pace="x"),
        lambda: RedisPace(f"redis://u:{ONE}@h", f"{TWO}"),
        lambda: RedisPace(f"redis://u:{ONE}@h:port").open(SystemClock(), "https://host"),
        lambda: RedisPace(f"redis://u:{ONE}@h/0?foo={TWO}").open(SystemClock(), "https://host"),
    ):
        with pytest.raises((errors.InvalidRequest, TypeError)) as caught:
            make()
        assert_no_password(shown_by(caught.value))
