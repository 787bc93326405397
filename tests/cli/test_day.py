"""What happens to a job within a day: the service goes away, sessions end, the process is killed, an operator asks."""

import resource
import shutil

from aiorescue.bulk import Journal
from aiorescue.cli.status import Status
from aiorescue.rescue import RequestPinCode
from tests.cli.customer_rows import FAST, rows


async def test_an_outage_of_the_service_fails_no_row(command, service):
    command.write(rows(20))
    service.fault("http", "requestPINCode", status=503, times=10_000)
    process = await command.start("pins", "customers.csv", *FAST, "--json")
    assert b"the service is away" in await process.stderr.readline(), "the log is for those who ask for it"
    service.faults.clear()
    done = await command.ended(process)
    assert (done.status, done.json["issued"], done.json["failed"]) == (Status.OK, 20, 0)
    assert "the service is back after" in done.err


async def test_an_outage_that_outlasts_the_patience_leaves_the_rest(command, service):
    command.write(rows(20))
    service.fault("http", "requestPINCode", status=503, times=10_000)
    done = await command("pins", "customers.csv", *FAST, "--patience", "1", "--json")
    assert (done.status, done.json["left"], done.json["failed"]) == (Status.SERVICE, 20, 0)


async def test_a_session_that_ends_in_the_middle_is_opened_anew(command, service):
    command.write(rows(10))
    service.fault("expire", "requestPINCode", times=1)
    done = await command(
        *("pins", "customers.csv", *FAST, "--json"),
        RESCUE_AUTH_CODE="",
        RESCUE_EMAIL="tech@example.com",
        RESCUE_PASSWORD="secret",
    )
    assert (done.status, done.json["issued"]) == (Status.OK, 10)


async def test_a_refused_identity_is_named_for_programs(command):
    command.write(rows(200))
    done = await command("pins", "customers.csv", *FAST, "--json", RESCUE_AUTH_CODE="hunter2 fixedsecond0000")
    assert (done.status, done.json["refused_callers"]) == (Status.OK, ["auth code 1"])
    assert "hunter2" not in done.out + done.err


async def test_when_all_callers_are_refused_each_is_named_and_none_went_on(command):
    command.write(rows(3))
    done = await command("pins", "customers.csv", *FAST, "--json", RESCUE_AUTH_CODE="hunter2 hunter3")
    assert (done.status, done.json["refused_callers"]) == (Status.REFUSED, ["auth code 1", "auth code 2"])
    assert [line[:34] for line in done.err.splitlines()] == [
        "aiorescue: auth code 1 is refused:",
        "aiorescue: auth code 2 is refused:",
    ]


async def test_a_job_answers_while_it_runs_and_after_it_was_killed(command, slow_service, until):
    command.write(rows(600))
    process = await command.start("pins", "customers.csv", "--pin-rate", "20")
    await until(lambda: len(slow_service.ledger) >= 5)
    running = (await command("job", "status", "pins.csv.journal", "--json", RESCUE_AUTH_CODE="")).json
    assert running["rows"] == running["issued"] + running["left"] == 600
    process.kill()
    await process.communicate()
    killed = (await command("job", "status", "pins.csv.journal", "--json", RESCUE_AUTH_CODE="")).json
    assert not killed["running"]
    assert killed["issued"] >= running["issued"]
    assert len(slow_service.ledger) - killed["issued"] <= killed["possibly_orphaned"]
    assert sum(row["possibly_orphaned"] for row in killed["orphans"]) == killed["possibly_orphaned"]
    exported = await command("job", "export", "pins.csv.journal", "--json", RESCUE_AUTH_CODE="")
    pins = {entry.tracking: entry.pin for entry in slow_service.ledger}
    assert all(pins[row["tracking"]] == row["pin"] for row in exported.json["rows"] if row["pin"])


async def test_failed_rows_are_listed_and_made_ready_again(command, service):
    command.write(rows(5))
    service.fault("unknown_word", "requestPINCode")
    await command("pins", "customers.csv", *FAST)
    failures = (await command("job", "failures", "pins.csv.journal", "--json")).json
    assert (failures["failed"], failures["failures"][0]["status"]) == (1, "failed")
    assert (await command("job", "retry", "pins.csv.journal", "--json")).json["retried"] == 1
    assert (await command("job", "status", "pins.csv.journal", "--json")).json["left"] == 1


