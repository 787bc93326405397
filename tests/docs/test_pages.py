"""The pages of the documentation are true: their Python and their commands run, against the emulator."""

import re
from pathlib import Path

import pytest

from tests.lab.pages import ROOT, PageRun, blocks_of, commands_of, matches

DOCS = ROOT / "docs"
PAGES = [path for path in sorted(DOCS.rglob("*.md")) if blocks_of(path.read_text("utf-8"))]


@pytest.mark.timeout(300)  # importing aiogram takes seven seconds of CPU, a minute where many share it
@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_the_blocks_of_a_page_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with PageRun(path, tmp_path) as page:
        page.run()


def test_links_lead_to_files_for_readers_of_plain_markdown():
    for path in (*DOCS.rglob("*.md"), *(ROOT / "examples").glob("*.md"), *ROOT.glob("*.md")):
        for link in re.findall(r"\]\((?!https?:)([^)#\s]+)", path.read_text("utf-8")):
            assert (path.parent / link).exists(), f"{path}: {link}"


def test_commands_are_told_from_what_they_print():
    block = "$ echo a \\\n    b\na b\n$ true\n"
    assert list(commands_of(block)) == [("echo a \\\n    b", "a b"), ("true", "")]


def test_what_is_printed_may_differ_in_times_but_not_in_counts():
    assert matches("20 PINs in 1.3 s\n", "20 PINs in 1.0 s")
    assert not matches("19 PINs in 1.0 s\n", "20 PINs in 1.0 s")
    assert matches("a\nb\nc\n", "a\n…")
    assert matches("a\n", "a\n…")
    assert not matches("ab\n", "a\n…")
