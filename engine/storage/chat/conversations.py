"""Queries of the input that the bot awaits from a user; at most one per chat and user."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from engine.storage.models.chat import ConversationRow
from engine.storage.row_mapping import columns_of, from_row


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """An awaited input; *sealed* is what was entered so far, encrypted: perhaps half a key."""

    chat_id: int
    user_id: int
    kind: str
    sealed: str
    expires_at: datetime


async def put(session: AsyncSession, dialog: Conversation) -> None:
    """Store an awaited input; replaces the user's older one."""
    await session.merge(ConversationRow(**columns_of(dialog, "sealed"), payload=dialog.sealed))


async def get(
    session: AsyncSession, *, chat_id: int, user_id: int, now: datetime
) -> Conversation | None:
    row = await session.get(ConversationRow, (chat_id, user_id))
    if row is None or row.expires_at < now:
        return None
    return from_row(Conversation, row, sealed=row.payload)


async def is_any(session: AsyncSession, *, chat_id: int, user_id: int) -> bool:
    """True if an input is awaited from this user, expired or not."""
    return await session.get(ConversationRow, (chat_id, user_id)) is not None


async def end_all(session: AsyncSession, chat_id: int) -> None:
    """Await nothing in the chat any more."""
    await session.execute(delete(ConversationRow).where(ConversationRow.chat_id == chat_id))


async def end(session: AsyncSession, *, chat_id: int, user_id: int) -> None:
    await session.execute(
        delete(ConversationRow).where(
            ConversationRow.chat_id == chat_id, ConversationRow.user_id == user_id
        )
    )
