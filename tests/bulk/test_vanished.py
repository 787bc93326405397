"""A journal whose files are deleted, moved or closed to a user under a job: what it held is saved, and why is said."""

import asyncio
import errno
import os
import shutil
import stat
import tempfile
from pathlib import Path

import pytest

from aiorescue import errors
from aiorescue.bulk import Journal
from aiorescue.errors import JournalReason
from tests.bulk.written_journal import check, write


@pytest.mark.parametrize("name", ["j", "j-wal"])
async def test_a_file_that_was_deleted_under_a_job_is_noticed_at_the_next_commit(tmp_path: Path, name: str):
    journal = await write(tmp_path / "j")
    (tmp_path / name).unlink()
    with pytest.raises(errors.JournalError, match=f"{name} was deleted or replaced") as refused:
        await journal.given_back("=CASE-9", 0)
    assert refused.value.reason is JournalReason.VANISHED
    await journal.close()


@pytest.mark.parametrize("names", [["j"], ["j-wal"], ["j", "j-wal", "j-shm"]])
async def test_what_a_journal_held_is_in_its_place_again_if_its_files_were_deleted_under_a_job(
    tmp_path: Path, names: list[str]
):
    journal = await write(tmp_path / "j")
    for name in names:
        (tmp_path / name).unlink()
    with pytest.raises(errors.JournalError, match="What was in it is there again"):
        await journal.given_back("=CASE-9", 0)
    with pytest.raises(errors.JournalError, match="What was in it is there again"):
        await journal.given_back("=CASE-9", 0)
    await journal.close()
    assert stat.S_IMODE((tmp_path / "j").stat().st_mode) == 0o600
    assert await check(tmp_path / "j") is None


@pytest.mark.parametrize("left", [0, 4096])
async def test_a_file_that_was_cut_short_under_a_job_is_noticed_and_what_it_held_is_saved(tmp_path: Path, left: int):
    journal = await write(tmp_path / "j")
    await asyncio.to_thread(journal._file.checkpoint)
    os.truncate(tmp_path / "j", left)
    await asyncio.to_thread(journal._file.checkpoint_quietly)  # which would make it long again, with holes in it
    with pytest.raises(
        errors.JournalError, match=r"j was emptied or cut short .* What was in it is in .*j\.saved1"
    ) as told:
        await journal.given_back("=CASE-9", 0)
    assert told.value.reason is JournalReason.VANISHED
    await journal.close()
    assert await check(tmp_path / "j.saved1") is None


async def test_what_could_not_be_saved_of_a_file_that_was_cut_short_is_told(tmp_path: Path):
    journal = await write(tmp_path / "j")
    await asyncio.to_thread(journal._file.checkpoint)
    await asyncio.to_thread(
        journal._file.connection.execute, "PRAGMA shrink_memory"
    )  # SQLite has no page of it in memory any more
    os.truncate(tmp_path / "j", 0)
    os.truncate(tmp_path / "j-wal", 0)
    with pytest.raises(errors.JournalError, match=r"j was emptied or cut short .* could not be saved"):
        await journal.given_back("=CASE-9", 0)
    await journal.close()
    assert not list(tmp_path.glob("*.saved*"))


async def test_a_file_that_was_deleted_while_it_was_opened_is_noticed_too(tmp_path: Path, monkeypatch):
    await (await write(tmp_path / "j")).close()
    journal = Journal(tmp_path / "j", "job")
    once = [(tmp_path / "j").unlink]
    monkeypatch.setattr(journal._file, "checkpoint", lambda: once and once.pop()())  # the last step of opening
    await journal.open()
    with pytest.raises(errors.JournalError, match="What was in it is there again"):
        await journal.given_back("=CASE-9", 0)
    await journal.close()
    assert await check(tmp_path / "j") is None


async def test_what_a_journal_held_is_saved_elsewhere_if_its_place_is_taken_or_gone(tmp_path: Path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    (tmp_path / "temporary" / "j.saved1").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    for folder, saved in (("taken", "taken/j.saved1"), ("gone", "temporary/j.saved2")):
        (tmp_path / folder).mkdir()
        journal = await write(tmp_path / folder / "j")
        shutil.rmtree(tmp_path / folder)
        if folder == "taken":
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "j").write_text("another file")
        with pytest.raises(errors.JournalError) as refused:
            await journal.given_back("=CASE-9", 0)
        assert f"What was in it is in {tmp_path / saved}: move it to {tmp_path / folder / 'j'}" in str(refused.value)
        await journal.close()
        assert await check(tmp_path / saved) is None


async def test_a_file_that_this_user_may_not_open_is_told_as_such(tmp_path: Path, monkeypatch):
    await (await write(tmp_path / "j")).close()
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may open all, and tests may run as root
    with pytest.raises(errors.JournalError, match=r"journal .*j: Permission denied$"):
        await Journal.reading(tmp_path / "j").status()
    with pytest.raises(errors.JournalError, match=r"journal .*j: Permission denied$"):
        await Journal(tmp_path / "j", "job").open()


async def test_a_lock_that_cannot_be_removed_is_released(tmp_path: Path, monkeypatch):
    journal = await write(tmp_path / "j")
    real = Path.unlink

    def refused(path: Path, *, missing_ok: bool = False) -> None:
        if path.name == "j-lock":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        real(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refused)
    await journal.close()
    assert (tmp_path / "j-lock").exists()
    assert not (await Journal.reading(tmp_path / "j").status()).running
