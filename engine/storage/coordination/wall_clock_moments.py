"""Moves stored wall-clock times when the clock was set back."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, func, literal, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from engine.clock import from_millis, to_millis
from engine.storage.coordination import key_values
from engine.storage.models.accounts import (
    AccountRow,
    AlertPreferencesRow,
    IncidentRow,
    InvitationRow,
    ListenKeyRow,
    PriceAlertRow,
    ShareLinkRow,
    TimedPauseRow,
)
from engine.storage.models.chat import ConfirmationRow, ConversationRow, StatusMessageRow
from engine.storage.models.queues import InboxRow, OutboxRow
from engine.storage.models.trading import BalanceRow, OrderRow, RunRequestRow, SlicedTradeRow
from engine.storage.statements import update

_WAITED_FOR: tuple[InstrumentedAttribute[Any], ...] = (
    AccountRow.key_checked_at,
    AccountRow.not_before,
    AccountRow.outside_since,
    AccountRow.slicing_until,
    AccountRow.slot_at,
    AccountRow.waiting_until,
    AlertPreferencesRow.digest_at,
    AlertPreferencesRow.weekly_at,
    BalanceRow.at,
    StatusMessageRow.next_edit_at,
    ConfirmationRow.expires_at,
    ConversationRow.expires_at,
    InboxRow.claimed_until,
    InboxRow.not_before,
    InvitationRow.expires_at,
    ListenKeyRow.extended_at,
    OutboxRow.claimed_until,
    OutboxRow.not_before,
    PriceAlertRow.told_at,
    RunRequestRow.expires_at,
    ShareLinkRow.expires_at,
    SlicedTradeRow.started_at,
    TimedPauseRow.due_at,
    TimedPauseRow.ends_at,
    IncidentRow.last_at,
    IncidentRow.since,
)
# What the clock was set back from, and to, when that was done last.
_DONE = "brought_forward"
_DAY = timedelta(days=1) // timedelta(milliseconds=1)
_WRITTEN = (InboxRow.created_at, OrderRow.created_at, OutboxRow.created_at)


async def newest(session: AsyncSession) -> datetime | None:
    """Returns when the newest update, order or message was stored."""
    found = [await session.scalar(select(func.max(column))) for column in _WRITTEN]
    return max((moment for moment in found if moment is not None), default=None)


async def bring_forward(session: AsyncSession, by: timedelta, *, now: datetime) -> None:
    """Bring forward all moments to come. A digest keeps its time of day, within a day,
    and a weekly report its weekday, within a week.

    Does nothing where that was done for this step of the clock: before a restart, or by another
    process.
    """
    if await _is_done(session, now=now):
        return
    millis = by // timedelta(milliseconds=1)
    for column in _WAITED_FOR:
        await session.execute(
            update(column.class_).where(column > now).values({column: column - millis})
        )
    for column, period in (
        (AlertPreferencesRow.digest_due, _DAY),
        (AlertPreferencesRow.weekly_due, 7 * _DAY),
    ):
        left = type_coerce(column, BigInteger) - to_millis(now)
        await session.execute(
            update(AlertPreferencesRow)
            .where(left > period)
            .values({column: literal(to_millis(now), BigInteger) + left % period})
        )


async def _is_done(session: AsyncSession, *, now: datetime) -> bool:
    """True if the newest moment was known at the last time, and the clock went on since."""
    written = await newest(session)
    if written is None or written <= now:
        return False
    known = await key_values.locked(session, _DONE, first="0 0")
    newest_then, then = (from_millis(int(part)) for part in known.value.split())
    if written <= newest_then and then <= now:
        return True
    known.value = f"{to_millis(written)} {to_millis(now)}"
    return False
