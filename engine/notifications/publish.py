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
    session: AsyncSession,
    chat_id: int,
    alert: Alert,
    *,
    key: str,
    now: datetime,
    but_not: int | None = None,
) -> None:
    """Queue *alert* for the chat, once: nothing changes if *key* was used before.

    The alert is stored as its facts and worded when it is sent. It goes to the topic in which the
    chat hears of its account, and says the mode that the chat is in now. Chats that the chat's
    account is shared with get it as they want it. *but_not* is a chat that knows it already.
    """
    route = await audience.alert_route(session, chat_id)
    if isinstance(alert, InMode):
        alert = replace(alert, paused=route.paused, halted=route.halted)
    facts = to_json(alert)
    if chat_id != but_not and not await outbox.add(
        session,
        chat_id=chat_id,
        kind=alert.stored_as,
        payload=facts,
        dedupe_key=key,
        now=now,
        topic_id=route.topic_id,
    ):
        return
    if route.account_id is None:
        return
    shared = SharedAlert(route.account_id, alert.stored_as, facts)
    for share in await shares.of_account(session, route.account_id):
        if share.chat_id != but_not and is_heard(alert, share.alerts, role=share.role):
            await outbox.add(
                session,
                chat_id=share.chat_id,
                kind=outbox.SHARED,
                payload=to_json(shared),
                dedupe_key=outbox.shared_key(key, share.chat_id),
                now=now,
            )
