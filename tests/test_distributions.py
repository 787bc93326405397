"""What a release consists of: the wheel holds the package alone, and the sdist all that its tests need.

Both are built as `python -m build` does it, the wheel from the unpacked sdist, and without a network.
"""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from email import message_from_string
from email.message import Message
from importlib import metadata
from pathlib import Path

import attrs
import pytest
from packaging.requirements import Requirement

from aiorescue.cli.status import Status
from tests.lab.pages import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
VERSION = PROJECT["project"]["version"]
#: Folders and files at the root that belong into an sdist, beside pyproject.toml and what its backend adds.
LISTED = [path.removeprefix("/") for path in PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]]
ROOTS = [path for path in LISTED if (ROOT / path).exists()]
_BUILD = "import sys; from hatchling import build; print(getattr(build, sys.argv[1])(sys.argv[2]))"


@attrs.frozen
class Release:
    """The two distributions, and the folder of the unpacked sdist."""

    wheel: zipfile.ZipFile
    sdist: set[str]
    unpacked: Path

    @property
    def metadata(self) -> Message:
        return message_from_string(self.wheel.read(f"aiorescue-{VERSION}.dist-info/METADATA").decode())


def build(what: str, source: Path, into: Path) -> Path:
    command = [sys.executable, "-c", _BUILD, f"build_{what}", into]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"pip install -e '.[test]' brings what builds the distributions\n{done.stderr}"
    return into / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    folder = tmp_path_factory.mktemp("release")
    with tarfile.open(build("sdist", ROOT, folder)) as sdist:
        sdist.extractall(folder, filter="data")
        names = {name.split("/", 1)[1] for name in sdist.getnames()}
    unpacked = folder / f"aiorescue-{VERSION}"
    with zipfile.ZipFile(build("wheel", unpacked, folder)) as wheel:
        yield Release(wheel, names, unpacked)


def files_below(name: str) -> set[str]:
    path = ROOT / name
    found = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return {file.relative_to(ROOT).as_posix() for file in found if "__pycache__" not in file.parts}


def test_the_wheel_holds_the_package_with_its_types_and_nothing_else(release: Release):
    names = set(release.wheel.namelist())
    about = {name for name in names if name.startswith(f"aiorescue-{VERSION}.dist-info/")}
    assert names - about == files_below("aiorescue")
    assert "aiorescue/py.typed" in names
    assert f"aiorescue-{VERSION}.dist-info/licenses/LICENSE" in about


def test_the_sdist_holds_each_file_of_the_repository_and_no_other(release: Release):
    assert set().union(*map(files_below, ROOTS)) <= release.sdist
    added = {".gitignore", "LICENSE", "PKG-INFO", "hatch_build.py", "pyproject.toml"}
    assert {name.split("/")[0] for name in release.sdist} == {*ROOTS, *added}
    for path in (*ROOT.glob("*.py"), *ROOT.glob("*.md"), *ROOT.glob("*.toml")):
        assert path.name in release.sdist, f"{path.name}: list it below [tool.hatch.build.targets.sdist]"


def test_tests_pass_from_the_sdist(release: Release):
    tests = ("tests/test_house.py", "tests/wire/test_requests.py", "tests/rescue/test_requests.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(
        command, cwd=release.unpacked, env=without("PYTEST_"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


def test_links_of_the_long_description_work_without_the_repository_beside_it(release: Release):
    repository = PROJECT["project"]["urls"]["Repository"]
    links = re.findall(r"\]\(([^)#\s]+)", str(release.metadata.get_payload()))
    prefix = f"{repository}/blob/v{VERSION}/"
    assert len(links) > 20
    for link in links:
        assert (ROOT / link.removeprefix(prefix)).exists(), link
        assert link.startswith(prefix), link
    addresses = dict(line.split(", ", 1) for line in release.metadata.get_all("Project-URL", []))
    assert addresses.keys() == {"Repository", "Documentation", "Changelog", "Issues"}
    assert all(address.startswith(repository) for address in addresses.values())


@pytest.fixture(scope="module")
def installed(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like a `site-packages` in which the wheel lies with what it requires, without any extra."""
    folder = tmp_path_factory.mktemp("site-packages")
    release.wheel.extractall(folder)
    ahead = list(release.metadata.get_all("Requires-Dist", []))
    while ahead:
        requirement = Requirement(ahead.pop())
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        found = metadata.distribution(requirement.name)
        ahead += found.requires or []
        for top in {file.parts[0] for file in found.files or () if not file.parts[0].startswith((".", "__"))}:
            if not (folder / top).exists():
                (folder / top).symlink_to(found.locate_file(top))
    return folder


def without(*prefixes: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "RESCUE_", *prefixes))}


def run(installed: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = without() | {"PYTHONPATH": str(installed)}
    command = [sys.executable, "-S", *arguments]
    return subprocess.run(command, cwd=installed, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_works_without_extras(installed: Path):
    program = f"""
import importlib.util, pydoc
for name in "typer", "rich", "redis", "psycopg", "opentelemetry":
    assert importlib.util.find_spec(name) is None, name
import aiorescue
from aiorescue import *
from aiorescue import bulk, emulator, events, inforouter, rescue
assert aiorescue.__file__.startswith({str(installed)!r}), aiorescue.__file__
assert aiorescue.__version__ == {VERSION!r}
for module in aiorescue, rescue, inforouter, bulk, emulator:
    for name in module.__all__:
        getattr(module, name)
print(pydoc.plain(pydoc.render_doc(aiorescue)))
"""
    done = run(installed, "-c", program)
    assert (done.returncode, done.stderr) == (0, "")
    assert "class RescueClient(" in done.stdout
    assert f"VERSION\n    {VERSION}" in done.stdout


@pytest.mark.parametrize(
    ("module", "extra"), [("aiorescue.otel", "otel"), ("aiorescue.bulk.distributed", "distributed")]
)
def test_a_module_that_needs_an_extra_names_it(installed: Path, module: str, extra: str):
    done = run(installed, "-c", f"import {module}")
    assert f"pip install 'aiorescue[{extra}]'" in done.stderr.splitlines()[-1]


def test_the_command_names_its_extra(installed: Path):
    done = run(installed, "-m", "aiorescue", "--help")
    assert (done.returncode, done.stdout) == (Status.NOT_INSTALLED, "")
    assert done.stderr == "aiorescue: the command needs typer: pip install 'aiorescue[cli]'\n"
