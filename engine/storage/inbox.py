"""Telegram's updates, sealed, from before they are confirmed until they have been handled."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from engine.storage import queue
from engine.storage.models import InboxRow


async def store(
    session: AsyncSession,
    *,
    bot_id: int,
    updates: Sequence[tuple[int, int, str]],
    now: datetime,
) -> int:
    """Queue updates, each as (update id, chat id, sealed text); how many were not known yet."""
    rows = [
        {"bot_id": bot_id, "update_id": update_id, "chat_id": chat_id, "payload": sealed}
        for update_id, chat_id, sealed in updates
    ]
    return await queue.add_new(session, InboxRow, rows, unique=["bot_id", "update_id"], now=now)
