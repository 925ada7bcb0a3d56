"""Queries of each key's expiry: when it was last read, and which reminders were sent."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.orders.order import AccountId
from engine.storage.accounts import accounts
from engine.storage.models.accounts import AccountRow
from engine.storage.statements import has_row, update

# None of this changes what the account may trade: its version stays, and no plan is outdated.


async def any_due(session: AsyncSession, *, asked_before: datetime) -> bool:
    return await has_row(session, *_due(asked_before))


async def claim(
    session: AsyncSession, *, asked_before: datetime, counts_as: datetime, most: int
) -> Sequence[Account]:
    """Claim accounts whose key was not read since *asked_before*.
    They count as read at *counts_as*, so that no other process reads them too, until `learn`.
    """
    due = (
        select(AccountRow.id)
        .where(*_due(asked_before))
        .order_by(AccountRow.key_checked_at.asc().nulls_first(), AccountRow.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    claimed = (await session.scalars(due)).all()
    await session.execute(
        update(AccountRow).where(AccountRow.id.in_(claimed)).values(key_checked_at=counts_as)
    )
    return [await accounts.get(session, AccountId(account_id)) for account_id in claimed]


async def told(session: AsyncSession, account: Account) -> int | None:
    """The last reminder of this very key's end, in days before it."""
    return await session.scalar(select(AccountRow.key_told_days).where(*_same_key(account)))


async def learn(
    session: AsyncSession,
    account: Account,
    *,
    expires_at: datetime | None,
    told: int | None,
    asked_at: datetime | None = None,
) -> bool:
    """Store what was read of the account's key, and when; False if it was replaced meanwhile."""
    values: dict[str, Any] = {"key_expires_at": expires_at, "key_told_days": told}
    if asked_at is not None:
        values["key_checked_at"] = asked_at
    row_id = await session.scalar(
        update(AccountRow).where(*_same_key(account)).values(values).returning(AccountRow.id)
    )
    return row_id is not None


def _due(asked_before: datetime) -> list[ColumnElement[bool]]:
    never = AccountRow.key_checked_at.is_(None)
    return [
        AccountRow.sealed_key.is_not(None),
        or_(never, AccountRow.key_checked_at <= asked_before),
    ]


def _same_key(account: Account) -> list[ColumnElement[bool]]:
    return [AccountRow.id == account.id, AccountRow.sealed_key == account.sealed_key]
