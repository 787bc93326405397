"""`HostPace`: what is its own, files and locks; the rest of its promises are in `test_shared`."""

import asyncio
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aiorescue
from aiorescue import AuthCode, HostPace, Pace, RescueClient, errors
from aiorescue.clock import SystemClock
from aiorescue.emulator import Emulator
from aiorescue.operation import Family
from aiorescue.pace.limit import Limit
from aiorescue.pace.pace import PacedAccount, SharedPace
from aiorescue.pace.shared import host_books
from aiorescue.pace.shared.books import SlotRequest, furthest
from aiorescue.pace.shared.host_books import HostBooks
from aiorescue.pace.shared.host_state import take_place, take_slot
from aiorescue.pace.shared.packed import pack, unpack

CODE = "fixedtech0000"
GAP = 0.1


def request(
    process: str = "me", *, version: str | None = None, not_before: float = 0.0, gap: float = GAP
) -> SlotRequest:
    return SlotRequest(process=process, version=version, limit="", gap=gap, not_before=not_before, room=0.0)


def pacer_of(folder: Path, **options: float):
    return HostPace(directory=folder, pace=Pace(**options)).open(SystemClock(), "http://service")


async def call(pacer) -> None:
    async with pacer.turn() as turn:
        turn.answered(accepted=True)


# --- the file as a value ----------------------------------------------------------------------------

moments = st.floats(0, 1e5) | st.floats() | st.integers() | st.none() | st.text(max_size=5)
entries = st.fixed_dictionaries(
    {},
    optional={
        "format": st.just(1) | moments,
        "version": st.integers() | moments,
        "limit": st.text(max_size=20) | moments,
        "slots": st.dictionaries(st.text(max_size=5), moments, max_size=8) | moments,
        "hold": moments,
        "places": st.lists(moments, max_size=12) | moments,
    },
)
limits = st.text(max_size=30) | st.dictionaries(
    st.sampled_from(["gap", "floor", "factor", "rises", "patience", "changed", "successes", "alarm", "apart", "new"]),
    moments,
).map(json.dumps)
contents = st.binary(max_size=60) | entries.map(lambda value: json.dumps(value).encode())


@settings(deadline=None, max_examples=300)
@given(content=contents, now=st.floats(0, 1e5), late=st.floats(0, 1e9))
def test_whatever_the_file_holds_the_next_slots_are_near_and_a_gap_apart(content: bytes, now: float, late: float):
    first, answer = take_slot(content, request(not_before=late), now)
    assert now <= answer.moment <= now + 10 * furthest(GAP)
    for number in range(4):
        before = answer.moment
        first, answer = take_slot(first, request(str(number)), now)
        assert before + GAP * 0.999 <= answer.moment <= now + (11 + number) * furthest(GAP)
        assert answer.processes >= number + 2


@settings(deadline=None, max_examples=300)
@given(content=contents, now=st.floats(200, 1e5))
def test_whatever_the_file_holds_a_login_waits_for_one_window_at_most(content: bytes, now: float):
    content, place = take_place(content, 3, 185.0, now)
    assert 0 <= place.wait <= 186
    if content is not None:
        waits = []
        for _ in range(3):
            changed, place = take_place(content, 3, 185.0, now)
            content = content if changed is None else changed
            waits.append(place.wait)
        assert waits[-1] > 0


@settings(deadline=None, max_examples=300)
@given(text=limits)
def test_a_limit_from_the_books_can_be_true_or_is_none(text: str):
    first = Limit.known(10.0)
    limit = unpack(text, first)
    if limit is not None:
        assert 0.1 <= limit.gap <= 60
        for _ in range(5):
            limit.rejection(1.0, 1.0, stale=False, deviation=0.01)
            limit.success(1.0, 1.0, tested=True, stale=False, deviation=0.01, under_way=1)


@pytest.mark.parametrize(
    "limit", [Limit.known(10.0), Limit.known(None), Limit.discover(1.0), Limit.known(1, learns=False)]
)
def test_a_limit_survives_the_books(limit: Limit):
    assert unpack(pack(limit), limit) == limit


def test_the_rest_of_a_longer_content_does_no_harm():
    content, _ = take_slot(b"", request(), 5.0)
    _, answer = take_slot(content + b'"old": 1}}', request("other"), 5.0)
    assert answer.moment == pytest.approx(5.0 + GAP)


# --- files and locks --------------------------------------------------------------------------------


async def test_a_file_that_others_remove_is_made_again(tmp_path: Path):
    shared = pacer_of(tmp_path / "a" / "b", pins=100.0)
    pacer = shared.make(PacedAccount(CODE), Family.PINS)
    await call(pacer)
    for file in (tmp_path / "a" / "b").iterdir():
        file.unlink()
    await call(pacer)
    shutil.rmtree(tmp_path / "a")
    await call(pacer)
    assert pacer._local is None
    await shared.aclose()


@pytest.mark.parametrize("place", ["/proc/aiorescue", "/dev/null", "/dev/null/below"])
async def test_where_files_cannot_be_written_each_process_paces_for_itself_and_says_so_once(
    place: str, caplog: pytest.LogCaptureFixture
):
    async with Emulator(pin_rate=20) as service:
        pace = HostPace(directory=place, pace=Pace(pins=10.0))  # a busy machine may halve a gap between two calls
        async with RescueClient(AuthCode(CODE), base_url=service.url, pace=pace) as client:
            for _ in range(5):
                await client.request_pin_code()
        assert sum("PollRate" in request.word for request in service.requests) <= 1
    (warning,) = [record for record in caplog.records if record.name == "aiorescue.pace"]
    assert warning.levelno == logging.WARNING
    assert place in warning.getMessage()
    assert "paces for itself" in warning.getMessage()


