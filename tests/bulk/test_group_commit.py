"""Group commit: which writes share a commit, and which of them wait for others."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from aiorescue.bulk import group_commit
from aiorescue.bulk.group_commit import GroupCommit


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


def commits_of(thread: ThreadPoolExecutor) -> tuple[GroupCommit[str], list[list[str]]]:
    made: list[list[str]] = []

    def commit(group: Sequence[str]) -> list[None]:
        made.append(list(group))
        return [None] * len(group)

    return GroupCommit(asyncio.get_running_loop(), thread, commit), made


async def test_a_patient_write_behind_a_commit_waits_for_one_that_is_not(
    thread: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(group_commit, "PATIENCE", 600.0)  # however slow the machine is
    commits, made = commits_of(thread)
    await commits.write("sent 1")
    issued = commits.write("issued 1", patient=True)
    await asyncio.gather(*(commits.write(f"issued {n}", patient=True) for n in (2, 3)), commits.write("sent 2"), issued)
    assert made == [["sent 1"], ["issued 1", "issued 2", "issued 3", "sent 2"]]


async def test_patient_writes_alone_are_committed_soon_and_at_once_after_a_quiet_time(thread: ThreadPoolExecutor):
    commits, made = commits_of(thread)
    await commits.write("issued 1", patient=True)
    await commits.write("issued 2", patient=True)
    assert made == [["issued 1"], ["issued 2"]]


async def test_patient_writes_that_fill_a_commit_do_not_wait(
    thread: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(group_commit, "PATIENCE", 600.0)
    commits, made = commits_of(thread)
    await commits.write("first")
    await asyncio.gather(*(commits.write(f"{n}", patient=True) for n in range(group_commit.FULL)))
    assert [len(group) for group in made] == [1, group_commit.FULL]


async def test_what_waits_patiently_goes_with_a_flush(thread: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(group_commit, "PATIENCE", 600.0)
    commits, made = commits_of(thread)
    await commits.write("first")
    waiting = commits.write("issued", patient=True)
    commits.flush()
    await waiting
    assert made == [["first"], ["issued"]]
