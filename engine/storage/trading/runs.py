"""Queries of runs over several pairs, and of their legs."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.orders.order import AccountId, Order
from engine.domain.runs.stored_run import PortfolioRun, RunStory
from engine.errors import LeaseLost
from engine.storage.models.trading import OrderRow, RunRow
from engine.storage.row_mapping import columns_of, from_row
from engine.storage.serialization import readable, to_short_json
from engine.storage.statements import has_row, update
from engine.storage.trading.orders import intent_of


async def put(session: AsyncSession, run: PortfolioRun) -> None:
    """Store *run* as it stands with its next order. Raises LeaseLost where it was ended meanwhile:
    whoever did that owns the account.
    """
    story = to_short_json(run.story)
    if run.story.orders == 1:
        session.add(RunRow(**columns_of(run, "story"), story=story))
        await session.flush()
    elif not await _update(session, run, story=story):
        raise LeaseLost(f"run {run.run_id} was ended meanwhile")


async def close(session: AsyncSession, run: PortfolioRun) -> bool:
    """Store the end of *run*; False, and nothing is changed, unless it was open."""
    return await _update(
        session,
        run,
        story=to_short_json(run.story),
        ended_at=run.ended_at,
        end=run.end,
        told=run.told,
    )


async def get(session: AsyncSession, account_id: AccountId, run_id: str) -> PortfolioRun | None:
    """None too where another version wrote it."""
    row = await session.get(RunRow, (account_id, run_id))
    return None if row is None else _run(row)


async def open_of(
    session: AsyncSession, account_ids: Sequence[AccountId]
) -> Sequence[PortfolioRun]:
    rows = await session.scalars(
        select(RunRow).where(RunRow.account_id.in_(account_ids), RunRow.ended_at.is_(None))
    )
    return [run for run in map(_run, rows) if run is not None]


async def latest(
    session: AsyncSession, account_id: AccountId, *, most: int
) -> Sequence[PortfolioRun]:
    """Newest first."""
    query = select(RunRow).where(RunRow.account_id == account_id)
    rows = await session.scalars(query.order_by(RunRow.started_at.desc()).limit(most))
    return [run for run in map(_run, rows) if run is not None]


async def legs(session: AsyncSession, run: PortfolioRun) -> Sequence[Order]:
    """Returns the orders of *run*, in the order in which they were sent."""
    rows = await session.scalars(
        select(OrderRow)
        .where(
            OrderRow.account_id == run.account_id,
            OrderRow.run_id == run.run_id,
            OrderRow.leg.is_not(None),
        )
        .order_by(OrderRow.leg)
    )
    return [intent_of(row) for row in rows]


async def is_open(session: AsyncSession, order: Order) -> bool:
    """True if *order* is a leg of a run that has not ended."""
    return order.leg is not None and await has_row(
        session,
        RunRow.account_id == order.account_id,
        RunRow.run_id == order.run_id,
        RunRow.ended_at.is_(None),
    )


async def _update(session: AsyncSession, run: PortfolioRun, **values: Any) -> bool:
    updated = await session.execute(
        update(RunRow)
        .where(
            RunRow.account_id == run.account_id,
            RunRow.run_id == run.run_id,
            RunRow.ended_at.is_(None),
        )
        .values(**values)
        .returning(RunRow.run_id)
    )
    return updated.scalar_one_or_none() is not None


def _run(row: RunRow) -> PortfolioRun | None:
    story = readable(row.story, RunStory)
    return None if story is None else from_row(PortfolioRun, row, story=story)
