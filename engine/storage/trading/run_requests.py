"""Queries of confirmed rebalances that wait for their check: at most one per account."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.orders.order import AccountId
from engine.domain.rebalancing.run_request import RunRequest
from engine.storage.coordination import leases
from engine.storage.models.trading import RunRequestRow
from engine.storage.row_mapping import columns_of, from_row
from engine.storage.statements import delete, has_row


async def put(session: AsyncSession, account_id: AccountId, request: RunRequest) -> None:
    """Store a user's confirmed rebalance for the account's owner; replaces an older one."""
    await session.execute(delete(RunRequestRow).where(RunRequestRow.account_id == account_id))
    session.add(RunRequestRow(account_id=account_id, **columns_of(request)))
    await leases.wake(session, account_id)


async def drop(
    session: AsyncSession, account_id: AccountId, *, confirmation_id: str | None = None
) -> bool:
    """Delete a request; True if there was one. With a *confirmation_id* only that one."""
    query = delete(RunRequestRow).where(RunRequestRow.account_id == account_id)
    if confirmation_id is not None:
        query = query.where(RunRequestRow.confirmation_id == confirmation_id)
    dropped = await session.scalar(query.returning(RunRequestRow.account_id))
    return dropped is not None


async def is_waiting(session: AsyncSession, account_id: AccountId) -> bool:
    """True if a user's confirmed rebalance waits to be run."""
    return await has_row(session, RunRequestRow.account_id == account_id)


async def of_accounts(
    session: AsyncSession, account_ids: Sequence[AccountId]
) -> Mapping[AccountId, RunRequest]:
    rows = await session.scalars(
        select(RunRequestRow).where(RunRequestRow.account_id.in_(account_ids))
    )
    return {AccountId(row.account_id): from_row(RunRequest, row) for row in rows}
