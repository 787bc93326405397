"""Signals at every stage of the command: while it is imported, starts a loop, reads its input, or prints its result."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from aiorescue.cli.status import MEANING, Status
from tests.cli.conftest import COMMAND

SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"]


def python(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a program in a Python of its own."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


#: Sends itself a signal when typer is looked for.
WHILE_IMPORTED = """
    import signal, sys
    from aiorescue.cli import main

    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name == "typer":
                signal.raise_signal(signal.{name})

    sys.meta_path.insert(0, Finder())
    main()
"""
#: Sends itself SIGINT when the first module of the command is looked for.
BEFORE_IT_IS_IMPORTED = """
    import signal, sys

    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name == "aiorescue.cli":
                signal.raise_signal(signal.SIGINT)

    sys.meta_path.insert(0, Finder())
    from aiorescue.__main__ import main
    main()
"""
#: Sends itself a signal while the event loop is made.
WHILE_A_LOOP_IS_MADE = """
    import asyncio, signal, sys
    from aiorescue.cli import signals

    class Policy(asyncio.DefaultEventLoopPolicy):
        def new_event_loop(self):
            signal.raise_signal(signal.{name})
            return super().new_event_loop()

    async def work():
        print("began")
        await asyncio.sleep(60)

    asyncio.set_event_loop_policy(Policy())
    try:
        with signals.raised():
            signals.run(work())
    except signals.Interrupted as problem:
        sys.exit(128 + problem.number)
"""
#: Sends itself two signals while a thread works that does not end.
WHILE_A_THREAD_IS_STUCK = """
    import asyncio, os, signal, time
    from aiorescue.cli import signals

    def be_stuck():
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.5)
        time.sleep(60)

    signals.run(asyncio.to_thread(be_stuck))
"""
#: Sends itself a signal on an event loop that handles none, as those of Windows.
WITHOUT_HANDLERS = """
    import asyncio, signal, sys
    from aiorescue.cli import signals

    def refuse(*_):
        raise NotImplementedError  # what the event loops of Windows raise

    asyncio.SelectorEventLoop.add_signal_handler = refuse

    async def work():
        asyncio.get_running_loop().call_later(0.01, signal.raise_signal, signal.{name})
        await asyncio.sleep(30)

    try:
        signals.run(work())
    except signals.Interrupted as problem:
        sys.exit(128 + problem.number)
"""
#: Sends itself a signal a number of times: twice is what ``timeout`` does.
SENT_AGAIN_AND_AGAIN = """
    import asyncio, os, signal, sys
    from aiorescue.cli import signals

    def say(how):
        print("left", how, flush=True)
        os._exit(0)

    async def work():
        with signals.on_signal(lambda number: None, lambda number: say("at once")):
            for _ in range(int(sys.argv[1])):
                signal.raise_signal(signal.SIGTERM)
                await asyncio.sleep(0.001)
        say("in time")

    signals.run(work())
