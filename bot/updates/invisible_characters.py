"""Characters that no screen shows, and some that change what it shows."""

import unicodedata

# Unicode calls these letters, marks or symbols, and they look like nothing at all.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe0e\ufe0f")
# They turn the direction in which all that follows is drawn, so `04` may look like `40`.
OVERRIDES = frozenset("\u202d\u202e")
_DIRECTION = dict.fromkeys(
    [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C], None
)


def is_invisible(character: str) -> bool:
    """Marks of format and direction, fillers, control characters; not the usual blanks."""
    if character in "\n\r\t":
        return False
    return character in _BLANK or unicodedata.category(character) in {"Cf", "Cc"}


def without_marks(text: str) -> str:
    """*text* as it is drawn where nothing turns or hides it."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(character for character in text if not is_invisible(character))


def without_direction(text: str) -> str:
    """*text* without the marks that turn the direction of what stands around it."""
    return text.translate(_DIRECTION)
