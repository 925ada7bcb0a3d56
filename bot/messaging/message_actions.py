"""What is done to messages that are in a chat already, and to taps. Nothing of it is sent later."""

import logging
from datetime import timedelta

from telegram import Bot, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import BadRequest, RetryAfter, TelegramError

from bot.interaction.message import Message, MessagePlace
from bot.messaging.flood_control import FloodControl
from engine.clock import Clock

_BEFORE_ASKING_AGAIN = timedelta(seconds=1)
# What the chat sent next waits with a tap, but for what stops trading.
_LONGEST_SILENCE = timedelta(seconds=60)

logger = logging.getLogger(__name__)


class MessageActions:
    """Nothing is done in a chat in which Telegram wants silence, but to take a secret out of it."""

    def __init__(self, *, bot: Bot, clock: Clock, flood: FloodControl) -> None:
        self._bot = bot
        self._clock = clock
        self._flood = flood

    def slowed(self, chat_id: int, error: TelegramError) -> None:
        if isinstance(error, RetryAfter):
            self._flood.slowed(chat_id, error)

    async def edited(self, place: MessagePlace, message_id: int, message: Message) -> bool:
        """Replace a message of ours; whether it says so now."""
        try:
            await self._flood.check(place.chat_id)
            await self._bot.edit_message_text(
                message.text,
                place.chat_id,
                message_id,
                parse_mode=ParseMode.HTML,
                reply_markup=message.keyboard,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
        except BadRequest as e:
            return "not modified" in e.message.lower()
        except TelegramError as e:
            self.slowed(place.chat_id, e)
            return False
        return True

    async def strip_buttons(self, chat_id: int, message_id: int) -> None:
        """The question is being answered: its buttons go before anything else happens."""
        try:
            await self._flood.check(chat_id)
            await self._bot.edit_message_reply_markup(chat_id, message_id, reply_markup=None)
        except TelegramError as e:
            self.slowed(chat_id, e)
            logger.info("buttons not removed", extra={"chat_id": chat_id, "problem": e.message})

    async def delete(self, chat_id: int, message_id: int, *, is_secret: bool = False) -> bool:
        """Whether the message is gone. One that *is_secret* is deleted whatever Telegram wants."""
        try:
            if not is_secret:
                await self._flood.check(chat_id)
            return await self._bot.delete_message(chat_id, message_id)
        except TelegramError as e:
            if "delete not found" in e.message.lower():
                return True  # by our own doing before a restart, or by the person's
            self.slowed(chat_id, e)
            logger.info("message not deleted", extra={"chat_id": chat_id, "problem": e.message})
            return False

    async def toast(self, query_id: str, text: str | None = None, *, chat_id: int) -> None:
        """End the button's spinner."""
        try:
            await self._flood.check(chat_id)
            await self._bot.answer_callback_query(query_id, text)
        except TelegramError as e:
            self.slowed(chat_id, e)
            logger.info("tap not acknowledged", extra={"problem": e.message})

    async def in_time(self, query_id: str, *, chat_id: int) -> bool | None:
        """End the button's spinner. False if Telegram has forgotten the tap, being too old; None if
        it does not say. Where it wants silence, it is asked after that.
        """
        for is_last in (False, True):
            if (pause := self._flood.pause(chat_id)) > _LONGEST_SILENCE:
                return None
            await self._clock.sleep(pause)
            try:
                await self._flood.check(chat_id)
                return await self._bot.answer_callback_query(query_id)
            except BadRequest:
                return False
            except TelegramError as e:
                self.slowed(chat_id, e)
                logger.info("age of a tap unknown", extra={"problem": e.message})
            if not is_last:
                await self._clock.sleep(_BEFORE_ASKING_AGAIN)
        return None
