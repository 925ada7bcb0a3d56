"""Sends one message in the best form that Telegram accepts."""

import logging
from collections.abc import Awaitable, Callable

from telegram import Bot, LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest

from bot.interaction.message import Message, MessagePlace, plain_text
from bot.messaging.refusals import RefusalCause, refusal_cause

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

logger = logging.getLogger(__name__)


async def send(
    bot: Bot,
    place: MessagePlace,
    message: Message,
    *,
    reply_to: int | None = None,
    turn: Callable[[int], Awaitable[None]],
) -> int:
    """Send as HTML, or as plain text if Telegram refuses the markup; return the message id.
    A message for a topic that is closed or deleted goes to the general one, a reply to a deleted
    message is sent without the reference. *turn* is awaited with the chat before each request.
    Raises TelegramError.
    """
    try:
        return await _post(bot, place, message, reply_to=reply_to, turn=turn)
    except BadRequest as e:
        match refusal_cause(e, in_topic=place.topic_id is not None):
            case RefusalCause.RIGHTS | RefusalCause.GONE:
                raise
            case RefusalCause.TOPIC:
                return await send(bot, MessagePlace(place.chat_id), message, turn=turn)
            case RefusalCause.REPLY if reply_to is not None:
                return await send(bot, place, message, turn=turn)
            case _:
                about = {"chat_id": place.chat_id, "problem": e.message}
                logger.warning("sent as plain text", extra=about)
                is_markup = "parse entities" in e.message.lower()
                return await _send_plain(bot, place, message, buttons=is_markup, turn=turn)


async def _send_plain(
    bot: Bot,
    place: MessagePlace,
    message: Message,
    *,
    buttons: bool,
    turn: Callable[[int], Awaitable[None]],
) -> int:
    """Send without markup, and without *buttons* unless requested. Raises TelegramError."""
    keyboard = message.keyboard if buttons else None
    plain = Message(plain_text(message.text), keyboard, message.silent)
    return await _post(bot, place, plain, parse_mode=None, turn=turn)


async def _post(
    bot: Bot,
    place: MessagePlace,
    message: Message,
    *,
    turn: Callable[[int], Awaitable[None]],
    parse_mode: ParseMode | None = ParseMode.HTML,
    reply_to: int | None = None,
) -> int:
    await turn(place.chat_id)
    reply = ReplyParameters(reply_to, allow_sending_without_reply=True) if reply_to else None
    sent = await bot.send_message(
        place.chat_id,
        message.text.encode(errors="replace").decode(),  # no library sends a lone surrogate
        message_thread_id=place.topic_id,
        parse_mode=parse_mode,
        reply_markup=message.keyboard,
        disable_notification=message.silent,
        link_preview_options=_NO_PREVIEW,
        reply_parameters=reply,
    )
    return sent.message_id
