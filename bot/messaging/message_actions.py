"""Edits and deletes sent messages and acknowledges taps. Nothing is queued for later."""

import logging
from datetime import timedelta

from telegram import Bot
from telegram.error import BadRequest, RetryAfter, TelegramError

from bot.interaction.message import Message, MessagePlace
from bot.messaging.flood_control import FloodControl
from bot.messaging.sender import MessageSender
from engine.clock import Clock

_BEFORE_ASKING_AGAIN = timedelta(seconds=1)
# The chat's next updates wait with a tap, except for commands that stop trading.
_LONGEST_SILENCE = timedelta(seconds=60)

logger = logging.getLogger(__name__)


class MessageActions:
    """Does nothing in a chat under flood control, except deleting a message with a secret."""

    def __init__(self, *, bot: Bot, clock: Clock, flood: FloodControl) -> None:
        self._bot = bot
        self._clock = clock
        self._flood = flood
        self._sender = MessageSender(bot, turn=flood.check)

    def slowed(self, chat_id: int, error: TelegramError) -> None:
        if isinstance(error, RetryAfter):
            self._flood.slowed(chat_id, error)

    async def edited(self, place: MessagePlace, message_id: int, message: Message) -> bool:
        """Replace a message of ours; True if it now has this text."""
        try:
            await self._sender.edit(place.chat_id, message_id, message)
        except TelegramError as e:
            self.slowed(place.chat_id, e)
            return False
        return True

    async def strip_buttons(self, chat_id: int, message_id: int) -> None:
        """Remove the buttons of a confirmation before anything else is done for its answer."""
        try:
            await self._flood.check(chat_id)
            await self._bot.edit_message_reply_markup(chat_id, message_id, reply_markup=None)
        except TelegramError as e:
            self.slowed(chat_id, e)
            logger.info("buttons not removed", extra={"chat_id": chat_id, "problem": e.message})

    async def delete(self, chat_id: int, message_id: int, *, is_secret: bool = False) -> bool:
        """Delete the message; True if it is gone. One that *is_secret* ignores flood control."""
        try:
            if not is_secret:
                await self._flood.check(chat_id)
            return await self._bot.delete_message(chat_id, message_id)
        except TelegramError as e:
            if "delete not found" in e.message.lower():
                return True  # already deleted, before a restart or by the user
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
        """End the button's spinner. False if the tap is too old, None if Telegram does not say.
        Under flood control the request is made after the pause.
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
