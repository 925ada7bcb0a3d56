"""Keeps an account's checks to its set times, and to its rest after a trade."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import Settings
from engine.domain.alerts.local_time import zone
from engine.domain.alerts.pace_alerts import SlotMissed
from engine.domain.market.balances import Holdings
from engine.domain.portfolio.plan import MissingPrices, OldPrices
from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.rebalancing.check_result import CheckResult
from engine.domain.rebalancing.planner import (
    DepositWaits,
    InsideBand,
    LimitKind,
    OverLimit,
    Reason,
    at_rest,
    goal_of,
)
from engine.domain.targets.outside import is_far_from
from engine.domain.targets.pacing import (
    UNPACED,
    AwaitsSlot,
    BuyingStopped,
    Pace,
    RestsUntil,
    next_moment,
    pace,
    slot_step,
)
from engine.domain.targets.timing import next_slot
from engine.notifications.publish import publish
from engine.rebalancing.checked import Checked
from engine.storage.accounts import alert_preferences
from engine.storage.database import Database
from engine.storage.service import Service
from engine.storage.trading import check_results, orders

_LEAST = timedelta(seconds=1)


@dataclass(eq=False, kw_only=True, repr=False)
class Pacer(Service):
    async def begin(self, duty: CheckInput) -> CheckInput:
        """Returns *duty* with the set time that is due. One that was missed is told and over; the
        first check that keeps to a schedule only stores that it began.
        """
        account, now = duty.account, self.clock.now()
        pacing = account.settings.pacing
        if pacing.schedule is None or duty.request is not None or duty.sliced is not None:
            return duty
        there = _zone(duty)
        step = slot_step(pacing, zone=there, now=now, dealt_with=account.slot_at)
        if account.slot_at is None:
            async with self.database.writing() as session:
                await check_results.note_slot(session, account, now)
        elif step is not None and step.missed:
            alert = SlotMissed(
                dry_run=account.settings.dry_run,
                at=step.slot.at,
                next_at=next_slot(pacing.schedule, zone=there, after=now).at,
            )
            key = f"slot:{account.id}:{step.slot.at.isoformat()}"
            async with self.database.writing() as session:
                await check_results.note_slot(session, account, step.slot.at)
                await publish(session, account.chat_id, alert, key=key, now=now)
        else:
            return replace(duty, slot=step)
        return duty

    def pace(self, duty: CheckInput, *, is_outside: bool, is_far: bool) -> Pace:
        """Returns what may be traded now."""
        return pace(
            duty.account.settings.pacing,
            duty.slot,
            zone=_zone(duty),
            now=self.clock.now(),
            filled_at=duty.filled_at,
            is_outside=is_outside,
            is_far=is_far,
        )

    def pace_of(
        self, duty: CheckInput, holdings: Holdings
    ) -> tuple[InsideBand | DepositWaits | None, Pace]:
        """Returns why nothing is to be traded of a fixed target, if so, and what may be traded."""
        settings = duty.account.settings
        rest = at_rest(holdings, settings, duty.account.waiting)
        is_far = rest is None and is_far_from_target(holdings, settings)
        return rest, self.pace(duty, is_outside=rest is None, is_far=is_far)

    async def rests(
        self, duty: CheckInput, found: Pace, look: CheckResult, *, until: Reason | None = None
    ) -> Checked:
        """Nothing is traded; writes only where a set time is over by that. The next check is when a
        deposit may be traded, where that is what it waits *until*, and earlier than usual.
        """
        if found.slot is not None:
            async with self.database.writing() as session:
                await check_results.note_slot(session, duty.account, found.slot.slot.at)
        if not isinstance(until, DepositWaits):
            return Checked(look)
        left = max(until.until - self.clock.now(), _LEAST)
        return Checked(look, left if left < duty.account.settings.interval else None)

    def in_time(self, duty: CheckInput, checked: Checked) -> Checked:
        """Returns *checked*, with the next check not after the next set time or the end of a rest."""
        now, settings = self.clock.now(), duty.account.settings
        at = next_moment(settings.pacing, zone=_zone(duty), now=now, filled_at=duty.filled_at)
        if at is None:
            return checked
        left = max(at - now, _LEAST)
        planned = settings.interval if checked.again_in is None else checked.again_in
        return replace(checked, again_in=left if left < planned else checked.again_in, by=left)


async def slot_over(session: AsyncSession, duty: CheckInput, reason: Reason | None = None) -> None:
    """Store that the set time is dealt with. It is not yet for a *reason* that may be gone soon."""
    if duty.slot is None or is_jump(reason) or isinstance(reason, MissingPrices | OldPrices):
        return
    await check_results.note_slot(session, duty.account, duty.slot.slot.at)


def is_jump(reason: Reason | None) -> bool:
    return isinstance(reason, OverLimit) and reason.kind is LimitKind.JUMP


def is_quiet(duty: CheckInput, holdings: Holdings, reason: Reason) -> bool:
    """True if nothing is wrong without an order: only a set time is the reason to trade, or the
    chat was told why already.
    """
    if isinstance(reason, BuyingStopped):
        return True
    return duty.slot is not None and at_rest(holdings, duty.account.settings) is not None


async def waits_for(
    database: Database, account: Account, *, now: datetime, is_far: bool
) -> AwaitsSlot | RestsUntil | None:
    """Returns what a check that finds something outside would wait for now."""
    pacing = account.settings.pacing
    if pacing == UNPACED:
        return None
    async with database.reading() as session:
        fills = await orders.last_fills_of(session, [account.id])
        name = await alert_preferences.time_zone_of_chat(session, account.chat_id)
    last, there = fills.get((account.id, account.settings.dry_run)), zone(name or "UTC")
    found = pace(
        pacing,
        slot_step(pacing, zone=there, now=now, dealt_with=account.slot_at),
        zone=there,
        now=now,
        filled_at=last.resolved_at if last else None,
        is_outside=True,
        is_far=is_far,
    )
    return found.waits


def is_far_from_target(holdings: Holdings, settings: Settings) -> bool:
    """True if a fixed target's drift is three times what is allowed."""
    return is_far_from(goal_of(settings).edges, settings.held(holdings))


def _zone(duty: CheckInput) -> tzinfo:
    return zone(duty.time_zone or "UTC")
