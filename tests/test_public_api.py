"""What is public changes only on purpose: `tests/public_api.txt` lists it, and a difference is shown as one."""

import difflib
import sys
import types
from importlib import import_module

import pytest

from tests.lab.pages import ROOT

LISTED = ROOT / "tests" / "public_api.txt"


@pytest.fixture
def public_api(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    monkeypatch.syspath_prepend(ROOT / "docs")
    return import_module("public_api")


def test_what_is_public_is_what_is_listed(public_api: types.ModuleType):
    listed, is_public = LISTED.read_text("utf-8").splitlines(), public_api.page().splitlines()
    changes = "\n".join(difflib.unified_diff(listed, is_public, "listed", "is public", lineterm="", n=1))
    assert not changes, (
        "names, signatures or fields that users see have changed. If that is meant, write the list anew by"
        f" `python docs/generate.py`, and tell users in CHANGELOG.md.\n{changes}"
    )


SOURCE = """
import enum
from typing import Annotated
from attrs import Factory, frozen

class Colour(enum.Enum):
    RED = "red"

@frozen
class Lamp:
    colour: Colour
    watts: Annotated[int, "wire"] = 40
    tags: list[str] = Factory(list)
    _serial: str = ""

    @property
    def lit(self) -> bool: ...
    async def switch(self, *, on: bool | None = None) -> "Lamp": ...
    def _fuse(self) -> None: ...

def _hidden() -> None: ...
"""
SHOWN = """\
== aiorescue.lamps

class aiorescue.lamps.Colour(Enum)
    .RED = 'red'
class aiorescue.lamps.Lamp
    (colour: Colour, watts: int = 40, tags: list[str] = …, serial: str = '')
    .lit: bool  (property)
    async def .switch(*, on: bool | None = None) -> Lamp
"""


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("", "", SHOWN),
        ("RED =", "GREEN =", SHOWN.replace("RED =", "GREEN =")),
        ('int, "wire"] = 40', 'int, "wire"] = 60', SHOWN.replace("= 40", "= 60")),
        ("on: bool |", "on: int |", SHOWN.replace("on: bool", "on: int")),
        ("async def", "def", SHOWN.replace("async def", "def")),
        ("_fuse", "fuse", SHOWN + "    def .fuse() -> None\n"),
        ("_hidden", "shown", SHOWN + "def aiorescue.lamps.shown() -> None\n"),
    ],
)
def test_each_change_is_shown(
    public_api: types.ModuleType, monkeypatch: pytest.MonkeyPatch, before: str, after: str, shown: str
):
    module = types.ModuleType("aiorescue.lamps")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(SOURCE.replace(before, after) if before else SOURCE, module.__dict__)
    monkeypatch.setattr(public_api, "MODULES", (module.__name__,))
    assert public_api.page().split("\n\n", 1)[1].rstrip() == shown.rstrip()
