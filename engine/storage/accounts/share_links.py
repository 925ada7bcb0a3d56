"""Queries of one-time links to an account (hashed), and of the groups that wait for a word on one."""

import hmac
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.shares import ShareLink
from engine.domain.orders.order import AccountId
from engine.storage.models.accounts import ShareLinkRow
from engine.storage.row_mapping import columns_of, from_row
from engine.storage.statements import count_rows, has_row, update
from engine.storage.text_encoding import storable

_NOT_USED = ShareLinkRow.used_at.is_(None)


async def add(session: AsyncSession, link: ShareLink, *, code_hash: str, now: datetime) -> None:
    session.add(ShareLinkRow(code_hash=code_hash, created_at=now, **columns_of(link)))
    await session.flush()


async def find(
    session: AsyncSession, code_hash: str, *, for_update: bool = False
) -> ShareLink | None:
    """The link with that hash; compared in constant time."""
    hashes = (await session.scalars(select(ShareLinkRow.code_hash))).all()
    # Every hash is compared, whichever fits: the duration reveals nothing.
    if not [one for one in hashes if hmac.compare_digest(one, code_hash)]:
        return None
    query = select(ShareLinkRow).where(ShareLinkRow.code_hash == code_hash)
    if for_update:
        query = query.with_for_update()
    row = await session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        return None
    return from_row(ShareLink, row, account_id=AccountId(row.account_id))


async def use(session: AsyncSession, code_hash: str, *, user_id: int, now: datetime) -> bool:
    """Use the link up; returns True for the first caller alone."""
    used = await session.scalar(
        update(ShareLinkRow)
        .where(ShareLinkRow.code_hash == code_hash, _NOT_USED)
        .values(used_at=now, used_by=user_id)
        .returning(ShareLinkRow.code_hash)
    )
    return used is not None


async def request(
    session: AsyncSession,
    code_hash: str,
    *,
    chat_id: int,
    user_id: int,
    name: str,
    title: str,
    now: datetime,
) -> bool:
    """Keep the link for a group until its owner decides; True for the first group alone."""
    kept = await session.scalar(
        update(ShareLinkRow)
        .where(
            ShareLinkRow.code_hash == code_hash,
            _NOT_USED,
            ShareLinkRow.requested_chat.is_(None),
        )
        .values(
            requested_chat=chat_id,
            requested_by=user_id,
            requested_at=now,
            requested_name=await storable(session, name),
            title=await storable(session, title),
        )
        .returning(ShareLinkRow.code_hash)
    )
    return kept is not None


async def is_any_open(session: AsyncSession, *, now: datetime) -> bool:
    """True if some link could be used now."""
    return await has_row(session, _NOT_USED, ShareLinkRow.expires_at >= now)


async def count_open(session: AsyncSession, account_id: AccountId, *, now: datetime) -> int:
    """Returns how many of the account's links could be used now."""
    return await count_rows(
        session, ShareLinkRow.account_id == account_id, _NOT_USED, ShareLinkRow.expires_at >= now
    )


async def void(
    session: AsyncSession, account_id: AccountId, *, now: datetime, code_hash: str | None = None
) -> bool:
    """Expire the account's links that are not used, or the one with *code_hash*. True if any was."""
    query = update(ShareLinkRow).where(
        ShareLinkRow.account_id == account_id, _NOT_USED, ShareLinkRow.expires_at >= now
    )
    if code_hash is not None:
        query = query.where(ShareLinkRow.code_hash == code_hash)
    voided = await session.scalars(
        query.values(expires_at=now - timedelta(seconds=1)).returning(ShareLinkRow.code_hash)
    )
    return bool(voided.all())


async def move(session: AsyncSession, *, old: int, new: int) -> None:
    """A group that waits goes on waiting under its new id."""
    await session.execute(
        update(ShareLinkRow).where(ShareLinkRow.requested_chat == old).values(requested_chat=new)
    )
