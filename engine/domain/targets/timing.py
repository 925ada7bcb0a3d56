"""When a target may be traded: by its bands, at set times, and how long it rests after a trade.

Pure: the moment, the time zone and what was stored are arguments.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import Enum

from engine.domain.market.pairs import Asset
from engine.domain.targets.outside import Beyond

MINUTES_A_DAY = 24 * 60
MOST_TIMES = 24
DAYS_A_WEEK = 7
# A slot that is missed by more than this is skipped and told, not made up for.
LATEST = timedelta(hours=1)
MIN_COOLDOWN, MAX_COOLDOWN = timedelta(minutes=1), timedelta(days=7)
_DAY = timedelta(days=1)


class When(Enum):
    """What makes a trade due."""

    THRESHOLD = "threshold"  # outside a band, at every check
    SCHEDULE = "schedule"  # a set time, whatever the drift
    BOTH = "both"  # a set time, if outside
    EITHER = "either"  # a set time, whatever the drift, and in between if outside


class Due(Enum):
    """What is traded now: nothing, what is outside, or everything to its centre."""

    NOTHING = "nothing"
    OUTSIDE = "outside"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Schedule:
    """*minutes* of the day, in order, as the clock on the wall shows them; on *weekdays*, 0 being
    Monday.
    """

    minutes: tuple[int, ...]
    weekdays: tuple[int, ...] = tuple(range(DAYS_A_WEEK))

    def __post_init__(self) -> None:
        if not 1 <= len(self.minutes) <= MOST_TIMES or not self.weekdays:
            raise ValueError(f"a schedule has 1 to {MOST_TIMES} times, and a day")
        for values, end in ((self.minutes, MINUTES_A_DAY), (self.weekdays, DAYS_A_WEEK)):
            if list(values) != sorted(set(values)) or values[0] < 0 or values[-1] >= end:
                raise ValueError(f"times and days are in order, each once: {values}")


@dataclass(frozen=True, slots=True)
class Slot:
    """One time of a schedule, called by its day and minute. *at* is stored once it was dealt with,
    so that it never runs twice.
    """

    day: date
    minute: int
    at: datetime

    @property
    def name(self) -> str:
        return f"{self.day.isoformat()} {self.minute // 60:02}:{self.minute % 60:02}"


def slot_of(day: date, minute: int, *, zone: tzinfo) -> Slot:
    """Returns the moment of a slot. Where the clock is put back it is the first of two; where it
    is put forward over that time, as much later on the wall.
    """
    wall = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=zone)
    return Slot(day, minute, wall.astimezone(UTC))


def latest_slot(schedule: Schedule, *, zone: tzinfo, now: datetime) -> Slot | None:
    """Returns the last slot that is not after *now*, of the last two weeks."""
    for slots in _days(schedule, zone, now, range(0, -2 * DAYS_A_WEEK, -1)):
        if past := [slot for slot in slots if slot.at <= now]:
            return max(past, key=_moment)
    return None


def next_slot(schedule: Schedule, *, zone: tzinfo, after: datetime) -> Slot:
    """Returns the first slot after *after*."""
    days = _days(schedule, zone, after, range(2 * DAYS_A_WEEK))
    return next(
        min(coming, key=_moment)
        for slots in days
        if (coming := [slot for slot in slots if slot.at > after])
    )


def _days(
    schedule: Schedule, zone: tzinfo, moment: datetime, days: range
) -> Iterator[Sequence[Slot]]:
    """Yields the slots of each day. Clocks change their order within a day alone."""
    today = moment.astimezone(zone).date()
    for number in days:
        day = today + number * _DAY
        if day.weekday() in schedule.weekdays:
            yield [slot_of(day, minute, zone=zone) for minute in schedule.minutes]


def _moment(slot: Slot) -> datetime:
    return slot.at


@dataclass(frozen=True, slots=True)
class SlotStep:
    """*slot* is to be stored as done; *missed*: it is not traded, but told."""

    slot: Slot
    missed: bool = False


def due_slot(
    schedule: Schedule,
    *,
    zone: tzinfo,
    now: datetime,
    since: datetime,
    done: datetime | None,
) -> SlotStep | None:
    """Returns the slot that is due now, or was missed. *done* is the moment of the last one that
    was dealt with, *since* when the schedule or the zone was set: what was before does not count.
    """
    slot = latest_slot(schedule, zone=zone, now=now)
    if slot is None or slot.at < since or (done is not None and slot.at <= done):
        return None
    return SlotStep(slot, missed=now - slot.at > LATEST)


def due(when: When, *, is_outside: bool, is_slot: bool) -> Due:
    """Returns what is traded at a check. *is_slot*: a slot is due that was not missed."""
    all_of_it = is_slot and when in {When.SCHEDULE, When.EITHER}
    if all_of_it:
        return Due.ALL
    may_trade = is_slot if when in {When.SCHEDULE, When.BOTH} else True
    return Due.OUTSIDE if is_outside and may_trade else Due.NOTHING


def rests_until(
    cooldown: timedelta | None, *, filled_at: datetime | None, now: datetime, is_far: bool
) -> datetime | None:
    """Returns until when the account rests after its last filled trade; None if it may trade.
    Being far outside breaks the rest; a user's own trade is not asked here.
    """
    if cooldown is None or filled_at is None or is_far:
        return None
    until = filled_at + cooldown
    return until if now < until else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What a check found *outside* and did not trade yet, at prices that were *read_at* then, under
    a *version* of the account.
    """

    outside: Mapping[Asset, Beyond]
    read_at: datetime
    version: int

    def is_confirmed_by(self, later: "Sighting") -> bool:
        """True if the next check finds something beyond the same edge, at prices of its own.

        A book that is young is no second look: the prices of every check are.
        """
        if self.version != later.version or self.read_at == later.read_at:
            return False
        return any(self.outside.get(asset) is edge for asset, edge in later.outside.items())
