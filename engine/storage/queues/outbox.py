"""Messages that must reach a chat: stored with what they report, sent later from the outbox."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from engine.storage.models import queues
from engine.storage.models.queues import OutboxRow
from engine.storage.queues import queue
from engine.storage.statements import count_rows

# Why a row waits, where Telegram said for how long.
SLOWED_DOWN = "slowed down"
# Why a row was never sent: the chat does not want it.
OFF, SMALL = "off", "too small to tell"
NOT_SHARED, OLD, ASIDE = "not shared any more", "too old to tell", "of an account that is aside"
_NOT_WANTED = (OFF, SMALL, NOT_SHARED, OLD, ASIDE)
# An alert of an account that another chat shares with this one.
SHARED = "shared"
_TO = ":to:"


def shared_key(key: str, chat_id: int) -> str:
    """The dedupe key of the alert *key* for one of the other chats that get it."""
    return f"{key}{_TO}{chat_id}"


def own_key(dedupe_key: str) -> tuple[str, str]:
    """The key of the alert, and what `shared_key` put behind it."""
    own, to, chat = dedupe_key.partition(_TO)
    return own, to + chat


async def add(
    session: AsyncSession,
    *,
    chat_id: int,
    kind: str,
    payload: str,
    dedupe_key: str,
    now: datetime,
    not_before: datetime | None = None,
    topic_id: int | None = None,
    rank: int = queues.NORMAL,
) -> bool:
    """Queue one message; False if *dedupe_key* was used before, and then nothing changes. One of a
    lower *rank* is sent first.
    """
    row = {
        "chat_id": chat_id,
        "kind": kind,
        "payload": payload,
        "dedupe_key": dedupe_key,
        "not_before": not_before or now,
        "topic_id": topic_id,
        "rank": rank,
    }
    return bool(await queue.add_new(session, OutboxRow, [row], unique=["dedupe_key"], now=now))


async def hurry(session: AsyncSession, *, chat_id: int, now: datetime) -> None:
    """Make the chat's messages due, except where Telegram said how long to wait."""
    await session.execute(
        update(OutboxRow)
        .where(
            OutboxRow.chat_id == chat_id,
            OutboxRow.done_at.is_(None),
            func.coalesce(OutboxRow.failure, "") != SLOWED_DOWN,
        )
        .values(not_before=now)
    )


async def any_arrived(session: AsyncSession, dedupe_keys: Collection[str]) -> bool:
    """True if Telegram has accepted one of these messages."""
    query = select(OutboxRow.id).where(
        OutboxRow.dedupe_key.in_(dedupe_keys), OutboxRow.message_id.is_not(None)
    )
    return bool(await session.scalar(select(query.exists())))


async def given_up(session: AsyncSession, *, chat_id: int, since: datetime) -> int:
    """Returns how many messages to the chat were given up since *since*, without those it set off."""
    return await count_rows(
        session,
        OutboxRow.chat_id == chat_id,
        OutboxRow.done_at >= since,
        OutboxRow.failure.not_in(_NOT_WANTED),
    )


async def move_chat(session: AsyncSession, *, old: int, new: int) -> None:
    """Move a group's waiting messages to its new id as a supergroup."""
    await session.execute(
        update(OutboxRow)
        .where(OutboxRow.chat_id == old, OutboxRow.done_at.is_(None))
        .values(chat_id=new)
    )
