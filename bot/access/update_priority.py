"""Ranks updates in the inbox when they are stored, because then they are encrypted."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.access.authorization import Access
from bot.interaction.update_kind import stops, update_kind_of
from bot.updates.decode import chat_of, sender_of
from engine.storage.models import queues
from engine.storage.queues import inbox


class UpdatePriorities:
    """Ranks an authorized /pause or /halt first, and chats in which no user is authorized last."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def of(self, session: AsyncSession, updates: Sequence[dict[str, Any]]) -> Sequence[int]:
        """Return the rank in the inbox of each of *updates*."""
        chats = {chat_of(raw) for raw in updates}
        known = await self._access.known_chats(session, chats)
        # A chat that was authorized meanwhile keeps its order: its older updates are still
        # waiting.
        known -= await inbox.unknown_waiting(session, known) if known else set()
        return [
            queues.FIRST
            if stops(update_kind_of(raw)) and await self._may_stop(session, raw)
            else queues.NORMAL
            if chat_of(raw) in known
            else queues.LAST
            for raw in updates
        ]

    async def _may_stop(self, session: AsyncSession, raw: dict[str, Any]) -> bool:
        return await self._access.may_trade(session, chat_id=chat_of(raw), user_id=sender_of(raw))
