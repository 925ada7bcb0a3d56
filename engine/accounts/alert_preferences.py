"""What a person may say about the alerts of their chat: how loud, when, and what to watch."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import Enum

from sqlalchemy.ext.asyncio import AsyncSession

from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.accounts.low_balance import MOST_MARKS, LowMark
from engine.domain.alerts.preferences import AlertSettings, QuietHours
from engine.domain.market.decimals import plain
from engine.domain.market.pairs import Asset
from engine.storage.accounts import alert_preferences, audit, low_balance
from engine.storage.database import Database

Wish = Callable[[AlertSettings], AlertSettings]
"""A change of the settings as they are by then."""


@dataclass(frozen=True, slots=True)
class AlertChange:
    """The settings before and after a wish; equal where it changed nothing."""

    before: AlertSettings
    after: AlertSettings


@dataclass(frozen=True, slots=True)
class MarkChange:
    """One asset's mark before and after, None where there is none. *refused*: there were too many
    already, and nothing changed.
    """

    before: LowMark | None
    after: LowMark | None
    refused: bool = False


class Alerting:
    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def settings(self, account: Account) -> AlertSettings:
        async with self._database.reading() as session:
            return await alert_preferences.of(session, account.id)

    async def change(self, account: Account, wish: Wish, *, user_id: int) -> AlertChange:
        """It holds for the next message that is sent, even if that waits already."""
        now = self._clock.now()
        async with self._database.writing() as session:
            before = await alert_preferences.of(session, account.id)
            after = wish(before)
            if after != before:
                await alert_preferences.put(session, account.id, after, now=now)
                await audit.add(
                    session,
                    at=now,
                    chat_id=account.chat_id,
                    user_id=user_id,
                    action="alerts",
                    subject=account.uuid,
                    detail=_difference(before, after),
                    is_setting=True,
                )
        return AlertChange(before, after)

    async def marks(self, account: Account) -> tuple[LowMark, ...]:
        async with self._database.reading() as session:
            found = await low_balance.of_accounts(session, [account.id])
        return found.get(account.id, ())

    async def set_mark(
        self, account: Account, asset: Asset, below: Decimal, *, user_id: int
    ) -> MarkChange:
        """The same mark again keeps what was told of it."""
        mark = LowMark(asset, below)
        async with self._database.writing() as session:
            marks = (await low_balance.of_accounts(session, [account.id])).get(account.id, ())
            before = next((known for known in marks if known.asset == asset), None)
            if before is not None and before.below == below:
                return MarkChange(before, before)
            if before is None and len(marks) >= MOST_MARKS:
                return MarkChange(None, None, refused=True)
            await low_balance.put(session, account.id, mark)
            await self._note_mark(session, account, before, mark, user_id=user_id)
        return MarkChange(before, mark)

    async def remove_mark(self, account: Account, asset: Asset, *, user_id: int) -> MarkChange:
        async with self._database.writing() as session:
            before = await low_balance.remove(session, account.id, asset)
            if before is not None:
                await self._note_mark(session, account, before, None, user_id=user_id)
        return MarkChange(before, None)

    async def _note_mark(
        self,
        session: AsyncSession,
        account: Account,
        before: LowMark | None,
        after: LowMark | None,
        *,
        user_id: int,
    ) -> None:
        mark = after or before
        await audit.add(
            session,
            at=self._clock.now(),
            chat_id=account.chat_id,
            user_id=user_id,
            action="warn",
            subject=mark.asset if mark else "",
            detail=f"{_below(before)} -> {_below(after)}",
            is_setting=True,
        )


def _below(mark: LowMark | None) -> str:
    return "off" if mark is None else plain(mark.below)


def _difference(before: AlertSettings, after: AlertSettings) -> str:
    changed = []
    for name in (part.name for part in fields(AlertSettings)):
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
