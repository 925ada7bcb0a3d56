"""Sends queued messages at least once and in order per chat."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
from sqlalchemy.exc import SQLAlchemyError
from telegram import Bot
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError

from bot.interaction.message import CAPTION_LIMIT, Message, MessagePlace, from_payload, split
from bot.interaction.request import Photo
from bot.messaging.alert_pictures import AlertPictures
from bot.messaging.chat_pace import ChatPace
from bot.messaging.delivery_policy import Delivery, DeliveryPolicy
from bot.messaging.flood_control import FloodControl
from bot.messaging.refusals import RefusalCause, refusal_cause
from bot.messaging.responder import ANSWER
from bot.messaging.sender import MessageSender
from bot.views.alerts.alerts import alert_view
from bot.views.alerts.shared import shared_alert_view
from bot.views.alerts.undeliverable import broken_words_view, set_aside_view, unknown_kind_view
from bot.views.components.times import times_in
from engine.accounts.deliverability import Deliverability
from engine.backoff import delay
from engine.clock import Clock
from engine.domain.alerts.alerts import Alert
from engine.domain.alerts.order_alerts import PauseAnswerSettled
from engine.domain.alerts.preferences import DeliveryMode
from engine.scheduling.queue_worker import Done, Lanes, Later, Outcome, QueueWorkers, Together
from engine.storage import availability
from engine.storage.database import Database
from engine.storage.models import queues
from engine.storage.models.queues import OutboxRow
from engine.storage.queues import outbox
from engine.storage.queues.claims import ClaimLost
from engine.storage.serialization import Unreadable, alert_from_json

# python-telegram-bot's cost per message doubles with 30 of them in flight.
_IN_FLIGHT = 4
# A process that is killed repeats, or marks as repeated, no more than it has claimed.
_CLAIMED = 8
_TOGETHER = Together(rows=4, within_s=0.15)
# Telegram's limit for all chats together is about 30 a second.
_SPACING = timedelta(seconds=1) / 29
_LONGEST_PAUSE = timedelta(seconds=60)
# A message refused for an unknown reason is retried this long before it is given up.
_DOUBTED_FOR = timedelta(minutes=10)
# Under a message that may already have arrived: sendMessage has no idempotency key.
_REPEAT = "\n(repeat?)"
_UNCLEAR = "no answer"
_UNREADABLE = "unreadable since "
# Another process may be able to read what this version cannot.
_UNREAD_FOR, _UNREAD_PAUSE = timedelta(days=1), timedelta(seconds=30)
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

logger = logging.getLogger(__name__)


class OutboxSender:
    """Delivers at least once and in order within a chat; a waiting chat delays no other.
    *deliverability* is called when a chat takes no messages, or takes them again; its messages are
    kept and retried now and then, or as soon as an update comes from it. *on_migrated* is called
    with a group's old and new id before the message is sent there. *pictures* draws those of reports.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        bot: Bot,
        deliverability: Deliverability,
        on_migrated: Callable[[int, int], Awaitable[None]],
        owner: str | None = None,
        flood: FloodControl | None = None,
        render: Callable[[str, str], Message] | None = None,
        pictures: AlertPictures | None = None,
    ) -> None:
        self._pictures = pictures
        self._database = database
        self._clock = clock
        self._sender = MessageSender(bot, turn=self._take_turn)
        self._render = render or render_queued
        self._deliverability = deliverability
        self._on_migrated = on_migrated
        self._delivery = DeliveryPolicy(database=database, clock=clock).of
        self._next_slot = clock.steady()
        self._pace = ChatPace(clock)
        self._lanes = asyncio.Semaphore(_IN_FLIGHT)
        self._silent: set[int] = set()  # as far as this process knows
        self._flood = flood or FloodControl(clock)
        self._workers = QueueWorkers(
            database=database,
            clock=clock,
            table=OutboxRow,
            work=self._deliver,
            lanes=Lanes(_CLAIMED),
            together=_TOGETHER,
            pause_of=lambda row: self._pace.pause(row.chat_id),
            owner=owner,
        )

    def nudge(self) -> None:
        """Wake the sender: the outbox has a new message."""
        self._workers.nudge()

    def stop(self) -> None:
        """Claim nothing new; `run` returns when the current sends are finished."""
        self._workers.stop()

    async def run(self) -> None:
        """Run until cancelled or stopped."""
        with suppress(*availability.AWAY):
            self._silent.update(await self._deliverability.silent_chats())
        await self._workers.run()

    async def _deliver(self, row: OutboxRow) -> Outcome:
        about = {"chat_id": row.chat_id, "kind": row.kind, "outbox_id": row.id}
        try:
            delivery = await self._delivery(row)
            if delivery.mode is DeliveryMode.OFF:
                return Done(failure=delivery.why)
            async with self._lanes:
                return await self._send(row, delivery, about)
        except (SQLAlchemyError, ClaimLost):
            raise
        except Exception as e:
            # A bug of ours with one message must not stop the others.
            logger.exception("message failed", extra=about)
            later = self._clock.now() + delay(row.attempts, most=_LONGEST_PAUSE)
            return Later(later, f"{_UNCLEAR}: {type(e).__name__}", rank=queues.ASIDE)

    async def _send(
        self, row: OutboxRow, delivery: Delivery, about: Mapping[str, object]
    ) -> Outcome:
        # Claimed before without an outcome: that process may have died after sending.
        unclear = (row.failure or "").startswith(_UNCLEAR) or (
            row.attempts > 1 and row.failure is None
        )
        worded = self._worded(row, delivery, about, unclear=unclear)
        if isinstance(worded, Later):
            return worded
        parts, failure = worded
        message_id: int | None = None
        place = MessagePlace(row.chat_id, row.topic_id)
        try:
            if message_id := await self._edited(row, delivery.alert, parts):
                parts = []
            elif photo := await self._photo(row, delivery, parts, unclear=unclear):
                message_id = await self._sender.send_photo_or_words(place, photo)
                parts = []
            for part in parts:
                reply_to = delivery.reply_to if part is parts[0] else None
                message_id = await self._sender.send(place, part, reply_to=reply_to)
        except (Forbidden, BadRequest) as e:
            kept = unclear or message_id is not None
            return await self._refused(row, e, about, unclear=kept)
        except TelegramError as e:
            return await self._delayed(
                row, e, about, unclear=unclear, begun=message_id is not None
            )
        await self._delivered(row)
        return Done(failure=failure, also={"message_id": message_id})

    async def _edited(
        self, row: OutboxRow, alert: Alert | None, parts: list[Message]
    ) -> int | None:
        """Return the earlier message that shows the new text now. One that is gone is sent again."""
        if not isinstance(alert, PauseAnswerSettled):
            return None
        try:
            await self._sender.edit(row.chat_id, alert.message_id, parts[0])
        except BadRequest as e:
            extra = {"chat_id": row.chat_id, "problem": e.message}
            logger.info("answer not edited", extra=extra)
            return None
        return alert.message_id

    async def _photo(
        self, row: OutboxRow, delivery: Delivery, parts: list[Message], *, unclear: bool
    ) -> Photo | None:
        """The message below its picture. One that may have arrived is repeated in words only."""
        if self._pictures is None or delivery.picture is None or unclear:
            return None
        if len(parts) > 1 or len(split(parts[0].text, CAPTION_LIMIT)) > 1:
            return None
        image = await self._pictures.of(row.chat_id, delivery.picture)
        return Photo(image, parts[0]) if image else None

    def _worded(
        self, row: OutboxRow, delivery: Delivery, about: Mapping[str, object], *, unclear: bool
    ) -> Later | tuple[list[Message], str | None]:
        """Return the text to send, and the reason if it is not the intended one.
        A message that this version cannot read waits a day for a process that can, behind all
        others of its chat; one that cannot be rendered is reported at once. Neither blocks the
        chat.
        """
        failure = None
        try:
            read = delivery.alert
            with times_in(delivery.time_zone):
                message = (
                    self._render(row.kind, row.payload)
                    if read is None
                    else alert_view(read)
                    if delivery.role is None
                    else shared_alert_view(read, role=delivery.role)
                )
            parts = _parts(message, repeated=unclear, silent=delivery.mode is DeliveryMode.SILENT)
        except Unreadable as e:
            now = self._clock.now()
            since = _unreadable_since(row.failure) or now
            failure = f"{_UNREADABLE}{since.isoformat()}"
            if now - since < _UNREAD_FOR:
                if since == now:
                    logger.warning("message unreadable", extra={**about, "problem": str(e)})
                return Later(now + _UNREAD_PAUSE, failure, rank=queues.ASIDE)
            logger.exception("message never read", extra=about)
            message = unknown_kind_view(kind=row.kind, at=row.created_at)
            parts = _parts(message, repeated=unclear)
        except Exception as e:
            # A bug of ours.
            logger.exception("message not rendered", extra=about)
            failure = f"not rendered: {type(e).__name__}"
            message = broken_words_view(kind=row.kind, at=row.created_at)
            parts = _parts(message, repeated=unclear)
        return parts, failure

    async def _delayed(
        self,
        row: OutboxRow,
        error: TelegramError,
        about: Mapping[str, object],
        *,
        unclear: bool,
        begun: bool,
    ) -> Later:
        """Retry later: Telegram is away, busy or migrated the chat. *begun*: a part is sent."""
        if isinstance(error, RetryAfter):
            pause = self._flood.slowed(row.chat_id, error)
            logger.warning("chat rate limited", extra={**about, "pause_s": pause.total_seconds()})
            why = _UNCLEAR if unclear or begun else outbox.SLOWED_DOWN
            return Later(self._clock.now() + pause, why)
        if isinstance(error, ChatMigrated):
            await self._on_migrated(row.chat_id, error.new_chat_id)
            async with self._database.writing() as session:
                await outbox.move_chat(session, old=row.chat_id, new=error.new_chat_id)
            return Later(self._clock.now(), _UNCLEAR if unclear else "migrated")
        logger.warning("message delayed", extra={**about, "problem": type(error).__name__})
        kept = unclear or begun or not isinstance(error.__cause__, _NEVER_LEFT)
        pause = delay(row.attempts, most=_LONGEST_PAUSE)
        return Later(self._clock.now() + pause, _UNCLEAR if kept else "not sent")

    async def _refused(
        self, row: OutboxRow, error: TelegramError, about: Mapping[str, object], *, unclear: bool
    ) -> Outcome:
        """Keep the message if the chat takes none; set it aside, and say so, if it is the message.
        An unknown reason counts as the chat's at first. Only if the same message was refused for a
        while and another one is accepted is it the message's.
        """
        extra = {**about, "problem": error.message}
        blamed = refusal_cause(error)
        if blamed is RefusalCause.MESSAGE:
            return await self._set_aside(row, error, extra)
        logger.warning("chat unreachable", extra=extra)
        self._silent.add(row.chat_id)
        chat = await self._deliverability.refused(
            row.chat_id, problem=error.message, gone=blamed is RefusalCause.GONE
        )
        now = self._clock.now()
        failure = f"{_UNCLEAR}; {error.message}" if unclear else error.message
        later = Later(chat.next_try(now=now), failure)
        is_known = blamed in {RefusalCause.RIGHTS, RefusalCause.GONE}
        if not is_known and now - chat.since >= _DOUBTED_FOR:
            return await self._set_aside(row, error, extra, unless=later)
        return later

    async def _set_aside(
        self,
        row: OutboxRow,
        error: TelegramError,
        extra: Mapping[str, object],
        *,
        unless: Later | None = None,
    ) -> Outcome:
        """Send a notice in its place; if that is refused too, it is the chat."""
        notice = set_aside_view(kind=row.kind, at=row.created_at, problem=error.message)
        try:
            place = MessagePlace(row.chat_id, row.topic_id)
            message_id = await self._sender.send(place, notice)
        except (Forbidden, BadRequest) as e:
            if unless is not None:
                return unless
            if refusal_cause(e) is not RefusalCause.MESSAGE:
                gone = refusal_cause(e) is RefusalCause.GONE
                chat = await self._deliverability.refused(
                    row.chat_id, problem=e.message, gone=gone
                )
                return Later(chat.next_try(now=self._clock.now()), e.message)
            message_id = None
        except TelegramError as e:
            return await self._delayed(row, e, extra, unclear=False, begun=False)
        logger.error("message set aside", extra=extra)
        if message_id is not None:
            await self._delivered(row)
        return Done(failure=error.message, also={"message_id": message_id})

    async def _delivered(self, row: OutboxRow) -> None:
        """Record that the chat takes messages again; if that fails, nothing is sent twice."""
        if row.failure is None and row.chat_id not in self._silent:
            return
        try:
            await self._deliverability.delivered(row.chat_id)
        except availability.AWAY as e:
            self._silent.add(row.chat_id)  # the next message that is sent records it
            logger.warning("recovery of a chat not recorded", extra={"problem": type(e).__name__})
        else:
            self._silent.discard(row.chat_id)

    async def _take_turn(self, chat_id: int) -> None:
        """Wait for the next slot under Telegram's limit for all chats. Raises QuietPeriod."""
        now = self._clock.steady()
        slot = max(now, self._next_slot, self._flood.all_until)
        self._next_slot = slot + _SPACING
        await self._clock.sleep(slot - now)
        await self._flood.check(chat_id)
        self._pace.sent(chat_id)


def _parts(message: Message, *, repeated: bool, silent: bool = False) -> list[Message]:
    text = message.text + _REPEAT if repeated else message.text
    return replace(message, text=text, silent=silent or message.silent).parts()


def _unreadable_since(failure: str | None) -> datetime | None:
    if failure is None or not failure.startswith(_UNREADABLE):
        return None
    return datetime.fromisoformat(failure.removeprefix(_UNREADABLE))


def render_queued(kind: str, payload: str) -> Message:
    """Return the text of a queued message. Raises Unreadable for what another version wrote."""
    if kind != ANSWER:
        return alert_view(alert_from_json(kind, payload))
    try:
        return from_payload(payload)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as e:
        raise Unreadable("this is no answer") from e
