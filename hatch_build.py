"""The long description of the distributions: README.md, with links that also work where only its text is shown."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

#: A link of Markdown to a file of the repository.
_RELATIVE = re.compile(r"\]\((?!https?:|#)")


class LongDescription(MetadataHookInterface):
    """Fills in ``readme``: relative links become absolute ones, to the repository at the tag of the version."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the readme to the metadata of the project."""
        text = (Path(self.root) / "README.md").read_text("utf-8")
        files = f"{metadata['urls']['Repository']}/blob/v{metadata['version']}"
        metadata["readme"] = {"content-type": "text/markdown", "text": _RELATIVE.sub(f"]({files}/", text)}
