"""Publishes alerts: each is queued in the outbox, in the transaction of the fact that it reports."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.alerts.alerts import Alert
from engine.domain.alerts.key_alerts import InMode
from engine.domain.alerts.sharing import SharedAlert, is_heard
from engine.storage.accounts import audience, shares
from engine.storage.queues import outbox
from engine.storage.serialization import to_json


async def publish(
    session: AsyncSession, chat_id: int, alert: Alert, *, key: str, now: datetime
) -> None:
    """Queue *alert* for the chat, once: nothing changes if *key* was used before.

    The alert is stored as its facts and worded when it is sent. It goes to the topic in which the
    chat hears of its account, and says the mode that the chat is in now. Chats that the chat's
    account is shared with get it as they want it.
    """
    route = await audience.alert_route(session, chat_id)
    if isinstance(alert, InMode):
        alert = replace(alert, paused=route.paused, halted=route.halted)
    facts = to_json(alert)
    is_new = await outbox.add(
        session,
        chat_id=chat_id,
        kind=alert.stored_as,
        payload=facts,
        dedupe_key=key,
        now=now,
        topic_id=route.topic_id,
    )
    if not is_new or route.account_id is None:
        return
    for share in await shares.of_account(session, route.account_id):
        if is_heard(alert, share.alerts, role=share.role):
            await outbox.add(
                session,
                chat_id=share.chat_id,
                kind=outbox.SHARED,
                payload=to_json(SharedAlert(route.account_id, alert.stored_as, facts)),
                dedupe_key=outbox.shared_key(key, share.chat_id),
                now=now,
            )
