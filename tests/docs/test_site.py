"""The site that Sphinx makes of the pages: it builds without a warning, and every page is in it."""

import re
import subprocess
import sys
from pathlib import Path

from aiorescue import inforouter, rescue
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
    errors = (site / "api/errors.html").read_text("utf-8")
    assert "├── InvalidRequest" in re.findall(r"<pre>(.*?)</pre>", errors, re.DOTALL)[0], "the tree keeps its lines"
    for page in (site / "api").glob("*.html"):
        assert not re.search(r"<p>Raises \(|<p>[^<]*errors\.\w+: ", page.read_text("utf-8")), (
            f"{page.name}: a section as text"
        )
    shown = {found.rpartition(".")[2] for page in (site / "api").glob("*.html") for found in anchors(page)}
    for name in public_names():
        assert name.rpartition(".")[2] in shown, f"{name} is public, and on no page of docs/api"


def anchors(page: Path) -> list[str]:
    return re.findall(r'id="(aiorescue\.[\w.]+)"', page.read_text("utf-8"))


def public_names() -> list[str]:
    """The public classes and functions; operations are values, and have a page of their own."""
    listed = (ROOT / "tests" / "public_api.txt").read_text("utf-8")
    names = re.findall(r"^(?:class|def|async def) ([\w.]+)", listed, re.MULTILINE)
    operations = {operation.__name__ for operation in (*rescue.OPERATIONS.values(), *inforouter.OPERATIONS.values())}
    operations |= {operation.__name__ for operation in inforouter.TYPED.values()} | {"PinRequest"}
    return [name for name in names if name.rpartition(".")[2] not in operations]
