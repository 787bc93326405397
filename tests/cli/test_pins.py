"""`aiorescue pins`: every row gets its PIN, once, and the output says so."""

import csv
import os
from pathlib import Path

import pytest

from aiorescue.cli.status import Status
from tests.cli.customer_rows import FAST, rows

EXAMPLE = Path(__file__).parents[2] / "examples" / "customers.csv"


async def test_every_row_gets_the_pin_that_the_service_issued_for_it(command, service):
    command.write(EXAMPLE.read_bytes())
    done = await command("pins", "customers.csv", "--output", "pins.csv", *FAST)
    assert (done.status, done.err) == (Status.OK, "")
    given, issued = command.rows("customers.csv"), command.rows()
    by_tracking = {entry.tracking: entry for entry in service.ledger}
    assert len(issued) == len(given) == len(service.ledger) >= 20
    assert [row["tracking"] for row in issued] == [row["tracking"] for row in given], "in the input's order"
    for row in issued:
        entry = by_tracking[row["tracking"]]
        assert row["pin"] == entry.pin
        assert len(row["pin"]) == 6
        assert (row["status"], row["error"]) == ("issued", "")
        assert entry.custom_fields[:3] == tuple(row[f"custom_field_{i}"] for i in range(3))
        assert {k: v for k, v in row.items() if k not in ("pin", "status", "error")} in given
    assert "20 PINs issued" in done.out
    assert "pins.csv.journal" in done.out


async def test_the_example_runs_on_an_emulator_of_its_own_without_any_environment(alone):
    done = await alone("pins", str(EXAMPLE), "--emulator")
    assert (done.status, done.err) == (Status.OK, "")
    assert len(alone.rows()) == 20


async def test_the_same_command_again_issues_nothing_and_completes_the_output_again(command, service):
    command.write(rows(10))
    await command("pins", "customers.csv", *FAST)
    first = command.rows()
    (command.folder / "pins.csv").unlink()
    same_service = f"{service.url}/"
    done = await command("pins", "customers.csv", *FAST, "--json", RESCUE_BASE_URL=same_service)
    assert done.status == Status.OK
    assert done.json["from_journal"] == 10
    assert done.json["issued"] == 0
    assert len(service.ledger) == 10
    assert sorted(map(str, command.rows())) == sorted(map(str, first))


async def test_rows_without_tracking_are_resumed_by_their_fields(command, service):
    command.write("custom_field_0\nJane\nJane\nJohn\n")
    await command("pins", "customers.csv", *FAST)
    done = await command("pins", "customers.csv", *FAST, "--json")
    assert (done.json["from_journal"], len(service.ledger)) == (3, 3)


async def test_a_row_that_failed_is_reported_and_asked_for_again_by_the_same_command(command, service):
    command.write(rows(5))
    service.fault("unknown_word", "requestPINCode")
    done = await command("pins", "customers.csv", *FAST)
    assert done.status == Status.SOME_FAILED
    assert "1 failed" in done.out
    assert "Flabbergasted" in done.err
    assert "To go on: aiorescue pins customers.csv" in done.err
    failed = [row for row in command.rows() if row["status"] == "failed"]
    assert len(failed) == 1
    assert not failed[0]["pin"]
    again = await command("pins", "customers.csv", *FAST, "--json")
    assert (again.status, again.json["issued"], again.json["from_journal"]) == (Status.OK, 1, 4)
    assert all(row["pin"] for row in command.rows())


async def test_pins_that_may_be_lost_on_the_way_are_counted(command, service):
    command.write(rows(3))
    service.fault("drop_after", "requestPINCode")
    done = await command("pins", "customers.csv", *FAST)
    assert done.status == Status.OK
    assert "1 possibly orphaned" in done.out
    assert len(service.ledger) == 4
    assert len(command.rows()) == 3


async def test_lens_pins_are_asked_for_as_such_and_no_console_is_needed(command, service):
    command.write(rows(2))
    assert (await command("pins", "customers.csv", "--lens", *FAST)).status == Status.OK
    assert {(e.operation, e.no_tech_console) for e in service.ledger} == {("requestLensPINCodeV2", True)}


