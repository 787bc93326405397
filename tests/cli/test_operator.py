"""An operator's day: inputs that change, outputs that cannot be replaced, and questions to a job."""

import errno
import os
import shlex
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from aiorescue.cli.bulk.customers import Customers
from aiorescue.cli.status import Status
from aiorescue.rescue import RequestPinCode

JOB = ("pins", "customers.csv", "--emulator", "--pin-rate", "1000")


def lines_of(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def test_a_corrected_row_keeps_its_pin_a_new_one_is_added_and_one_that_vanished_is_told(here):
    given, output = here.folder / "customers.csv", here.folder / "pins.csv"
    given.write_text("custom_field_0,tracking\nJane,A\nJhon,B\nJim,C\n")
    assert here(*JOB).status == Status.OK
    pins = {line.split(",")[1]: line.split(",")[2] for line in lines_of(output)[1:]}
    given.write_text("custom_field_0,tracking\nJohn,B\nJane,A\nJoan,D\n")
    done = here(*JOB, "--json")
    assert (done.status, done.json["issued"], done.json["from_journal"]) == (Status.OK, 1, 2)
    assert "customers.csv: line 2: the row was corrected after its PIN was issued; it keeps that PIN" in done.err
    assert "1 row of an earlier run is not in the input any more" in done.err
    header, *rows = lines_of(output)
    assert header == "custom_field_0,tracking,pin,status,error"
    assert rows[:2] == [f"John,B,{pins['B']},issued,", f"Jane,A,{pins['A']},issued,"]
    assert rows[2].startswith("Joan,D,")
    assert rows[3] == f"Jim,C,{pins['C']},issued,", "no PIN that was in the output is missing"
    (here.folder / "copy.csv").write_text("tracking,pin\nX,123456\n")
    exported = here("job", "export", "pins.csv.journal", "-o", "copy.csv")
    assert exported.out == "4 rows in copy.csv\n"
    assert (
        exported.err
        == "aiorescue: the old copy.csv may hold PINs that this job does not have; it is kept as copy.csv.old1\n"
    )


@pytest.mark.parametrize("tracking", ["", "A"], ids=["without a tracking field", "with one"])
def test_a_column_that_is_added_and_empty_changes_no_row(here, tracking):
    given, output = here.folder / "customers.csv", here.folder / "pins.csv"
    given.write_text(f"custom_field_0,tracking\nJane,{tracking}\n")
    here(*JOB)
    pin = lines_of(output)[1].split(",")[2]
    given.write_text(f"custom_field_0,custom_field_1,tracking\nJane,,{tracking}\n")
    done = here(*JOB, "--json")
    assert (done.json["issued"], done.json["from_journal"], done.err) == (0, 1, "")
    assert lines_of(output)[1:] == [f"Jane,,{tracking},{pin},issued,"]


def test_the_rows_are_those_that_were_checked_whatever_becomes_of_the_file(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text("tracking\nA\nB\n")
    with closing(Customers.check(path)) as customers:
        path.write_text("tracking\nX\n")
        rows = list(customers.read(RequestPinCode, no_tech_console=True))
    assert [row.cells for row in rows] == [("A",), ("B",)]


def test_a_pipe_is_an_input_and_its_journal_lies_beside_the_output(here):
    pipe = here.folder / "fifo"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("tracking\nA\nB\n",))
    writer.start()
    done = here("pins", str(pipe), "--emulator", "--pin-rate", "1000", "--json")
    writer.join()
    assert (done.status, done.json["issued"]) == (Status.OK, 2)
    assert done.json["journal"] == "pins.csv.journal"


def test_columns_have_headers_of_the_users_own_and_others_are_carried_through(here):
    (here.folder / "customers.csv").write_text("Phone,Ticket No,Name\n555,T-1,Jane\n")
    done = here(*JOB, "--column", "tracking=Ticket No", "--column", "custom_field_0=Name")
    assert done.status == Status.OK
    header, row = lines_of(here.folder / "pins.csv")
    assert header == "Phone,Ticket No,Name,pin,status,error"
    assert row.startswith("555,T-1,Jane,")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("tracking",), "write it as --column tracking='Ticket No'"),
        (("traking=Ticket No",), "there is no column 'traking'; did you mean tracking?"),
        (("tracking=Ticket",), "customers.csv: there is no column 'Ticket'; did you mean Ticket No?"),
        (("tracking=Name", "tracking=Ticket No"), "'tracking' is given twice"),
        (("tracking=Name", "custom_field_0=Name"), "'Name' is given twice"),
    ],
)
def test_a_column_that_is_none_is_refused(here, options, told):
    (here.folder / "customers.csv").write_text("Ticket No,Name\nT-1,Jane\n")
    done = here(*JOB, *(word for option in options for word in ("--column", option)))
    assert done.status == Status.BAD_INPUT
    assert told in done.err


