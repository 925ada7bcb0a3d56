"""Answers out: at once, in place where possible, through the outbox where Telegram is away."""

import asyncio
import json
import logging
from collections.abc import Awaitable

from telegram import Bot, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.asks import Answer, Document
from bot.messages import Message, plain_text, split
from bot.views.waiting import waiting_view
from engine.clock import Clock
from engine.storage import outbox
from engine.storage.database import Database

# A person should never wonder for longer whether the bot is there.
_PATIENCE_S = 0.7
ANSWER = "answer"

logger = logging.getLogger(__name__)


class Replies:
    def __init__(self, *, bot: Bot, database: Database, clock: Clock) -> None:
        self._bot = bot
        self._database = database
        self._clock = clock

    async def answer(
        self,
        chat_id: int,
        work: Awaitable[Answer],
        *,
        key: str,
        in_place: int | None = None,
    ) -> None:
        """Send what *work* returns; if that takes longer, say so first and edit it in later.

        *key* names the question, so that an answer that must wait in the outbox waits there once.
        *in_place* is a message of ours that the answer replaces.
        """
        placeholder = in_place
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(_awaited(work))
            done, _ = await asyncio.wait({working}, timeout=_PATIENCE_S)
            if not done and in_place is None:
                placeholder = await self._try(chat_id, waiting_view())
        answer = working.result()
        if isinstance(answer, Message) and placeholder is not None:
            await self.edit(chat_id, placeholder, answer, key=key)
        else:
            await self.send(chat_id, answer, key=key)

    async def send(self, chat_id: int, answer: Answer, *, key: str) -> None:
        """Now, or from the outbox as soon as Telegram takes it."""
        if isinstance(answer, Document):
            await self._bot.send_document(
                chat_id, answer.content, caption=answer.caption, filename=answer.filename
            )
        elif await self._try(chat_id, answer) is None:
            async with self._database.writing() as session:
                await outbox.add(
                    session,
                    chat_id=chat_id,
                    kind=ANSWER,
                    payload=to_payload(answer),
                    dedupe_key=f"{ANSWER}:{key}",
                    now=self._clock.now(),
                )

    async def edit(self, chat_id: int, message_id: int, message: Message, *, key: str) -> None:
        """Replace a message of ours; send a new one where it cannot be edited any more."""
        try:
            await self._bot.edit_message_text(
                message.text,
                chat_id,
                message_id,
                parse_mode=ParseMode.HTML,
                reply_markup=message.keyboard,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
        except BadRequest as e:
            if "not modified" not in e.message.lower():
                await self.send(chat_id, message, key=key)
        except TelegramError:
            await self.send(chat_id, message, key=key)

    async def strip_buttons(self, chat_id: int, message_id: int) -> None:
        """The question is being answered: its buttons go before anything else happens."""
        try:
            await self._bot.edit_message_reply_markup(chat_id, message_id, reply_markup=None)
        except TelegramError as e:
            logger.info("buttons not removed", extra={"chat_id": chat_id, "problem": e.message})

    async def delete(self, chat_id: int, message_id: int) -> bool:
        """Whether the person's message is gone."""
        try:
            return await self._bot.delete_message(chat_id, message_id)
        except TelegramError as e:
            logger.info("message not deleted", extra={"chat_id": chat_id, "problem": e.message})
            return False

    async def toast(self, query_id: str, text: str | None = None) -> None:
        """End the button's spinner. Telegram forgets taps after some seconds; that is no error."""
        try:
            await self._bot.answer_callback_query(query_id, text)
        except TelegramError as e:
            logger.info("tap not acknowledged", extra={"problem": e.message})

    async def _try(self, chat_id: int, message: Message) -> int | None:
        message_id: int | None = None
        try:
            for text in split(message.text):
                message_id = await self._post(chat_id, text, message)
        except Forbidden as e:
            logger.warning("answer refused", extra={"chat_id": chat_id, "problem": e.message})
            return 0  # nobody is there to read it, now or later
        except TelegramError as e:
            logger.warning("answer delayed", extra={"chat_id": chat_id, "problem": e.message})
            return None
        return message_id

    async def _post(self, chat_id: int, text: str, message: Message) -> int:
        try:
            sent = await self._bot.send_message(
                chat_id,
                text,
                parse_mode=ParseMode.HTML,
                reply_markup=message.keyboard,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
        except BadRequest as e:
            logger.warning("sent as plain text", extra={"chat_id": chat_id, "problem": e.message})
            sent = await self._bot.send_message(
                chat_id, plain_text(text), reply_markup=message.keyboard
            )
        return sent.message_id


def to_payload(message: Message) -> str:
    keyboard = message.keyboard.to_dict() if message.keyboard else None
    return json.dumps({"text": message.text, "keyboard": keyboard})


def from_payload(payload: str) -> Message:
    stored = json.loads(payload)
    keyboard = stored["keyboard"]
    return Message(stored["text"], InlineKeyboardMarkup.de_json(keyboard) if keyboard else None)


async def _awaited(work: Awaitable[Answer]) -> Answer:
    return await work
