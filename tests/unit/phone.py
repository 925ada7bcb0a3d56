"""What a phone and Telegram accept: every view is held against this."""

import re
import unicodedata
from html.parser import HTMLParser

from bot.interaction.callback_data import RunCommand, decode
from bot.interaction.message import Message

_TAGS = frozenset({"b", "i", "u", "s", "code", "pre", "a", "blockquote", "tg-spoiler"})
_MONOSPACE = frozenset({"code", "pre"})
_EXPONENT = re.compile(r"\d[eE][+-]\d")
_DOUBTFUL = re.compile(r"\b(?:NaN|Infinity|None|Decimal)\b|datetime\.|Symbol\(")
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot);)")
_COLUMNS = 32
_TOAST = 200


def check_message(message: Message) -> str:
    """Fails on anything a phone would show badly; returns the text as a person reads it."""
    screen = _Screen()
    screen.feed(message.text)
    screen.close()
    text = "".join(screen.shown)

    assert screen.open_tags == [], message.text
    assert not _BARE_AMPERSAND.search(message.text), message.text
    assert 0 < len(text.encode("utf-16-le")) // 2 <= 4096
    assert not _EXPONENT.search(text), text
    assert not _DOUBTFUL.search(text), text
    assert "\n\n\n" not in text, text
    for line in "".join(screen.monospace).splitlines():
        assert columns(line) <= _COLUMNS, f"{columns(line)}: {line!r}"
    _check_keyboard(message, text)
    return text


def check_notice(notice: str) -> None:
    """The little note that answers a tap: short, and plain text."""
    assert 0 < len(notice) <= _TOAST
    assert "<" not in notice


def columns(line: str) -> int:
    """Columns in a monospace font; emoji take two."""
    return sum(_columns(character) for character in line)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    point = ord(character)
    pictures = point >= 0x1F000 or 0x2300 <= point <= 0x23FF or 0x2600 <= point <= 0x27BF
    return 2 if pictures or unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _check_keyboard(message: Message, text: str) -> None:
    if message.keyboard is None:
        return
    rows = message.keyboard.inline_keyboard

    assert rows
    for row in rows:
        assert 1 <= len(row) <= 8
        for button in row:
            assert isinstance(button.callback_data, str)
            assert 1 <= len(button.callback_data.encode()) <= 64
            assert 1 <= len(button.text) <= 40, button.text
            press = decode(button.callback_data)
            assert press is not None
            if isinstance(press, RunCommand):
                label = button.text.rstrip("…").lower()
                named = f"/{press.command}" in f"{text} {button.text}"
                # "Pause" and "Target" name /pause and /settarget well enough.
                assert named or press.command.endswith(label), f"unnamed: {press}"
            else:
                assert "/" in text + button.text, f"unnamed: {press}"


class _Screen(HTMLParser):
    """Telegram's idea of HTML: few tags, properly closed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open_tags: list[str] = []
        self.shown: list[str] = []
        self.monospace: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        assert tag in _TAGS, f"Telegram does not know <{tag}>"
        self.open_tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags, f"</{tag}> closes nothing"
        assert self.open_tags.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        self.shown.append(data)
        if _MONOSPACE & set(self.open_tags):
            self.monospace.append(data)
