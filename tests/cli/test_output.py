"""One place prints: commands return values, and `output.py` turns them into lines or JSON."""

import ast
import json
from pathlib import Path

import attrs
import pytest

import aiorescue.cli
from aiorescue import errors
from aiorescue.cli import output
from aiorescue.cli.status import Status
from aiorescue.rescue import PinCode

ROOM = Path(aiorescue.cli.__file__).parent
#: Files that may use stdout and stderr, and what for.
STREAMS = {
    "output.py": "prints results and errors",
    "stdio.py": "prepares and writes both",
    "progress.py": "asks whether stderr is a terminal, and draws a bar there",
}


@attrs.frozen
class Weather(output.CommandResult):
    town: str
    pin: PinCode

    def for_people(self):
        return [f"sunny in {self.town}"]

    def on_stderr(self, *, as_json):
        return [] if as_json else ["take a hat"]


def test_no_command_uses_stdout_or_stderr_by_itself():
    users = set()
    for path in ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            is_stream = isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr")
            if is_stream or (isinstance(node, ast.Name) and node.id == "print"):
                users.add(path.name)
    assert users == STREAMS.keys()


def test_a_result_is_lines_for_people_and_json_for_programs(capsys):
    result = Weather("Boston", PinCode("012345"))
    output.show(result, as_json=False)
    assert capsys.readouterr() == ("sunny in Boston\n", "take a hat\n")
    output.show(result, as_json=True)
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"town": "Boston", "pin": {"code": "012345", "possibly_orphaned": 0}}
    assert not printed.err


@pytest.mark.parametrize("as_json", [True, False])
def test_an_error_is_one_line_a_status_and_json_for_programs(capsys, as_json):
    problem = errors.ServiceError("closeSession: refused", operation="closeSession", status="ERROR")
    assert output.show_error(problem, as_json=as_json) == Status.SERVICE
    printed = capsys.readouterr()
    assert printed.err == "aiorescue: closeSession: refused\n"
    if not as_json:
        assert not printed.out
        return
    assert json.loads(printed.out) == {
        "error": {
            "type": "ServiceError",
            "message": "closeSession: refused",
            "operation": "closeSession",
            "status": "ERROR",
            "exit_status": Status.SERVICE,
        },
        "exit_status": Status.SERVICE,
        "exit_meaning": "the service is unreachable or failing",
    }
