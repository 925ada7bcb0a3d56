"""Queries of what is known of the types of orders that the exchange takes, by pair and key."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.execution.capability import UNKNOWN, Capability
from engine.domain.market.pairs import OrderType
from engine.storage.models.trading import OrderTypeRow


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