async def test_tech_console_lets_the_service_insist_on_one(command, service):
    command.write(rows(2))
    done = await command("pins", "customers.csv", "--tech-console", *FAST, RESCUE_AUTH_CODE="fixedoffline0000")
    assert done.status == Status.SOME_FAILED
    assert "NoTechConsoleRunning" in done.err
    assert not service.ledger


async def test_the_binding_is_strict(command, service):
    command.write(rows(2))
    assert (await command("pins", "customers.csv", "--binding", "TEXT_POST", *FAST)).status == Status.OK
    assert {entry.binding for entry in service.requests} == {"text-post"}


async def test_a_binding_that_the_operation_lacks_is_refused_before_anything_is_sent(command, service):
    command.write(rows(2))
    done = await command("pins", "customers.csv", "--lens", "--binding", "text-post")
    assert done.status == Status.BAD_INPUT
    assert "requestLensPINCodeV2 is not offered over TEXT_POST" in done.err
    assert service.requests.count == 0


async def test_several_auth_codes_are_several_identities(command, service):
    command.write(rows(40))
    done = await command("pins", "customers.csv", *FAST, RESCUE_AUTH_CODE="fixedtech0000, fixedsecond0000")
    assert done.status == Status.OK
    assert {entry.user for entry in service.ledger} == {"tech@example.com", "second@example.com"}
    assert len(service.ledger) == 40


async def test_a_refused_identity_loses_no_row_of_the_others(command, service):
    command.write(rows(2000))
    done = await command("pins", "customers.csv", "--pin-rate", "5000", RESCUE_AUTH_CODE="hunter2 fixedsecond0000")
    assert done.status == Status.OK
    assert "auth code 1 is refused, the other identities went on" in done.err
    assert "hunter2" not in done.err
    assert {entry.tracking for entry in service.ledger} == {f"CASE-{i}" for i in range(2000)}


async def test_a_byte_order_mark_is_read_and_kept(command, service):
    command.write(b"\xef\xbb\xbf" + rows(2).encode())
    assert (await command("pins", "customers.csv", *FAST)).status == Status.OK
    assert (
        (command.folder / "pins.csv").read_bytes().startswith(b"\xef\xbb\xbfcustom_field_0,tracking,pin,status,error\n")
    )
    assert {entry.tracking for entry in service.ledger} == {"CASE-0", "CASE-1"}


async def test_json_is_one_object_with_the_summary(command):
    command.write(rows(3) + "x" * 65 + ",CASE-X\n")
    done = await command("pins", "customers.csv", *FAST, "--json")
    summary = done.json
    assert done.status == summary["exit_status"] == Status.SOME_FAILED
    assert {name: summary[name] for name in ("rows", "issued", "failed", "bad_rows", "complete", "error")} == {
        "rows": 4,
        "issued": 3,
        "failed": 0,
        "bad_rows": 1,
        "complete": True,
        "error": None,
    }
    assert (summary["output"], summary["journal"]) == ("pins.csv", "pins.csv.journal")


async def test_nothing_but_plain_lines_is_written_where_there_is_no_terminal(command):
    command.write(rows(3))
    done = await command("pins", "customers.csv", *FAST)
    assert not done.err
    assert "\x1b" not in done.out
    assert "\r" not in done.out


async def test_only_the_owner_may_read_new_pins(command):
    command.write(rows(1))
    await command("pins", "customers.csv", *FAST)
    assert (command.folder / "pins.csv").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("url", ["http://rescue.example.com", "rescue.example.com"])
async def test_an_address_that_is_refused_leaves_no_journal_behind_that_belongs_to_it(command, url):
    command.write(rows(1))
    done = await command("pins", "customers.csv", RESCUE_BASE_URL=url)
    assert done.status == Status.BAD_INPUT
    assert url in done.err
    assert not (command.folder / "pins.csv.journal").exists()


