"""What an incoming message says, and which person says it."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from telegram import Message, Update, User
from telegram.ext import filters

from bot.updates.invisible_characters import OVERRIDES, is_invisible
from engine.domain.accounts.members import SHARED_IDS

# What keyboards of other scripts write for the solidus that begins a command.
_SOLIDI = "/\uff0f\u2044\u2215"
_COMMAND = re.compile(rf"[{_SOLIDI}](?P<name>\S+)(?P<rest>.*)", re.DOTALL)
_PICTURES = frozenset({"So", "Sk"})
_NOT_OWN = ("sender_chat", "via_bot", "forward_origin", "forward_date")
_MENTIONED = re.compile(r"@(?P<bot>\w+)\s+(?P<command>/\w+)(?P<rest>(?:\s.*)?)", re.DOTALL)


def text_of(message: Message) -> str:
    """What the message says as its person sees it: its text, or the caption of what it brings.

    "" where nothing is written. A command in it begins with `/`, and no mark hides that.
    """
    return visible(message.text or message.caption)


def own_text_in(message: Mapping[str, Any]) -> str:
    """As `text_of`, of a message as it comes over the wire; "" where the words are no person's own,
    so that no command in it is carried out.
    """
    if any(message.get(field) is not None for field in _NOT_OWN):
        return ""
    return visible(message.get("text") or message.get("caption"))


def visible(text: object) -> str:
    """*text* without invisible marks and outer blanks; "" for what is no text.

    A command is written in the one way that Telegram documents: `@bot /pause` is `/pause@bot`, and
    a picture before it is left out.
    """
    if not isinstance(text, str):
        return ""
    # Behind an override another number is seen than is written: it stays, and is not understood.
    shown = "".join(c for c in text if c in OVERRIDES or not is_invisible(c)).strip()
    if command := _COMMAND.fullmatch(_without_pictures(shown)):
        name = "".join(c for c in command["name"] if c not in OVERRIDES)
        return f"/{unicodedata.normalize('NFKC', name)}{command['rest']}"
    if mentioned := _MENTIONED.fullmatch(shown):
        return f"{mentioned['command']}@{mentioned['bot']}{mentioned['rest']}"
    return shown


def _without_pictures(shown: str) -> str:
    """*shown* from its first letter on: Telegram shows a command behind an emoji as a command."""
    for at, character in enumerate(shown):
        is_picture = not character.isascii() and unicodedata.category(character) in _PICTURES
        if not is_picture and character not in OVERRIDES and not character.isspace():
            return shown[at:]
    return ""


def author_of(message: Message) -> User | None:
    """The person who wrote it; None where a chat, a bot or Telegram itself speaks.

    Whoever posts as a channel or as the group has the same id in `from` as all who do so.
    """
    user = message.from_user
    if user is None or user.is_bot or user.id in SHARED_IDS:
        return None
    if message.sender_chat is not None or message.is_automatic_forward:
        return None
    return user


def speaker_of(message: Message) -> int:
    """The id of what speaks where no person does: a channel, the group, or a bot."""
    if message.sender_chat is not None:
        return message.sender_chat.id
    return message.from_user.id if message.from_user is not None else 0


def is_secondhand(message: Message) -> bool:
    """Whether the words may be another's: forwarded, or made by an inline bot."""
    if message.forward_origin is not None or message.via_bot is not None:
        return True
    return any(field.startswith("forward_") for field in message.api_kwargs)  # before Bot API 7.0


def is_service(update: Update) -> bool:
    """Whether Telegram tells of something (a pin, a new title), and no person sent anything."""
    return bool(filters.StatusUpdate.ALL.check_update(update))