@pytest.mark.parametrize("kind", ["folder", "link", "fifo"])
async def test_what_lies_in_the_place_of_the_file_is_left_alone(tmp_path: Path, kind: str):
    shared = pacer_of(tmp_path, pins=100.0)
    pacer = shared.make(PacedAccount(CODE), Family.PINS)
    await call(pacer)
    (file,) = tmp_path.iterdir()
    file.unlink()
    if kind == "folder":
        file.mkdir()
    elif kind == "fifo":
        os.mkfifo(file)
    else:
        (tmp_path / "precious").write_text("mine")
        file.symlink_to(tmp_path / "precious")
    await call(pacer)
    assert pacer._local is not None
    assert kind != "link" or (tmp_path / "precious").read_text() == "mine"
    await shared.aclose()


LOCKS = """
import fcntl, os, sys, time
file = os.open(sys.argv[1], os.O_RDWR)
fcntl.flock(file, fcntl.LOCK_EX)
print("locked", flush=True)
time.sleep(600)
"""


async def test_a_process_that_is_killed_while_it_holds_the_lock_blocks_no_other(tmp_path: Path, caplog, monkeypatch):
    monkeypatch.setattr(host_books, "PATIENCE", 0.1)
    monkeypatch.setattr("aiorescue.pace.shared.books.AWAY", 0.0)
    shared = pacer_of(tmp_path, pins=100.0)
    pacer = shared.make(PacedAccount(CODE), Family.PINS)
    await call(pacer)
    (file,) = tmp_path.iterdir()
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LOCKS, str(file), stdout=asyncio.subprocess.PIPE
    )
    assert await holder.stdout.readline() == b"locked\n"
    await call(pacer)  # while the holder lives, and does nothing, the others pace for themselves
    await call(pacer)
    assert pacer._local is not None
    holder.send_signal(signal.SIGKILL)
    await holder.wait()
    await call(pacer)
    assert pacer._local is None
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1
    await shared.aclose()


FORKED = """
import asyncio, os, signal, sys
from aiorescue import HostPace, Pace
from aiorescue.clock import SystemClock
from aiorescue.operation import Family
from aiorescue.pace.pace import PacedAccount

shared = HostPace(directory=sys.argv[1], pace=Pace(pins=100.0)).open(SystemClock(), "http://service")
pacer = shared.make(PacedAccount("code"), Family.PINS)

async def call():
    async with pacer.turn() as turn:
        turn.answered(accepted=True)
    assert pacer._local is None

asyncio.run(call())
child = os.fork()
if not child:
    signal.alarm(20)
    asyncio.run(call())
    assert pacer._processes == 2
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
asyncio.run(call())
"""


def test_a_process_that_was_forked_from_one_with_the_pace_has_it_too(tmp_path: Path):
    run = subprocess.run([sys.executable, "-c", FORKED, str(tmp_path)], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


async def test_many_processes_at_one_file_lose_nothing(tmp_path: Path):
    many = [HostBooks(tmp_path, SystemClock()) for _ in range(8)]

    async def work(number: int) -> list[float]:
        return [(await many[number].slot("key", request(str(number), gap=0.001))).moment for _ in range(40)]

    found = sorted(moment for some in await asyncio.gather(*(work(number) for number in range(8))) for moment in some)
    assert len(found) == 320
    assert all(b - a >= 0.000999 for a, b in pairwise(found))
    for one in many:
        await one.aclose()


# --- the folder -------------------------------------------------------------------------------------


def test_the_users_folder_does_not_depend_on_the_environment(monkeypatch, tmp_path: Path):
    before = host_books.users_folder()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert host_books.users_folder() == before
    assert str(os.geteuid()) in before.name


async def test_the_users_folder_is_for_the_user_alone(monkeypatch, tmp_path: Path, caplog):
    monkeypatch.setattr(host_books, "users_folder", lambda: tmp_path / "aiorescue-7")
    shared = HostPace(pace=Pace(pins=100.0)).open(SystemClock(), "http://service")
    pacer = shared.make(PacedAccount(CODE), Family.PINS)
    await call(pacer)
    (file,) = (tmp_path / "aiorescue-7").iterdir()
    assert (tmp_path / "aiorescue-7").stat().st_mode & 0o077 == 0
    assert file.stat().st_mode & 0o077 == 0
    (tmp_path / "aiorescue-7").chmod(0o777)  # as one that another user has prepared
    await call(pacer)
    assert pacer._local is not None
    assert "not a folder of this user alone" in caplog.text
    await shared.aclose()


# --- the setting ------------------------------------------------------------------------------------


def test_it_is_a_setting_that_needs_no_extra():
    assert isinstance(aiorescue.HostPace(), SharedPace)
    assert HostPace() == HostPace(pace=Pace())
    assert "HostPace" in aiorescue.__all__
    RescueClient(AuthCode(CODE), pace=HostPace(pace="auto"))


@pytest.mark.parametrize("pace", [None, 1.0, "fast"])
def test_a_pace_that_is_none_is_refused(pace: object):
    with pytest.raises(errors.InvalidRequest, match="HostPace"):
        HostPace(pace=pace)


@pytest.mark.parametrize("directory", ["", "a\0b", 5, b"bytes"])
def test_a_folder_that_is_none_is_refused(directory: object):
    with pytest.raises(errors.InvalidRequest, match="directory"):
        HostPace(directory=directory)


def test_on_windows_it_says_that_it_does_not_work(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(errors.InvalidRequest, match=r"Windows.*RedisPace"):
        RescueClient(AuthCode(CODE), pace=HostPace())


def test_importing_it_imports_neither_redis_nor_the_client():
    code = "import sys; from aiorescue import HostPace; HostPace(); print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"redis", "aiohttp", "aiorescue.call.client"} & set(found.stdout.split())
