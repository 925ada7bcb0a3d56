"""Queries of confirmed rebalances that wait for their check: at most one per account."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.orders.order import AccountId, Order
from engine.domain.rebalancing.manual_trade import ManualRun
from engine.domain.rebalancing.run_request import RunRequest, WholePlan
from engine.storage.coordination import leases
from engine.storage.models.trading import RunRequestRow
from engine.storage.row_mapping import columns_of, from_row
from engine.storage.serialization import readable, to_json
from engine.storage.statements import delete, has_row


async def put(session: AsyncSession, account_id: AccountId, request: RunRequest) -> None:
    """Store a user's confirmed rebalance for the account's owner; replaces an older one."""
    await session.execute(delete(RunRequestRow).where(RunRequestRow.account_id == account_id))
    manual = None if request.manual is None else to_json(request.manual)
    plan = None if request.plan is None else to_json(request.plan)
    columns = columns_of(request, "manual", "plan")
    session.add(RunRequestRow(account_id=account_id, **columns, manual=manual, plan=plan))
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
    found = {AccountId(row.account_id): _request(row) for row in rows}
    return {account_id: request for account_id, request in found.items() if request is not None}


def is_manual(intent: Order) -> ColumnElement[bool]:
    """True if the run is a trade that a user asked for, and waits: a pause since then drops it."""
    return exists().where(
        RunRequestRow.account_id == intent.account_id,
        RunRequestRow.confirmation_id == intent.run_id,
        RunRequestRow.manual.is_not(None),
    )


def _request(row: RunRequestRow) -> RunRequest | None:
    """None for a trade that only another version can read: it must not be taken for a rebalance."""
    manual, plan = readable(row.manual, ManualRun), readable(row.plan, WholePlan)
    if (manual is None and row.manual is not None) or (plan is None and row.plan is not None):
        return None
    return from_row(RunRequest, row, manual=manual, plan=plan)