@pytest.mark.parametrize("header", ["Tracking", "tracking ", "TRACKING"])
def test_a_column_that_would_be_left_out_for_its_spelling_is_refused_beside_headers_of_the_users_own(here, header):
    (here.folder / "customers.csv").write_text(f"Name,{header}\nJane,T-1\n")
    done = here(*JOB, "--column", "custom_field_0=Name")
    assert done.status == Status.BAD_INPUT
    advice = done.err.rpartition("--column ")[2].strip()
    assert f"unknown column {header!r}; did you mean tracking?" in done.err
    done = here(*JOB, "--column", "custom_field_0=Name", "--column", *shlex.split(advice), "--json")
    assert (done.status, done.json["issued"]) == (Status.OK, 1)
    with closing(sqlite3.connect(here.folder / "pins.csv.journal")) as journal:
        assert journal.execute("SELECT key FROM request").fetchall() == [("=T-1",)]


def test_a_column_that_resembles_one_that_is_sent_is_carried_through(here):
    (here.folder / "customers.csv").write_text("Ticket,Tracking,Name\nT-1,by post,Jane\n")
    done = here(*JOB, "--column", "tracking=Ticket", "--column", "custom_field_0=Name")
    assert done.status == Status.OK
    assert lines_of(here.folder / "pins.csv")[1].startswith("T-1,by post,Jane,")


@pytest.mark.parametrize("command", ["status", "export", "failures", "retry"])
def test_the_output_in_place_of_the_journal_is_answered_with_its_name(here, command):
    (here.folder / "customers.csv").write_text("tracking\nA\n")
    assert here(*JOB).status == Status.OK
    output = here.folder / "pins.csv"
    for _ in ("an output", "none, as after a kill"):
        done = here("job", command, "pins.csv")
        assert done.status == Status.JOURNAL
        assert done.err == "aiorescue: journal pins.csv: it is not a journal; did you mean pins.csv.journal?\n"
        output.unlink(missing_ok=True)
    assert here("job", command, "pins.csv.journal").status == Status.OK


def test_an_input_that_has_a_column_of_the_output_is_refused(here):
    (here.folder / "customers.csv").write_text("tracking,pin\nA,1\n")
    done = here(*JOB)
    assert done.status == Status.BAD_INPUT
    assert "column 'pin' has the name of a column that the output adds; rename it" in done.err


def test_safe_csv_leaves_no_formula_and_no_command(here):
    (here.folder / "customers.csv").write_text('custom_field_0,note\n"=HYPERLINK(""x"")",\x1b[2J\n+1,@SUM\n')
    assert here(*JOB, "--safe-csv").status == Status.OK
    text = (here.folder / "pins.csv").read_text("utf-8")
    assert "\"'=HYPERLINK(" in text
    assert "\\x1b[2J" in text
    assert "'+1,'@SUM," in text


def test_questions_to_a_job_need_neither_credentials_nor_a_service(here):
    (here.folder / "customers.csv").write_text("custom_field_0,tracking\nJane,A\n" + "x" * 65 + ",B\n")
    assert here(*JOB).status == Status.SOME_FAILED
    journal = "pins.csv.journal"
    figures = here("job", "status", journal, "--json").json
    assert {name: figures[name] for name in ("rows", "issued", "failed", "bad", "left", "possibly_orphaned")} == {
        "rows": 2,
        "issued": 1,
        "failed": 0,
        "bad": 1,
        "left": 0,
        "possibly_orphaned": 0,
    }
    assert "2: 1 issued, 0 failed, 1 bad, 0 left" in here("job", "status", journal).out
    failures = here("job", "failures", journal, "--json").json
    assert [(row["line"], row["status"]) for row in failures["failures"]] == [(3, "bad")]
    assert here("job", "export", journal).out == (here.folder / "pins.csv").read_text("utf-8")
    assert here("job", "export", journal, "--json", "-o", "copy.csv").json == {
        "rows": 2,
        "output": "copy.csv",
        "exit_status": 0,
    }
    assert here("job", "export", journal, "--json").json["exit_status"] == 0
    assert here("job", "retry", journal, "--json").json["retried"] == 0


def test_a_journal_that_is_not_there_is_one_line(here):
    done = here("job", "status", "absent.journal")
    assert done.status == Status.JOURNAL
    assert done.err == "aiorescue: journal absent.journal: there is no such file\n"


@pytest.mark.parametrize("question", ["status", "export", "failures", "retry"])
def test_a_folder_is_no_journal_and_is_named(here, question):
    (here.folder / "jobs").mkdir()
    assert here("job", question, "jobs").err == "aiorescue: journal jobs: it is a folder; a journal is a file\n"
    assert here("job", question, "/").err == "aiorescue: journal /: it is a folder; a journal is a file\n"


