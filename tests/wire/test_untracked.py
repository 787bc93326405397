"""What long answers are decoded to is kept from the garbage collector, which stops all threads to look at it."""

import gc
import weakref

import pytest

from aiorescue.rescue import Session, SessionStatus
from aiorescue.wire import untracked
from tests.growth.shapes import SHAPES
from tests.growth.test_growth import decode

#: Objects that an answer of a megabyte may give to the collector; of these there are ten thousand and more in each.
MOST = 10_000
LISTS = [
    *("soap: sessions", "soap: a hierarchy", "soap: a chat", "soap: raw elements"),
    *("page: sessions", "page: sessions without cells", "page: a hierarchy", "page: a hierarchy of ids"),
    *("page: a chat", "page: a chat of CRLF", "page: a chat of short lines"),
    *("docs: documents", "docs: short documents", "docs: folders", "docs: unknown elements", "docs: a log"),
    *("docs: elements in a text", "docs: elements with attributes"),
]


class Watch:
    """Counts the objects that the collector has whenever it begins, without those that are frozen."""

    def __init__(self) -> None:
        self.most = 0

    def look(self) -> None:
        self.most = max(self.most, len(gc.get_objects()))

    def __call__(self, phase: str, about: dict[str, int]) -> None:
        if phase == "start" and about["generation"]:
            self.look()


@pytest.mark.parametrize("name", LISTS)
def test_the_collector_has_little_of_a_long_answer_at_any_moment(name: str):
    shape = SHAPES[name]
    body = shape.body(2**20)
    watch = Watch()
    gc.collect()
    gc.freeze()  # what is there before is not looked at
    gc.callbacks.append(watch)
    try:
        outcome = decode(shape, body)
        watch.look()
    finally:
        gc.callbacks.remove(watch)
        gc.unfreeze()
    del outcome  # it has lived until here
    assert watch.most < MOST


def session(number: int) -> Session:
    return Session(number, SessionStatus.WAITING)


def test_the_values_of_a_short_list_are_left_to_the_collector():
    assert all(map(gc.is_tracked, untracked.beyond_few(map(session, range(1_000)))))


def test_what_is_kept_from_the_collector_is_freed_with_its_last_reference():
    values = list(untracked.beyond_few(map(session, range(5_000))))
    assert values == list(map(session, range(5_000)))
    last = weakref.ref(values[-1])
    assert not gc.is_tracked(last())
    gc.collect()
    assert last() == session(4_999)
    values.clear()
    assert last() is None


def test_values_that_the_collector_cannot_have_are_left_as_they_are():
    for value in ("a", 1, None, (), b"a"):
        assert untracked.untracked(value) is value
