"""Telegram's HTML as the Bot API server reads it: refused unless it is exactly right."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_TAGS = frozenset(
    {
        *("a", "b", "blockquote", "code", "del", "em", "i", "ins", "pre", "s", "span", "strike"),
        *("strong", "tg-emoji", "tg-spoiler", "u"),
    }
)
_ENTITIES = {"&lt": "<", "&gt": ">", "&amp": "&", "&quot": '"'}
_LONGEST_NUMBER, _LAST_CHARACTER = 9, 0x10FFFE
_TOKEN = re.compile(
    r"(?P<entity>&(?:(?:lt|gt|amp|quot)(?![A-Za-z])|#[xX][0-9a-fA-F]+|#[0-9]+);?)"
    r"|(?P<end></(?P<end_name>[^<>]*)>)"
    r"|(?P<start><(?P<start_name>[^\s<>/]*)(?P<attributes>[^<>]*)>)"
    r"|(?P<stray><)"
    r"|(?P<text>[^<&]+|&)"
)
_ATTRIBUTES = re.compile(r"""(?:\s+[a-z-]+(?:=(?:"[^"]*"|'[^']*'|[^\s"'<>=]+))?)*\s*""")


class CannotParse(Exception):
    """The server's words, as it answers them with status 400."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A marked part of a text, counted in UTF-16 as Telegram does; *tag* as it was written."""

    tag: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Parsed:
    text: str
    entities: Sequence[Entity]

    def marked(self, tag: str) -> Sequence[str]:
        """The parts inside *tag*."""
        units = self.text.encode("utf-16-le", "surrogatepass")
        return [
            units[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le", "surrogatepass")
            for e in self.entities
            if e.tag == tag
        ]


def visible_text(markup: str) -> str:
    """What the person sees. Raises CannotParse for anything but balanced tags of Telegram's."""
    return parsed(markup).text


def parsed(markup: str) -> Parsed:
    """What the person sees, and which parts of it are marked, the outer before the inner."""
    shown, units = "", 0
    opened: list[tuple[str, int, int]] = []
    found: list[tuple[int, Entity]] = []
    for position, token in enumerate(_TOKEN.finditer(markup)):
        if token["end"]:
            name = token["end_name"].strip().lower()
            tag, offset, place = opened.pop() if opened else ("", 0, 0)
            if tag != name:
                raise CannotParse(f'unmatched end tag at byte offset {token.start()}: "{name}"')
            if units > offset:
                found.append((place, Entity(name, offset, units - offset)))
        elif token["start"]:
            opened.append((_opened(token), units, position))
        elif token["stray"]:
            raise CannotParse(f'unsupported start tag "" at byte offset {token.start()}')
        else:
            text = _character(token["entity"]) if token["entity"] else token["text"]
            shown += text
            units += len(text.encode("utf-16-le", "surrogatepass")) // 2
    if opened:
        raise CannotParse(f'can\'t find end tag corresponding to start tag "{opened[-1][0]}"')
    return Parsed(shown, [entity for _, entity in sorted(found, key=lambda entry: entry[0])])


def _opened(token: re.Match[str]) -> str:
    name = token["start_name"].lower()
    if name not in _TAGS:
        raise CannotParse(f'unsupported start tag "{name}" at byte offset {token.start()}')
    if not _ATTRIBUTES.fullmatch(token["attributes"]):
        raise CannotParse(f"unexpected character in attributes at byte offset {token.start()}")
    if name == "span" and "tg-spoiler" not in token["attributes"]:
        raise CannotParse(f'tag "span" must have class "tg-spoiler" at {token.start()}')
    return name


def _character(entity: str) -> str:
    """The semicolon may be missing; what is no character stays as it is written."""
    name = entity.removesuffix(";")
    if name in _ENTITIES:
        return _ENTITIES[name]
    number = int(name[3:], 16) if name[2] in "xX" else int(name[2:])
    is_one = 0 < number <= _LAST_CHARACTER and len(name) <= _LONGEST_NUMBER
    return chr(number) if is_one else entity
