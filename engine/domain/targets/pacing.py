"""When an account may trade, besides its bands: at set times, and not soon after a trade. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from engine.domain.market.pairs import Asset
from engine.domain.targets.crash_guard import CrashGuard
from engine.domain.targets.timing import (
    Due,
    Schedule,
    SlotStep,
    When,
    due,
    due_slot,
    next_slot,
    rests_until,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """*when* says what the *schedule* means; without one it is THRESHOLD. *cooldown* is the rest
    after a filled trade, *crash_guard* what stops when the account falls.
    """

    schedule: Schedule | None = None
    when: When = When.THRESHOLD
    cooldown: timedelta | None = None
    crash_guard: CrashGuard | None = None

    def __post_init__(self) -> None:
        if (self.schedule is None) != (self.when is When.THRESHOLD):
            raise ValueError("set times have a schedule, and a schedule has a meaning")


UNPACED = Pacing()


@dataclass(frozen=True, slots=True)
class AwaitsSlot:
    """Something is outside, and is traded *at* a set time."""

    at: datetime


@dataclass(frozen=True, slots=True)
class RestsUntil:
    """Something is outside, and the account rests *until* then after its last trade."""

    until: datetime


@dataclass(frozen=True, slots=True)
class BuyingStopped:
    """The crash guard lets nothing be bought since *since*."""

    since: datetime


@dataclass(frozen=True, slots=True)
class SecondLook:
    """*assets* are outside, and are traded where the next check finds them so too."""

    assets: tuple[Asset, ...]


PaceReason = AwaitsSlot | RestsUntil | BuyingStopped | SecondLook


@dataclass(frozen=True, slots=True)
class Pace:
    """What a check may trade, or what it *waits* for. *slot* is dealt with by that."""

    due: Due
    waits: AwaitsSlot | RestsUntil | None = None
    slot: SlotStep | None = None


def slot_step(
    pacing: Pacing, *, zone: tzinfo, now: datetime, dealt_with: datetime | None
) -> SlotStep | None:
    """Returns the slot that is due or was missed. *dealt_with* is the last one that is over, or when
    the schedule began; None where it has not begun yet.
    """
    if pacing.schedule is None or dealt_with is None:
        return None
    return due_slot(pacing.schedule, zone=zone, now=now, since=dealt_with, done=dealt_with)


def pace(
    pacing: Pacing,
    step: SlotStep | None,
    *,
    zone: tzinfo,
    now: datetime,
    filled_at: datetime | None,
    is_outside: bool,
    is_far: bool,
) -> Pace:
    """Returns what to do at a check. *step* is of `slot_step`; *is_far* breaks the rest.

    A slot that comes during the rest runs after it, if that is early enough.
    """
    is_slot = step is not None and not step.missed
    found = due(pacing.when, is_outside=is_outside, is_slot=is_slot)
    if found is Due.NOTHING:
        waits: AwaitsSlot | RestsUntil | None = None
        if is_outside and pacing.schedule is not None:
            waits = AwaitsSlot(next_slot(pacing.schedule, zone=zone, after=now).at)
        return Pace(found, waits, step)
    until = rests_until(pacing.cooldown, filled_at=filled_at, now=now, is_far=is_far)
    if until is not None:
        waits = RestsUntil(until) if is_outside else None
        return Pace(Due.NOTHING, waits, None if is_slot else step)
    return Pace(found, slot=step)


def next_moment(
    pacing: Pacing, *, zone: tzinfo, now: datetime, filled_at: datetime | None
) -> datetime | None:
    """Returns when a check is due because of the schedule or the end of a rest, if ever."""
    moments = []
    if pacing.schedule is not None:
        moments.append(next_slot(pacing.schedule, zone=zone, after=now).at)
    if pacing.cooldown is not None and filled_at is not None:
        moments.append(filled_at + pacing.cooldown)
    return min((moment for moment in moments if moment > now), default=None)
