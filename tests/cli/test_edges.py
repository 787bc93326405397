"""Edges of an operator's day: changed columns, readers that leave, missing packages, and the files of infoRouter."""

import asyncio
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from aiorescue import InfoRouterClient, Login
from aiorescue.cli.status import MEANING, Status
from tests.cli.conftest import COMMAND


def test_a_row_that_vanished_stays_under_its_own_columns_when_their_order_changes(here):
    job = ("pins", "customers.csv", "--emulator", "--pin-rate", "1000")
    customers = here.folder / "customers.csv"
    customers.write_text("custom_field_0,tracking,phone\nJane,A,1\nJim,B,2\n")
    assert here(*job).status == Status.OK
    customers.write_text("phone,tracking,note,custom_field_0\n1,A,new,Jane\n")
    assert here(*job).status == Status.OK
    header, jane, jim = (here.folder / "pins.csv").read_text().splitlines()
    assert header == "phone,tracking,note,custom_field_0,pin,status,error"
    assert jane.startswith("1,A,new,Jane,")
    assert jim.startswith("2,B,,Jim,")
    assert here("job", "status", "pins.csv.journal").status == Status.OK, "the checksums are right"


@pytest.mark.parametrize("unbuffered", ["", "1"])
async def test_a_reader_who_leaves_before_the_rows_come_is_told_where_the_pins_are(alone, unbuffered):
    alone.write("tracking\nA\n")
    pins = f"{shlex.quote(str(COMMAND))} pins customers.csv --emulator -o - --journal j"
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", f"set -o pipefail; PYTHONUNBUFFERED={unbuffered} {pins} | true"),
        stderr=asyncio.subprocess.PIPE,
        cwd=alone.folder,
    )
    _, err = await process.communicate()
    assert process.returncode == Status.BROKEN_PIPE
    assert f"aiorescue: {MEANING[Status.BROKEN_PIPE]}\n" in err.decode()
    assert "Exception ignored" not in err.decode()


@pytest.mark.parametrize("output", ["-", "/dev/stdout", "/proc/self/fd/1", "/dev/../dev/stdout"])
def test_no_journal_lies_beside_what_another_process_has_under_that_name(here, output):
    words = [COMMAND, "pins", "/dev/stdin", "-o", output, "--emulator"]
    (here.folder / "customers.csv").write_text("tracking\nA\n")
    with (here.folder / "customers.csv").open() as file, (here.folder / "out").open("w") as out:
        done = subprocess.run(words, stdin=file, stdout=out, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (Status.BAD_INPUT, 1)
    assert "name a file for the journal with --journal" in done.stderr
    assert not (here.folder / "out").read_text()


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("customers.csv", "-o", "loop"), Status.OK),  # the file takes the place of the link, which leads nowhere
        (("loop", "-o", "x.csv"), Status.BAD_INPUT),
        (("customers.csv", "--journal", "loop"), Status.JOURNAL),
        (("customers.csv", "--report", "loop"), Status.OK),
    ],
)
def test_a_loop_of_links_is_no_traceback(here, words, status):
    (here.folder / "customers.csv").write_text("tracking\nA\n")
    loop = here.folder / "loop"
    loop.symlink_to("loop")
    done = here("pins", *words, "--emulator")
    assert done.status == status
    assert status == Status.OK or "loop: " in done.err.splitlines()[0]
    assert loop.is_symlink() == (status != Status.OK)


def test_without_psycopg_a_database_has_the_status_of_what_is_not_installed():
    script = "import sys; sys.modules['psycopg'] = None; from aiorescue.cli import main; main()"
    words = ("job", "status", "spring", "--database", "postgresql://127.0.0.1/jobs")
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=False)
    assert done.returncode == Status.NOT_INSTALLED
    assert "pip install 'aiorescue[distributed]'" in done.stderr
    assert done.stderr.count("\n") == 1


def router(service) -> dict[str, str]:
    """The environment in which the command finds the emulated infoRouter."""
    return {
        "INFOROUTER_BASE_URL": service.url,
        "INFOROUTER_USER": "tech@example.com",
        "INFOROUTER_PASSWORD": "secret",
    }


