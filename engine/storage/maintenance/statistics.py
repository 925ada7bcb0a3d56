"""Queries of the row counts that an operator monitors, over all accounts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.orders.order import UNRESOLVED, OrderState
from engine.storage.models.queues import InboxRow, OutboxRow
from engine.storage.models.trading import OrderRow

# What waits longer was postponed on purpose: its chat is gone.
_PUT_OFF = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class QueueBacklog:
    """*oldest* is when the first of those *waiting* was written; *put_off* are not among them."""

    waiting: int
    put_off: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseStatistics:
    """*orders* by whether they were a dry run, and by state."""

    orders: Mapping[tuple[bool, OrderState], int]
    oldest_unresolved: datetime | None
    outbox: QueueBacklog
    inbox: QueueBacklog

    @property
    def unresolved(self) -> int:
        return sum(count for (_, state), count in self.orders.items() if state in UNRESOLVED)


async def take(session: AsyncSession, *, now: datetime) -> DatabaseStatistics:
    """Returns the statistics by three statements; the one over all orders is linear in them."""
    orders, oldest = await _orders(session)
    return DatabaseStatistics(
        orders=orders,
        oldest_unresolved=oldest,
        outbox=await _backlog(session, OutboxRow, now=now),
        inbox=await _backlog(session, InboxRow, now=now),
    )


async def _orders(
    session: AsyncSession,
) -> tuple[Mapping[tuple[bool, OrderState], int], datetime | None]:
    found = await session.execute(
        select(
            OrderRow.dry_run, OrderRow.state, func.count(), func.min(OrderRow.created_at)
        ).group_by(OrderRow.dry_run, OrderRow.state)
    )
    counts, unresolved_since = {}, []
    for dry_run, state, count, oldest in found:
        counts[dry_run, state] = count
        if state in UNRESOLVED:
            unresolved_since.append(oldest)
    return counts, min(unresolved_since, default=None)


async def _backlog(
    session: AsyncSession, table: type[InboxRow | OutboxRow], *, now: datetime
) -> QueueBacklog:
    due = table.not_before <= now + _PUT_OFF
    found = await session.execute(
        select(
            func.count(case((due, 1))),
            func.count(),
            func.min(case((due, table.created_at))),
        ).where(table.done_at.is_(None))
    )
    waiting, all_of_them, oldest = found.one()
    return QueueBacklog(waiting, all_of_them - waiting, oldest)
