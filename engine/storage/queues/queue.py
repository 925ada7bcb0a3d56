"""A queue in a table: each item claimed by one worker at a time, in order within a chat.

The inbox (updates to handle) and the outbox (messages to send) are both such queues.

The order within a chat is by rank, and first in first out within a rank. A chat has one row in work
at a time; only a row of rank 0 is handed out beside it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Self, TypeVar

from sqlalchemy import (
    Boolean,
    CursorResult,
    Integer,
    Select,
    and_,
    bindparam,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from engine.storage.column_types import Moment
from engine.storage.models.queues import ASIDE, FIRST, NORMAL, QueueColumns
from engine.storage.statements import count_rows, insert_into, tell_of

Row = TypeVar("Row", bound=QueueColumns)
_RELEASED: Mapping[str, Any] = {"claimed_until": None, "claimed_by": None}
_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of a row; a later claim of the same row has a higher *fence*."""

    row_id: int
    fence: int

    @classmethod
    def of(cls, row: QueueColumns) -> Self:
        return cls(row.id, row.attempts)


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
    defaults = {"created_at": now, "not_before": now, "attempts": 0, "rank": NORMAL}
    values = [{**defaults, **row} for row in rows]
    added = await session.scalars(
        insert_into(session, table)
        # A list is compiled anew each time, which takes longer than to add the row.
        .values(values if len(values) > 1 else values[0])
        .on_conflict_do_nothing(index_elements=unique)
        .returning(table.id)
    )
    count = len(added.all())
    if count:
        tell_of(session, table)
    return count


@cache  # it is asked every second, and to build it takes longer than to run it
def _heads(table: type[Row]) -> Select[Row]:
    earlier, claimed = aliased(table), aliased(table)
    now = bindparam("now", type_=Moment)
    has_earlier = select(earlier.id).where(
        earlier.chat_id == table.chat_id,
        earlier.done_at.is_(None),
        tuple_(earlier.rank, earlier.id) < tuple_(table.rank, table.id),
    )
    chat_is_busy = select(claimed.id).where(
        claimed.chat_id == table.chat_id,
        claimed.claimed_until.is_not(None),
        claimed.claimed_until >= now,
        claimed.rank < ASIDE,
    )
    return (
        select(table)
        .where(
            table.done_at.is_(None),
            table.not_before <= now,
            or_(table.claimed_until.is_(None), table.claimed_until < now),
            table.rank <= bindparam("lowest", type_=Integer),
            or_(
                bindparam("suspects", type_=Boolean),
                and_(table.deaths == 0, table.claimed_until.is_(None)),
            ),
            ~has_earlier.exists(),
            or_(table.rank == FIRST, ~chat_is_busy.exists()),
        )
        .order_by(table.rank, table.id)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True, of=table)
    )


async def claim(
    session: AsyncSession,
    table: type[Row],
    *,
    now: datetime,
    hold: timedelta,
    most: int,
    lowest: int = ASIDE,
    suspects: bool = True,
    fits: Callable[[Row], bool] = lambda _: True,
    owner: str | None = None,
) -> Sequence[Row]:
    """Claim the first waiting row of each chat for *hold*, at most *most*, by rank.
    None is above *lowest*; without *suspects* none during which a process died. A row is left
    where *fits* says no. *owner* is the process that works on them.

    A chat whose first row waits for its time, or which has a row in work, is skipped, so no chat
    delays another. A row of rank FIRST does not wait for the row in work. *failure* is the reason
    of the last attempt; it is empty where that is unknown, because the claim expired.
    """
    heads = _heads(table)  # type: ignore[arg-type]  # a class is hashable, whatever mypy thinks
    found = await session.scalars(
        heads, {"now": now, "most": most, "lowest": lowest, "suspects": suspects}
    )
    rows = [row for row in found if fits(row)]
    for row in rows:
        if row.claimed_until is not None:  # the process died: what came of it is unknown
            row.failure = None
            row.deaths += 1
        row.claimed_until = now + hold
        row.claimed_by = owner
        row.attempts += 1
    return rows


def _held(table: type[Row], held: Claim) -> Any:
    return and_(table.id == held.row_id, table.attempts == held.fence, table.done_at.is_(None))


async def renew(
    session: AsyncSession, table: type[Row], held: Collection[Claim], *, until: datetime
) -> None:
    """Renew claims; rows released or claimed again meanwhile stay as they are."""
    keys = [(one.row_id, one.fence) for one in held]
    await session.execute(
        update(table)
        .where(
            table.id.in_([one.row_id for one in held]),  # the key's index needs this
            tuple_(table.id, table.attempts).in_(keys),
            table.claimed_until.is_not(None),
        )
        .values(claimed_until=until)
    )


async def release_all(session: AsyncSession, table: type[Row]) -> None:
    """Expire every claim: for the start of the only process, after a crash."""
    await session.execute(
        update(table).where(table.claimed_until.is_not(None)).values(claimed_until=_LONG_AGO)
    )


async def finish(
    session: AsyncSession,
    table: type[Row],
    held: Claim,
    *,
    now: datetime,
    failure: str | None = None,
    **also: Any,
) -> bool:
    """Mark the row done; *failure* says why it was given up.
    False, and no change, where the row is done or claimed by another process.
    """
    values = {**_RELEASED, "done_at": now, "failure": failure, **also}
    done = await session.execute(update(table).where(_held(table, held)).values(**values))
    return _changed_one(done)


async def postpone(
    session: AsyncSession,
    table: type[Row],
    held: Claim,
    *,
    until: datetime,
    failure: str | None,
    rank: int | None = None,
) -> bool:
    """Retry the row at *until*, in its place unless it gets another *rank*.
    False, and no change, where the row is done or claimed by another process.
    """
    values: dict[str, Any] = {**_RELEASED, "not_before": until, "failure": failure}
    if rank is not None:
        values["rank"] = rank
    postponed = await session.execute(update(table).where(_held(table, held)).values(**values))
    return _changed_one(postponed)


async def step_aside(session: AsyncSession, table: type[Row], held: Claim) -> bool:
    """Stop blocking the row's chat while it is worked on longer.
    False where the row is done or claimed by another process.
    """
    stepped = await session.execute(update(table).where(_held(table, held)).values(rank=ASIDE))
    return _changed_one(stepped)


async def is_held(session: AsyncSession, table: type[Row], held: Claim) -> bool:
    """True if the claim still holds; then it holds until the transaction ends."""
    found = select(table.id).where(_held(table, held)).with_for_update()
    return await session.scalar(found) is not None


def _changed_one(result: Any) -> bool:
    return isinstance(result, CursorResult) and result.rowcount == 1


async def waiting(session: AsyncSession, table: type[Row], *, chat_id: int | None = None) -> int:
    """Returns how many rows wait, in all or for one chat."""
    mine = () if chat_id is None else (table.chat_id == chat_id,)
    return await count_rows(session, table.done_at.is_(None), *mine)
