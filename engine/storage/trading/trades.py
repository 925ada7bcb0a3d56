"""Queries of all trades of an account, oldest first, by page."""

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.orders.order import AccountId, Order
from engine.storage.models.trading import OrderRow
from engine.storage.statements import count_rows
from engine.storage.trading import orders


async def count(session: AsyncSession, account_id: AccountId, *, real_only: bool = False) -> int:
    return await count_rows(session, *_wanted(account_id, real_only))


async def after(
    session: AsyncSession,
    account_id: AccountId,
    *,
    last: tuple[Order, int] | None,
    most: int,
    real_only: bool = False,
) -> list[tuple[Order, int]]:
    """Returns the next *most* trades after *last*, each with its row number to continue from.
    However many came before, a page costs the same: nothing is skipped over.
    """
    query = select(OrderRow).where(*_wanted(account_id, real_only))
    if last is not None:
        intent, row_id = last
        at = OrderRow.created_at
        same_moment = and_(at == intent.created_at, OrderRow.id > row_id)
        # The first condition is what both databases find in the index.
        query = query.where(at >= intent.created_at, or_(at > intent.created_at, same_moment))
    rows = (
        await session.scalars(query.order_by(OrderRow.created_at, OrderRow.id).limit(most))
    ).all()
    return [(orders.intent_of(row), row.id) for row in rows]


def _wanted(account_id: AccountId, real_only: bool) -> list[ColumnElement[bool]]:
    wanted = [OrderRow.account_id == account_id, orders.IS_TRADE]
    return [*wanted, OrderRow.dry_run.is_(False)] if real_only else wanted
