"""Queries of leader leases: one row per job that one process at a time runs.

All times are the database's own (`Database.now()`), the one clock that all processes share.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, or_
from sqlalchemy.ext.asyncio import AsyncSession

from engine.storage.models.coordination import LeaderLeaseRow
from engine.storage.statements import insert_into


async def hold(
    session: AsyncSession, name: str, *, owner: str, now: ColumnElement[Any], ttl: timedelta
) -> bool:
    """Acquire or renew the lease; returns True if *owner* has it now."""
    held_until = now + ttl // timedelta(milliseconds=1)
    held = await session.scalar(
        insert_into(session, LeaderLeaseRow)
        .values(name=name, owner=owner, held_until=held_until)
        .on_conflict_do_update(
            index_elements=["name"],
            set_={"owner": owner, "held_until": held_until},
            where=or_(LeaderLeaseRow.owner == owner, LeaderLeaseRow.held_until < now),
        )
        .returning(LeaderLeaseRow.owner)
    )
    return held is not None


async def leave(session: AsyncSession, name: str, *, owner: str) -> None:
    """Release the lease at once; does nothing where another process holds it."""
    await session.execute(
        delete(LeaderLeaseRow).where(LeaderLeaseRow.name == name, LeaderLeaseRow.owner == owner)
    )


async def vacate_all(session: AsyncSession) -> None:
    """Free what dead processes held, at the start of one that has the database to itself."""
    await session.execute(delete(LeaderLeaseRow))
