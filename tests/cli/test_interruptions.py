"""`aiorescue pins`: what ends a run early loses no PIN, and the same command goes on."""

import signal
from contextlib import suppress

from aiorescue.cli.status import Status
from tests.cli.customer_rows import FAST, rows


async def test_ctrl_c_finishes_what_is_in_flight_and_the_same_command_goes_on(command, slow_service, until):
    command.write(rows(60))
    arguments = ("pins", "customers.csv", "--output", "pins.csv", "--pin-rate", "20")
    process = await command.start(*arguments)
    await until(lambda: len(slow_service.ledger) >= 5)
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert process.returncode == Status.INTERRUPTED
    issued = {entry.tracking: entry.pin for entry in slow_service.ledger}
    assert 5 <= len(issued) < 60
    assert {row["tracking"]: row["pin"] for row in command.rows() if row["pin"]} == issued
    assert [row["status"] for row in command.rows()].count("left") == 60 - len(issued)
    assert f"To go on: aiorescue {' '.join(arguments)}" in err.decode()
    assert f"{60 - len(issued)} of 60 rows are left" in err.decode()
    slow_service.limits.pin_rate = None
    done = await command("pins", "customers.csv", "--output", "pins.csv", *FAST, "--json")
    assert (done.status, done.json["from_journal"]) == (Status.OK, len(issued))
    assert len(slow_service.ledger) == 60
    assert {row["tracking"]: row["pin"] for row in command.rows()} == {e.tracking: e.pin for e in slow_service.ledger}


async def test_two_signals_leave_at_once_and_leaves_the_output_alone(command, service, until):
    command.write(rows(60))
    old = command.write("old\n", "pins.csv")
    service.fault("delay_before", "requestPINCode", times=100, seconds=60.0)
    process = await command.start("pins", "customers.csv", *FAST)
    await until(lambda: service.requests.count >= 1)
    process.send_signal(signal.SIGTERM)
    assert b"interrupted" in await process.stderr.readline()
    process.send_signal(signal.SIGINT)  # at any moment: the same signal, come at once, would be an echo
    _, err = await process.communicate()
    assert process.returncode == Status.INTERRUPTED
    assert "To go on: aiorescue pins customers.csv" in err.decode()
    assert old.read_text() == "old\n"


async def test_a_second_signal_while_the_output_is_written_leaves_no_part_of_it(command, slow_service, until):
    header, *lines = rows(3000).splitlines()
    command.write("\n".join([f"{header},note", *(f"{line},{'x' * 2000}" for line in lines)]))
    process = await command.start("pins", "customers.csv", "--pin-rate", "20")
    await until(lambda: slow_service.ledger)
    process.send_signal(signal.SIGTERM)
    await until(lambda: process.returncode is not None or any(command.folder.glob("*.part")))
    with suppress(ProcessLookupError):  # a fast disk
        process.send_signal(signal.SIGINT)
    await process.communicate()
    assert process.returncode in (Status.INTERRUPTED, 128 + signal.SIGTERM)
    assert not any(command.folder.glob("*.part"))


async def test_a_kill_leaves_the_old_output_whole_and_loses_no_pin(command, slow_service, until):
    command.write(rows(40))
    old = command.write("old\n", "pins.csv")
    process = await command.start("pins", "customers.csv", "--pin-rate", "20")
    await until(lambda: len(slow_service.ledger) >= 20)
    process.kill()
    await process.communicate()
    assert old.read_text() == "old\n"
    slow_service.limits.pin_rate = None
    done = await command("pins", "customers.csv", *FAST, "--json")
    assert done.status == Status.OK
    assert done.json["from_journal"] >= 15
    pins = {entry.pin for entry in slow_service.ledger}
    assert {row["pin"] for row in command.rows()} <= pins
    assert len(pins) - 40 <= done.json["possibly_orphaned"]


async def test_refused_credentials_are_one_line_with_a_status_and_no_secret(command, service):
    command.write(rows(5))
    old = command.write("old\n", "pins.csv")
    done = await command("pins", "customers.csv", *FAST, RESCUE_AUTH_CODE="hunter2hunter2")
    assert done.status == Status.REFUSED
    assert "Invalid_SecretAuthCode" in done.err.splitlines()[0]
    assert "hunter2" not in done.out + done.err
    assert "Traceback" not in done.err
    assert old.read_text() == "old\n"
    assert not service.ledger


async def test_refused_credentials_are_json_where_asked_for(command):
    command.write(rows(1))
    done = await command("pins", "customers.csv", "--json", RESCUE_AUTH_CODE="hunter2hunter2")
    assert done.json["error"]["type"] == "AuthenticationError"
    assert done.json["exit_status"] == done.status == Status.REFUSED
    assert "hunter2" not in done.out + done.err


async def test_no_credentials_and_no_terminal_is_one_clear_line(command, service):
    command.write(rows(1))
    done = await command("pins", "customers.csv", RESCUE_AUTH_CODE="")
    assert done.status == Status.REFUSED
    assert done.err == (
        "aiorescue: no credentials: set RESCUE_AUTH_CODE, or RESCUE_EMAIL and RESCUE_PASSWORD"
        " (there is no terminal to ask on)\n"
    )
    assert service.requests.count == 0


async def test_a_password_from_the_environment_logs_in_and_is_shown_nowhere(command, service):
    command.write(rows(2))
    done = await command(
        "pins", "customers.csv", *FAST, RESCUE_AUTH_CODE="", RESCUE_EMAIL="tech@example.com", RESCUE_PASSWORD="secret"
    )
    assert done.status == Status.OK
    assert service.requests.by_operation["login"] >= 1
    journal = (command.folder / "pins.csv.journal").read_bytes()
    assert "secret" not in done.out + done.err
    assert b"secret" not in journal


async def test_out_of_pins_keeps_what_there_was_and_says_how_to_go_on(command, service):
    command.write(rows(10))
    service.limits.pins_left = 4
    done = await command("pins", "customers.csv", *FAST)
    assert done.status == Status.OUT_OF_PINS
    assert [row["status"] for row in command.rows()].count("issued") == 4
    assert "OutOfPINCodes" in done.err
    assert "To go on:" in done.err
    service.limits.pins_left = None
    assert (await command("pins", "customers.csv", *FAST)).status == Status.OK
    assert len(command.rows()) == len(service.ledger) == 10


async def test_a_service_that_cannot_be_reached_is_one_line(command):
    command.write(rows(1))
    done = await command("pins", "customers.csv", "--patience", "0", RESCUE_BASE_URL="http://127.0.0.1:1")
    assert done.status == Status.SERVICE
    assert "127.0.0.1:1" in done.err
    assert "Traceback" not in done.err


async def test_a_service_that_keeps_failing_is_left_alone_until_the_same_command_is_run_again(command, service):
    command.write(rows(400))
    service.fault("unknown_word", "requestPINCode", times=10_000)
    done = await command("pins", "customers.csv", *FAST)
    assert done.status == Status.SERVICE
    assert service.requests.count < 200
    service.faults.clear()
    done = await command("pins", "customers.csv", *FAST, "--json")
    assert (done.status, len(service.ledger)) == (Status.OK, 400)
