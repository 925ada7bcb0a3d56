"""Draws `docs/gallery.md`, `docs/pictures.md` and what they show: run `python -m docs.make_gallery` in the top folder.

`tests/unit/test_gallery.py` fails when they differ from what this draws.
"""  # noqa: INP001 - a script beside the documents, no package

from collections.abc import Mapping
from pathlib import Path

from bot.views.charts.theme import Theme
from docs.chart_samples import PICTURES
from docs.gallery_cards import CARDS
from docs.make_picture import draw

DOCS = Path(__file__).parent
FOLDERS = (FOLDER, CHARTS) = (DOCS / "gallery", DOCS / "pictures")
_HEAD = """\
# What Ballast says

Every picture is drawn by `python -m docs.make_gallery` from the sentences the bot sends; a test
fails when one is out of date. The numbers are an example's.
"""
_CHARTS_HEAD = """\
# Pictures of an account

Drawn by `python -m docs.make_gallery` with the code of the bot; a test fails when one is out of
date. The accounts are made up: long and short ones, a flat one, gaps, crashes.
"""
# The pictures that are shown in both themes; the others take turns.
_IN_BOTH = ("value", "drift", "allocation")


def gallery() -> Mapping[Path, str]:
    """What belongs into each file."""
    pictures = {FOLDER / f"{card.name}.svg": draw(card.chat, title=card.caption) for card in CARDS}
    sections = [
        f"## {card.caption}\n\n![{card.caption}](gallery/{card.name}.svg)\n" for card in CARDS
    ]
    cards = {DOCS / "gallery.md": "\n".join([_HEAD, *sections]), **pictures}
    return {**cards, **_charts()}


def _charts() -> Mapping[Path, str]:
    files, sections = {}, [_CHARTS_HEAD]
    for place, (name, draw_chart) in enumerate(PICTURES.items()):
        themes = list(Theme) if name in _IN_BOTH else [list(Theme)[place % 2]]
        title = name.replace("-", " ").capitalize()
        sections.append(f"## {title}\n")
        for theme in themes:
            file = f"{name}-{theme.value}.svg"
            files[CHARTS / file] = f"{draw_chart(theme)}\n"
            sections.append(f"![{title}, {theme.value}](pictures/{file})\n")
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
