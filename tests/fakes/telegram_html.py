"""Telegram's HTML as the Bot API server reads it: refused unless it is exactly right."""

import re

_TAGS = frozenset(
    {
        *("a", "b", "blockquote", "code", "del", "em", "i", "ins", "pre", "s", "span", "strike"),
        *("strong", "tg-emoji", "tg-spoiler", "u"),
    }
)
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"'}
_TOKEN = re.compile(
    r"(?P<entity>&(?:lt|gt|amp|quot|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});)"
    r"|(?P<end></(?P<end_name>[^<>]*)>)"
    r"|(?P<start><(?P<start_name>[^\s<>/]*)(?P<attributes>[^<>]*)>)"
    r"|(?P<stray><)"
    r"|(?P<text>[^<&]+|&)"
)
_ATTRIBUTES = re.compile(r"""(?:\s+[a-z-]+(?:=(?:"[^"]*"|'[^']*'|[^\s"'<>=]+))?)*\s*""")


class CannotParse(Exception):
    """The server's words, as it answers them with status 400."""


def visible_text(markup: str) -> str:
    """What the person sees. Raises CannotParse for anything but balanced tags of Telegram's."""
    shown = ""
    opened: list[str] = []
    for token in _TOKEN.finditer(markup):
        if token["entity"]:
            shown += _character(token["entity"])
        elif token["end"]:
            name = token["end_name"].strip().lower()
            if not opened or opened.pop() != name:
                raise CannotParse(f'unmatched end tag at byte offset {token.start()}: "{name}"')
        elif token["start"]:
            opened.append(_opened(token))
        elif token["stray"]:
            raise CannotParse(f'unsupported start tag "" at byte offset {token.start()}')
        else:
            shown += token["text"]
    if opened:
        raise CannotParse(f'can\'t find end tag corresponding to start tag "{opened[-1]}"')
    return shown


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
    if entity in _ENTITIES:
        return _ENTITIES[entity]
    digits = entity[2:-1]
    return chr(int(digits[1:], 16) if digits[0] in "xX" else int(digits))