"""


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_ends_a_command_on_an_event_loop_that_handles_none(name):
    done = python(WITHOUT_HANDLERS.format(name=name))
    assert (done.returncode, done.stderr) == (128 + getattr(signal, name), "")


@pytest.mark.parametrize(("times", "left"), [(2, "in time"), (1_000, "at once")])
def test_a_signal_that_comes_twice_at_once_is_one_and_a_key_that_is_held_down_is_two(times, left):
    ended = python(SENT_AGAIN_AND_AGAIN, str(times))
    assert (ended.stdout, ended.stderr) == (f"left {left}\n", "")


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_while_the_command_is_imported_is_json_for_programs_and_a_line_for_people(name):
    done = python(WHILE_IMPORTED.format(name=name), "pins", "a b.csv", "--json")
    assert done.returncode == 128 + getattr(signal, name)
    assert done.stderr == "aiorescue: interrupted\n"
    assert f'"exit_status": {done.returncode}' in done.stdout
    assert f'"exit_meaning": "{MEANING[Status(done.returncode)]}"' in done.stdout
    done = python(WHILE_IMPORTED.format(name=name), "pins", "a b.csv")
    assert (done.stdout, done.stderr) == ("", "aiorescue: interrupted\nTo go on: aiorescue pins 'a b.csv'\n")


@pytest.mark.parametrize(("ignored", "status"), [("", -signal.SIGINT), ("trap '' INT; ", Status.BAD_INPUT)])
def test_ctrl_c_before_the_command_is_imported_is_no_traceback(ignored, status):
    program = textwrap.dedent(BEFORE_IT_IS_IMPORTED)
    line = f'{ignored}exec "$0" -c "$1" session close x'
    done = subprocess.run(["bash", "-c", line, sys.executable, program], capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert "Traceback" not in done.stderr
    assert bool(done.stderr) == (status == Status.BAD_INPUT)


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_while_the_event_loop_is_made_is_heeded_and_leaves_no_warning(name):
    done = python(WHILE_A_LOOP_IS_MADE.format(name=name))
    assert (done.returncode, done.stdout, done.stderr) == (128 + getattr(signal, name), "", "")


@pytest.mark.parametrize("name", SIGNALS)
async def test_a_signal_while_the_input_is_read_is_json_for_programs(alone, name):
    os.mkfifo(alone.folder / "fifo")
    process = await alone.start("pins", "fifo", "--emulator", "--json")
    writer = await asyncio.to_thread(os.open, alone.folder / "fifo", os.O_WRONLY)  # until the command opens it, too
    process.send_signal(getattr(signal, name))
    done = await alone.ended(process)
    os.close(writer)
    assert done.status == done.json["exit_status"] == done.json["error"]["exit_status"] == 128 + getattr(signal, name)
    assert done.json["error"]["type"] == "Interrupted"
    assert done.err == "aiorescue: interrupted\n"


async def test_a_signal_ends_a_call_that_waits_and_is_json_for_programs(command, service, until):
    service.fault("delay_before", "closeSession", seconds=60.0)
    process = await command.start("call", "closeSession", "session=12345678", "--json")
    await until(lambda: service.requests.count >= 1)
    process.send_signal(signal.SIGTERM)
    done = await command.ended(process)
    assert (done.status, done.json["exit_status"]) == (Status.TERMINATED, Status.TERMINATED)
    assert done.err == "aiorescue: interrupted\n"


@pytest.mark.parametrize("names", [["SIGTERM"], ["SIGHUP", "SIGTERM", "SIGINT"]])
async def test_signals_end_doctor_with_one_line_however_many_come(command, service, until, names):
    service.fault("delay_before", "getAccount_v2", seconds=60.0)
    process = await command.start("doctor")
    await until(lambda: service.requests.count >= 1)
    for name in names:
        process.send_signal(getattr(signal, name))
    done = await command.ended(process)
    assert done.status in {128 + getattr(signal, name) for name in names}
    assert (done.out, done.err) == ("", "aiorescue: interrupted\n")


@pytest.mark.parametrize("second", [None, "SIGINT"])
def test_the_first_signal_comes_too_late_for_a_result_that_is_being_printed_and_the_second_ends_it(here, second):
    (here.folder / "customers.csv").write_text("custom_field_0\n" + f"{'x' * 65}\n" * 1_500)  # no request can be made
    assert here("pins", "customers.csv", "--emulator", "-q").status == Status.SOME_FAILED
    export = (COMMAND, "job", "export", "pins.csv.journal", "--json")
    unbuffered = os.environ | {"PYTHONUNBUFFERED": "1"}  # as containers have it
    with subprocess.Popen(export, cwd=here.folder, env=unbuffered, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        first = process.stdout.read(1)
        process.send_signal(signal.SIGTERM)
        if second:
            process.send_signal(getattr(signal, second))
            assert process.wait() in (Status.INTERRUPTED, Status.TERMINATED)
        else:
            assert len(json.loads(first + process.stdout.read())["rows"]) == 1_500
            assert process.wait() == Status.OK


def test_a_second_signal_ends_a_command_that_waits_for_a_thread_when_its_loop_is_closed():
    done = python(WHILE_A_THREAD_IS_STUCK)
    assert (done.returncode, done.stderr) == (Status.TERMINATED, "aiorescue: interrupted\n")
