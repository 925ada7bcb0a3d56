"""Queries of pauses with an end: at most one per account."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.timed_pause import TimedPause
from engine.domain.orders.order import AccountId
from engine.storage.models.accounts import TimedPauseRow
from engine.storage.row_mapping import columns_of, from_row
from engine.storage.statements import delete, has_row


async def put(session: AsyncSession, account_id: AccountId, pause: TimedPause) -> None:
    """Replaces an older one."""
    await session.merge(TimedPauseRow(account_id=account_id, **columns_of(pause)))


async def get(session: AsyncSession, account_id: AccountId) -> TimedPause | None:
    row = await session.get(TimedPauseRow, account_id, populate_existing=True)
    return None if row is None else from_row(TimedPause, row)


async def forget(session: AsyncSession, account_id: AccountId) -> None:
    """The account stays as it is until a user says otherwise."""
    await session.execute(delete(TimedPauseRow).where(TimedPauseRow.account_id == account_id))


async def any_due(session: AsyncSession, *, now: datetime) -> bool:
    return await has_row(session, TimedPauseRow.due_at <= now)


async def claim(
    session: AsyncSession, *, now: datetime, until: datetime, most: int
) -> Mapping[AccountId, TimedPause]:
    """Claim pauses that are due: no other process gets them before *until*."""
    due = (
        select(TimedPauseRow)
        .where(TimedPauseRow.due_at <= now)
        .order_by(TimedPauseRow.due_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    rows = (await session.scalars(due)).all()
    ids = [AccountId(row.account_id) for row in rows]
    for row in rows:
        row.due_at = until
    await session.flush()
    session.expire_all()  # to return each as the database has it
    return {account_id: pause for account_id in ids if (pause := await get(session, account_id))}
