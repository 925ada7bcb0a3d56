"""Sends, edits and pins messages that stay in a chat. Raises Telegram's errors."""

import logging

from telegram import Bot, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import BadRequest

from bot.interaction.message import Message, MessagePlace, plain_text

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

logger = logging.getLogger(__name__)


class MessageSender:
    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def put_up(self, place: MessagePlace, message: Message) -> int:
        """Send silently; return the new message's id."""
        sent = await self._bot.send_message(
            place.chat_id,
            message.text,
            message_thread_id=place.topic_id,
            parse_mode=ParseMode.HTML,
            reply_markup=message.keyboard,
            disable_notification=True,
            link_preview_options=_NO_PREVIEW,
        )
        return sent.message_id

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        """Edit; as plain text if Telegram refuses the markup."""
        try:
            await self._bot.edit_message_text(
                message.text,
                chat_id,
                message_id,
                parse_mode=ParseMode.HTML,
                reply_markup=message.keyboard,
                link_preview_options=_NO_PREVIEW,
            )
        except BadRequest as e:
            problem = e.message.lower()
            if "not modified" in problem:
                return
            if "parse entities" not in problem:
                raise
            logger.warning("edited as plain text", extra={"problem": e.message})
            await self._bot.edit_message_text(
                plain_text(message.text), chat_id, message_id, reply_markup=message.keyboard
            )

    async def pin(self, chat_id: int, message_id: int, *, pinned: bool) -> None:
        """Pin or unpin."""
        if pinned:
            await self._bot.pin_chat_message(chat_id, message_id, disable_notification=True)
        else:
            await self._bot.unpin_chat_message(chat_id, message_id)
