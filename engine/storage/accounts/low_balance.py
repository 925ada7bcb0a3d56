"""Queries of a chat's low-balance thresholds, and of which were reported."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.low_balance import LowBalanceThreshold
from engine.domain.market.pairs import Asset
from engine.domain.orders.order import AccountId
from engine.storage.models.accounts import LowBalanceRow
from engine.storage.row_mapping import columns_of, from_row
from engine.storage.statements import delete, update


async def of_accounts(
    session: AsyncSession, account_ids: Sequence[AccountId]
) -> Mapping[AccountId, tuple[LowBalanceThreshold, ...]]:
    rows = await session.scalars(
        select(LowBalanceRow)
        .where(LowBalanceRow.account_id.in_(account_ids))
        .order_by(LowBalanceRow.asset)
    )
    found: dict[AccountId, tuple[LowBalanceThreshold, ...]] = {}
    for row in rows:
        account_id = AccountId(row.account_id)
        found[account_id] = (*found.get(account_id, ()), from_row(LowBalanceThreshold, row))
    return found


async def put(session: AsyncSession, account_id: AccountId, mark: LowBalanceThreshold) -> None:
    """Replace the asset's threshold; the new one was not reported yet."""
    await session.merge(LowBalanceRow(account_id=account_id, **columns_of(mark)))


async def remove(
    session: AsyncSession, account_id: AccountId, asset: Asset
) -> LowBalanceThreshold | None:
    """The mark that was there."""
    row = await session.get(LowBalanceRow, (account_id, asset))
    if row is None:
        return None
    mark = from_row(LowBalanceThreshold, row)
    await session.execute(
        delete(LowBalanceRow).where(
            LowBalanceRow.account_id == account_id, LowBalanceRow.asset == asset
        )
    )
    return mark


async def turn(session: AsyncSession, account_id: AccountId, mark: LowBalanceThreshold) -> bool:
    """Switch between reported and not reported.
    False if *mark* has changed: then another caller reports it.
    """
    turned = await session.scalar(
        update(LowBalanceRow)
        .where(
            LowBalanceRow.account_id == account_id,
            LowBalanceRow.asset == mark.asset,
            LowBalanceRow.below == mark.below,
            LowBalanceRow.told.is_(mark.told),
        )
        .values(told=not mark.told)
        .returning(LowBalanceRow.asset)
    )
    return turned is not None
