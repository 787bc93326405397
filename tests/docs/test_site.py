"""The site that Sphinx makes of the pages: it builds without a warning, and every page is in it."""

import subprocess
import sys
from pathlib import Path

from tests.lab.pages import ROOT


def test_the_site_builds_without_a_warning(tmp_path: Path):
    site, cache = tmp_path / "site", tmp_path / "cache"
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-d", cache, ROOT / "docs", site]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)})
    assert (done.returncode, done.stderr) == (0, "")
    for page in (ROOT / "docs").rglob("*.md"):
        assert (site / page.relative_to(ROOT / "docs").with_suffix(".html")).exists(), page
    operations = (site / "operations.html").read_text("utf-8")
    assert 'id="request-pin-code-v3"' in operations
    assert "aiorescue.RescueClient.close_session" in (site / "api/rescue.html").read_text("utf-8")
