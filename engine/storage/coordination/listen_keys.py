"""Queries of the keys of the accounts' streams: one an account at most."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.orders.order import AccountId
from engine.storage.models.accounts import AccountRow, ListenKeyRow
from engine.storage.row_mapping import columns_of, from_row
from engine.storage.statements import delete, update


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredListenKey:
    """A sealed key, made with the API key of *key_print* when it was *created_at*."""

    sealed: str = field(repr=False)
    key_print: str
    created_at: datetime
    extended_at: datetime


async def get(session: AsyncSession, account_id: AccountId) -> StoredListenKey | None:
    row = await session.get(ListenKeyRow, account_id, populate_existing=True)
    return None if row is None else from_row(StoredListenKey, row)


async def put(
    session: AsyncSession,
    account: Account,
    key: StoredListenKey,
    *,
    instead_of: StoredListenKey | None,
) -> StoredListenKey | None:
    """Keep *key* instead of the one that was found before it was made; returns what is kept. That is
    another one where it was stored meanwhile, and none where the account trades with another API
    key by now, or with none.
    """
    current = await session.get(
        AccountRow, account.id, with_for_update=True, populate_existing=True
    )
    if current is None or current.dry_run or current.sealed_key != account.sealed_key:
        return None
    present = await get(session, account.id)
    if present is not None and _made_at(present) != _made_at(instead_of):
        return present
    await session.merge(ListenKeyRow(account_id=account.id, **columns_of(key)))
    return key


async def extended(
    session: AsyncSession, account_id: AccountId, *, created_at: datetime, at: datetime
) -> bool:
    """Note that the key was extended; False where it is not the account's any more."""
    noted = await session.scalar(
        update(ListenKeyRow)
        .where(ListenKeyRow.account_id == account_id, ListenKeyRow.created_at == created_at)
        .values(extended_at=at)
        .returning(ListenKeyRow.account_id)
    )
    return noted is not None


async def forget(session: AsyncSession, account_id: AccountId, *, created_at: datetime) -> None:
    """Forget the key that was created then."""
    await session.execute(
        delete(ListenKeyRow).where(
            ListenKeyRow.account_id == account_id, ListenKeyRow.created_at == created_at
        )
    )


def _made_at(key: StoredListenKey | None) -> datetime | None:
    return None if key is None else key.created_at
