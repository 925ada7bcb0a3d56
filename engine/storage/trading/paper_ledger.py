"""The paper exchange's ledger: balances and orders, changed together or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.market.balances import Balance
from engine.domain.market.pairs import Asset, Side, Symbol
from engine.domain.orders.order import AccountId, ClientOrderId, Execution
from engine.storage.models.trading import PaperBalanceRow, PaperOrderRow
from engine.storage.row_mapping import columns_of, from_row
from engine.storage.statements import update


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperOrder:
    """An order of the paper exchange. *fee* is in quote. One that *is_open* rests at *price*, and was
    filled last from a book of *seen_at*.
    """

    account_id: AccountId
    client_order_id: ClientOrderId
    symbol: Symbol
    side: Side
    execution: Execution
    fee: Decimal
    complete: bool
    created_at: datetime
    price: Decimal | None = None
    base_quantity: Decimal | None = None
    seen_at: datetime | None = None
    is_open: bool = False


async def balances(
    session: AsyncSession, account_id: AccountId, *, lock: bool = False
) -> Mapping[Asset, Balance]:
    """Every balance of one account; empty while its ledger is not open. *lock* before changing."""
    query = select(PaperBalanceRow).where(PaperBalanceRow.account_id == account_id)
    if lock:
        query = query.with_for_update()
    rows = await session.scalars(query)
    return {Asset(row.asset): from_row(Balance, row) for row in rows}


async def open_ledger(
    session: AsyncSession, account_id: AccountId, opening: Mapping[Asset, Balance]
) -> None:
    """Replace the ledger's balances by *opening*; earlier orders are kept, and none rests."""
    await session.execute(
        update(PaperOrderRow)
        .where(PaperOrderRow.account_id == account_id, PaperOrderRow.is_open)
        .values(is_open=False)
    )
    await session.execute(delete(PaperBalanceRow).where(PaperBalanceRow.account_id == account_id))
    session.add_all(
        PaperBalanceRow(account_id=account_id, asset=asset, **columns_of(balance))
        for asset, balance in opening.items()
    )


async def change(
    session: AsyncSession, account_id: AccountId, changes: Mapping[Asset, Decimal]
) -> None:
    """Add *changes* to the free balances. Raises ValueError where one would fall below zero."""
    held = await balances(session, account_id, lock=True)
    for asset, difference in changes.items():
        before = held.get(asset, Balance())
        after = replace(before, free=before.free + difference)
        await session.merge(
            PaperBalanceRow(account_id=account_id, asset=asset, **columns_of(after))
        )


async def record(session: AsyncSession, order: PaperOrder) -> int:
    """Write the order down and return its number."""
    row = PaperOrderRow(
        **columns_of(order, "execution", "fee"),
        executed_base=order.execution.base_quantity,
        executed_quote=order.execution.quote_amount,
        fee_quote=order.fee,
    )
    session.add(row)
    await session.flush()
    return row.id


async def resting(
    session: AsyncSession, account_id: AccountId
) -> Sequence[tuple[int, PaperOrder]]:
    """The account's orders that rest, with their numbers."""
    query = select(PaperOrderRow).where(PaperOrderRow.account_id == account_id)
    rows = await session.scalars(query.where(PaperOrderRow.is_open).order_by(PaperOrderRow.id))
    return [(row.id, _order(row)) for row in rows]


async def rests(session: AsyncSession, number: int) -> PaperOrder | None:
    """The order, locked until the transaction ends; None where it does not rest any more."""
    row = await session.get(PaperOrderRow, number, with_for_update=True, populate_existing=True)
    return _order(row) if row is not None and row.is_open else None


async def book_fill(
    session: AsyncSession,
    number: int,
    *,
    traded: Execution,
    fee: Decimal,
    seen_at: datetime,
    complete: bool,
) -> None:
    """Add a fill to what the order has executed; *complete* if nothing of it is left."""
    row = await session.get_one(PaperOrderRow, number)
    row.executed_base += traded.base_quantity
    row.executed_quote += traded.quote_amount
    row.fee_quote += fee
    row.seen_at = seen_at
    row.complete, row.is_open = complete, not complete


async def end(session: AsyncSession, number: int) -> bool:
    """What rests of the order is dropped. False where nothing does any more."""
    ended = await session.scalar(
        update(PaperOrderRow)
        .where(PaperOrderRow.id == number, PaperOrderRow.is_open)
        .values(is_open=False)
        .returning(PaperOrderRow.id)
    )
    return ended is not None


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
    execution = Execution(row.executed_base, row.executed_quote)
    return from_row(PaperOrder, row, execution=execution, fee=row.fee_quote)
