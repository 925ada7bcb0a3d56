"""Characters that are not visible, and some that change how others are shown."""

import unicodedata

# Unicode calls these letters, marks or symbols, but they are drawn blank.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe0e\ufe0f")
# They reverse the direction of the text that follows, so `04` may be shown as `40`.
OVERRIDES = frozenset("\u202d\u202e")
_DIRECTION = dict.fromkeys(
    [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C], None
)


def is_invisible(character: str) -> bool:
    """True for marks of format and direction, fillers and control characters; not for blanks."""
    if character in "\n\r\t":
        return False
    return character in _BLANK or unicodedata.category(character) in {"Cf", "Cc"}


def without_marks(text: str) -> str:
    """Return *text* without characters that hide it or change its direction."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(character for character in text if not is_invisible(character))


def without_direction(text: str) -> str:
    """Return *text* without the marks that change the direction of the text around it."""
    return text.translate(_DIRECTION)
