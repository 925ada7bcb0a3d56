"""Queries of trades over time that run: at most one per account."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.execution.slices import SlicedTrade, SlicesEnd
from engine.domain.market.decimals import EXACT_OR_LESS
from engine.domain.orders.order import AccountId, Order
from engine.domain.rebalancing.slices.run import SlicedRun, plan_of
from engine.errors import LeaseLost
from engine.storage.coordination import leases
from engine.storage.models.trading import OrderRow, SlicedTradeRow
from engine.storage.row_mapping import columns_of, from_row
from engine.storage.statements import delete, has_row, update


async def add(session: AsyncSession, account_id: AccountId, run: SlicedRun) -> None:
    """Store what a user confirmed; the account has none."""
    trade = run.trade
    row = SlicedTradeRow(
        account_id=account_id,
        **columns_of(run, "trade", "end"),
        side=trade.side,
        total=trade.total,
        each=trade.amounts[0],
        slices=run.count,
        in_base=trade.in_base,
        started_at=trade.started_at,
        span=trade.span,
        ended=run.end,
    )
    session.add(row)
    await session.flush()


async def of_accounts(
    session: AsyncSession, account_ids: Sequence[AccountId]
) -> Mapping[AccountId, SlicedRun]:
    rows = await session.scalars(
        select(SlicedTradeRow).where(SlicedTradeRow.account_id.in_(account_ids))
    )
    return {AccountId(row.account_id): _run(row) for row in rows}


async def may_run(session: AsyncSession, account_id: AccountId) -> bool:
    """True if a slice may still leave."""
    return await has_row(
        session, SlicedTradeRow.account_id == account_id, SlicedTradeRow.ended.is_(None)
    )


async def begin(
    session: AsyncSession, order: Order, *, owner: str, now: ColumnElement[Any]
) -> None:
    """Store that the slice which *order* is ran last, before it leaves: it is never sent again.
    Raises LeaseLost where it may not run any more, or *owner* does not hold the account.
    """
    is_held = await leases.is_held(
        session, order.account_id, owner=owner, fence=order.fence, now=now
    )
    begun = is_held and await session.scalar(
        update(SlicedTradeRow)
        .where(
            SlicedTradeRow.account_id == order.account_id,
            SlicedTradeRow.plan_id == plan_of(order.run_id),
            SlicedTradeRow.last < order.slice_number,
            SlicedTradeRow.ended.is_(None),
        )
        .values(last=order.slice_number)
        .returning(SlicedTradeRow.account_id)
    )
    if not begun:
        raise LeaseLost(f"a slice of account {order.account_id} may not run any more")


def lets_out(order: Order) -> ColumnElement[bool]:
    """True if the slice which *order* is was begun last, and nothing ended the trade since then."""
    return exists().where(
        SlicedTradeRow.account_id == order.account_id,
        SlicedTradeRow.plan_id == plan_of(order.run_id),
        SlicedTradeRow.last == order.slice_number,
        SlicedTradeRow.ended.is_(None),
    )


async def end(session: AsyncSession, account_id: AccountId, why: SlicesEnd) -> bool:
    """Let no further slice leave; the account's next check tells of it. True if one could have.
    The account is held by the caller.
    """
    ended = await session.scalar(
        update(SlicedTradeRow)
        .where(SlicedTradeRow.account_id == account_id, SlicedTradeRow.ended.is_(None))
        .values(ended=why)
        .returning(SlicedTradeRow.account_id)
    )
    if ended is None:
        return False
    await leases.wake(session, account_id)
    return True


async def end_all(session: AsyncSession, why: SlicesEnd) -> None:
    """As `end`, for every account; the caller wakes them."""
    await session.execute(
        update(SlicedTradeRow).where(SlicedTradeRow.ended.is_(None)).values(ended=why)
    )


async def end_by(session: AsyncSession, account: Account, wishes: Mapping[str, Any]) -> None:
    """What a change of the settings does to a trade over time: another pair or kind of money ends it,
    and so does a pause, even a second one. A target that is set meanwhile is kept at its end, where
    trading pauses: a check could trade back.
    """
    settings = account.settings
    purse = {"symbol": settings.symbol, "dry_run": settings.dry_run}
    if any(wishes.get(name, now) != now for name, now in purse.items()):
        await end(session, account.id, SlicesEnd.CHANGED)
    elif wishes.get("paused"):
        await end(session, account.id, SlicesEnd.PAUSED)
    if "target" in wishes:
        await session.execute(
            update(SlicedTradeRow)
            .where(SlicedTradeRow.account_id == account.id, SlicedTradeRow.target.is_not(None))
            .values(target=None, pauses=True)
        )


async def drop(session: AsyncSession, account_id: AccountId, run: SlicedRun) -> bool:
    """Delete the trade that is over; True for the first to do so."""
    query = delete(SlicedTradeRow).where(
        SlicedTradeRow.account_id == account_id, SlicedTradeRow.plan_id == run.plan_id
    )
    return await session.scalar(query.returning(SlicedTradeRow.account_id)) is not None


def are_of(account_id: AccountId, run: SlicedRun) -> ColumnElement[bool]:
    """Whether an order is one of its slices."""
    runs = [run.run_id(number) for number in range(1, run.last + 1)]
    return (OrderRow.account_id == account_id) & OrderRow.run_id.in_(runs)


def _run(row: SlicedTradeRow) -> SlicedRun:
    equal = (row.each,) * (row.slices - 1)
    last = EXACT_OR_LESS.subtract(row.total, EXACT_OR_LESS.multiply(row.each, len(equal)))
    trade = SlicedTrade(
        side=row.side,
        amounts=(*equal, last),
        started_at=row.started_at,
        span=row.span,
        in_base=row.in_base,
    )
    return from_row(SlicedRun, row, trade=trade, end=row.ended)
