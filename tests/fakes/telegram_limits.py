"""What the Bot API takes, and what a phone shows well: every message of every test is held to it.

A message over Telegram's limits is refused as Telegram refuses it. Our own rules (32 columns in
monospace, rows of buttons a thumb can hit) nobody refuses: what breaks one is noted in `broken`,
and so is what Telegram refused, for the bot has ways around a refusal that would hide it. A
fixture in `tests/conftest.py` fails the test that leaves something there.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.views.components.layout import COLUMNS, width
from tests.fakes.telegram_faults import Refused
from tests.fakes.telegram_html import Parsed

MOST_TEXT, MOST_CAPTION, MOST_NOTICE = 4096, 1024, 200
MOST_BUTTONS, MOST_IN_ROW, MOST_DATA = 100, 8, 64
MOST_ENTITIES = 100
MOST_COMMANDS, MOST_DESCRIPTION = 100, 256
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")

broken: list[str] = []


def utf16(text: str) -> int:
    """How Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def refuse(words: str, *, seen: object) -> Refused:
    """The refusal, to be raised, of something the bot should not have sent."""
    broken.append(f"{words}: {str(seen)[:200]!r}")
    return Refused(400, f"Bad Request: {words}")


def check_text(shown: str, *, key: str, most: int) -> None:
    """*shown* is what is left of the markup."""
    if not shown and key == "text":
        raise refuse("message text is empty", seen=shown)
    if utf16(shown) > most:
        raise refuse(f"message {'is' if key == 'text' else key} too long", seen=shown)


def check_markup(parsed: Parsed) -> None:
    """Telegram shows no more than 100 entities, and a phone no more than 32 columns."""
    if len(parsed.entities) > MOST_ENTITIES:
        broken.append(f"{len(parsed.entities)} entities: {parsed.text[:200]!r}")
    wide = [
        f"{width(line)} columns: {line!r}"
        for block in parsed.marked("pre")
        for line in block.splitlines()
        if width(line) > COLUMNS
    ]
    broken.extend(wide)


def check_buttons(rows: Sequence[Sequence[Any]]) -> None:
    if sum(map(len, rows)) > MOST_BUTTONS:
        raise refuse("reply markup is too long", seen=rows)
    crowded = [f"{len(row)} buttons in a row: {row}" for row in rows if len(row) > MOST_IN_ROW]
    broken.extend(crowded)


def check_data(data: str) -> None:
    if not 1 <= len(data.encode()) <= MOST_DATA:
        raise refuse("BUTTON_DATA_INVALID", seen=data)


def check_notice(text: str) -> None:
    if utf16(text) > MOST_NOTICE:
        raise refuse("MESSAGE_TOO_LONG", seen=text)


def check_commands(commands: Sequence[Mapping[str, str]]) -> None:
    if len(commands) > MOST_COMMANDS:
        raise refuse("BOT_COMMANDS_TOO_MUCH", seen=len(commands))
    for entry in commands:
        if not _COMMAND.fullmatch(entry["command"]):
            raise refuse("BOT_COMMAND_INVALID", seen=entry)
        if not 1 <= utf16(entry["description"]) <= MOST_DESCRIPTION:
            raise refuse("BOT_COMMAND_DESCRIPTION_INVALID", seen=entry)
