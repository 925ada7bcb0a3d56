"""A queue in a table: first in first out per chat, each item claimed by one worker at a time.

The inbox (updates to handle) and the outbox (messages to send) are both such queues.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Index, Integer, Select, bindparam, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased, mapped_column

from engine.storage.columns import Moment
from engine.storage.upserts import insert_into


class QueueColumns:
    """What every queue's rows have. A row is waiting while *done_at* is empty."""

    id: Mapped[int] = mapped_column(primary_key=True)
    chat_id: Mapped[int]
    payload: Mapped[str]
    created_at: Mapped[datetime]
    not_before: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None]
    failure: Mapped[str | None]


def waiting_index(table_name: str) -> Index:
    """What keeps `claim` cheap however long the history grows."""
    still_waiting = text("done_at IS NULL")
    return Index(
        f"ix_{table_name}_waiting",
        "chat_id",
        "id",
        sqlite_where=still_waiting,
        postgresql_where=still_waiting,
    )


Row = TypeVar("Row", bound=QueueColumns)
_LONG_AGO = datetime.fromtimestamp(0, UTC)


async def add_new(
    session: AsyncSession,
    table: type[Row],
    rows: Sequence[Mapping[str, Any]],
    *,
    unique: Sequence[str],
    now: datetime,
) -> int:
    """Append *rows*, leaving out those whose *unique* columns are known; how many were new."""
    if not rows:
        return 0
    times = {"created_at": now, "not_before": now, "attempts": 0}
    added = await session.scalars(
        insert_into(session, table)
        .values([{**times, **row} for row in rows])
        .on_conflict_do_nothing(index_elements=unique)
        .returning(table.id)
    )
    return len(added.all())


@cache  # it is asked every second, and to build it takes longer than to run it
def _heads(table: type[Row]) -> Select[Row]:
    earlier = aliased(table)
    is_head = ~(
        select(earlier.id)
        .where(earlier.chat_id == table.chat_id, earlier.done_at.is_(None), earlier.id < table.id)
        .exists()
    )
    now = bindparam("now", type_=Moment)
    return (
        select(table)
        .where(
            table.done_at.is_(None),
            table.not_before <= now,
            (table.claimed_until.is_(None)) | (table.claimed_until < now),
            is_head,
        )
        .order_by(table.id)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True, of=table)
    )


async def claim(
    session: AsyncSession, table: type[Row], *, now: datetime, hold: timedelta, most: int
) -> Sequence[Row]:
    """The oldest waiting row of each chat, at most *most*, kept from others for *hold*.

    A chat whose oldest row waits for its time, or is claimed, is passed over: nothing overtakes
    inside a chat, and no chat holds up another. *failure* is what came of the last try; it is
    empty where that is unknown, because the claim ran out.
    """
    heads = _heads(table)  # type: ignore[arg-type]  # a class is hashable, whatever mypy thinks
    rows = (await session.scalars(heads, {"now": now, "most": most})).all()
    for row in rows:
        if row.claimed_until is not None:  # it died with this in hand: what came of it is unknown
            row.failure = None
        row.claimed_until = now + hold
        row.attempts += 1
    return rows


async def renew(
    session: AsyncSession, table: type[Row], row_ids: Collection[int], *, until: datetime
) -> None:
    """Keep rows that are still being worked on; what was given back meanwhile stays given back."""
    await session.execute(
        update(table)
        .where(table.id.in_(row_ids), table.claimed_until.is_not(None))
        .values(claimed_until=until)
    )


async def release_all(session: AsyncSession, table: type[Row]) -> None:
    """Let every claim run out: for the start of the only process, whose claims are of a former life."""
    await session.execute(
        update(table).where(table.claimed_until.is_not(None)).values(claimed_until=_LONG_AGO)
    )


async def finish(
    session: AsyncSession,
    table: type[Row],
    row_id: int,
    *,
    now: datetime,
    failure: str | None = None,
    **also: Any,
) -> None:
    """The row is dealt with; *failure* says why where it had to be given up."""
    values = {"done_at": now, "claimed_until": None, "failure": failure, **also}
    await session.execute(update(table).where(table.id == row_id).values(**values))


async def postpone(
    session: AsyncSession, table: type[Row], row_id: int, *, until: datetime, failure: str | None
) -> None:
    """The row stays first in its chat and is tried again at *until*, unless another process, which
    took it over meanwhile, has dealt with it.
    """
    await session.execute(
        update(table)
        .where(table.id == row_id, table.done_at.is_(None))
        .values(not_before=until, claimed_until=None, failure=failure)
    )


async def waiting(session: AsyncSession, table: type[Row], *, chat_id: int | None = None) -> int:
    """How many rows wait, in all or for one chat."""
    query = select(func.count()).select_from(table).where(table.done_at.is_(None))
    if chat_id is not None:
        query = query.where(table.chat_id == chat_id)
    return await session.scalar(query) or 0
