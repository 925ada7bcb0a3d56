"""Stops buying, or everything, when the managed value fell too far within a day. Pure.

Money that came or left is no rise and no fall: the fall is that of the time-weighted index.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from enum import Enum

from engine.domain.market.decimals import ONE, ZERO
from engine.domain.targets.forecast import ESTIMATING

DAY = timedelta(days=1)


class GuardAction(Enum):
    """What a guard stops: buys alone, or all trading."""

    STOP_BUYING = "stop buying"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True)
class CrashGuard:
    """Acts on a *fall* (0.2 = 20 %). A user lifts it; or it lifts itself *lifts_after* it acted,
    if the last day's fall is smaller by then.
    """

    fall: Decimal
    action: GuardAction = GuardAction.STOP_BUYING
    lifts_after: timedelta | None = None

    def __post_init__(self) -> None:
        if not (self.fall.is_finite() and ZERO < self.fall < ONE):
            raise ValueError(f"a fall is above 0 and under 100 %, was {self.fall}")
        if self.lifts_after is not None and self.lifts_after < timedelta(0):
            raise ValueError("a guard cannot lift itself before it acts")


@dataclass(frozen=True, slots=True)
class ManagedValue:
    """What was managed *at* a look, *before* the *flow* that it showed first."""

    at: datetime
    before: Decimal
    flow: Decimal = ZERO


class GuardStep(Enum):
    """What a look changes: the guard acts, goes on, lifts itself, or has nothing to do."""

    ACT = "act"
    GO_ON = "go on"
    LIFT = "lift"
    REST = "rest"


def fall_within_a_day(values: Sequence[ManagedValue], *, now: datetime) -> Decimal:
    """Returns how far the last of *values*, the oldest first, is under the highest of a day.
    What was empty before a flow starts afresh.
    """
    recent = [value for value in values if now - value.at <= DAY]
    with localcontext(ESTIMATING):
        index = peak = ONE
        after: Decimal | None = None
        for value in recent:
            if after is not None and after > ZERO:
                index *= max(ZERO, value.before) / after
            elif after is not None:
                index = peak = ONE
            peak = max(peak, index)
            after = value.before + value.flow
        return ONE - index / peak


def guard_step(
    guard: CrashGuard,
    values: Sequence[ManagedValue],
    *,
    acted_at: datetime | None,
    lifted_at: datetime | None,
    now: datetime,
) -> GuardStep:
    """Returns what to do. After it was lifted, what was before that counts no more: the same fall
    does not act twice.
    """
    if acted_at is None:
        counted = [v for v in values if lifted_at is None or v.at >= lifted_at]
        is_fall = fall_within_a_day(counted, now=now) >= guard.fall
        return GuardStep.ACT if is_fall else GuardStep.REST
    if guard.lifts_after is None or now - acted_at < guard.lifts_after:
        return GuardStep.GO_ON
    is_over = fall_within_a_day(values, now=now) < guard.fall
    return GuardStep.LIFT if is_over else GuardStep.GO_ON


def acts_at(guard: CrashGuard, values: Sequence[ManagedValue], *, now: datetime) -> Decimal | None:
    """Returns what must be managed, or less, for the guard to act, if no money comes or leaves
    meanwhile; None where *values* do not say.
    """
    recent = [value for value in values if now - value.at <= DAY]
    if not recent:
        return None
    last = recent[-1].before + recent[-1].flow
    fallen = fall_within_a_day([*recent, ManagedValue(now, last)], now=now)
    return last * (ONE - guard.fall) / (ONE - fallen) if fallen < ONE and last > ZERO else None
