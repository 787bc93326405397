"""Values behave as those of `attrs.frozen` do, whose comparison, hash and repr they do without."""

import copy
import pickle
from typing import Any
from unittest.mock import ANY

import attrs
import pytest

from aiorescue import Login, Pace, PinCode
from aiorescue.operation import frozen


def _made_by(decorator: Any) -> tuple[type, type, type]:
    @decorator
    class Point:
        x: int
        y: Any = attrs.field(default=0, eq=False)
        _hidden: str = attrs.field(default="", repr=False)
        long: str = attrs.field(default="long", repr=lambda text: text[:2])

    @decorator(kw_only=True)
    class Further(Point):
        z: tuple[int, ...] = ()

    @decorator
    class Own:
        x: int

        def __repr__(self) -> str:
            return "mine"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

    return Point, Further, Own


def _behaviour(decorator: Any) -> list[Any]:
    point, further, own = _made_by(decorator)
    one, same, other = point(1, 2, "a"), point(1, 3, "a"), point(1, 2, "b")
    return [
        *map(repr, (one, other, further(x=1, z=(1,)), own(3))),
        (one == same, one != same, one == other, one == further(x=1, y=2, hidden="a"), one == (1, "a", "long")),
        (one == ANY, len({one, same, other})),
        (further(x=1) == further(x=1), further(x=1) == further(x=1, z=(2,)), hash(one) == hash(same)),
        (own(1) == own(2), hash(own(1)), copy.deepcopy(one) == one, attrs.evolve(one, x=5) == point(5, 2, "a")),
        [field.name for field in attrs.fields(further)],
        point.__match_args__,
    ]


def test_a_value_behaves_as_one_of_attrs():
    assert _behaviour(frozen) == _behaviour(attrs.frozen)


def test_a_value_that_is_still_being_made_can_be_shown():
    point, *_ = _made_by(frozen)
    assert repr(object.__new__(point)) == "Point(x=NOTHING, y=NOTHING, long=NOTHING)"


def test_a_value_with_an_unhashable_field_has_no_hash():
    point, *_ = _made_by(frozen)
    with pytest.raises(TypeError, match="unhashable"):
        hash(point([]))


@pytest.mark.parametrize("value", [Pace(pins=2.0), PinCode("012345"), Login("a@b", "c")])
def test_a_value_cannot_be_changed_and_survives_pickling(value: Any):
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value, attrs.fields(type(value))[0].name, 1)
    assert pickle.loads(pickle.dumps(value)) == value
