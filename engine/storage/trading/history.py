"""Queries for `/history`: trades, and balance changes without an order of ours."""

from collections.abc import Sequence

from sqlalchemy import literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.orders.order import AccountId, Order
from engine.storage.models.trading import BalanceChangeRow, OrderRow
from engine.storage.row_mapping import from_row
from engine.storage.trading import orders

_TRADE, _MOVEMENT = 1, 0


async def page(
    session: AsyncSession, account_id: AccountId, *, most: int, skip: int = 0
) -> Sequence[Order | BalanceChange]:
    """Both in one order, newest first; of the same moment the trade, which explains more."""
    of_trades = select(
        literal(_TRADE).label("kind"), OrderRow.id, OrderRow.created_at.label("at")
    ).where(OrderRow.account_id == account_id, orders.IS_TRADE)
    of_movements = select(
        literal(_MOVEMENT).label("kind"), BalanceChangeRow.id, BalanceChangeRow.at.label("at")
    ).where(BalanceChangeRow.account_id == account_id)
    both = union_all(of_trades, of_movements).subquery()
    found = await session.execute(
        select(both.c.kind, both.c.id)
        .order_by(both.c.at.desc(), both.c.kind.desc(), both.c.id.desc())
        .limit(most)
        .offset(skip)
    )
    keys = [(kind, row_id) for kind, row_id in found]
    trades = await session.scalars(
        select(OrderRow).where(
            OrderRow.id.in_([row_id for kind, row_id in keys if kind == _TRADE])
        )
    )
    moved = await session.scalars(
        select(BalanceChangeRow).where(
            BalanceChangeRow.id.in_([row_id for kind, row_id in keys if kind == _MOVEMENT])
        )
    )
    known: dict[tuple[int, int], Order | BalanceChange] = {}
    known |= {(_TRADE, row.id): orders.intent_of(row) for row in trades}
    known |= {(_MOVEMENT, row.id): from_row(BalanceChange, row) for row in moved}
    return [known[key] for key in keys]
