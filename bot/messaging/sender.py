"""Sends, edits and pins messages in the best form that Telegram accepts."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from telegram import Bot, InputMediaPhoto, LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden

from bot.interaction.message import Message, MessagePlace, plain_text
from bot.interaction.request import Photo
from bot.messaging.refusals import RefusalCause, refusal_cause

# Telegram's time to answer after it has received a whole file.
UPLOADED_WITHIN_S = 30
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

logger = logging.getLogger(__name__)


class MessageSender:
    """*turn* is awaited with the chat before each request. All methods raise TelegramError."""

    def __init__(self, bot: Bot, *, turn: Callable[[int], Awaitable[None]]) -> None:
        self._bot = bot
        self._turn = turn

    async def send(
        self, place: MessagePlace, message: Message, *, reply_to: int | None = None
    ) -> int:
        """Send as HTML, or as plain text if Telegram refuses the markup; return the message id.
        A message for a topic that is closed or deleted goes to the general one, a reply to a
        deleted message is sent without the reference.
        """
        try:
            return await self._send(place, message, reply_to=reply_to)
        except BadRequest as e:
            match refusal_cause(e, in_topic=place.topic_id is not None):
                case RefusalCause.RIGHTS | RefusalCause.GONE:
                    raise
                case RefusalCause.TOPIC:
                    return await self.send(MessagePlace(place.chat_id), message)
                case RefusalCause.REPLY if reply_to is not None:
                    return await self.send(place, message)
                case _:
                    about = {"chat_id": place.chat_id, "problem": e.message}
                    logger.warning("sent as plain text", extra=about)
                    plain = replace(message, text=plain_text(message.text))
                    if "parse entities" not in e.message.lower():
                        plain = replace(plain, keyboard=None)
                    return await self._send(place, plain, parse_mode=None)

    async def _send(
        self,
        place: MessagePlace,
        message: Message,
        *,
        parse_mode: ParseMode | None = ParseMode.HTML,
        reply_to: int | None = None,
    ) -> int:
        await self._turn(place.chat_id)
        reply = ReplyParameters(reply_to, allow_sending_without_reply=True) if reply_to else None
        sent = await self._bot.send_message(
            place.chat_id,
            _sendable(message.text),
            message_thread_id=place.topic_id,
            parse_mode=parse_mode,
            reply_markup=message.keyboard,
            disable_notification=message.silent,
            link_preview_options=_NO_PREVIEW,
            reply_parameters=reply,
        )
        return sent.message_id

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        """Edit; as plain text if Telegram refuses the markup."""
        try:
            await self._turn(chat_id)
            await self._bot.edit_message_text(
                _sendable(message.text),
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
            await self._turn(chat_id)
            await self._bot.edit_message_text(
                plain_text(_sendable(message.text)),
                chat_id,
                message_id,
                reply_markup=message.keyboard,
            )

    async def send_photo(self, place: MessagePlace, photo: Photo) -> int:
        """Send to the place itself, with the caption as HTML; return the message id."""
        await self._turn(place.chat_id)
        sent = await self._bot.send_photo(
            place.chat_id,
            photo.image,
            _sendable(photo.message.text),
            message_thread_id=place.topic_id,
            parse_mode=ParseMode.HTML,
            reply_markup=photo.message.keyboard,
            disable_notification=photo.message.silent,
            read_timeout=UPLOADED_WITHIN_S,
        )
        return sent.message_id

    async def send_photo_or_words(self, place: MessagePlace, photo: Photo) -> int:
        """Send the caption as a message where Telegram refuses the photo; return the message id."""
        try:
            return await self.send_photo(place, photo)
        except (Forbidden, BadRequest) as e:
            logger.info("photo refused", extra={"chat_id": place.chat_id, "problem": e.message})
            return await self.send(place, photo.message)

    async def edit_photo(self, chat_id: int, message_id: int, photo: Photo) -> None:
        """Show another photo with its caption and buttons in a message that has one."""
        await self._turn(chat_id)
        media = InputMediaPhoto(
            photo.image, _sendable(photo.message.text), parse_mode=ParseMode.HTML
        )
        try:
            await self._bot.edit_message_media(
                media,
                chat_id,
                message_id,
                reply_markup=photo.message.keyboard,
                read_timeout=UPLOADED_WITHIN_S,
            )
        except BadRequest as e:
            if "not modified" not in e.message.lower():
                raise

    async def pin(self, chat_id: int, message_id: int, *, pinned: bool) -> None:
        """Pin silently, or unpin."""
        await self._turn(chat_id)
        if pinned:
            await self._bot.pin_chat_message(chat_id, message_id, disable_notification=True)
        else:
            await self._bot.unpin_chat_message(chat_id, message_id)


def _sendable(text: str) -> str:
    """*text* without lone surrogates, which no library sends."""
    return text.encode(errors="replace").decode()
