"""The paper exchange's ledger: balances and orders, changed together or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.market.balances import Balance
from engine.domain.market.pairs import Asset, Side, Symbol
from engine.domain.orders.order import AccountId, ClientOrderId, Execution
from engine.storage.models.trading import PaperBalanceRow, PaperOrderRow


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperOrder:
    """An order the paper exchange has executed. *fee* is in quote."""

    account_id: AccountId
    client_order_id: ClientOrderId
    symbol: Symbol
    side: Side
    execution: Execution
    fee: Decimal
    complete: bool
    created_at: datetime


async def balances(
    session: AsyncSession, account_id: AccountId, *, lock: bool = False
) -> Mapping[Asset, Balance]:
    """Every balance of one account; empty while its ledger is not open. *lock* before changing."""
    query = select(PaperBalanceRow).where(PaperBalanceRow.account_id == account_id)
    if lock:
        query = query.with_for_update()
    rows = await session.scalars(query)
    return {Asset(row.asset): Balance(free=row.free, locked=row.locked) for row in rows}


async def open_ledger(
    session: AsyncSession, account_id: AccountId, opening: Mapping[Asset, Balance]
) -> None:
    """Replace the ledger's balances by *opening*; earlier orders are kept."""
    await session.execute(delete(PaperBalanceRow).where(PaperBalanceRow.account_id == account_id))
    session.add_all(
        PaperBalanceRow(
            account_id=account_id, asset=asset, free=balance.free, locked=balance.locked
        )
        for asset, balance in opening.items()
    )


async def change(
    session: AsyncSession, account_id: AccountId, changes: Mapping[Asset, Decimal]
) -> None:
    """Add *changes* to the free balances. Raises ValueError where one would fall below zero."""
    held = await balances(session, account_id, lock=True)
    for asset, difference in changes.items():
        before = held.get(asset, Balance())
        after = Balance(free=before.free + difference, locked=before.locked)
        await session.merge(
            PaperBalanceRow(
                account_id=account_id, asset=asset, free=after.free, locked=after.locked
            )
        )


async def record(session: AsyncSession, order: PaperOrder) -> int:
    """Write the order down and return its number."""
    row = PaperOrderRow(
        account_id=order.account_id,
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        executed_base=order.execution.base_quantity,
        executed_quote=order.execution.quote_amount,
        fee_quote=order.fee,
        complete=order.complete,
        created_at=order.created_at,
    )
    session.add(row)
    await session.flush()
    return row.id


async def find(
    session: AsyncSession, account_id: AccountId, client_order_id: ClientOrderId
) -> tuple[int, PaperOrder] | None:
    """The order and its number."""
    row = await session.scalar(
        select(PaperOrderRow).where(
            PaperOrderRow.account_id == account_id,
            PaperOrderRow.client_order_id == client_order_id,
        )
    )
    return (row.id, _order(row)) if row else None


async def numbered(session: AsyncSession, account_id: AccountId, number: int) -> PaperOrder | None:
    row = await session.get(PaperOrderRow, number)
    return _order(row) if row and row.account_id == account_id else None


async def open_ledgers(session: AsyncSession) -> Sequence[AccountId]:
    """The accounts that have a ledger."""
    ids = await session.scalars(select(PaperBalanceRow.account_id).distinct())
    return [AccountId(account_id) for account_id in sorted(ids)]


def _order(row: PaperOrderRow) -> PaperOrder:
    return PaperOrder(
        account_id=AccountId(row.account_id),
        client_order_id=ClientOrderId(row.client_order_id),
        symbol=Symbol(row.symbol),
        side=row.side,
        execution=Execution(row.executed_base, row.executed_quote),
        fee=row.fee_quote,
        complete=row.complete,
        created_at=row.created_at,
    )
