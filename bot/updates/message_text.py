"""The text of an incoming message, and the user who wrote it."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from telegram import Message, Update, User
from telegram.ext import filters

from bot.updates.invisible_characters import OVERRIDES, is_invisible
from engine.domain.accounts.members import SHARED_IDS

# Characters that keyboards of other scripts send for the slash that begins a command.
_SOLIDI = "/\uff0f\u2044\u2215"
_COMMAND = re.compile(rf"[{_SOLIDI}](?P<name>\S+)(?P<rest>.*)", re.DOTALL)
_PICTURES = frozenset({"So", "Sk"})
_NOT_OWN = ("sender_chat", "via_bot", "forward_origin", "forward_date")
_MENTIONED = re.compile(r"@(?P<bot>\w+)\s+(?P<command>/\w+)(?P<rest>(?:\s.*)?)", re.DOTALL)


def text_of(message: Message) -> str:
    """Return the message's text as its author sees it, or the caption of its media.
    "" if nothing is written. A command in it begins with `/`, and no invisible mark hides it.
    """
    return visible(message.text or message.caption)


def own_text_in(message: Mapping[str, Any]) -> str:
    """Like `text_of`, for a raw message; "" if the author did not write the words.
    Then no command in it is carried out.
    """
    if any(message.get(field) is not None for field in _NOT_OWN):
        return ""
    return visible(message.get("text") or message.get("caption"))


def visible(text: object) -> str:
    """Return *text* without invisible marks and outer blanks; "" for what is no text.
    A command is returned in the one form that Telegram documents: `@bot /pause` is `/pause@bot`,
    and an emoji before it is left out.
    """
    if not isinstance(text, str):
        return ""
    # An override shows another number than is written: it is kept, and so not understood.
    shown = "".join(c for c in text if c in OVERRIDES or not is_invisible(c)).strip()
    if command := _COMMAND.fullmatch(_without_pictures(shown)):
        name = "".join(c for c in command["name"] if c not in OVERRIDES)
        return f"/{unicodedata.normalize('NFKC', name)}{command['rest']}"
    if mentioned := _MENTIONED.fullmatch(shown):
        return f"{mentioned['command']}@{mentioned['bot']}{mentioned['rest']}"
    return shown


def _without_pictures(shown: str) -> str:
    """Return *shown* from its first letter on: Telegram accepts a command after an emoji."""
    for at, character in enumerate(shown):
        is_picture = not character.isascii() and unicodedata.category(character) in _PICTURES
        if not is_picture and character not in OVERRIDES and not character.isspace():
            return shown[at:]
    return ""


def author_of(message: Message) -> User | None:
    """Return the user who wrote it; None if a chat, a bot or Telegram itself did.
    All who post as a channel or as the group have the same id in `from`.
    """
    user = message.from_user
    if user is None or user.is_bot or user.id in SHARED_IDS:
        return None
    if message.sender_chat is not None or message.is_automatic_forward:
        return None
    return user


def speaker_of(message: Message) -> int:
    """Return the id of the author if it is no user: a channel, the group, or a bot."""
    if message.sender_chat is not None:
        return message.sender_chat.id
    return message.from_user.id if message.from_user is not None else 0


def is_secondhand(message: Message) -> bool:
    """True if the words may be another author's: forwarded, or made by an inline bot."""
    if message.forward_origin is not None or message.via_bot is not None:
        return True
    return any(field.startswith("forward_") for field in message.api_kwargs)  # before Bot API 7.0


def is_service(update: Update) -> bool:
    """True for a service message (a pin, a new title), which no user wrote."""
    return bool(filters.StatusUpdate.ALL.check_update(update))