def test_an_emulator_that_goes_on_with_a_job_repeats_no_pin_and_issues_the_same_each_time(here):
    # Each emulator is a new one, while the journal keeps the PINs of those before.
    sheet = here.folder / "customers.csv"
    pins = []
    for journal in ("first", "second"):
        for count in (20, 30, 40):
            sheet.write_text(rows(count))
            done = here("pins", "customers.csv", "--emulator", "--pin-rate", "1000", "--json", "--journal", journal)
            assert (done.status, done.json["possibly_orphaned"]) == (Status.OK, 0)
        with (here.folder / "pins.csv").open(encoding="utf-8", newline="") as file:
            pins.append({row["pin"] for row in csv.DictReader(file)})
    assert pins[0] == pins[1]
    assert len(pins[0]) == 40


async def test_the_journal_of_an_emulator_is_refused_for_the_service(command, service):
    command.write(rows(2))
    await command("pins", "customers.csv", "--emulator")
    before = (command.folder / "pins.csv").read_bytes()
    done = await command("pins", "customers.csv", *FAST)
    assert done.status == Status.JOURNAL
    assert "the emulator" in done.err
    assert "choose another --journal or --output" in done.err
    assert "To go on" not in done.err, "it would end the same way"
    assert service.requests.count == 0
    assert (command.folder / "pins.csv").read_bytes() == before


async def test_an_input_that_was_renamed_is_told_to_take_its_old_name_before_it_is_asked_for_anew(command, service):
    await command("pins", command.write(rows(2)).name, *FAST)
    done = await command("pins", command.write(rows(2), "renamed.csv").name, *FAST)
    assert (done.status, len(service.ledger)) == (Status.JOURNAL, 2)
    assert "if only the input was renamed, give it the old name" in done.err


async def test_the_journal_of_the_service_is_refused_for_an_emulator(command):
    command.write(rows(2))
    await command("pins", "customers.csv", *FAST)
    assert (await command("pins", "customers.csv", "--emulator")).status == Status.JOURNAL


async def test_a_file_that_is_no_journal_is_refused_and_left_alone(command, service):
    command.write(rows(2))
    notes = command.write("dear diary\n" * 100, "notes.txt")
    done = await command("pins", "customers.csv", "--journal", "notes.txt")
    assert done.status == Status.JOURNAL
    assert "notes.txt" in done.err
    assert "choose another --journal or --output" in done.err
    assert "To go on" not in done.err, "it would end the same way"
    assert notes.read_text() == "dear diary\n" * 100
    assert service.requests.count == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("customers.csv", "--output", "customers.csv"),
        ("customers.csv", "--journal", "customers.csv"),
        ("customers.csv", "--output", "x.csv", "--journal", "./x.csv"),
        ("customers.csv", "--output", "nowhere/pins.csv"),
        ("customers.csv", "--output", "."),
        ("customers.csv", "--pin-rate", "0"),
        ("customers.csv", "--pin-rate", "nan"),
        ("customers.csv", "--binding", "soap13"),
        ("customers.csv", "--password", "hunter2"),
        ("absent.csv",),
        (),
    ],
)
def test_bad_usage_is_one_line_and_changes_nothing(here, arguments):
    given = here.folder / "customers.csv"
    given.write_text(rows(2))
    done = here("pins", *arguments)
    assert done.status == Status.BAD_INPUT
    assert done.err.startswith("aiorescue: ")
    assert done.err.count("\n") == 1
    assert not done.out
    assert [path.name for path in here.folder.iterdir()] == ["customers.csv"]
    assert given.read_text() == rows(2)


def test_bad_usage_is_json_where_asked_for(here):
    done = here("pins", "absent.csv", "--json")
    assert done.json["error"]["message"] == "absent.csv: No such file or directory"
    assert done.json["exit_status"] == done.status == Status.BAD_INPUT


async def test_a_terminal_gets_a_bar_with_count_rate_and_the_time_left(command):
    command.write(rows(5))
    master, slave = os.openpty()
    process = await command.start_on(slave, "pins", "customers.csv", *FAST)
    os.close(slave)
    out, _ = await process.communicate()
    shown = os.read(master, 100_000).decode()
    os.close(master)
    assert process.returncode == Status.OK
    assert "5/5" in shown
    assert "PINs/s" in shown
    assert "0:00 left" in shown
    assert "\x1b[?25h" in shown, "the cursor is back"
    assert "5 PINs issued" in out.decode()
