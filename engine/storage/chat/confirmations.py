"""Queries of buttons that change something: for a chat and a user, once, until they expire."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.confirmation import ANY_TRADER, Confirmation, Refusal, RefusalReason
from engine.storage.models.chat import ConfirmationRow
from engine.storage.row_mapping import columns_of, from_row
from engine.storage.statements import update


async def ask(session: AsyncSession, confirmation: Confirmation) -> None:
    columns = columns_of(confirmation, "asked_at")
    session.add(ConfirmationRow(**columns, created_at=confirmation.asked_at, used_at=None))


async def get(session: AsyncSession, confirmation_id: str) -> Confirmation | None:
    """The question as it was asked, whether a tap counts or not."""
    row = await session.get(ConfirmationRow, confirmation_id)
    return None if row is None else _question(row)


async def find(
    session: AsyncSession, confirmation_id: str, *, chat_id: int, user_id: int, now: datetime
) -> Confirmation | Refusal:
    """Returns the question if a tap of this user would count now; nothing is used up."""
    row = await session.get(ConfirmationRow, confirmation_id)
    if row is None or row.chat_id != chat_id:
        return Refusal(RefusalReason.UNKNOWN)
    question = _question(row)
    if row.user_id not in {user_id, ANY_TRADER}:
        return Refusal(RefusalReason.FOREIGN, question)
    if row.used_at is None and row.expires_at < now:
        return Refusal(RefusalReason.EXPIRED, question)
    return question if row.used_at is None else Refusal(RefusalReason.USED, question)


async def take(
    session: AsyncSession,
    confirmation_id: str,
    *,
    chat_id: int,
    user_id: int,
    now: datetime,
    message_id: int | None = None,
) -> Confirmation | Refusal:
    """Use the button up; only the first tap of the right user in time gets it.

    *message_id* is the message whose button was tapped: the result is sent as a reply to it.
    """
    question = await find(session, confirmation_id, chat_id=chat_id, user_id=user_id, now=now)
    if isinstance(question, Refusal):
        return question
    first = await session.scalar(
        update(ConfirmationRow)
        .where(ConfirmationRow.id == confirmation_id, ConfirmationRow.used_at.is_(None))
        .values(used_at=now, message_id=message_id)
        .returning(ConfirmationRow.id)
    )
    return question if first is not None else Refusal(RefusalReason.USED, question)


async def expire(
    session: AsyncSession, *, chats: Collection[int], now: datetime, kind: str | None = None
) -> None:
    """Let the chats' open questions, or those of one *kind*, expire: no tap on them counts any more."""
    query = update(ConfirmationRow).where(
        ConfirmationRow.chat_id.in_(chats),
        ConfirmationRow.used_at.is_(None),
        ConfirmationRow.expires_at >= now,
    )
    if kind is not None:
        query = query.where(ConfirmationRow.kind == kind)
    await session.execute(query.values(expires_at=now - timedelta(seconds=1)))


async def prolong(session: AsyncSession, confirmation_id: str, *, until: datetime) -> None:
    """The buttons work for longer, unless they were used."""
    await session.execute(
        update(ConfirmationRow)
        .where(ConfirmationRow.id == confirmation_id, ConfirmationRow.used_at.is_(None))
        .values(expires_at=until)
    )


async def rewrite(session: AsyncSession, confirmation_id: str, payload: str) -> None:
    """What the question is about has changed; its buttons stay."""
    await session.execute(
        update(ConfirmationRow)
        .where(ConfirmationRow.id == confirmation_id, ConfirmationRow.used_at.is_(None))
        .values(payload=payload)
    )


async def call_off(session: AsyncSession, confirmation_id: str, *, now: datetime) -> None:
    """A tap on its buttons from now on comes too late."""
    await prolong(session, confirmation_id, until=now - timedelta(milliseconds=1))


async def move(session: AsyncSession, confirmation_id: str, *, chat_id: int) -> None:
    """Its buttons are for the traders of another chat now."""
    await session.execute(
        update(ConfirmationRow)
        .where(ConfirmationRow.id == confirmation_id)
        .values(chat_id=chat_id)
    )


async def answered_by(session: AsyncSession, confirmation_id: str) -> int | None:
    """Returns who tapped; None without a tap, or where any trader was asked."""
    row = await session.get(ConfirmationRow, confirmation_id)
    if row is None or row.used_at is None:
        return None
    return row.user_id or None


def _question(row: ConfirmationRow) -> Confirmation:
    return from_row(Confirmation, row, asked_at=row.created_at)
