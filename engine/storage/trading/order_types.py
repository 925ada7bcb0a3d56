"""Queries around orders with a price: which types the exchange takes, by pair and key, and what rests."""

from collections.abc import Collection, Sequence
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.execution.capability import UNKNOWN, Capability
from engine.domain.market.pairs import OrderType
from engine.domain.orders.order import AccountId, ClientOrderId, Order, OrderState
from engine.domain.rebalancing.replay import StoredDecision
from engine.storage.models.coordination import LeaseRow
from engine.storage.models.trading import OrderRow, OrderTypeRow
from engine.storage.serialization import readable
from engine.storage.trading.orders import IS_UNRESOLVED, intent_of


async def get(session: AsyncSession, account: Account, order_type: OrderType) -> Capability:
    """Returns whether the account's key may place such orders in its pair, as far as it is known."""
    row = await session.scalar(
        select(OrderTypeRow).where(
            OrderTypeRow.account_id == account.id,
            OrderTypeRow.symbol == account.settings.symbol,
            OrderTypeRow.funds == (account.funds or ""),
            OrderTypeRow.order_type == order_type,
        )
    )
    return UNKNOWN if row is None else Capability(row.answer, row.at)


async def put(
    session: AsyncSession, account: Account, order_type: OrderType, known: Capability
) -> None:
    if known.answer is None or known.at is None:
        return
    await session.merge(
        OrderTypeRow(
            account_id=account.id,
            symbol=account.settings.symbol,
            funds=account.funds or "",
            order_type=order_type,
            answer=known.answer,
            at=known.at,
        )
    )


async def open_among(
    session: AsyncSession, names: Collection[ClientOrderId]
) -> Collection[ClientOrderId]:
    """Returns those of *names* that are orders which are not resolved yet."""
    query = select(OrderRow.client_order_id)
    found = await session.scalars(query.where(OrderRow.client_order_id.in_(names), IS_UNRESOLVED))
    return {ClientOrderId(name) for name in found}


async def last_sent(session: AsyncSession, account: Account) -> Order | None:
    """The newest order that left, or may have, for the money that the account trades now."""
    never_left = {OrderState.PLANNED, OrderState.DROPPED}
    row = await session.scalar(
        select(OrderRow)
        .where(
            OrderRow.account_id == account.id,
            OrderRow.symbol == account.settings.symbol,
            OrderRow.dry_run.is_(account.settings.dry_run),
            OrderRow.state.not_in(never_left),
        )
        .order_by(OrderRow.id.desc())
        .limit(1)
    )
    return None if row is None else intent_of(row)


async def locked_before(session: AsyncSession, order: Order) -> Decimal | None:
    """Returns how much of what the order spends was locked when it was planned, if that is known."""
    query = select(OrderRow.inputs).where(OrderRow.client_order_id == order.client_order_id)
    text = await session.scalar(query)
    decision = None if text is None else readable(text, StoredDecision)
    return None if decision is None else decision.inputs.holdings.of(order.spends).locked


async def resting_of(session: AsyncSession, owner: str) -> Sequence[AccountId]:
    """Returns the accounts leased to *owner* that have an order which rests."""
    found = await session.scalars(
        select(OrderRow.account_id)
        .join(LeaseRow, LeaseRow.account_id == OrderRow.account_id)
        .where(
            LeaseRow.owner == owner,
            OrderRow.state == OrderState.ACKED,
            OrderRow.order_type == OrderType.LIMIT_MAKER,
        )
    )
    return [AccountId(account_id) for account_id in found]
