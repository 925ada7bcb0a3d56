"""Lays out messages: lines, escaping, and blocks that fit a phone's 32 columns."""

import unicodedata
from collections.abc import Iterable
from html import escape as escape_html

from bot.updates.invisible_characters import without_direction

COLUMNS = 32
_LABEL = 9
# Unicode calls some of them narrow; phones draw them all wide.
_EMOJI = (range(0x2300, 0x2400), range(0x2600, 0x27C0), range(0x1F000, 0x110000))
_LONGEST_QUOTE = 200
_LONGEST_ECHO = 16
_MOST_LINES = 8


def escape(text: str) -> str:
    """Escape text from outside: it can neither be markup nor change the direction of our text.
    Telegram needs no quotes escaped.
    """
    return escape_html(without_direction(text), quote=False)


def quoted(text: str) -> str:
    """Return text from outside, escaped and of a bounded length, on one line."""
    flat = " ".join(text.split())
    if len(flat) > _LONGEST_QUOTE:
        flat = f"{flat[:_LONGEST_QUOTE]}…"
    return f"“{escape(flat)}”"


def echoed(text: str) -> str:
    """Return what a user typed, unless it is long enough to be a misplaced API key."""
    return quoted(text) if len(text) <= _LONGEST_ECHO else "that"


def lines(*parts: str | None) -> str:
    """One part a line; None and empty parts leave no line."""
    return "\n".join(part for part in parts if part)


def paragraphs(*parts: str | None) -> str:
    return "\n\n".join(part for part in parts if part)


def fitted(text: str, *least: str | None) -> str:
    """*text* in eight lines: of the parts in *least*, which are lines in it, the first are left out
    first, as many as it takes.
    """
    for part in filter(None, least):
        if sum(map(bool, text.splitlines())) <= _MOST_LINES:
            break
        kept = (
            lines(*(line for line in paragraph.split("\n") if line not in part.split("\n")))
            for paragraph in text.split("\n\n")
        )
        text = paragraphs(*kept)
    return text


def listed(items: Iterable[str]) -> str:
    return ", ".join(items)


def row(label: str, value: str, *, column: int = _LABEL) -> list[str]:
    """`Label    value`, continued under the value where it is too wide; it begins at *column*."""
    first, *rest = wrapped(value, COLUMNS - column)
    indent = " " * column
    if width(label) >= column:
        return [label, *(indent + part for part in (first, *rest))]
    return [label + " " * (column - width(label)) + first, *(indent + part for part in rest)]


def block(rows: Iterable[str]) -> str:
    """A monospace block of *rows* (not yet escaped), each at most 32 columns wide."""
    fitting = [part for line in rows for part in _indented(line)]
    return f"<pre>{escape(chr(10).join(fitting))}</pre>"


def _indented(line: str) -> list[str]:
    """What is too wide continues on the next line, with the same indent."""
    indent = line[: len(line) - len(line.lstrip())]
    if width(line) <= COLUMNS or width(indent) > COLUMNS // 2:
        return wrapped(line, COLUMNS)
    return [indent + part for part in wrapped(line.lstrip(), COLUMNS - width(indent))]


def wrapped(text: str, columns: int) -> list[str]:
    """*text* in lines of at most *columns*, broken at blanks where there are any."""
    if width(text) <= columns:
        return [text]
    result, current = [], ""
    for word in text.split():
        longer = f"{current} {word}" if current else word
        if width(longer) <= columns:
            current = longer
            continue
        if current:
            result.append(current)
        *full, current = _pieces(word, columns)
        result += full
    return [*result, current]


def width(text: str) -> int:
    """Columns that *text* takes in a monospace font."""
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    is_emoji = any(ord(character) in emoji for emoji in _EMOJI)
    return 2 if is_emoji or unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _pieces(word: str, columns: int) -> list[str]:
    pieces = [""]
    for character in word:
        if width(pieces[-1] + character) > columns:
            pieces.append("")
        pieces[-1] += character
    return pieces
