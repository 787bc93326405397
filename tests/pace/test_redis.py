"""`RedisPace`: what is Redis' own; the rest of its promises are in `test_shared`."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from aiorescue import AuthCode, Pace, RedisPace, RescueClient, errors
from aiorescue.clock import SystemClock
from aiorescue.emulator import Emulator
from aiorescue.operation import Family
from aiorescue.pace.pace import PacedAccount
from tests.lab.redis_server import redis_server
from tests.lab.sharing import ProcessClock, answer

ROOT = Path(__file__).parent.parent.parent
CODE = "fixedtech0000"
NOWHERE = "redis://:hidden-word@127.0.0.1:1/0"


async def test_without_redis_each_process_paces_for_itself(caplog: pytest.LogCaptureFixture):
    async with Emulator(pin_rate=20) as service:
        pace = RedisPace(NOWHERE, pace=Pace(pins=20.0))
        async with RescueClient(AuthCode(CODE), base_url=service.url, pace=pace) as client:
            with caplog.at_level(logging.INFO, "aiorescue"):
                pins = [await client.request_pin_code() for _ in range(10)]
        assert len(pins) == 10
        assert len(service.ledger) == 10
    warnings = [record for record in caplog.records if record.name == "aiorescue.pace"]
    assert len(warnings) == 1
    assert "hidden-word" not in caplog.text


async def test_when_redis_ends_under_way_its_processes_go_on_at_their_parts_of_the_pace(caplog):
    with redis_server() as url:
        both = [RedisPace(url, pace=Pace(pins=50.0)).open(ProcessClock(), "http://service") for _ in range(2)]
        calling = [shared.make(PacedAccount(CODE), Family.PINS) for shared in both]
        for pacer in calling * 3:
            await answer(pacer)
    for pacer in calling:
        before = pacer._last
        assert await answer(pacer) >= before + 2 * 0.02
        assert pacer._local is not None
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == len(both)
    for shared in both:
        await shared.aclose()


async def test_a_redis_that_answers_with_an_error_is_not_said_to_be_silent(caplog: pytest.LogCaptureFixture):
    with redis_server() as url, redis.Redis.from_url(url) as control:
        control.config_set("maxmemory", 1)
        shared = RedisPace(url, pace=Pace(pins=100.0)).open(SystemClock(), "http://service")
        await answer(shared.make(PacedAccount(CODE), Family.PINS))
        await shared.aclose()
    (warning,) = [record.message for record in caplog.records if record.name == "aiorescue.pace"]
    assert "OOM" in warning
    assert "does not answer" not in warning


async def test_bytes_that_are_no_text_count_as_missing(redis_url: str):
    shared = RedisPace(redis_url, pace=Pace(pins=100.0)).open(SystemClock(), "http://service")
    pacer = shared.make(PacedAccount(CODE), Family.PINS)
    with redis.Redis.from_url(redis_url) as client:
        for _ in range(3):
            async with pacer.turn() as turn:
                turn.answered(accepted=True)
            (key,) = client.keys()
            client.hset(key, mapping=dict.fromkeys(("version", "limit", "slots", "hold"), b"\xff\xfe"))
    assert pacer._local is None
    await shared.aclose()


async def test_keys_tell_their_version(redis_url: str):
    shared = RedisPace(redis_url, prefix="mine:").open(SystemClock(), "http://service")
    await shared.make(PacedAccount(CODE), Family.PINS).turn().__aenter__()
    with redis.Redis.from_url(redis_url) as client:
        (key,) = client.keys()
    assert key.startswith(b"mine:2:")
    await shared.aclose()


def test_the_url_is_not_shown():
    assert "hidden-word" not in repr(RedisPace(NOWHERE))
    with pytest.raises(errors.InvalidRequest, match="redis://") as caught:
        RescueClient(AuthCode(CODE), pace=RedisPace("hidden-word"))
    assert "hidden-word" not in str(caught.value)


@pytest.mark.parametrize("parameter", ["foo=bar", "ssl_ca_certs=ca.pem", "db=first"])
def test_a_parameter_that_redis_py_does_not_take_is_refused_when_the_client_is_made(parameter: str):
    with pytest.raises(errors.InvalidRequest, match="rediss://"):
        RescueClient(AuthCode(CODE), pace=RedisPace(f"redis://127.0.0.1:1/0?{parameter}"))
    RescueClient(AuthCode(CODE), pace=RedisPace("rediss://127.0.0.1:1/0?ssl_ca_certs=ca.pem"))


WITHOUT_REDIS = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "redis":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
import io, contextlib, aiorescue
from aiorescue import *
assert RescueClient and HostPace
with contextlib.redirect_stdout(io.StringIO()) as shown:
    help(aiorescue)
assert "RedisPace" in shown.getvalue()
assert hasattr(aiorescue, "RedisPace")
pace = RedisPace("redis://localhost", pace=Pace(pins=2.0))
try:
    RescueClient(AuthCode("x"), pace=pace)
except ImportError as problem:
    print(problem)
"""


def test_without_redis_py_only_its_use_fails_and_names_the_extra():
    found = subprocess.run([sys.executable, "-c", WITHOUT_REDIS], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert "aiorescue[redis]" in found.stdout
