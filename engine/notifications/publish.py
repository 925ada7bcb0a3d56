"""Publishes alerts: each is queued in the outbox, in the transaction of the fact that it reports."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.alerts.alerts import Alert
from engine.domain.alerts.key_alerts import InMode
from engine.storage.accounts import audience
from engine.storage.queues import outbox
from engine.storage.serialization import to_json


async def publish(
    session: AsyncSession, chat_id: int, alert: Alert, *, key: str, now: datetime
) -> None:
    """Queue *alert* for the chat, once: nothing changes if *key* was used before.

    The alert is stored as its facts and worded when it is sent. It goes to the topic in which the
    chat hears of its account, and says the mode that the chat is in now.
    """
    topic_id, paused, halted = await audience.alert_route(session, chat_id)
    if isinstance(alert, InMode):
        alert = replace(alert, paused=paused, halted=halted)
    await outbox.add(
        session,
        chat_id=chat_id,
        kind=alert.stored_as,
        payload=to_json(alert),
        dedupe_key=key,
        now=now,
        topic_id=topic_id,
    )
