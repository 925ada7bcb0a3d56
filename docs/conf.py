"""Builds the site of the documents: `make docs`. Every page that GitHub shows is in it, where it is.

A link inside the project that leads nowhere is an error, as is a heading that is not there.
"""  # noqa: INP001 - Sphinx's own file, no package

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]

project = "Ballast"
release = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "version"
]

extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "benchmarks/README.md"]
highlight_language = "none"

myst_enable_extensions = ["html_image"]  # the picture beside the README's first lines
myst_heading_anchors = 4

html_theme = "furo"
html_title = f"Ballast {release}"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
templates_path = ["_templates"]
html_additional_pages = {"index": "to_index.html"}  # the site's top leads to the first page
