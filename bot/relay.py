"""Messages out: what the outbox holds is sent until Telegram has accepted it."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import httpx
from telegram import Bot, InlineKeyboardMarkup, LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError

from bot.loudness import AS_IT_COMES, Manner
from bot.messages import Message, Place, plain_text, split
from bot.workers import Done, Lanes, Later, Outcome, QueueWorkers, delay
from engine.clock import Clock
from engine.domain.alert_settings import Voice
from engine.storage import outbox
from engine.storage.database import Database
from engine.storage.models import OutboxRow

# python-telegram-bot's cost per message doubles with 30 of them in flight.
_WIDTH = 4
# Telegram's limit for all chats together is about 30 a second.
_SPACING = timedelta(seconds=1) / 29
_LONGEST_PAUSE = timedelta(seconds=60)
_GONE_PAUSE = timedelta(hours=6)
# Under a message that may already have arrived: sendMessage has no idempotency key.
_REPEAT = "\n(repeat?)"
_UNCLEAR = "no answer"
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

logger = logging.getLogger(__name__)


class Relay:
    """Delivers at least once and in order within a chat; a chat that must wait delays no other.

    *on_undeliverable* hears of a chat that blocked the bot or is gone; its messages are kept and
    tried again now and then, or as soon as it writes (outbox.hurry). *on_migrated* of a group's old
    and new id, before the message goes there. *manner* says how each is to be sent, if at all.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        bot: Bot,
        render: Callable[[str, str], Message],
        on_undeliverable: Callable[[int], Awaitable[None]],
        on_migrated: Callable[[int, int], Awaitable[None]],
        manner: Callable[[OutboxRow], Awaitable[Manner]] | None = None,
        owner: str | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._bot = bot
        self._render = render
        self._on_undeliverable = on_undeliverable
        self._on_migrated = on_migrated
        self._manner = manner
        self._next_slot = clock.steady()
        self._slowed_chat = 0
        self._slowed_until = clock.steady()
        self._workers = QueueWorkers(
            database=database,
            clock=clock,
            table=OutboxRow,
            work=self._deliver,
            lanes=Lanes(_WIDTH),
            owner=owner,
        )

    def nudge(self) -> None:
        """Something new is in the outbox."""
        self._workers.nudge()

    def stop(self) -> None:
        """Begin nothing new; `run` returns when what is being sent is done."""
        self._workers.stop()

    async def run(self) -> None:
        """Until cancelled or stopped."""
        await self._workers.run()

    async def _deliver(self, row: OutboxRow) -> Outcome:
        about = {"chat_id": row.chat_id, "kind": row.kind, "outbox_id": row.id}
        manner = AS_IT_COMES if self._manner is None else await self._manner(row)
        if manner.voice is Voice.OFF:
            return Done(failure=manner.why)
        return await self._say(row, manner, about)

    async def _say(self, row: OutboxRow, manner: Manner, about: Mapping[str, object]) -> Outcome:
        # Claimed before without an outcome: that process may have died after sending.
        unclear = row.failure == _UNCLEAR or (row.attempts > 1 and row.failure is None)
        try:
            message = self._render(row.kind, row.payload)
            if manner.voice is Voice.SILENT:
                message = replace(message, silent=True)
            parts = _parts(message, repeated=unclear)
        except Exception as e:
            # The supervisor: one message that cannot be worded must not silence the chat.
            logger.exception("message not rendered", extra=about)
            return Done(failure=f"not rendered: {type(e).__name__}")
        message_id: int | None = None
        try:
            for part in parts:
                reply_to = manner.reply_to if part is parts[0] else None
                place = Place(row.chat_id, row.topic_id)
                message_id = await self._send(place, part, reply_to=reply_to)
        except RetryAfter as e:
            kept = unclear or message_id is not None
            return self._slow_down(row.chat_id, asked_pause(e), kept_unclear=kept)
        except ChatMigrated as e:
            await self._on_migrated(row.chat_id, e.new_chat_id)
            async with self._database.writing() as session:
                await outbox.move_chat(session, old=row.chat_id, new=e.new_chat_id)
            return Later(self._clock.now(), _UNCLEAR if unclear else "migrated")
        except (Forbidden, BadRequest) as e:
            return await self._refused(row.chat_id, e, about)
        except TelegramError as e:
            logger.warning("message delayed", extra={**about, "problem": type(e).__name__})
            kept = unclear or message_id is not None or not isinstance(e.__cause__, _NEVER_LEFT)
            pause = delay(row.attempts, most=_LONGEST_PAUSE)
            return Later(self._clock.now() + pause, _UNCLEAR if kept else "not sent")
        return Done(also={"message_id": message_id})

    async def _refused(
        self, chat_id: int, error: TelegramError, about: Mapping[str, object]
    ) -> Outcome:
        """Kept where nobody is there to read it; given up where Telegram will never take it."""
        extra = {**about, "problem": error.message}
        if _chat_is_gone(error):
            logger.warning("nobody there", extra=extra)
            await self._on_undeliverable(chat_id)
            return Later(self._clock.now() + _GONE_PAUSE, error.message)
        logger.error("message given up", extra=extra)
        return Done(failure=error.message)

    async def _send(self, place: Place, message: Message, *, reply_to: int | None = None) -> int:
        """As HTML; as plain text where Telegram does not like something about that.

        What was meant for a topic that is closed or gone comes to the general one.
        """
        try:
            return await self._post(
                place, message, message.keyboard, ParseMode.HTML, reply_to=reply_to
            )
        except BadRequest as e:
            if _chat_is_gone(e):
                raise
            if place.topic_id is not None and _topic_is_gone(e):
                return await self._send(Place(place.chat_id), message)
            logger.warning(
                "sent as plain text", extra={"chat_id": place.chat_id, "problem": e.message}
            )
            keyboard = message.keyboard if "parse entities" in e.message.lower() else None
            plain = Message(plain_text(message.text), silent=message.silent)
            return await self._post(place, plain, keyboard, None)

    async def _post(
        self,
        place: Place,
        message: Message,
        keyboard: InlineKeyboardMarkup | None,
        parse_mode: ParseMode | None,
        *,
        reply_to: int | None = None,
    ) -> int:
        await self._take_turn()
        sent = await self._bot.send_message(
            place.chat_id,
            message.text,
            message_thread_id=place.topic_id,
            parse_mode=parse_mode,
            reply_markup=keyboard,
            disable_notification=message.silent,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            reply_parameters=None
            if reply_to is None
            else ReplyParameters(reply_to, allow_sending_without_reply=True),
        )
        return sent.message_id

    async def _take_turn(self) -> None:
        """Wait for the next slot, so that all chats together stay under Telegram's limit."""
        now = self._clock.steady()
        slot = max(now, self._next_slot)
        self._next_slot = slot + _SPACING
        await self._clock.sleep(slot - now)

    def _slow_down(self, chat_id: int, pause: timedelta, *, kept_unclear: bool) -> Later:
        """Wait with this chat; with all of them if Telegram has just slowed another one too."""
        now = self._clock.steady()
        until = now + pause
        if self._slowed_until > now and self._slowed_chat != chat_id:
            self._next_slot = max(self._next_slot, until)
        self._slowed_chat, self._slowed_until = chat_id, until
        logger.warning("slowed down", extra={"chat_id": chat_id, "pause_s": pause.total_seconds()})
        return Later(self._clock.now() + pause, _UNCLEAR if kept_unclear else "slowed down")


def _parts(message: Message, *, repeated: bool) -> list[Message]:
    """One message per 4,096 characters; the buttons are under the last."""
    texts = split(message.text + _REPEAT if repeated else message.text)
    if not texts:
        raise ValueError("a message needs a text")
    return [
        *(Message(text, silent=message.silent) for text in texts[:-1]),
        Message(texts[-1], message.keyboard, message.silent),
    ]


def _chat_is_gone(error: TelegramError) -> bool:
    return isinstance(error, Forbidden) or "chat not found" in error.message.lower()


def _topic_is_gone(error: TelegramError) -> bool:
    words = error.message.lower()
    return "thread not found" in words or "topic_closed" in words or "topic_deleted" in words


def asked_pause(error: RetryAfter) -> timedelta:
    """python-telegram-bot is on its way from numbers to durations."""
    pause = error.retry_after
    return pause if isinstance(pause, timedelta) else timedelta(seconds=pause)
