"""Draws `docs/chat.svg`, a chat for the site's first page: run `python -m docs.make_picture` in the top folder.

`tests/unit/test_readme.py` fails when the picture differs from what this draws.
"""  # noqa: INP001 - a script beside the documents, no package

import re
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from bot.interaction.message import Message, plain_text
from bot.views.components.layout import width
from docs.story import Typed, story

PICTURE = Path(__file__).parent / "chat.svg"

# Telegram's look, in measures of a phone.
_WIDTH, _MARGIN, _PADDING, _GAP, _RADIUS = 420, 14, 12, 10, 14
_TEXT_SIZE, _TEXT_LINE, _BLOCK_SIZE, _BLOCK_LINE = 14, 19, 13, 18
_BUTTON_HEIGHT, _BUTTON_GAP, _HEADER = 32, 4, 46
_MOST_TEXT = 316
_SANS = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_STYLE = f"""\
text {{ font: {_TEXT_SIZE}px {_SANS}; fill: #17212b; }}
.block {{ font: {_BLOCK_SIZE}px {_MONO}; }}
.label {{ font-weight: 600; font-size: 13px; fill: #ffffff; text-anchor: middle; }}
.name {{ font-weight: 600; font-size: 16px; }}
.bold {{ font-weight: 600; }}
.italic {{ font-style: italic; }}
.link {{ fill: #1f6fb2; }}"""
_WALL, _BAR, _BOT, _PERSON, _CARD, _BUTTON = (
    *("#cfdde6", "#f4f7f9", "#ffffff", "#dcf5c8", "#eef2f5", "#4c6b82"),
)
# Average widths of the fonts named above, a bit too wide for safety: see `_share`.
_NARROW, _BROAD = frozenset("iljtfrI.,:;'|!()[]/ -"), frozenset("mwMWGOQ@%±→≈")
_COMMAND = re.compile(r"(?<![\w./:])(/[a-z]+)")
_KINDS = {"<b>": "bold", "<i>": "italic"}
_BLOCK = re.compile(r"<pre>(.*?)</pre>", re.DOTALL)


def draw(chat: Sequence[Typed | Message], *, title: str = "A chat with Ballast") -> str:
    """The chat as an SVG without fonts, scripts or addresses of others."""
    parts: list[str] = []
    bottom = _HEADER + _GAP
    for said in chat:
        drawn, bottom = _typed(said, bottom) if isinstance(said, Typed) else _message(said, bottom)
        parts += drawn
        bottom += _GAP
    size = f'width="{_WIDTH}" height="{bottom}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {_WIDTH} {bottom}">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{_STYLE}\n</style>",
            f'<clipPath id="frame"><rect {size} rx="18"/></clipPath>',
            '<g clip-path="url(#frame)">',
            _box(0, 0, _WIDTH, bottom, fill=_WALL, radius=0),
            _box(0, 0, _WIDTH, _HEADER, fill=_BAR, radius=0),
            _line(_MARGIN, 29, "Ballast", kind="name"),
            *parts,
            "</g>",
            "</svg>",
            "",
        ]
    )


def _typed(typed: Typed, top: int) -> tuple[list[str], int]:
    """A bubble at the right edge."""
    across = _text_width(typed.text) + 2 * _PADDING
    left, height = _WIDTH - _MARGIN - across, _TEXT_LINE + 2 * _PADDING - 5
    bubble = _box(left, top, across, height, fill=_PERSON)
    return [bubble, _line(left + _PADDING, top + 23, typed.text)], top + height


