"""Telegram's getUpdates, one poll at a time.
    PollFailed
    ├── TokenRefused   the token is wrong or was revoked: no later poll can succeed
    ├── Conflict       another copy of the bot polls: wait for it to stop
    ├── RetryAfter     Telegram's flood control
    └── Unreachable    anything else; try later
No exception and no log line of this module holds the token, which is part of every URL.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import httpx
from telegram import Bot, Message, Update, User
from telegram.error import InvalidToken, TelegramError

from bot.updates.invisible_characters import without_marks
from engine.backoff import retry
from engine.clock import Clock

# Sent in full each time: Telegram remembers the list of the last call that had one.
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
_BATCH = 100
# Beyond the long poll itself. httpx's own timeouts only limit each chunk of a slow answer.
_MARGIN = timedelta(seconds=10)
_LONGEST_PAUSE_S = 86_400
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


class PollFailed(Exception):
    """Raised if a poll returned no updates."""


class TokenRefused(PollFailed): ...


class Conflict(PollFailed): ...


class RetryAfter(PollFailed):
    def __init__(self, pause: timedelta) -> None:
        super().__init__(f"asked to wait {pause.total_seconds():.0f} s")
        self.pause = pause


class Unreachable(PollFailed): ...


class UpdatesSource:
    """*url* is `<Bot API server>/bot<token>`; a poll is answered after *hold* at the latest."""

    def __init__(
        self, *, http: httpx.AsyncClient, url: str, hold: timedelta = timedelta(seconds=30)
    ) -> None:
        self._http = http
        self._url = f"{url}/getUpdates"
        self._hold = hold

    async def fetch(self, offset: int | None) -> list[dict[str, Any]]:
        """Return the oldest unconfirmed updates, not decoded; *offset* confirms all before it.
        Raises PollFailed.
        """
        form = {
            "timeout": str(int(self._hold.total_seconds())),
            "limit": str(_BATCH),
            "allowed_updates": json.dumps(ALLOWED_UPDATES),
        }
        if offset is not None:
            form["offset"] = str(offset)
        limit = (self._hold + _MARGIN).total_seconds()
        try:
            async with asyncio.timeout(limit):
                response = await self._http.post(self._url, data=form, timeout=limit)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as e:
            raise Unreachable(type(e).__name__) from None  # its request holds the token
        return _updates(response)


async def until_answered(
    call: Callable[[], Awaitable[object]], clock: Clock, *, event: str
) -> None:
    """Repeat a call of the library until Telegram answers it; each failure is logged as *event*.
    Raises TokenRefused.
    """

    def failed(error: TelegramError) -> None:
        if isinstance(error, InvalidToken):  # its text holds the token
            raise TokenRefused("Telegram does not know this token") from None
        logger.warning(event, extra={"problem": type(error).__name__})

    await retry(call, on=TelegramError, clock=clock, failed=failed)


def _updates(response: httpx.Response) -> list[dict[str, Any]]:
    status = response.status_code
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND):
        raise TokenRefused(f"Telegram answered {status}")
    if status == HTTPStatus.CONFLICT:
        raise Conflict(f"Telegram answered {status}")
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        raise Unreachable(f"unreadable answer {status}") from None  # it may hold a typed key
    if not isinstance(answer, dict):
        raise Unreachable(f"unexpected answer {status}")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise RetryAfter(_pause(answer))
    if not response.is_success or not isinstance(answer.get("result"), list):
        raise Unreachable(f"Telegram answered {status}")
    updates = [update for update in answer["result"] if isinstance(update, dict)]
    if skipped := len(answer["result"]) - len(updates):
        logger.error("malformed updates skipped", extra={"count": skipped})
    return updates


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
    """Check the fields that the program reads: the library accepts any value for any field."""
    query = update.callback_query
    message, chat = update.effective_message, update.effective_chat
    texts: list[object] = [message and message.text, message and message.caption]
    texts.append(chat and chat.type)
    speaker = message and message.sender_chat
    ids: list[object] = [one.id for one in (chat, update.effective_user, speaker) if one]
    if query is not None:
        texts += [query.id, query.data]
        ids += [query.message.message_id] if query.message else []
    if message is not None:
        ids.append(message.message_id)
        moved = (message.migrate_to_chat_id, message.migrate_from_chat_id)
        ids += [chat_id for chat_id in moved if chat_id is not None]
        if (topic := topic_of(message)) is not None:
            ids.append(topic)
        if type(message.date) is not datetime:
            return False
    if query is not None and type(query.id) is not str:
        return False  # without it the tap cannot be acknowledged
    if not _has_its_parts(update):
        return False
    return all(text is None or isinstance(text, str) for text in texts) and all(map(_is_id, ids))


def _has_its_parts(update: Update) -> bool:
    """True if the fields that Telegram always sends are present: missing ones decode to None."""
    parts: list[object] = []
    if (message := update.effective_message) is not None:
        parts += [message.chat]
    if (query := update.callback_query) is not None:
        parts += [query.from_user]
    if (change := update.my_chat_member) is not None:
        parts += [change.chat, change.from_user, change.old_chat_member, change.new_chat_member]
    return all(part is not None for part in parts)


def _is_id(value: object) -> bool:
    return type(value) is int and abs(value) < _MOST_ID


def _pause(answer: dict[str, Any]) -> timedelta:
    parameters = answer.get("parameters")
    seconds = parameters.get("retry_after") if isinstance(parameters, dict) else None
    if not isinstance(seconds, int) or not 0 < seconds <= _LONGEST_PAUSE_S:
        seconds = 1
    return timedelta(seconds=seconds)
