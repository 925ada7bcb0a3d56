"""Use cases of a chat's alert preferences: levels, quiet hours, low balances."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import Enum

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.accounts.low_balance import MOST_MARKS, LowBalanceThreshold
from engine.domain.accounts.shares import Share, SharedAlerts
from engine.domain.alerts.local_time import WEEKDAYS
from engine.domain.alerts.preferences import AlertPreferences, QuietHours, WeeklyTime
from engine.domain.market.decimals import plain
from engine.domain.market.pairs import Asset
from engine.storage.accounts import alert_preferences, audit, low_balance, shares
from engine.storage.service import Service

PreferenceRequest = Callable[[AlertPreferences], AlertPreferences]
"""A change of the settings as they are by then."""


@dataclass(frozen=True, slots=True)
class AlertChange:
    """The settings before and after a wish; equal where it changed nothing."""

    before: AlertPreferences
    after: AlertPreferences


@dataclass(frozen=True, slots=True)
class LowBalanceChange:
    """One asset's threshold before and after, None for none.
    *refused*: the limit of thresholds was reached, and nothing changed.
    """

    before: LowBalanceThreshold | None
    after: LowBalanceThreshold | None
    refused: bool = False


class AlertPreferenceService(Service):
    async def settings(self, account: Account) -> AlertPreferences:
        async with self.database.reading() as session:
            return await alert_preferences.of(session, account.id)

    async def change(
        self, account: Account, wish: PreferenceRequest, *, user_id: int
    ) -> AlertChange:
        """Change the preferences, from the next message sent on, even one queued already."""
        now = self.clock.now()
        async with self.database.writing() as session:
            before = await alert_preferences.of(session, account.id)
            after = wish(before)
            if after != before:
                await alert_preferences.put(session, account.id, after, now=now)
                detail = _difference(before, after)
                await self._record(session, account, user_id, "alerts", detail, account.uuid)
        return AlertChange(before, after)

    async def of_shared(self, chat_id: int) -> Share | None:
        """How the chat sees another chat's account, with what it wants to hear of that."""
        async with self.database.reading() as session:
            return await shares.of_chat(session, chat_id)

    async def change_shared(self, chat_id: int, wanted: SharedAlerts | str) -> Share | None:
        """Choose which alerts of another chat's account the chat gets, or its time zone."""
        async with self.database.writing() as session:
            if isinstance(wanted, SharedAlerts):
                await shares.set_alerts(session, chat_id, wanted)
            else:
                await shares.set_time_zone(session, chat_id, wanted)
            return await shares.of_chat(session, chat_id)

    async def marks(self, account: Account) -> tuple[LowBalanceThreshold, ...]:
        async with self.database.reading() as session:
            found = await low_balance.of_accounts(session, [account.id])
        return found.get(account.id, ())

    async def set_mark(
        self, account: Account, asset: Asset, below: Decimal, *, user_id: int
    ) -> LowBalanceChange:
        """Set a threshold; the same value again keeps its alert state."""
        mark = LowBalanceThreshold(asset, below)
        async with self.database.writing() as session:
            marks = (await low_balance.of_accounts(session, [account.id])).get(account.id, ())
            before = next((known for known in marks if known.asset == asset), None)
            if before is not None and before.below == below:
                return LowBalanceChange(before, before)
            if before is None and len(marks) >= MOST_MARKS:
                return LowBalanceChange(None, None, refused=True)
            await low_balance.put(session, account.id, mark)
            await self._note_mark(session, account, before, mark, user_id=user_id)
        return LowBalanceChange(before, mark)

    async def remove_mark(
        self, account: Account, asset: Asset, *, user_id: int
    ) -> LowBalanceChange:
        async with self.database.writing() as session:
            before = await low_balance.remove(session, account.id, asset)
            if before is not None:
                await self._note_mark(session, account, before, None, user_id=user_id)
        return LowBalanceChange(before, None)

    async def _note_mark(
        self,
        session: AsyncSession,
        account: Account,
        before: LowBalanceThreshold | None,
        after: LowBalanceThreshold | None,
        *,
        user_id: int,
    ) -> None:
        mark = after or before
        detail, subject = f"{_below(before)} -> {_below(after)}", mark.asset if mark else ""
        await self._record(session, account, user_id, "warn", detail, subject)

    async def _record(
        self,
        session: AsyncSession,
        account: Account,
        user_id: int,
        action: str,
        detail: str,
        subject: str,
    ) -> None:
        at, chat_id = self.clock.now(), account.chat_id
        await audit.record(
            session, chat_id, user_id, action, detail, subject=subject, at=at, is_setting=True
        )


def _below(mark: LowBalanceThreshold | None) -> str:
    return "off" if mark is None else plain(mark.below)


def _difference(before: AlertPreferences, after: AlertPreferences) -> str:
    changed = []
    for name in (part.name for part in fields(AlertPreferences)):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            changed.append(f"{name}: {_text(old)} -> {_text(new)}")
    return "; ".join(changed)


def _text(value: object) -> str:  # noqa: PLR0911 - one return a kind of value
    match value:
        case None:
            return "off"
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return plain(value)
        case QuietHours(start=start, end=end):
            return f"{_clock_time(start)}-{_clock_time(end)}"
        case WeeklyTime(day=day, minute=minute):
            return f"{WEEKDAYS[day]} {_clock_time(minute)}"
        case int():
            return _clock_time(value)
        case dict():
            return " ".join(f"{_text(k)}={_text(v)}" for k, v in value.items()) or "all on"
        case Enum():
            return str(value.value)
        case _:
            return str(value)


def _clock_time(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
