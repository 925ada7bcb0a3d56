"""Draws `docs/gallery.md`, `docs/pictures.md` and what they show: run `python -m docs.make_gallery` in the top folder.

`tests/unit/test_gallery.py` fails when they differ from what this draws.
"""  # noqa: INP001 - a script beside the documents, no package

from collections.abc import Mapping
from pathlib import Path

from bot.interaction.message import plain_text
from bot.views.charts.theme import Theme
from docs.gallery_cards import CARDS
from docs.make_picture import draw
from docs.picture_samples import PICTURES

DOCS = Path(__file__).parent
FOLDERS = (FOLDER, CHARTS) = (DOCS / "gallery", DOCS / "pictures")
_HEAD = """\
# What Ballast says

Every picture is drawn by `python -m docs.make_gallery` from the sentences the bot sends; a test
fails when one is out of date. The numbers are an example's.
"""
_CHARTS_HEAD = """\
# Pictures of an account

What `/chart` sends, in both themes, with the words below it. Drawn by `python -m docs.make_gallery` with the code of the
bot; a test fails when one is out of date. The accounts are made up. In the chat it is a PNG with letters of its own;
here your browser chooses them.
"""


def gallery() -> Mapping[Path, str]:
    """What belongs into each file."""
    pictures = {FOLDER / f"{card.name}.svg": draw(card.chat, title=card.caption) for card in CARDS}
    sections = [
        f"## {card.caption}\n\n![{card.caption}](gallery/{card.name}.svg)\n" for card in CARDS
    ]
    cards = {DOCS / "gallery.md": "\n".join([_HEAD, *sections]), **pictures}
    return {**cards, **_charts()}


def _charts() -> Mapping[Path, str]:
    files: dict[Path, str] = {}
    sections = [_CHARTS_HEAD]
    for name, (title, draw_chart) in PICTURES.items():
        pictures = {theme: draw_chart(theme) for theme in Theme}
        shown = [
            f"![{title}, {theme.value}](pictures/{name}-{theme.value}.svg)" for theme in Theme
        ]
        said = plain_text(pictures[Theme.DARK].caption.text).split("\n")
        sections += [f"## {title}\n", *(f"{one}\n" for one in shown)]
        sections.append("".join(f"> {line}<br>\n" for line in said))
        files |= {
            CHARTS / f"{name}-{theme.value}.svg": f"{picture.svg}\n"
            for theme, picture in pictures.items()
        }
    return {DOCS / "pictures.md": "\n".join(sections), **files}


def write() -> None:
    files = gallery()
    for folder in FOLDERS:
        folder.mkdir(exist_ok=True)
        for old in set(folder.iterdir()) - set(files):
            old.unlink()
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