def test_an_output_that_cannot_be_replaced_is_written_over(here, monkeypatch):
    def busy(self, _):
        raise OSError(errno.EBUSY, "Device or resource busy", str(self))

    (here.folder / "customers.csv").write_text("tracking\nA\n")
    output = here.folder / "pins.csv"
    output.write_text("something longer than what comes, from before\n" * 9)
    before = output.stat().st_ino
    monkeypatch.setattr(Path, "replace", busy)
    assert here(*JOB).status == Status.OK
    assert len(lines_of(output)) == 2
    assert output.stat().st_ino == before
    assert not [*here.folder.glob("*.part")]


@pytest.mark.parametrize("output", ["/dev/full", "/proc/pins.csv"])
def test_an_output_that_cannot_be_written_is_named_before_anything_is_sent(here, output):
    (here.folder / "customers.csv").write_text("tracking\nA\n")
    done = here(*JOB, "--output", output, "--journal", "j", "--json")
    assert done.status == Status.BAD_INPUT
    assert output in done.err.splitlines()[0]
    assert done.json.get("issued", 0) == 0


@pytest.mark.parametrize(
    "old",
    [
        "tracking,pin,status,error\nZ,087654,issued,\n",
        "tracking;pin;status;error\nZ;087654;issued;\n",
        '"tracking"\t"pin"\t"status"\t"error"\n"Z"\t"87654"\t"issued"\t""\n',
        '"your\nname";tracking;pin;status;error\nJane;Z;087654;issued;\n',
        "sep=,\ntracking,pin,status,error\nZ,087654,issued,\n",
        f"tracking,note,pin,status,error\nZ,{'x' * 2**17},087654,issued,\n",
        "a letter\n",
    ],
    ids=["as it was", "semicolons", "by a spreadsheet", "a title of two lines", "sep", "a long cell", "no output"],
)
def test_pins_of_another_job_in_the_output_are_kept(here, old):
    (here.folder / "customers.csv").write_text("tracking\nA\n")
    (here.folder / "pins.csv").write_text(old)
    done = here(*JOB)
    assert "the old pins.csv may hold PINs that this job does not have; it is kept as pins.csv.old1" in done.err
    assert (here.folder / "pins.csv.old1").read_text() == old


def test_rows_go_to_stdout_and_figures_to_stderr_where_the_output_is_a_dash(here):
    (here.folder / "customers.csv").write_text("tracking\nA\n")
    done = here(*JOB, "--output", "-")
    assert done.out.startswith("tracking,pin,status,error\nA,")
    assert done.out.count("\n") == 2
    assert "1 PIN issued" in done.err
    assert (here.folder / "customers.csv.journal").exists()


def test_a_quiet_command_says_nothing_that_the_output_says(here):
    (here.folder / "customers.csv").write_text("tracking\nA\n")
    done = here(*JOB, "-q")
    assert (done.status, done.out, done.err) == (Status.OK, "", "")


def test_a_journal_is_never_replaced_by_an_output(here):
    (here.folder / "customers.csv").write_text("tracking\nA\n")
    here(*JOB)
    before = (here.folder / "pins.csv.journal").read_bytes()
    for arguments in (
        ("job", "export", "pins.csv.journal", "-o", "pins.csv.journal"),
        ("pins", "customers.csv", "--emulator", "-o", "pins.csv.journal"),
        (*JOB, "-o", "other.csv", "--report", "pins.csv.journal"),
    ):
        done = here(*arguments)
        assert done.status == Status.BAD_INPUT
        assert done.err == (
            "aiorescue: pins.csv.journal is a database, such as a journal, and is never replaced; name another\n"
        )
        assert (here.folder / "pins.csv.journal").read_bytes() == before


def test_an_export_into_a_folder_that_is_not_there_names_the_file(here):
    (here.folder / "customers.csv").write_text("tracking\nA\n")
    here(*JOB)
    done = here("job", "export", "pins.csv.journal", "-o", "nowhere/x.csv")
    assert (done.status, done.err) == (Status.BAD_INPUT, "aiorescue: nowhere/x.csv: No such file or directory\n")


def test_an_old_output_in_another_encoding_is_kept_and_an_empty_one_is_not(here):
    (here.folder / "customers.csv").write_text("tracking\nA\n")
    (here.folder / "pins.csv").write_text("tracking,pin,status,error\nZ,087654,issued,\n", encoding="utf-16")
    assert "it is kept as pins.csv.old1" in here(*JOB).err
    (here.folder / "pins.csv").write_text("")
    assert "it is kept" not in here(*JOB).err
