"""Queries of the audit trail: written in the transaction of the change, and never changed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from engine import work_log
from engine.domain.accounts.account import Account
from engine.domain.accounts.audit import ALL_ACCOUNTS, AuditEntry, changes
from engine.storage.models.accounts import AuditRow
from engine.storage.row_mapping import from_row


async def record(
    session: AsyncSession,
    chat_id: int,
    user_id: int,
    action: str,
    detail: str,
    *,
    subject: str,
    at: datetime,
    is_setting: bool = False,
) -> None:
    """Add one line, without secrets; the change of a setting stands in the log as well."""
    if is_setting:
        work_log.preference_changed(
            session, chat_id=chat_id, user_id=user_id, setting=action, detail=detail
        )
    session.add(
        AuditRow(
            at=at,
            chat_id=chat_id,
            user_id=user_id,
            action=action,
            subject=subject,
            detail=detail,
        )
    )


async def add_changes(
    session: AsyncSession, before: Account, after: Account, *, at: datetime, user_id: int
) -> None:
    """A line for each field that differs; none where nothing does."""
    for change in changes(before, after):
        work_log.setting_changed(session, change, account=after, user_id=user_id)
        await record(
            session,
            after.chat_id,
            user_id,
            change.action,
            change.detail,
            subject=change.subject,
            at=at,
        )


async def page(
    session: AsyncSession, *, chat_id: int, size: int, number: int
) -> tuple[Sequence[AuditEntry], bool]:
    """Page *number* (0 is the newest) of what concerns the chat, newest first, and whether there
    is more: its own lines, and those of all accounts.
    """
    concerned = or_(AuditRow.chat_id == chat_id, AuditRow.subject == ALL_ACCOUNTS)
    rows = (
        await session.scalars(
            select(AuditRow)
            .where(concerned)
            .order_by(AuditRow.id.desc())
            .limit(size + 1)
            .offset(size * number)
        )
    ).all()
    return [from_row(AuditEntry, row) for row in rows[:size]], len(rows) > size


async def band_changes(
    session: AsyncSession, *, chat_id: int, since: datetime
) -> Sequence[AuditEntry]:
    """The lines after *since* about the chat's target and threshold, newest first."""
    rows = await session.scalars(
        select(AuditRow)
        .where(
            AuditRow.chat_id == chat_id,
            AuditRow.action == "settings",
            AuditRow.subject.in_(("target", "threshold")),
            AuditRow.at > since,
        )
        .order_by(AuditRow.id.desc())
    )
    return [from_row(AuditEntry, row) for row in rows]


async def move(session: AsyncSession, *, old: int, new: int) -> None:
    """Move a group's audit trail to its new id."""
    await session.execute(update(AuditRow).where(AuditRow.chat_id == old).values(chat_id=new))