async def test_a_document_is_uploaded_and_downloaded_into_the_file_that_is_named(command, service):
    command.write("words", "report.txt")
    there = router(service)
    done = await command("inforouter", "upload", "report.txt", "/Public/report.txt", "--comment", "first", **there)
    assert (done.status, done.err) == (Status.OK, "")
    [version] = service.state.library.store.find("/Public/report.txt").versions
    assert version.comment == "first"
    done = await command("inforouter", "download", "/Public/report.txt", "-o", "copy.txt", **there)
    assert (done.status, done.err) == (Status.OK, "")
    assert (command.folder / "copy.txt").read_text() == "words"
    done = await command("inforouter", "download", "/Public/report.txt", "a.txt", "-o", "b.txt", **there)
    assert done.status == Status.BAD_INPUT
    assert "two files are named" in done.err


async def test_a_pipe_is_uploaded_and_what_is_no_file_is_named(command, service):
    there = router(service)
    os.mkfifo(command.folder / "pipe")
    writing = asyncio.create_task(asyncio.to_thread((command.folder / "pipe").write_bytes, b"words" * 100_000))
    done = await command("inforouter", "upload", "pipe", "/Public/report.txt", **there)
    await writing
    assert (done.status, done.err) == (Status.OK, "")
    document = service.state.library.store.find("/Public/report.txt")
    assert len(document.versions[-1].content) == 500_000
    for file, told in ((".", ".: it is a folder"), ("nowhere", "nowhere: there is no such file")):
        done = await command("inforouter", "upload", file, "/Public/report.txt", **there)
        assert (done.status, done.err) == (Status.BAD_INPUT, f"aiorescue: {told}\n")


async def test_stdin_is_uploaded(service):
    pipeline = f"printf words | {COMMAND} inforouter upload - /Public/report.txt"
    shell = await asyncio.create_subprocess_shell(pipeline, env={**os.environ, **router(service)})
    assert await shell.wait() == Status.OK
    assert service.state.library.store.find("/Public/report.txt").versions[-1].content == b"words"


async def test_a_signal_ends_the_wait_for_the_other_end_of_a_pipe(command, service):
    os.mkfifo(command.folder / "pipe")
    os.mkfifo(command.folder / "other")
    command.write("tracking\nA\n")
    assert (await command("pins", "customers.csv", "-o", "out")).status == Status.OK

    async def interrupted(*words):
        process = await command.start(*words, **router(service))
        await asyncio.sleep(3)
        assert process.returncode is None
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(10):
                return await command.ended(process)
        finally:
            if process.returncode is None:
                process.kill()

    for done in await asyncio.gather(
        interrupted("inforouter", "upload", "other", "/Public/report.txt"),
        interrupted("job", "export", "out.journal", "-o", "pipe"),
        interrupted("pins", "customers.csv", "-o", "pipe", "--journal", "j"),
    ):
        assert done.status == Status.TERMINATED
        assert "interrupted" in done.err


async def test_a_parameter_of_inforouter_that_is_given_twice_is_refused(alone, service):
    done = await alone("inforouter", "call", "GetDocuments", "Path=/Public", "Path=/Other", **router(service))
    assert (done.status, done.err) == (Status.BAD_INPUT, "aiorescue: GetDocuments: Path is given twice\n")


async def put(service, document: bytes) -> None:
    async with InfoRouterClient(Login("tech@example.com", "secret"), base_url=service.url) as docs:
        await docs.upload(document, "/Public/a.bin")


@pytest.mark.parametrize("target", ["-", "-o -", "out", "/proc/self/fd/1"])
@pytest.mark.parametrize("kind", ["a pipe", "a file"])
async def test_a_document_on_stdout_is_all_that_is_there(alone, service, target, kind):
    document = bytes(range(256)) * 8_000
    await put(service, document)
    # "out" is a link to stdout of the test's own, and what the file had before is kept.
    line = f"ln -s /proc/self/fd/1 out; {COMMAND} inforouter download /Public/a.bin {target}"
    line += " | cat > got" if kind == "a pipe" else " >> got"
    alone.write(b"before ", "got") if kind == "a file" else None
    process = await asyncio.create_subprocess_shell(
        line, cwd=alone.folder, env={**os.environ, **router(service)}, stderr=asyncio.subprocess.PIPE
    )
    _, err = await process.communicate()
    assert (process.returncode, err) == (Status.OK, b"")
    assert (alone.folder / "got").read_bytes() == (b"before " if kind == "a file" else b"") + document
    assert sorted(path.name for path in alone.folder.iterdir()) == ["got", "out"]
    assert (alone.folder / "out").is_symlink()


