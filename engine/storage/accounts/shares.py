"""Queries of chats that see another chat's account.

Locks are taken in the order link, share, account.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.accounts.members import Role
from engine.domain.accounts.shares import Share, SharedAlerts
from engine.domain.orders.order import AccountId
from engine.storage.models.accounts import ShareRow
from engine.storage.row_mapping import columns_of, from_row
from engine.storage.statements import delete, update
from engine.storage.text_encoding import storable


async def of_chat(
    session: AsyncSession, chat_id: int, *, for_update: bool = False, for_share: bool = False
) -> Share | None:
    """The share by which the chat sees another one's account.
    *for_update* locks it against everybody, *for_share* against its end.
    """
    query = select(ShareRow).where(ShareRow.chat_id == chat_id)
    if for_update or for_share:
        query = query.with_for_update(read=for_share)
    row = await session.scalar(query.execution_options(populate_existing=True))
    return None if row is None else _share(row)


async def of_chats(session: AsyncSession, chat_ids: Collection[int]) -> Mapping[int, Share]:
    """The shares by which chats see others' accounts, by chat."""
    if not chat_ids:
        return {}
    rows = await session.scalars(select(ShareRow).where(ShareRow.chat_id.in_(chat_ids)))
    return {row.chat_id: _share(row) for row in rows}


async def of_account(
    session: AsyncSession, account_id: AccountId, *, for_update: bool = False
) -> Sequence[Share]:
    """The chats that see the account, the oldest first; *for_update* locks them."""
    query = select(ShareRow).where(ShareRow.account_id == account_id)
    if for_update:
        query = query.with_for_update()
    rows = (await session.scalars(query.order_by(ShareRow.chat_id))).all()
    return sorted(map(_share, rows), key=lambda share: (share.created_at, share.chat_id))


async def chats_of(session: AsyncSession, account: Account) -> Sequence[int]:
    """All chats that see the account: its own first."""
    found = await session.scalars(
        select(ShareRow.chat_id).where(ShareRow.account_id == account.id)
    )
    return [account.chat_id, *sorted(found)]


async def private_chats(session: AsyncSession, *, most: int) -> Sequence[tuple[int, Role]]:
    """The private chats that see another one's account, each with its role."""
    query = select(ShareRow.chat_id, ShareRow.role).where(ShareRow.chat_id > 0)
    found = await session.execute(query.order_by(ShareRow.chat_id).limit(most))
    return [(chat_id, role) for chat_id, role in found]


async def add(session: AsyncSession, share: Share) -> None:
    """Raises IntegrityError where the chat has one already."""
    named = columns_of(share) | {"name": await storable(session, share.name)}
    session.add(ShareRow(**named))
    await session.flush()


async def remove(session: AsyncSession, chat_id: int) -> None:
    await session.execute(delete(ShareRow).where(_of(chat_id)))


async def set_alerts(session: AsyncSession, chat_id: int, alerts: SharedAlerts) -> None:
    await session.execute(update(ShareRow).where(_of(chat_id)).values(alerts=alerts))


async def set_time_zone(session: AsyncSession, chat_id: int, time_zone: str | None) -> None:
    await session.execute(update(ShareRow).where(_of(chat_id)).values(time_zone=time_zone))


async def move(session: AsyncSession, *, old: int, new: int) -> None:
    """A group sees the account under its new id too."""
    if await of_chat(session, new) is None:
        await session.execute(update(ShareRow).where(_of(old)).values(chat_id=new))


def _of(chat_id: int) -> ColumnElement[bool]:
    return ShareRow.chat_id == chat_id


def _share(row: ShareRow) -> Share:
    return from_row(Share, row, account_id=AccountId(row.account_id))