async def test_a_second_command_on_a_journal_says_who_works_on_it_and_nothing_of_what_is_left(command):
    command.write(rows(3))
    async with Journal(command.folder / "pins.csv.journal", "the job of another process"):
        done = await command("pins", "customers.csv", *FAST)
    assert done.status == Status.JOURNAL
    assert done.err == (
        "aiorescue: journal pins.csv.journal: in use by another process;"
        " to see how far it is: aiorescue job status pins.csv.journal\n"
    )


async def test_a_journal_that_is_deleted_under_a_job_costs_no_pin(command, slow_service, until):
    command.write(rows(100))
    journal = command.folder / "pins.csv.journal"
    process = await command.start("pins", "customers.csv", "--pin-rate", "20")
    await until(lambda: len(slow_service.ledger) >= 5)
    journal.unlink()
    done = await command.ended(process)
    assert done.status == Status.JOURNAL
    assert "was deleted or replaced while the job ran. What was in it is there again" in done.err
    assert "journal:" not in done.out
    slow_service.limits.pin_rate = None
    again = await command("pins", "customers.csv", *FAST, "--json")
    assert (again.status, again.json["issued"] + again.json["from_journal"]) == (Status.OK, 100)
    assert again.json["from_journal"] >= 4
    assert len(slow_service.ledger) - 100 <= again.json["possibly_orphaned"] <= 3


async def test_a_journal_that_vanished_with_its_folder_is_where_the_message_says(command, slow_service, until):
    command.write(rows(100))
    folder, kept = command.folder / "away", command.folder / "kept"
    folder.mkdir()
    kept.mkdir()
    files = ("--output", "away/pins.csv", "--json")
    process = await command.start("pins", "customers.csv", "--pin-rate", "20", *files, TMPDIR=str(kept))
    await until(lambda: len(slow_service.ledger) >= 5)
    folder.rename(command.folder / "gone")  # at once, where the command might remove a file of it meanwhile
    done = await command.ended(process)
    assert (done.status, done.json["output"]) == (Status.JOURNAL, None)
    saved = kept / "pins.csv.journal.saved1"
    assert f"What was in it is in {saved}: move it to away/pins.csv.journal" in done.err
    assert "To go on" not in done.err
    status = (await command("job", "status", str(saved), "--json")).json
    assert status["issued"] >= 4
    assert len(slow_service.ledger) - status["issued"] <= status["possibly_orphaned"]


async def test_out_of_pins_says_of_the_only_identity_nothing_about_others(command, service):
    command.write(rows(3))
    service.limits.pins_left = 1
    done = await command("pins", "customers.csv", *FAST)
    assert done.status == Status.OUT_OF_PINS
    assert "other identities" not in done.err


async def test_the_orphans_of_rows_add_up_where_a_repeated_attempt_was_killed(command):
    running, killed = command.folder / "running", command.folder / "killed"
    async with Journal(running, "job") as journal:
        entries = await journal.admit([RequestPinCode(tracking=name) for name in "AB"])
        for entry in (*entries, entries[0]):
            await journal.sent(entry.key)
        for ending in ("", "-wal"):
            shutil.copy(f"{running}{ending}", f"{killed}{ending}")
    status = (await command("job", "status", str(killed), "--json", RESCUE_AUTH_CODE="")).json
    assert status["possibly_orphaned"] == 3
    assert [(row["tracking"], row["possibly_orphaned"]) for row in status["orphans"]] == [("A", 2), ("B", 1)]


async def test_a_summary_counts_what_was_sent_when_the_disk_became_full_as_possibly_orphaned(command, service):
    command.write(rows(700))
    process = await command.start("pins", "customers.csv", *FAST, "--json")
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (200_000, 200_000))  # stands for a full disk
    done = await command.ended(process)
    assert done.status == Status.JOURNAL
    status = (await command("job", "status", "pins.csv.journal", "--json")).json
    assert done.json["possibly_orphaned"] == status["possibly_orphaned"] > 0
    assert len(service.ledger) <= status["issued"] + status["possibly_orphaned"]
