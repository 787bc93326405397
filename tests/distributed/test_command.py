"""The command on a job in a database: submit, work, status, export, failures, retry."""

import csv
import io
import json
import signal
import subprocess
import time

import pytest

from aiorescue.cli.app import run
from tests.cli.conftest import COMMAND


@pytest.fixture
def environment(database, rescue_emulator, monkeypatch, tmp_path):
    rescue_emulator.limits.pin_rate = 50.0
    monkeypatch.setenv("RESCUE_DATABASE", database)
    monkeypatch.setenv("RESCUE_BASE_URL", rescue_emulator.url)
    monkeypatch.setenv("RESCUE_AUTH_CODE_NORTH", "fixedtech0000")
    (tmp_path / "c.csv").write_text("custom_field_0,tracking,town\nJane,T1,Rome\nJoe,T2,Oslo\n,T2,Bern\n")
    return tmp_path / "c.csv"


def test_a_job_is_submitted_worked_on_and_exported_by_its_name(environment, capsys):
    assert run(["job", "submit", str(environment), "--job", "spring", "--identities", "north"]) == 0
    assert run(["job", "work", "--until-done", "--pin-rate", "50"]) == 0
    capsys.readouterr()
    assert run(["job", "status", "spring", "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert [status[name] for name in ("rows", "issued", "bad", "left", "possibly_orphaned")] == [3, 2, 1, 0, 0]
    assert run(["job", "export", "spring"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["town"], row["status"], bool(row["pin"])) for row in rows] == [
        ("Rome", "issued", True),
        ("Oslo", "issued", True),
        ("Bern", "bad", False),
    ]
    assert run(["job", "retry", "spring"]) == 0


def test_a_worker_that_is_done_says_whose_rows_are_done(environment, capsys):
    assert run(["job", "submit", str(environment), "--job", "spring", "--identities", "North"]) == 0
    assert run(["job", "work", "--until-done"]) == 0
    assert capsys.readouterr().out.endswith("no row of these identities is left: NORTH, north\n")


def test_a_second_signal_ends_a_worker_at_once_with_one_line(environment, rescue_emulator):
    assert run(["job", "submit", str(environment), "--job", "spring", "--identities", "north"]) == 0
    rescue_emulator.fault("delay_before", "requestPINCode", seconds=60.0)
    with subprocess.Popen((COMMAND, "job", "work"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as work:
        while not rescue_emulator.requests.by_operation["requestPINCode"]:
            time.sleep(0.01)
        work.send_signal(signal.SIGTERM)
        work.send_signal(signal.SIGINT)
        assert work.communicate() == ("", "aiorescue: interrupted\n")
        assert work.returncode in (128 + signal.SIGTERM, 128 + signal.SIGINT)


@pytest.mark.usefixtures("environment")
def test_a_password_in_an_argument_and_a_missing_identity_are_refused(capsys, monkeypatch):
    for url in (
        *("postgresql://u:secret@127.0.0.1/x", "postgresql://u:sec/secret@127.0.0.1/x"),
        *("user=u password = secret", "user=u\npassword=secret"),
    ):
        assert run(["job", "status", "spring", "--database", url]) == 2
        assert "others can read a password" in (message := capsys.readouterr().err)
        assert "secret" not in message
    monkeypatch.delenv("RESCUE_AUTH_CODE_NORTH")
    assert run(["job", "work"]) != 0
    assert "RESCUE_AUTH_CODE_NAME" in capsys.readouterr().err