def _message(message: Message, top: int) -> tuple[list[str], int]:
    """A bubble at the left edge, with its buttons below."""
    left = _MARGIN + _PADDING
    inside: list[str] = []
    bottom, widest = top + _PADDING, 0
    for position, chunk in enumerate(_BLOCK.split(message.text)):
        text = plain_text(chunk).strip("\n")
        if position % 2:
            lines = text.split("\n")
            across = _columns(max(map(width, lines))) + 2 * _PADDING
            height = len(lines) * _BLOCK_LINE + _PADDING
            inside.append(_box(left, bottom, across, height, fill=_CARD, radius=8))
            for number, line in enumerate(lines):
                at = bottom + 18 + number * _BLOCK_LINE
                indent = _columns(len(line) - len(line.lstrip()))
                inside.append(_line(left + _PADDING + indent, at, line.lstrip(), kind="block"))
            bottom += height + _GAP
            widest = max(widest, across)
        elif text:
            for line, kind in _styled(chunk):
                inside.append(_line(left, bottom + 14, line, kind=kind))
                bottom += _TEXT_LINE if line else _TEXT_LINE // 2
                widest = max(widest, _text_width(line))
    bottom += _PADDING - 5
    across = widest + 2 * _PADDING
    bubble = _box(_MARGIN, top, across, bottom - top, fill=_BOT)
    buttons, bottom = _buttons(message, bottom, across)
    return [bubble, *inside, *buttons], bottom


def _buttons(message: Message, top: int, across: int) -> tuple[list[str], int]:
    """The inline keyboard: each row as wide as its bubble."""
    parts: list[str] = []
    for row in message.keyboard.inline_keyboard if message.keyboard else ():
        top += _BUTTON_GAP
        each = (across - _BUTTON_GAP * (len(row) - 1)) // len(row)
        for number, button in enumerate(row):
            left = _MARGIN + number * (each + _BUTTON_GAP)
            parts.append(_box(left, top, each, _BUTTON_HEIGHT, fill=_BUTTON, radius=8))
            parts.append(_line(left + each // 2, top + 21, button.text, kind="label"))
        top += _BUTTON_HEIGHT
    return parts, top


def _box(
    left: int, top: int, across: int, height: int, *, fill: str, radius: int = _RADIUS
) -> str:
    return (
        f'<rect x="{left}" y="{top}" width="{across}" height="{height}" rx="{radius}" '
        f'fill="{fill}"/>'
    )


def _line(left: int, baseline: int, text: str, *, kind: str = "") -> str:
    """One line of text; its blanks are kept, its commands look tappable."""
    shown = escape(text.replace(" ", "\N{NO-BREAK SPACE}"))
    if kind != "label":
        shown = _COMMAND.sub(r'<tspan class="link">\1</tspan>', shown)
    class_ = f" class={quoteattr(kind)}" if kind else ""
    return f'<text x="{left}" y="{baseline}"{class_}>{shown}</text>'


def _styled(chunk: str) -> list[tuple[str, str]]:
    """The wrapped lines of some HTML, each with its kind: a line is bold or italic as a whole."""
    styled = []
    for marked in chunk.strip("\n").split("\n"):
        kind = next((kind for tag, kind in _KINDS.items() if marked.startswith(tag)), "")
        styled += [(line, kind) for line in _wrapped(plain_text(marked))]
    return styled


def _wrapped(text: str) -> list[str]:
    """Lines no wider than a bubble; an empty one separates paragraphs."""
    lines: list[str] = []
    for part in text.split("\n"):
        current = ""
        for word in part.split(" "):
            longer = f"{current} {word}" if current else word
            if current and _text_width(longer) > _MOST_TEXT:
                lines.append(current)
                longer = word
            while _text_width(longer) > _MOST_TEXT:
                fits = next(
                    n for n in range(len(longer), 0, -1) if _text_width(longer[:n]) <= _MOST_TEXT
                )
                lines.append(longer[:fits])
                longer = longer[fits:]
            current = longer
        lines.append(current)
    return lines


def _columns(count: int) -> int:
    """A character of a monospace font is 0.6 of its size wide."""
    return count * _BLOCK_SIZE * 602 // 1000


def _text_width(text: str) -> int:
    return sum(map(_share, text)) * _TEXT_SIZE // 100


def _share(character: str) -> int:
    """How wide, in hundredths of the size: whole numbers are the same on every machine."""
    if character in _NARROW:
        return 35
    if character in _BROAD:
        return 88
    if width(character) > 1:
        return 130
    return 68 if character.isupper() else 60


if __name__ == "__main__":
    PICTURE.write_text(draw(story()), encoding="utf-8")
