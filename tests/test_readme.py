"""The README is true: its Python and its commands run, those of CI are one line each, and linked files exist."""

import re
from pathlib import Path

import pytest

from tests.lab.pages import ROOT, PageRun

README = (ROOT / "README.md").read_text("utf-8")


def test_its_python_and_its_commands_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    with PageRun(ROOT / "README.md", tmp_path) as page:
        page.run()


def first_command(section: str) -> list[str]:
    return re.search(rf"^## {section}$.*?^```\w*\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)[1].splitlines()


@pytest.mark.parametrize("section", ["Quick start", "Tests"])
def test_its_commands_are_one_line_each(section: str):
    assert len(first_command(section)) == 1


def test_the_files_it_names_are_there():
    for name in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / name).exists(), name
    assert (ROOT / "examples" / "customers.csv").exists()
