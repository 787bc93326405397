"""The house: which room may import which, and that no room grows too large to hold in the head."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import aiorescue

PACKAGE = Path(aiorescue.__file__).parent

#: Each room and the rooms it may import; data walks through them in this order.
MAY_IMPORT = {
    "errors": set(),
    "clock": set(),
    "operation": {"errors"},
    "wire": {"errors", "operation"},
    "pace": {"errors", "clock", "operation"},
    "identity": {"errors", "clock", "operation", "wire"},
    "call": {"errors", "clock", "operation", "wire", "pace", "identity"},
    "rescue": {"errors", "clock", "operation", "wire", "pace", "identity", "call"},
    "inforouter": {"errors", "clock", "operation", "wire", "pace", "identity", "call"},
    "bulk": {"errors", "operation", "identity", "call", "rescue"},
    # The emulator reads the declarations, and nothing of how the client sends them.
    "emulator": {"errors", "clock", "operation", "rescue", "inforouter"},
    "cli": {"errors", "operation", "identity", "call", "rescue", "inforouter", "bulk", "emulator", ""},
    "logs": {"events"},
    "otel": {"events"},
    "events": set(),
    "__main__": {"cli"},
    "": {"errors", "operation", "pace", "identity", "call", "rescue", "inforouter"},
}
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(module: str) -> str:
    return [*module.split("."), ""][1]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "aiorescue":
                names = [alias.name for alias in node.names]
                yield from (f"aiorescue.{name}" if name in MAY_IMPORT else "aiorescue" for name in names)
            elif node.module:
                yield node.module


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_rooms_import_only_what_the_design_allows(path: Path):
    relative = path.relative_to(PACKAGE)
    room = relative.parts[0].removesuffix(".py").replace("__init__", "")
    for module in imports(path):
        if module.split(".")[0] == "aiorescue" and room_of(module) != room:
            assert room_of(module) in MAY_IMPORT[room], f"{relative} may not import {module}"


def test_only_the_transport_imports_the_http_client():
    users = {
        str(path.relative_to(PACKAGE))
        for path in FILES
        if any(module.split(".")[0] == "aiohttp" for module in imports(path)) and "emulator" not in path.parts
    }
    assert users == {"call/transport.py"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_are_short_enough_to_hold_in_the_head(path: Path):
    assert len(path.read_text("utf-8").splitlines()) <= 400
