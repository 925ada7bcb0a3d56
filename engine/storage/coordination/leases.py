"""Queries of account leases: the owner, and a fence that every claim raises.

All times are the database's own (`Database.now()`), the one clock that all processes share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.clock import from_millis
from engine.domain.orders.order import AccountId
from engine.storage.models.coordination import LeaseRow
from engine.storage.statements import has_row, tell_of, update

_PAGE = 2000


async def add(session: AsyncSession, account_id: AccountId) -> None:
    """Add a new account, unowned."""
    session.add(LeaseRow(account_id=account_id, owner=None, fence=0, lease_until=from_millis(0)))
    await session.flush()
    tell_of(session, LeaseRow)


async def claim(
    session: AsyncSession, *, owner: str, now: ColumnElement[Any], ttl: timedelta, most: int
) -> Mapping[AccountId, int]:
    """Claim up to *most* unowned accounts, each under a new fence."""
    free = (
        select(LeaseRow.account_id)
        .where(_is_free(now))
        .order_by(LeaseRow.account_id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    taken = await session.execute(
        update(LeaseRow)
        .where(LeaseRow.account_id.in_(free))
        .values(
            owner=owner,
            fence=LeaseRow.fence + 1,
            lease_until=now + ttl // timedelta(milliseconds=1),
            woken=False,
        )
        .returning(LeaseRow.account_id, LeaseRow.fence)
    )
    return {AccountId(account_id): fence for account_id, fence in taken}


async def renew(
    session: AsyncSession, *, owner: str, now: ColumnElement[Any], ttl: timedelta
) -> Mapping[AccountId, int]:
    """Prolong every lease *owner* still holds, in one statement; what is missing was lost."""
    is_held = LeaseRow.owner == owner, LeaseRow.lease_until >= now
    await session.execute(
        update(LeaseRow).where(*is_held).values(lease_until=now + ttl // timedelta(milliseconds=1))
    )
    kept: dict[AccountId, int] = {}
    last = -1
    while True:  # twenty thousand rows at once would block the event loop for 70 ms
        page = await session.execute(
            select(LeaseRow.account_id, LeaseRow.fence)
            .where(*is_held, LeaseRow.account_id > last)
            .order_by(LeaseRow.account_id)
            .limit(_PAGE)
        )
        rows = page.all()
        kept.update((AccountId(account_id), fence) for account_id, fence in rows)
        if len(rows) < _PAGE:
            return kept
        last = rows[-1][0]


async def is_held(
    session: AsyncSession,
    account_id: AccountId,
    *,
    owner: str,
    fence: int,
    now: ColumnElement[Any],
) -> bool:
    """True if *owner* holds the account under that fence."""
    return await has_row(
        session,
        LeaseRow.account_id == account_id,
        LeaseRow.owner == owner,
        LeaseRow.fence == fence,
        LeaseRow.lease_until >= now,
    )


async def release(
    session: AsyncSession,
    due_in: Mapping[AccountId, timedelta],
    *,
    owner: str,
    now: ColumnElement[Any],
) -> None:
    """Release these leases; those that *owner* does not hold any more are unchanged. The next owner
    learns when each account is due (`handed_over`).
    """
    table = LeaseRow.__table__
    released = (
        update(table)
        .where(table.c.account_id == bindparam("account"), table.c.owner == owner)
        .values(owner=None, lease_until=now + bindparam("left_ms", type_=BigInteger))
    )
    await (await session.connection()).execute(
        released,
        [
            {"account": account_id, "left_ms": left // timedelta(milliseconds=1)}
            for account_id, left in due_in.items()
        ],
    )
    tell_of(session, LeaseRow)


async def handed_over(
    session: AsyncSession, *, now: ColumnElement[Any], most: int
) -> Mapping[AccountId, timedelta]:
    """Returns in what time the first *most* of the unowned accounts are due, of those whose last
    owner said so. One that was woken since is due now. They stay so until the transaction ends.
    """
    rows = await session.execute(
        select(LeaseRow.account_id, LeaseRow.lease_until, LeaseRow.woken, now.label("now"))
        .where(_is_free(now))
        .order_by(LeaseRow.account_id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return {
        AccountId(row.account_id): row.lease_until - row.now
        for row in rows
        if row.lease_until > row.now and not row.woken
    }


async def count(session: AsyncSession) -> int:
    """Returns how many accounts there are to own."""
    return await session.scalar(select(func.count()).select_from(LeaseRow)) or 0


async def release_all(session: AsyncSession) -> None:
    """Free what dead processes held, at the start of one that has the database to itself."""
    held = update(LeaseRow).where(LeaseRow.owner.is_not(None))
    await session.execute(held.values(owner=None, lease_until=from_millis(0)))
    tell_of(session, LeaseRow)


async def wake(session: AsyncSession, account_id: AccountId) -> None:
    """Ask the account's owner for a check now."""
    await session.execute(
        update(LeaseRow).where(LeaseRow.account_id == account_id).values(woken=True)
    )
    tell_of(session, LeaseRow)


async def wake_all(session: AsyncSession) -> None:
    await session.execute(update(LeaseRow).values(woken=True))
    tell_of(session, LeaseRow)


@dataclass(frozen=True, slots=True)
class PendingEvents:
    """Events of a process: *woken* are its own accounts; *any_free*: some are unowned."""

    woken: Sequence[AccountId]
    any_free: bool


async def pending_events(
    session: AsyncSession, *, owner: str, now: ColumnElement[Any]
) -> PendingEvents:
    """Returns what a heartbeat must react to, in one statement that usually finds nothing."""
    is_free = _is_free(now)
    found = await session.execute(
        select(LeaseRow.account_id, is_free.label("is_free"))
        .where(or_(and_(LeaseRow.owner == owner, LeaseRow.woken), is_free))
        .limit(1000)
    )
    rows = found.all()
    return PendingEvents(
        woken=[AccountId(row.account_id) for row in rows if not row.is_free],
        any_free=any(row.is_free for row in rows),  # our own expired leases are free as well
    )


def _is_free(now: ColumnElement[Any]) -> ColumnElement[bool]:
    return or_(LeaseRow.owner.is_(None), LeaseRow.lease_until < now)


async def clear_wakeups(session: AsyncSession, account_ids: Sequence[AccountId]) -> None:
    """Clear the wake-up flags of these accounts."""
    await session.execute(
        update(LeaseRow).where(LeaseRow.account_id.in_(account_ids)).values(woken=False)
    )
