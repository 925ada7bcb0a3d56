"""Draws `docs/gallery.md` and its pictures: run `python -m docs.make_gallery` in the top folder.

`tests/unit/test_gallery.py` fails when they differ from what this draws.
"""  # noqa: INP001 - a script beside the documents, no package

from collections.abc import Mapping
from pathlib import Path

from docs.gallery_cards import CARDS
from docs.make_picture import draw

DOCS = Path(__file__).parent
FOLDER = DOCS / "gallery"
_HEAD = """\
# What Ballast says

Every picture is drawn by `python -m docs.make_gallery` from the sentences the bot sends; a test
fails when one is out of date. The numbers are an example's.
"""


def gallery() -> Mapping[Path, str]:
    """What belongs into each file."""
    pictures = {FOLDER / f"{card.name}.svg": draw(card.chat, title=card.caption) for card in CARDS}
    sections = [
        f"## {card.caption}\n\n![{card.caption}](gallery/{card.name}.svg)\n" for card in CARDS
    ]
    return {DOCS / "gallery.md": "\n".join([_HEAD, *sections]), **pictures}


def write() -> None:
    FOLDER.mkdir(exist_ok=True)
    files = gallery()
    for old in set(FOLDER.iterdir()) - set(files):
        old.unlink()
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
