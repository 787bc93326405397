"""Time and memory of decoding grow no faster than the answer: twice the size takes 2.3 times as much at most.

CPU time is compared with CPU time of one run, each the least of several. A decoder whose time grows with the square
of the length needs four times as much, however often that is measured.
"""

import gc
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aiorescue.call.reader import AnswerReader
from aiorescue.wire import Authorization, Response, codec
from tests.growth.shapes import SHAPES, Shape

MOST = 2.3
KIB = 2**10
#: Seconds of CPU that make a measurement; the size from which is looked for one, and the largest that is tried.
ENOUGH, SMALLEST, LARGEST = 0.003, 64 * KIB, 768 * KIB
#: Seconds that an answer of twice the size may take beyond that: what memory costs that is new to the process.
SLACK = 0.002
ROUNDS = 12


def decode(shape: Shape, body: bytes):
    reader = AnswerReader(codec(type(shape.operation), shape.binding), shape.binding)
    return reader.read(shape.operation, Authorization(), Response(shape.status, body, shape.headers))


def seconds(shape: Shape, body: bytes) -> float:
    gc.disable()
    try:
        start = time.thread_time()
        decode(shape, body)
        return time.thread_time() - start
    finally:
        gc.enable()


def grows_too_fast(shape: Shape) -> bool:
    """Whether twice the size takes too long, for two sizes: a cache that an answer outgrows makes one step steep."""
    size = SMALLEST
    while seconds(shape, shape.body(size)) < ENOUGH and size < LARGEST:
        size *= 2
    return is_steep(shape, size) and is_steep(shape, 2 * size)


def is_steep(shape: Shape, size: int) -> bool:
    """Whether an answer of twice a size takes too long, in each of some rounds."""
    body, double = shape.body(size), shape.body(2 * size)
    once, twice = seconds(shape, body), seconds(shape, double)
    for _ in range(ROUNDS):
        if twice <= MOST * once + SLACK:
            return False
        once, twice = min(once, seconds(shape, body)), min(twice, seconds(shape, double))
    return True


@pytest.mark.parametrize("name", SHAPES)
def test_time_grows_no_faster_than_the_answer(name: str):
    assert not grows_too_fast(SHAPES[name])


#: Those that took most memory before they were kept by column, refused, or taken apart.
LARGE = ["report: rows of small numbers", "page: a note of keys", "docs: short documents"]
MEASURE = """
import re, sys
from pathlib import Path
from tests.growth.shapes import SHAPES
from tests.growth.test_growth import decode
outcome = decode(SHAPES[sys.argv[1]], SHAPES[sys.argv[1]].body(16 * 2**20))
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.parametrize("name", LARGE)
def test_sixteen_mebibytes_are_decoded_in_512(name: str):
    command = [sys.executable, "-c", MEASURE, name]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True, timeout=100)
    assert int(re.fullmatch(r"(\d+)\s*", done.stdout)[1]) < 512 * KIB