@pytest.mark.parametrize("command", ["pins c.csv --emulator --journal other", "job export j"])
async def test_rows_on_stdout_are_all_that_is_there_by_whatever_name(alone, command):
    alone.write("tracking\nA\n", "c.csv")
    assert (await alone("pins", "c.csv", "--emulator", "-o", "p", "--journal", "j")).status == Status.OK
    alone.write("before\n", "got")
    (alone.folder / "out").symlink_to("/proc/self/fd/1")
    for ending in (">> got", "| cat >> got"):
        line = f"{shlex.quote(str(COMMAND))} {command} -o out {ending}"
        process = await asyncio.create_subprocess_shell(line, cwd=alone.folder, stderr=asyncio.subprocess.DEVNULL)
        assert await process.wait() == Status.OK
    before, *lines = (alone.folder / "got").read_text().splitlines()
    assert (before, lines[:2], lines[2:]) == ("before", lines[2:], lines[:2])
    assert lines[0] == "tracking,pin,status,error"


async def test_a_document_on_a_full_stdout_or_beside_json_is_one_line(alone, service):
    await put(service, bytes(1000))
    for ending, problem in (
        (">/dev/full", b"standard output: No space left on device"),
        (">&-", b"standard output: Bad file descriptor"),
        ("--json", b"stdout cannot hold the document and the JSON of --json: name a file for one of them"),
    ):
        process = await asyncio.create_subprocess_shell(
            f"{COMMAND} inforouter download /Public/a.bin - {ending}",
            cwd=alone.folder,
            env={**os.environ, **router(service)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        _, err = await process.communicate()
        assert (process.returncode, err) == (Status.BAD_INPUT, b"aiorescue: " + problem + b"\n")


@pytest.mark.parametrize(
    ("words", "whole"), [("call startS", "startSession"), ("inforouter call GetDocumentsB", "GetDocumentsByPage")]
)
async def test_completion_knows_operations_and_methods(alone, words: str, whole: str):
    at = str(len(words.split()))
    shell = {"_AIORESCUE_COMPLETE": "complete_bash", "COMP_WORDS": f"aiorescue {words}", "COMP_CWORD": at}
    assert (await alone(**shell)).out.split() == [whole]


def test_an_export_of_a_journal_of_version_1_says_whose_each_pin_is(here):
    """Such a journal kept the tracking field, and no other one."""
    with closing(sqlite3.connect(here.folder / "j")) as journal:
        journal.executescript(
            """
            PRAGMA application_id = 0x52455351; PRAGMA user_version = 1;
            CREATE TABLE job (name TEXT NOT NULL, run INTEGER NOT NULL);
            CREATE TABLE request (key TEXT PRIMARY KEY, digest BLOB NOT NULL, run INTEGER NOT NULL,
                state INTEGER NOT NULL DEFAULT 0, pin TEXT, unseen INTEGER NOT NULL DEFAULT 0, error TEXT)
                WITHOUT ROWID;
            CREATE TABLE alike (digest BLOB PRIMARY KEY, run INTEGER NOT NULL, count INTEGER NOT NULL) WITHOUT ROWID;
            INSERT INTO job VALUES ('pins', 1);
            INSERT INTO request VALUES ('=CASE-1', x'00', 1, 2, '000001', 0, NULL);
            """
        )
        journal.commit()
    done = here("job", "export", "j")
    assert done.out.splitlines()[1] == ",,,,,,CASE-1,000001,issued,"


async def test_a_file_name_that_is_not_utf_8_has_a_job_which_is_the_same_in_every_locale(alone):
    for name in ("caf\udce9.csv", "café.csv"):
        (alone.folder / name).write_text("tracking\nA\n")
        command = ("pins", name, "--emulator", "--json", "-o", f"{name}.pins")
        first = await alone(*command)
        assert (first.status, first.json["issued"]) == (Status.OK, 1)
        latin = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
        again = await alone(*command, **latin)
        assert (again.status, again.json["from_journal"]) == (Status.OK, 1)
