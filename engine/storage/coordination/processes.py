"""Queries of the live processes of this database; each announces itself periodically."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.storage.models.coordination import ProcessRow
from engine.storage.statements import count_rows, has_row, insert_into


async def announce(
    session: AsyncSession,
    owner: str,
    *,
    now: ColumnElement[Any],
    ttl: timedelta,
    database_session: str | None = None,
) -> None:
    """Announce *owner* as alive for *ttl*.
    *database_session* is the database's name of its session (`coordination/database_sessions.py`).
    """
    alive = {
        "alive_until": now + ttl // timedelta(milliseconds=1),
        "session": database_session or "",
    }
    await session.execute(
        insert_into(session, ProcessRow)
        .values(owner=owner, **alive)
        .on_conflict_do_update(index_elements=["owner"], set_=alive)
    )


async def dead(
    session: AsyncSession,
    *,
    now: ColumnElement[Any],
    left: timedelta,
    disconnected: Collection[str] = (),
) -> list[str]:
    """Returns the processes whose announcement expired.
    A *disconnected* one is dead earlier: with less than *left* until then.
    """
    soon = now + left // timedelta(milliseconds=1)
    is_dead = or_(
        ProcessRow.alive_until < now,
        and_(ProcessRow.owner.in_(disconnected), ProcessRow.alive_until < soon),
    )
    return list(await session.scalars(select(ProcessRow.owner).where(is_dead)))


async def any_older(session: AsyncSession, *, now: ColumnElement[Any]) -> bool:
    """True if a process of 0.4.0 or before is alive: those announce no session."""
    return await has_row(session, ProcessRow.session.is_(None), ProcessRow.alive_until >= now)


async def count(session: AsyncSession, *, now: ColumnElement[Any]) -> int:
    """Returns how many processes are alive."""
    return await count_rows(session, ProcessRow.alive_until >= now)


async def leave(session: AsyncSession, owner: str) -> None:
    """Remove a process; its share of the accounts is free."""
    await session.execute(delete(ProcessRow).where(ProcessRow.owner == owner))


async def forget_all(session: AsyncSession) -> None:
    """At the start of one that has the database to itself."""
    await session.execute(delete(ProcessRow))
