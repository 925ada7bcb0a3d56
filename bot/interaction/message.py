"""The value a view returns, and how it is split to fit Telegram's limits."""

import html
import json
import re
from dataclasses import dataclass, replace
from typing import Self

from telegram import InlineKeyboardMarkup

TEXT_LIMIT, CAPTION_LIMIT = 4096, 1024

_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>b|strong|i|em|u|ins|s|strike|del|code|pre|a|blockquote|span"
    r"|tg-spoiler|tg-emoji)(?:\s[^<>]*)?>",
    re.IGNORECASE,
)
_PIECE = re.compile(rf"{_TAG.pattern}|&#?\w{{1,10}};|.", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Message:
    """One answer or alert. *text* is Telegram's HTML, with everything from outside escaped.
    *silent* messages arrive without a sound.
    """

    text: str
    keyboard: InlineKeyboardMarkup | None = None
    silent: bool = False

    @classmethod
    def of(
        cls,
        *lines: str | None,
        keyboard: InlineKeyboardMarkup | None = None,
        silent: bool = False,
        between: str = "\n",
    ) -> Self:
        """One text a line; None and empty texts leave no line."""
        return cls(between.join(line for line in lines if line), keyboard, silent)

    @classmethod
    def paragraphs(
        cls, *paragraphs: str | None, keyboard: InlineKeyboardMarkup | None = None
    ) -> Self:
        """Like `of`, with an empty line between the texts."""
        return cls.of(*paragraphs, keyboard=keyboard, between="\n\n")

    def parts(self) -> list[Self]:
        """Split into messages that Telegram takes; the buttons are under the last.
        Raises ValueError if there is no text.
        """
        texts = split(self.text)
        if not texts:
            raise ValueError("a message needs a text")
        parts = [replace(self, text=text, keyboard=None) for text in texts[:-1]]
        return [*parts, replace(self, text=texts[-1])]


@dataclass(frozen=True, slots=True)
class MessagePlace:
    """A chat, or one topic of a forum."""

    chat_id: int
    topic_id: int | None = None


def to_payload(message: Message) -> str:
    """Return the JSON for the outbox."""
    keyboard = message.keyboard.to_dict() if message.keyboard else None
    return json.dumps({"text": message.text, "keyboard": keyboard})


def from_payload(payload: str) -> Message:
    stored = json.loads(payload)
    keyboard = stored["keyboard"]
    return Message(stored["text"], InlineKeyboardMarkup.de_json(keyboard) if keyboard else None)


def plain_text(text: str) -> str:
    """Return the text without tags and with entities resolved; for when the HTML is refused.
    A `<` that begins none of Telegram's tags is kept.
    """
    return html.unescape(_TAG.sub("", text))


def split(text: str, limit: int = TEXT_LIMIT) -> list[str]:
    """Split HTML into parts of at most *limit* visible characters, each with balanced tags.
    Parts end at the end of a line where possible, else anywhere; blank parts are left out, so
    blank text has no part. Characters are counted in UTF-16, as Telegram's offsets are.
    """
    parts: list[str] = []
    rest = text
    while _width(rest) > limit:
        part, rest = _cut(rest, limit)
        parts.append(part)
    return [part for part in (*parts, rest) if plain_text(part).strip()]


def _cut(text: str, limit: int) -> tuple[str, str]:
    """Return the longest first part that fits, and the rest with the open tags opened again."""
    width = 0
    open_tags: tuple[re.Match[str], ...] = ()
    place = 0
    line_end: tuple[int, tuple[re.Match[str], ...]] | None = None
    for piece in _PIECE.finditer(text):
        if piece["name"] is None:
            width += _width(piece.group())
            if width > limit:
                break
        elif not piece["end"]:
            open_tags += (piece,)
        else:
            open_tags = open_tags[:-1]
        place = piece.end()
        if piece.group() == "\n":
            line_end = place, open_tags
    if line_end is not None:
        place, open_tags = line_end
    closing = "".join(f"</{tag['name']}>" for tag in reversed(open_tags))
    opening = "".join(tag.group() for tag in open_tags)
    return text[:place].rstrip("\n") + closing, opening + text[place:]


def _width(text: str) -> int:
    return len(plain_text(text).encode("utf-16-le", "surrogatepass")) // 2
