"""One version: in pyproject.toml, in the installed package, in the changelog, and where pages name a file of it."""

import re
import tomllib
from datetime import date

import pytest

import aiorescue
from tests.lab.pages import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
UNRELEASED, *RELEASES = re.findall(r"^## (.*)$", CHANGELOG, re.MULTILINE)
_RELEASE = re.compile(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d\d-\d\d)")


def parts_of(heading: str) -> tuple[tuple[int, ...], date]:
    found = _RELEASE.fullmatch(heading)
    assert found, f"CHANGELOG.md: a heading is like '## [1.2.3] - 2026-11-26', not '## {heading}'"
    return tuple(map(int, found.groups()[:3])), date.fromisoformat(found[4])


def test_the_package_and_the_changelog_have_the_version_of_the_project():
    newest, _ = parts_of(RELEASES[0])
    assert PROJECT["version"] == ".".join(map(str, newest))
    assert aiorescue.__version__ == PROJECT["version"], "install it again: pip install -e '.[test]'"


def test_the_changelog_begins_with_what_is_unreleased_and_goes_back_in_time():
    assert UNRELEASED == "[Unreleased]"
    releases = [parts_of(heading) for heading in RELEASES]
    assert releases == sorted(releases, reverse=True)
    assert len({version for version, _ in releases}) == len(releases)
    kinds = set(re.findall(r"^### (.*)$", CHANGELOG, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_each_heading_of_the_changelog_links_to_its_changes():
    links = dict(re.findall(r"^\[(.*)\]: (.*)$", CHANGELOG, re.MULTILINE))
    repository, newest = PROJECT["urls"]["Repository"], PROJECT["version"]
    versions = [".".join(map(str, parts_of(heading)[0])) for heading in RELEASES]
    assert links.keys() == {"Unreleased", *versions}
    assert links["Unreleased"] == f"{repository}/compare/v{newest}...HEAD"
    assert links[versions[-1]] == f"{repository}/releases/tag/v{versions[-1]}"


@pytest.mark.parametrize("page", ["docs/install.md", "docs/how-to/bulk-job.md"])
def test_pages_name_the_wheel_of_this_version(page: str):
    named = re.findall(r"aiorescue-([\d.]+)-py3-none-any\.whl", (ROOT / page).read_text("utf-8"))
    assert set(named) == {PROJECT["version"]}
