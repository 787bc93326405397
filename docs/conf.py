# ruff: noqa: INP001 - Sphinx reads this file; it is no module
"""Sphinx settings: ``sphinx-build -W docs build/docs`` makes the pages; they are readable as plain Markdown, too."""

import re

from sphinx.application import Sphinx

import aiorescue

project = "aiorescue"
author = "the authors of aiorescue"
version = release = aiorescue.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["__pycache__"]
nitpicky = False

html_theme = "furo"
html_title = f"aiorescue {version}"
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

toc_object_entries_show_parents = "hide"
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
napoleon_numpy_docstring = False
napoleon_use_ivar = True

#: Files at the root of the repository, which are parts of the page `project` here.
_OF_THE_PROJECT = re.compile(r"\]\((?:\.\./)+(?:CONTRIBUTING|SECURITY|CHANGELOG)\.md\)")


def _link_inside(_app: Sphinx, _name: str, source: list[str]) -> None:
    """Let links that lead out of the folder, for readers of plain Markdown, lead to pages of the site."""
    source[0] = _OF_THE_PROJECT.sub("](/project.md)", source[0])


def setup(app: Sphinx) -> None:
    """Connect the functions of this file to Sphinx."""
    app.connect("source-read", _link_inside)
