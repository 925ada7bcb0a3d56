"""Queries of each chat's alert preferences, and of when its next digest is due."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.alerts.preferences import (
    AlertLevel,
    AlertPreferences,
    QuietHours,
    WeeklyTime,
)
from engine.domain.alerts.traits import AlertKind
from engine.domain.orders.order import AccountId
from engine.storage.models.accounts import AccountRow, AlertPreferencesRow
from engine.storage.row_mapping import columns_of, from_row
from engine.storage.statements import has_row

_AS_IT_COMES = AlertPreferences()


@dataclass(frozen=True, slots=True)
class DueDigest:
    """A digest due at *due*; *last_at* and *last_quote* are of the one before."""

    account_id: AccountId
    settings: AlertPreferences
    due: datetime
    last_at: datetime | None
    last_quote: Decimal | None


@dataclass(frozen=True, slots=True)
class DueWeekly:
    """A weekly report due at *due*; *last_at* is of the one before, *next_at* of the next one."""

    account_id: AccountId
    due: datetime
    last_at: datetime | None
    next_at: datetime | None


async def of(session: AsyncSession, account_id: AccountId) -> AlertPreferences:
    row = await session.get(AlertPreferencesRow, account_id)
    return _AS_IT_COMES if row is None else _settings(row)


async def of_chats(
    session: AsyncSession, chat_ids: Collection[int]
) -> Mapping[int, AlertPreferences | None]:
    """Returns those of each chat; None where what is stored cannot be read."""
    found = await session.execute(
        select(AccountRow.chat_id, AlertPreferencesRow)
        .join(AccountRow, AccountRow.id == AlertPreferencesRow.account_id)
        .where(AccountRow.chat_id.in_(chat_ids))
    )
    settings: dict[int, AlertPreferences | None] = dict.fromkeys(chat_ids, _AS_IT_COMES)
    for chat_id, row in found:
        try:
            settings[chat_id] = _settings(row)
        except ValueError:
            settings[chat_id] = None
    return settings


async def time_zone_of_chat(session: AsyncSession, chat_id: int) -> str | None:
    """Returns a name of the tz database; None where the chat has set nothing."""
    return await session.scalar(
        select(AlertPreferencesRow.time_zone)
        .join(AccountRow, AccountRow.id == AlertPreferencesRow.account_id)
        .where(AccountRow.chat_id == chat_id)
    )


async def time_zones_of(
    session: AsyncSession, account_ids: Sequence[AccountId]
) -> Mapping[AccountId, str | None]:
    """Returns the zones that were set, by account."""
    row = AlertPreferencesRow
    found = await session.execute(
        select(row.account_id, row.time_zone).where(row.account_id.in_(account_ids))
    )
    return {AccountId(number): name for number, name in found}


async def asks_about_deposits(session: AsyncSession, account_id: AccountId) -> bool:
    """True unless that was turned off. A check asks: it must not stop for what else is stored."""
    row = AlertPreferencesRow
    return not await has_row(session, row.account_id == account_id, row.ask_deposits.is_(False))


async def put(
    session: AsyncSession, account_id: AccountId, settings: AlertPreferences, *, now: datetime
) -> None:
    """The next digest follows from *settings*; the past of one that is switched on begins now."""
    row = await session.get(AlertPreferencesRow, account_id, with_for_update=True)
    if row is None:
        row = AlertPreferencesRow(account_id=account_id)
        session.add(row)
        before = _AS_IT_COMES
    else:
        before = _settings(row)
    if (due := settings.next_digest(now)) != before.next_digest(now):
        if row.digest_due is None:
            row.digest_at, row.digest_quote = now, None
        row.digest_due = due  # but one that is due this very moment is still to be written
    if (due := settings.next_weekly(now)) != before.next_weekly(now):
        if row.weekly_due is None:
            row.weekly_at = None
        row.weekly_due = due
    row.weekly_day = settings.weekly.day if settings.weekly else None
    row.weekly_minute = settings.weekly.minute if settings.weekly else None
    row.levels = json.dumps({kind.value: level.value for kind, level in settings.levels.items()})
    row.quiet_from = settings.quiet.start if settings.quiet else None
    row.quiet_until = settings.quiet.end if settings.quiet else None
    for name, value in columns_of(settings, "levels", "quiet", "weekly").items():
        setattr(row, name, value)
    if settings.time_zone != before.time_zone:  # set times before that were not missed
        await session.execute(
            update(AccountRow).where(AccountRow.id == account_id).values(slot_at=None)
        )


async def has_due(session: AsyncSession, *, now: datetime) -> bool:
    """True if a digest or a weekly report is due."""
    row = AlertPreferencesRow
    return await has_row(session, or_(row.digest_due <= now, row.weekly_due <= now))


async def claim_due(session: AsyncSession, *, now: datetime) -> DueDigest | None:
    """Claim a due digest that no other process writes, and schedule the next one.
    The caller writes it in the same transaction, and then calls `digest_written`.
    """
    row = await session.scalar(
        select(AlertPreferencesRow)
        .where(AlertPreferencesRow.digest_due <= now)
        .order_by(AlertPreferencesRow.digest_due)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is None or row.digest_due is None:
        return None
    settings = _settings(row)
    claimed = DueDigest(
        account_id=AccountId(row.account_id),
        settings=settings,
        due=row.digest_due,
        last_at=row.digest_at,
        last_quote=row.digest_quote,
    )
    row.digest_due = settings.next_digest(now)
    return claimed


async def claim_weekly(session: AsyncSession, *, now: datetime) -> DueWeekly | None:
    """Claim a due weekly report that no other process writes, and schedule the next one.
    The caller writes it in the same transaction.
    """
    row = await session.scalar(
        select(AlertPreferencesRow)
        .where(AlertPreferencesRow.weekly_due <= now)
        .order_by(AlertPreferencesRow.weekly_due)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is None or row.weekly_due is None:
        return None
    next_at = _settings(row).next_weekly(now)
    claimed = DueWeekly(AccountId(row.account_id), row.weekly_due, row.weekly_at, next_at)
    row.weekly_due, row.weekly_at = next_at, now
    return claimed


async def digest_written(
    session: AsyncSession, account_id: AccountId, *, at: datetime, quote: Decimal | None
) -> None:
    """Record a written digest: the next one starts there."""
    await session.execute(
        update(AlertPreferencesRow)
        .where(AlertPreferencesRow.account_id == account_id)
        .values(digest_at=at, digest_quote=quote)
    )


def _settings(row: AlertPreferencesRow) -> AlertPreferences:
    quiet = None
    if row.quiet_from is not None and row.quiet_until is not None:
        quiet = QuietHours(row.quiet_from, row.quiet_until)
    weekly = None
    if row.weekly_day is not None and row.weekly_minute is not None:
        weekly = WeeklyTime(row.weekly_day, row.weekly_minute)
    return from_row(AlertPreferences, row, levels=_levels(row.levels), quiet=quiet, weekly=weekly)


def _levels(text: str) -> dict[AlertKind, AlertLevel]:
    """Returns the known levels; what only another version knows is left at ON."""
    kinds = {kind.value: kind for kind in AlertKind}
    levels = {level.value: level for level in AlertLevel}
    stored = json.loads(text)
    if not isinstance(stored, dict):
        raise ValueError("levels are kept by kind")  # noqa: TRY004 - what is stored cannot be read
    return {
        kinds[kind]: levels[level]
        for kind, level in stored.items()
        if kind in kinds and level in levels
    }
