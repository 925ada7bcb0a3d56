"""A queue in a table: each item claimed by one worker at a time, in order within a chat.

The inbox (updates to handle) and the outbox (messages to send) are both such queues.

The order within a chat is by rank, and first in first out within a rank. A chat has one row in work
at a time; only a row of rank 0 is handed out beside it.
"""

from collections import defaultdict
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
    Update,
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
def _heads(table: type[Row], *, without_some: bool) -> Select[Row]:
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
    without = table.chat_id.not_in(bindparam("without", expanding=True))
    return (
        select(table)
        .where(
            *((or_(table.rank == FIRST, without),) if without_some else ()),
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
    without: Collection[int] = (),
    owner: str | None = None,
) -> Sequence[Row]:
    """Claim the first waiting row of each chat for *hold*, at most *most*, by rank.
    None is above *lowest*; without *suspects* none during which a process died. A row is left
    where *fits* says no, and one of a chat in *without* unless it is of rank FIRST. *owner* is the
    process that works on them.

    A chat whose first row waits for its time, or which has a row in work, is skipped, so no chat
    delays another. A row of rank FIRST does not wait for the row in work. *failure* is the reason
    of the last attempt; it is empty where that is unknown, because the claim expired.
    """
    asked = {"now": now, "most": most, "lowest": lowest, "suspects": suspects}
    if without:
        asked["without"] = list(without)
    heads = _heads(table, without_some=bool(without))  # type: ignore[arg-type]  # a class is hashable, whatever mypy thinks
    found = await session.scalars(heads, asked)
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


def done(*, now: datetime, failure: str | None = None, **also: Any) -> Mapping[str, Any]:
    """What `give_back` stores of a row that is dealt with; *failure* says why it was given up."""
    return {**_RELEASED, "done_at": now, "failure": failure, **also}


def postponed(
    *, until: datetime, failure: str | None, rank: int | None = None
) -> Mapping[str, Any]:
    """What `give_back` stores of a row that is tried again at *until*, in its place unless it gets
    another *rank*.
    """
    values = {**_RELEASED, "not_before": until, "failure": failure}
    return values if rank is None else {**values, "rank": rank}


async def give_back(
    session: AsyncSession, table: type[Row], outcomes: Sequence[tuple[Claim, Mapping[str, Any]]]
) -> Collection[Claim]:
    """Store what came of claimed rows. Returns those that are done or claimed by another process:
    they stay as they are.
    """
    lost: set[Claim] = set()
    await session.flush()
    connection = await session.connection()
    alike: defaultdict[tuple[str, ...], list[tuple[Claim, Mapping[str, Any]]]] = defaultdict(list)
    for held, values in outcomes:
        alike[tuple(values)].append((held, values))
    for some in alike.values():
        given = await connection.execute(
            _given_back(table),  # type: ignore[arg-type]  # as above
            [{**values, "held": one.row_id, "fence": one.fence} for one, values in some],
        )
        if given.rowcount != len(some):
            lost |= await _not_given(session, table, dict(some))
    return lost


@cache
def _given_back(table: type[Row]) -> Update:
    """The columns to set are the other names of its parameters."""
    held, fence = bindparam("held", type_=table.id.type), bindparam("fence", type_=Integer)
    return update(table).where(table.id == held, table.attempts == fence, table.done_at.is_(None))


async def _not_given(
    session: AsyncSession, table: type[Row], values: Mapping[Claim, Mapping[str, Any]]
) -> set[Claim]:
    found = await session.execute(
        select(table.id, table.attempts, table.done_at, table.claimed_until).where(
            table.id.in_([one.row_id for one in values])
        )
    )
    given = {
        Claim(row_id, attempts): done_at
        for row_id, attempts, done_at, claimed_until in found
        if claimed_until is None
    }
    return {
        one
        for one, stored in values.items()
        if one not in given or given[one] != stored.get("done_at")
    }


async def finish(
    session: AsyncSession,
    table: type[Row],
    held: Claim,
    *,
    now: datetime,
    failure: str | None = None,
    **also: Any,
) -> bool:
    """As `give_back` with what is `done`; False where the claim was lost."""
    outcome = done(now=now, failure=failure, **also)
    return not await give_back(session, table, [(held, outcome)])


async def postpone(
    session: AsyncSession,
    table: type[Row],
    held: Claim,
    *,
    until: datetime,
    failure: str | None,
    rank: int | None = None,
) -> bool:
    """As `give_back` with what is `postponed`; False where the claim was lost."""
    outcome = postponed(until=until, failure=failure, rank=rank)
    return not await give_back(session, table, [(held, outcome)])


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
