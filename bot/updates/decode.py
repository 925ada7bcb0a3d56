"""Reads updates: their chat, sender and id while raw, and the parts of decoded messages."""

import json
import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from telegram import Bot, Message, Update, User

from bot.updates.invisible_characters import without_marks

_MOST_ID = 2**63 - 1
_LONGEST_NAME = 64
# Raised by the library if an update is not of the shape that Telegram documents.
_MISSHAPEN = (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError)

_WHOSE = frozenset({"message_id", "date", "chat", "from", "sender_chat"})
_ESSENTIAL = _WHOSE | {
    *("text", "caption", "message_thread_id", "is_topic_message", "media_group_id", "via_bot"),
    *("is_automatic_forward", "migrate_to_chat_id", "migrate_from_chat_id", "edit_date"),
    *("forward_from", "forward_from_chat", "forward_sender_name", "forward_date"),
}

logger = logging.getLogger(__name__)


def chat_of(raw: dict[str, Any]) -> int:
    """Return the chat in whose queue the update belongs; 0 if it names no chat."""
    tapped = ("callback_query", "message", "chat", "id")
    kinds = ("message", "edited_message", "my_chat_member")
    paths = (*((kind, "chat", "id") for kind in kinds), tapped, ("callback_query", "from", "id"))
    found = (_id(_at(raw, path)) for path in paths)
    return next((chat_id for chat_id in found if chat_id is not None), 0)


def sender_of(raw: dict[str, Any]) -> int:
    """Return the user who wrote or tapped; 0 if it names none."""
    paths = [(kind, "from", "id") for kind in ("message", "edited_message", "callback_query")]
    found = (_id(_at(raw, path)) for path in paths)
    return next((user_id for user_id in found if user_id is not None), 0)


def update_id(raw: dict[str, Any]) -> int | None:
    """Return the update's id; None if there is none that fits the database's columns."""
    return _id(raw.get("update_id"))


def _at(raw: Any, path: Iterable[str]) -> Any:
    for key in path:
        raw = raw.get(key) if isinstance(raw, dict) else None
    return raw


def read_update(raw: dict[str, Any], bot: Bot) -> Update | None:
    """Decode an update; None, with a warning, for what Telegram would not send.
    If the library cannot decode a part of a message (a newer kind of poll, say), it is decoded
    without that part: its command counts all the same.
    """
    about = {"update_id": raw.get("update_id")}
    if (update := _read(raw, bot)) is not None:
        return update
    if (reduced := _essentials(raw)) is not None and (update := _read(reduced, bot)) is not None:
        logger.warning("update partly decoded", extra=about)
        return update
    logger.warning("update malformed", extra=about)
    return None


def _read(raw: dict[str, Any], bot: Bot) -> Update | None:
    try:
        json.dumps(raw, ensure_ascii=False).encode()  # a lone surrogate is not text
        update = Update.de_json(raw, bot)
        return update if _makes_sense(update) else None
    except _MISSHAPEN:
        return None


def _essentials(raw: dict[str, Any]) -> dict[str, Any] | None:
    """Return the fields of a message that the program reads; None for other kinds of update."""
    for kind in ("message", "edited_message"):
        if isinstance(message := raw.get(kind), dict):
            break
    else:
        return None
    kept = {name: value for name, value in message.items() if name in _ESSENTIAL}
    replied = message.get("reply_to_message")
    if isinstance(replied, dict) and replied.keys() >= {"message_id", "date", "chat"}:
        kept["reply_to_message"] = {k: v for k, v in replied.items() if k in _WHOSE}
    if message.get("forward_origin") is not None:
        kept["forward_date"] = message.get("forward_date", 0)  # from any author
    return {"update_id": raw.get("update_id"), kind: kept}


def topic_of(message: object) -> int | None:
    """Return a message's forum topic; None without topics, and in the general one."""
    if isinstance(message, Message) and message.is_topic_message:
        return message.message_thread_id
    return None


def shows_button(message: object, data: str | None) -> bool:
    """True if the message, as Telegram sent it with the tap, has a button with *data*."""
    keyboard = message.reply_markup if isinstance(message, Message) else None
    rows = keyboard.inline_keyboard if keyboard is not None else ()
    return any(button.callback_data == data for row in rows for button in row)


def name_of(user: User) -> str:
    """Return a user's name on one line of bounded length, without invisible or direction marks.
    The library accepts any value as a name.
    """
    name: object = user.full_name
    text = without_marks(name) if isinstance(name, str) else ""
    return " ".join(text.split())[:_LONGEST_NAME]


def _makes_sense(update: Update) -> bool:
    """Check the fields that the program reads: the library accepts any value for any field, and
    decodes those that Telegram always sends to None if they are missing.
    """
    message, chat, query = update.effective_message, update.effective_chat, update.callback_query
    speaker = message and message.sender_chat
    needed: list[object] = []
    texts: list[object] = [chat and chat.type]
    ids: list[object] = [one.id for one in (chat, update.effective_user, speaker) if one]
    if message is not None:
        if type(message.date) is not datetime:
            return False
        needed.append(message.chat)
        texts += [message.text, message.caption]
        others = (message.migrate_to_chat_id, message.migrate_from_chat_id, topic_of(message))
        ids += [message.message_id, *(other for other in others if other is not None)]
    if query is not None:
        needed += [query.from_user, query.id]  # without its id the tap cannot be acknowledged
        texts += [query.id, query.data]
        ids += [query.message.message_id] if query.message else []
    if (change := update.my_chat_member) is not None:
        needed += [change.chat, change.from_user, change.old_chat_member, change.new_chat_member]
    return (
        all(part is not None for part in needed)
        and all(text is None or isinstance(text, str) for text in texts)
        and all(_id(number) is not None for number in ids)
    )


def _id(value: object) -> int | None:
    return value if type(value) is int and abs(value) < _MOST_ID else None
