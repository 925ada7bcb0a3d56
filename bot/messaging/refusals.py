"""Classifies Telegram's refusals: caused by the message, by its topic, or by the chat.
The Bot API has no error codes beyond 400 and 403, so the description decides. An unlisted
description has no known cause: the message is kept, and later sends to the chat decide.
"""

from enum import Enum, auto

from telegram.error import Forbidden, TelegramError


class RefusalCause(Enum):
    """Cause of a refusal; it decides what happens to the message.
    MESSAGE: no chat takes it as it is. REPLY, TOPIC: it can go without. RIGHTS: the bot may not
    write in the chat now. GONE: it was blocked or removed, or there is no such chat.
    """

    MESSAGE = auto()
    REPLY = auto()
    TOPIC = auto()
    RIGHTS = auto()
    GONE = auto()
    UNKNOWN = auto()


_REPLY = (
    *("reply parameters", "message to be replied", "message to reply", "replied message"),
    *("reply_message_id", "reply_to_invalid", "quote_text_invalid"),
)
_TOPIC = ("thread not found", "topic_closed", "topic_deleted", "topic_id_invalid", "topic closed")
_MESSAGE = (
    *("parse entities", "parse_entities", "parse message text", "entity_bounds", "entities_too"),
    *("entity_", "too long", "too_long", "text is empty", "message is empty", "message_empty"),
    *("text must be non-empty", "must be encoded in utf-8", "inline keyboard", "inline_keyboard"),
    *("reply markup", "reply_markup", "keyboard button", "button_", "button type", "button url"),
    *("http url", "url_invalid", "webpage_", "object expected as reply"),
)
_RIGHTS = (
    *("not enough rights", "no rights", "administrator rights", "write_forbidden"),
    *("chat_restricted", "_forbidden", "group chat was deactivated", "group is deactivated"),
    *("admin_required", "user_banned_in_channel", "user_restricted", "peer_id_invalid"),
    *("channel_private", "channel_invalid", "chat_id_invalid", "chat_guest", "topic_closed"),
    *("slowmode", "slow mode", "premium_required", "stars_required", "payment_required"),
    *("thread not found", "topic_deleted", "topic_id_invalid", "topic closed", "peer_flood"),
)
_GONE = (
    *("chat not found", "user not found", "blocked", "kicked", "deactivated", "not a member"),
    *("was deleted", "initiate conversation", "messages to bots", "user_is_bot"),
)


def refusal_cause(error: TelegramError, *, in_topic: bool = False) -> RefusalCause:
    """Return the cause. *in_topic*: the message was sent to a topic, which may be the cause."""
    words = error.message.lower()
    if _has(words, _REPLY):
        return RefusalCause.REPLY
    if in_topic and _has(words, _TOPIC):
        return RefusalCause.TOPIC
    if _has(words, _RIGHTS):
        return RefusalCause.RIGHTS
    if isinstance(error, Forbidden) or _has(words, _GONE):
        return RefusalCause.GONE
    return RefusalCause.MESSAGE if _has(words, _MESSAGE) else RefusalCause.UNKNOWN


def _has(words: str, known: tuple[str, ...]) -> bool:
    return any(part in words for part in known)
