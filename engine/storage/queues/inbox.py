"""Queries of Telegram's updates, encrypted, from before they are confirmed until handled."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.storage.models import queues
from engine.storage.models.queues import InboxRow
from engine.storage.queues import queue
from engine.storage.row_mapping import columns_of
from engine.storage.statements import update


@dataclass(frozen=True, slots=True)
class Sealed:
    """An update to store."""

    update_id: int
    chat_id: int
    payload: str
    rank: int = queues.NORMAL


async def store(
    session: AsyncSession, *, bot_id: int, updates: Sequence[Sealed], now: datetime
) -> int:
    """Queue updates; returns how many are new.
    Until the transaction ends no other process stores any: its claim could not see what this one
    claims in a chat.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("inbox"))))
    rows = [{"bot_id": bot_id, **columns_of(one)} for one in updates]
    return await queue.add_new(session, InboxRow, rows, unique=["bot_id", "update_id"], now=now)


async def unknown_waiting(session: AsyncSession, chat_ids: Collection[int]) -> set[int]:
    """The chats that were unknown when something came from them that still waits."""
    query = select(InboxRow.chat_id).where(
        InboxRow.chat_id.in_(chat_ids),
        InboxRow.done_at.is_(None),
        InboxRow.rank == queues.LAST,
    )
    return set(await session.scalars(query))


async def older(
    session: AsyncSession, *, than: int, chats: Collection[int], everywhere: bool
) -> Sequence[InboxRow]:
    """Returns the chats' unhandled updates before row *than*.
    *everywhere*: also those of other known chats.
    """
    query = select(InboxRow).where(InboxRow.done_at.is_(None), InboxRow.id < than)
    here = InboxRow.chat_id.in_(chats)
    query = query.where(or_(here, InboxRow.rank != queues.LAST) if everywhere else here)
    return (await session.scalars(query.order_by(InboxRow.id))).all()


async def cancel(session: AsyncSession, row_ids: Collection[int], *, now: datetime) -> set[int]:
    """Cancel updates; returns those not handled yet, whose workers lose their claims.

    What another transaction writes for one of them at this moment comes before, or not at all.
    """
    cancelled = await session.scalars(
        update(InboxRow)
        .where(InboxRow.id.in_(row_ids), InboxRow.done_at.is_(None))
        .values(done_at=now, claimed_until=None, failure="cancelled", payload="")
        .returning(InboxRow.id)
    )
    return set(cancelled)
