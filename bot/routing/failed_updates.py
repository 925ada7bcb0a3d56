"""Tells authors that their message was not carried out; survives a restart."""

import logging
from datetime import UTC, datetime
from typing import Any

from bot.access.authorization import Access
from bot.interaction.message import to_payload
from bot.messaging.responder import ANSWER
from bot.updates.decode import sender_of
from bot.updates.message_text import own_text_in
from bot.views.cancelled_updates import not_carried_out_view
from engine.clock import Clock
from engine.storage import availability
from engine.storage.accounts import alert_preferences
from engine.storage.database import Database
from engine.storage.models import queues
from engine.storage.models.queues import InboxRow
from engine.storage.queues import outbox
from engine.storage.queues.claims import ClaimLost

logger = logging.getLogger(__name__)


class FailedUpdates:
    """Writes to the author of an update through the outbox, once. Only where they may do something;
    where the update does not say who they are, the chat is told if anybody in it may.
    """

    def __init__(self, *, database: Database, clock: Clock, access: Access) -> None:
        self._database = database
        self._clock = clock
        self._access = access

    async def tell(self, row: InboxRow, raw: dict[str, Any] | None) -> None:
        """Raises SQLAlchemyError while the database is away, and ClaimLost. *raw* is the update, if
        it can be read.
        """
        try:
            await self._tell(row, raw or {})
        except ClaimLost:
            raise
        except Exception as e:
            if availability.passes(e):
                raise
            # It may be the same that broke the update; then the log is all there is.
            logger.exception("author not notified", extra={"chat_id": row.chat_id})

    async def _tell(self, row: InboxRow, raw: dict[str, Any]) -> None:
        message = raw.get("message")
        message = message if isinstance(message, dict) else {}
        if raw and not _is_addressed(raw, message, row.chat_id):
            return
        if not await self._is_known(row.chat_id, sender_of(raw)):
            return
        async with self._database.writing() as session:
            zone = await alert_preferences.time_zone_of_chat(session, row.chat_id)
            view = not_carried_out_view(sent_at=_sent_at(message, row), time_zone=zone)
            await outbox.add(
                session,
                chat_id=row.chat_id,
                kind=ANSWER,
                payload=to_payload(view),
                dedupe_key=f"set aside:{row.id}",
                now=self._clock.now(),
                topic_id=_topic(message),
                rank=queues.FIRST,
            )

    async def _is_known(self, chat_id: int, user_id: int) -> bool:
        if user_id:
            return await self._access.role(chat_id=chat_id, user_id=user_id) is not None
        async with self._database.reading() as session:
            return bool(await self._access.known_chats(session, {chat_id}))


def _is_addressed(raw: dict[str, Any], message: dict[str, Any], chat_id: int) -> bool:
    """True if its author expects an answer: members of a group talk to each other."""
    if "callback_query" in raw or (chat_id > 0 and message):
        return True
    return own_text_in(message).startswith("/")


def _sent_at(message: dict[str, Any], row: InboxRow) -> datetime:
    date = message.get("date")
    return datetime.fromtimestamp(date, UTC) if isinstance(date, int) else row.created_at


def _topic(message: dict[str, Any]) -> int | None:
    topic = message.get("message_thread_id")
    return topic if message.get("is_topic_message") is True and isinstance(topic, int) else None
