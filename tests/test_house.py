"""The house of the package: which room may import which, no circles, small files, and docstrings that say something."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = "aiorescue"

#: The rooms in order: each may import those before it, but not its neighbours between two signs.
ORDER = (
    "errors, clock, files < operation < wire, pace, events < identity < call < rescue, inforouter < bulk"
    " < emulator < cli"
)
_GROUPS = [set(group.split(", ")) for group in ORDER.split(" < ")]
MAY_IMPORT = {room: set[str]().union(*_GROUPS[:place]) for place, group in enumerate(_GROUPS) for room in group}
# The emulator reads what the services declare, and nothing of how a client calls them.
MAY_IMPORT["emulator"] = {"errors", "clock", "operation", "rescue", "inforouter"}
# The package itself hands on its public names; only the command reads one of them, the version.
MAY_IMPORT[""] = set().union(*_GROUPS[:6])
MAY_IMPORT["cli"].add("")
MAY_IMPORT["__main__"] = {"cli"}
# Listeners know the events alone; a client and a job listen to their own with the one that writes logs.
MAY_IMPORT["logs"] = MAY_IMPORT["otel"] = {"events"}
MAY_IMPORT["call"].add("logs")
MAY_IMPORT["bulk"].add("logs")
#: Rooms that neither wait nor do I/O, and what they must not import for that reason.
PURE, WAITING = {"errors", "operation", "wire"}, {"asyncio", "aiohttp", "socket", "threading", "tenacity"}

#: What a reader can keep in view: lines of a file, and files that lie flat in one folder.
MOST_LINES, MOST_FILES = 400, 19

#: The fewest words of a docstring: with less it restates a name.
FEWEST_WORDS = 5
#: Words that no docstring of the package may have, because each stands where a class could be named: the identity, the
#: program, the service … A `\b` is the edge of a word.
NAMELESS = re.compile(r"\b(nobody|somebody|whoever|callers?)\b", re.IGNORECASE)


def modules_below(folder: Path) -> dict[str, Path]:
    """Each Python file below a folder by the dotted name of its module, which for an `__init__` is the folder's."""
    return {
        ".".join(path.relative_to(folder.parent).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(folder.rglob("*.py"))
    }


def imports(source: str, modules: Mapping[str, object]) -> Iterator[str]:
    """What a source imports anywhere in it, `TYPE_CHECKING` included.

    `from package import name` imports the submodule of that name where there is one, and otherwise the package.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in modules else str(node.module)


def arrows_between(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """For each module those of the package that it imports."""
    return {name: set(imports(source, sources)) & sources.keys() for name, source in sources.items()}


def circles(arrows: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of modules that reach each other by imports: the strongly connected components of more than one module."""
    reached = {name: _reach(name, arrows) for name in arrows}
    groups = {frozenset(other for other in reached[name] if name in reached[other]) for name in arrows}
    return sorted(sorted(group) for group in groups if group)


def _reach(start: str, arrows: Mapping[str, set[str]]) -> set[str]:
    """All modules that a module imports, directly or by way of others; itself only if it lies on a circle."""
    found: set[str] = set()
    ahead = list(arrows[start])
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += arrows[name]
    return found


MODULES = modules_below(ROOT / PACKAGE)
SOURCES = {name: path.read_text("utf-8") for name, path in MODULES.items()}


def room_of(module: str) -> str:
    """The room of a module of the package; empty for the package itself."""
    return [*module.split("."), ""][1]


@pytest.mark.parametrize("module", MODULES)
def test_rooms_import_only_what_the_design_allows(module: str):
    room = room_of(module)
    for imported in imports(SOURCES[module], MODULES):
        if imported.split(".")[0] == PACKAGE and room_of(imported) != room:
            assert room_of(imported) in MAY_IMPORT[room], f"{module} may not import {imported}"


def test_every_room_has_its_place_in_the_order():
    assert {room_of(module) for module in MODULES} <= MAY_IMPORT.keys()


def test_no_two_files_import_each_other():
    assert circles(arrows_between(SOURCES)) == []


def test_a_circle_is_found_however_it_is_imported():
    sources = {
        "p": "from p.a import A",
        "p.a": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p import b, d",
        "p.b": "def late():\n    import p.c",
        "p.c": "from p.a import A",
        "p.d": "from p import name",
        "p.e": "from p import a, d",
    }
    assert circles(arrows_between(sources)) == [["p", "p.a", "p.b", "p.c", "p.d"]]
    sources["p.d"] = "import os"
    assert circles(arrows_between(sources)) == [["p.a", "p.b", "p.c"]]
    sources["p.c"] = "import p.e"
    assert circles(arrows_between(sources)) == [["p.a", "p.b", "p.c", "p.e"]]
    sources["p.b"] = ""
    assert circles(arrows_between(sources)) == []


@pytest.mark.parametrize("module", [module for module in MODULES if room_of(module) in PURE])
def test_what_is_pure_does_not_wait(module: str):
    assert not WAITING & {imported.split(".")[0] for imported in imports(SOURCES[module], MODULES)}


def test_editors_on_jedi_find_what_is_imported_for_type_checkers_only():
    # jedi takes TYPE_CHECKING for true only where it is imported: any other one hides what its branch imports.
    assert not {
        module for module, source in SOURCES.items() if re.search(r"^TYPE_CHECKING\s*[:=]", source, re.MULTILINE)
    }


def test_only_the_transport_imports_the_http_client():
    users = {
        module
        for module, source in SOURCES.items()
        if room_of(module) != "emulator" and "aiohttp" in {name.split(".")[0] for name in imports(source, MODULES)}
    }
    assert users
    assert all(module.startswith("aiorescue.call.transport") for module in users)


@pytest.mark.parametrize(("tree", "above"), [("aiorescue", {"tests", "benchmarks"}), ("tests", {"benchmarks"})])
def test_benchmarks_import_the_laboratory_and_not_the_other_way_round(tree: str, above: set[str]):
    for module, path in modules_below(ROOT / tree).items():
        found = {name.split(".")[0] for name in imports(path.read_text("utf-8"), MODULES)}
        assert not found & above, module


@pytest.mark.parametrize("tree", ["aiorescue", "tests", "benchmarks"])
def test_files_and_folders_are_small_enough_to_keep_in_view(tree: str):
    files = sorted((ROOT / tree).rglob("*.py"))
    long = {str(path.relative_to(ROOT)) for path in files if len(path.read_text("utf-8").splitlines()) > MOST_LINES}
    assert not long
    folders = {path.parent for path in files}
    full = {str(folder.relative_to(ROOT)) for folder in folders if len(list(folder.glob("*.py"))) > MOST_FILES}
    assert not full


def docstrings(source: str) -> Iterator[tuple[str, str]]:
    """The docstrings of a source, each with the name of what it describes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            doc = ast.get_docstring(node)
            if doc is not None:
                yield getattr(node, "name", "the module"), doc


@pytest.mark.parametrize("module", MODULES)
def test_a_docstring_says_something_and_names_what_it_speaks_of(module: str):
    for name, doc in docstrings(SOURCES[module]):
        assert len(doc.split()) >= FEWEST_WORDS, f"{name}: say more than {doc!r}, or drop it"
        nameless = NAMELESS.search(doc)
        assert nameless is None, f"{name}: say who that is: {nameless[0]!r}"
