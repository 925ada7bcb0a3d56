"""Which processes work on this database: each says so whenever it renews its leases."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.storage.models import ProcessRow
from engine.storage.upserts import insert_into


async def announce(
    session: AsyncSession, owner: str, *, now: ColumnElement[Any], ttl: timedelta
) -> None:
    """*owner* is alive, and counts for *ttl*; those of whom nothing was heard are forgotten."""
    alive_until = now + ttl // timedelta(milliseconds=1)
    await session.execute(
        insert_into(session, ProcessRow)
        .values(owner=owner, alive_until=alive_until)
        .on_conflict_do_update(index_elements=["owner"], set_={"alive_until": alive_until})
    )
    # Two who tidy up at once must not wait for each other's rows.
    dead = select(ProcessRow.owner).where(ProcessRow.alive_until < now)
    await session.execute(
        delete(ProcessRow).where(ProcessRow.owner.in_(dead.with_for_update(skip_locked=True)))
    )


async def count(session: AsyncSession, *, now: ColumnElement[Any]) -> int:
    """How many are alive."""
    alive = select(func.count()).select_from(ProcessRow).where(ProcessRow.alive_until >= now)
    return await session.scalar(alive) or 0


async def leave(session: AsyncSession, owner: str) -> None:
    """Its share of the work is the others' from now on."""
    await session.execute(delete(ProcessRow).where(ProcessRow.owner == owner))


async def forget_all(session: AsyncSession) -> None:
    """At the start of one that has the database to itself."""
    await session.execute(delete(ProcessRow))
