"""Releases the leases, leaderships and claims of dead processes."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.clock import from_millis
from engine.storage.models.coordination import LeaderLeaseRow, LeaseRow, ProcessRow
from engine.storage.models.queues import InboxRow, OutboxRow
from engine.storage.statements import delete, tell_of, update


async def free_everything_of(session: AsyncSession, owners: Sequence[str]) -> None:
    """Release what dead processes held; one that lives notices at its renewal or next order.

    Rows that are locked are skipped, so that a transaction which a dead process left open does not
    block this; its process is removed only when it holds nothing any more.
    """
    accounts, posts = LeaseRow.owner.in_(owners), LeaderLeaseRow.owner.in_(owners)
    await _change(
        session,
        update(LeaseRow).values(owner=None, lease_until=from_millis(0)),
        LeaseRow.account_id,
        accounts,
    )
    tell_of(session, LeaseRow)
    await _change(session, delete(LeaderLeaseRow), LeaderLeaseRow.name, posts)
    claims = {table: table.claimed_by.in_(owners) for table in (InboxRow, OutboxRow)}
    for table, its_claims in claims.items():
        run_out = update(table).values(claimed_until=from_millis(0), claimed_by=None)
        await _change(session, run_out, table.id, its_claims)
    left = [exists().where(LeaseRow.owner == ProcessRow.owner)]
    left += [exists().where(LeaderLeaseRow.owner == ProcessRow.owner)]
    left += [exists().where(table.claimed_by == ProcessRow.owner) for table in claims]
    await session.execute(
        delete(ProcessRow).where(ProcessRow.owner.in_(owners), *(~some for some in left))
    )


async def _change(session: AsyncSession, change: Any, key: Any, condition: Any) -> None:
    unlocked = select(key).where(condition).with_for_update(skip_locked=True)
    await session.execute(change.where(key.in_(unlocked)))
