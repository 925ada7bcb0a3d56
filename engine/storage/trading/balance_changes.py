"""Queries of the last balances, and of changes without an order of ours."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.market.balances import LastSeen
from engine.domain.market.pairs import Asset
from engine.domain.orders.order import AccountId, OrderState
from engine.storage.models.trading import BalanceChangeRow, BalanceRow, OrderRow
from engine.storage.row_mapping import columns_of
from engine.storage.statements import count_rows, delete, has_row

# The effect of these on the balances is not known for sure.
_DOUBTFUL = frozenset({OrderState.NOT_EXECUTED, OrderState.SET_ASIDE})
# Built once: each check asks it.
_LAST_SEEN = select(
    BalanceRow.account_id, BalanceRow.dry_run, BalanceRow.asset, BalanceRow.amount, BalanceRow.at
).where(BalanceRow.account_id.in_(bindparam("account_ids", expanding=True)))


async def last_seen_of(
    session: AsyncSession, account_ids: Sequence[AccountId]
) -> Mapping[tuple[AccountId, bool], LastSeen]:
    """Returns the last balances by account and by whether it was on paper."""
    rows = await session.execute(_LAST_SEEN, {"account_ids": account_ids})
    amounts: defaultdict[tuple[AccountId, bool], dict[Asset, Decimal]] = defaultdict(dict)
    seen_at: dict[tuple[AccountId, bool], datetime] = {}
    for account_id, dry_run, asset, amount, at in rows:
        key = AccountId(account_id), dry_run
        amounts[key][Asset(asset)] = amount
        seen_at[key] = at
    return {key: LastSeen(amounts[key], at) for key, at in seen_at.items()}


async def see(
    session: AsyncSession, account_id: AccountId, seen: LastSeen, *, dry_run: bool
) -> None:
    """Store the balances that later changes are measured from."""
    await session.execute(
        delete(BalanceRow).where(
            BalanceRow.account_id == account_id, BalanceRow.dry_run.is_(dry_run)
        )
    )
    session.add_all(
        BalanceRow(account_id=account_id, dry_run=dry_run, asset=asset, amount=amount, at=seen.at)
        for asset, amount in seen.amounts.items()
    )


async def sums_since(
    session: AsyncSession, account: Account, *, since: datetime
) -> Mapping[Asset, Decimal]:
    """Returns what came and went after *since* without an order of ours, by asset."""
    row = BalanceChangeRow
    found = await session.execute(
        select(row.asset, row.before, row.after).where(
            row.account_id == account.id,
            row.dry_run.is_(account.settings.dry_run),
            row.at > since,
        )
    )
    sums: dict[Asset, Decimal] = {}
    for asset, before, after in found:
        sums[Asset(asset)] = sums.get(Asset(asset), Decimal(0)) + after - before
    return sums


async def forget_seen(session: AsyncSession, account_id: AccountId) -> None:
    """Forget the last balances: the next check starts fresh."""
    await session.execute(delete(BalanceRow).where(BalanceRow.account_id == account_id))


async def has_doubtful(session: AsyncSession, account_id: AccountId, last: LastSeen) -> bool:
    """True if an order since then ended with an unknown effect."""
    return await has_row(
        session,
        OrderRow.account_id == account_id,
        OrderRow.created_at >= last.at,
        OrderRow.state.in_(_DOUBTFUL),
    )


async def add(
    session: AsyncSession,
    account_id: AccountId,
    movement: BalanceChange,
    *,
    price: Decimal | None = None,
) -> int:
    """Returns the number under which it is kept. *price* is the traded token's at the moment."""
    row = BalanceChangeRow(account_id=account_id, **columns_of(movement), price=price)
    session.add(row)
    await session.flush()
    return row.id


async def count(session: AsyncSession, account_id: AccountId, *, since: datetime) -> int:
    return await count_rows(
        session, BalanceChangeRow.account_id == account_id, BalanceChangeRow.at > since
    )
