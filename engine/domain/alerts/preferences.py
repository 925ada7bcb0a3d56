"""How a chat wants to be told: which alerts, how loud, and when it must be quiet."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Self

from engine.domain.alerts.local_time import MINUTES_A_DAY, WEEKDAYS, minute_of_day, next_at
from engine.domain.alerts.traits import AlertKind, AlertTraits
from engine.domain.market.decimals import ZERO

MOST_SMALLEST = Decimal(1_000_000)


class AlertLevel(Enum):
    """How a chat wants one kind of alert."""

    ON = "on"
    SILENT = "silent"
    OFF = "off"

    @property
    def following(self) -> "AlertLevel":
        """What a tap makes of it."""
        return _FOLLOWING[self]


_FOLLOWING = {
    AlertLevel.ON: AlertLevel.SILENT,
    AlertLevel.SILENT: AlertLevel.OFF,
    AlertLevel.OFF: AlertLevel.ON,
}


class DeliveryMode(Enum):
    """How one alert is delivered now."""

    LOUD = "loud"
    SILENT = "silent"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From *start* to before *end*, in minutes of the chat's own day; it may cross midnight."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < MINUTES_A_DAY or not 0 <= self.end < MINUTES_A_DAY:
            raise ValueError(f"a day has no minute {self.start} or {self.end}")
        if self.start == self.end:
            raise ValueError("quiet hours must end at another time than they begin")

    def cover(self, minute: int) -> bool:
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


@dataclass(frozen=True, slots=True)
class WeeklyTime:
    """A *day* of the week, 0 is Monday, and a *minute* of the chat's own day."""

    day: int
    minute: int

    def __post_init__(self) -> None:
        if not 0 <= self.day < len(WEEKDAYS) or not 0 <= self.minute < MINUTES_A_DAY:
            raise ValueError(f"a week has no day {self.day} with a minute {self.minute}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPreferences:
    """*levels* are what differs from ON; a trade worth less than *smallest* (USDT) is left to the
    digest. *digest_minute* None: no digest; *weekly* None: no weekly report. Which of them come with
    a picture: *digest_picture*, *weekly_picture*. *ask_deposits*: whether the message of a traded
    deposit has buttons for the next one. *light_pictures*: whether pictures have a light background.
    """

    levels: Mapping[AlertKind, AlertLevel] = field(default_factory=dict)
    smallest: Decimal = ZERO
    time_zone: str = "UTC"
    quiet: QuietHours | None = None
    errors_break_through: bool = True
    ask_deposits: bool = True
    light_pictures: bool = False
    digest_minute: int | None = None
    digest_picture: bool = False
    weekly: WeeklyTime | None = None
    weekly_picture: bool = True

    def __post_init__(self) -> None:
        if not self.smallest.is_finite() or not ZERO <= self.smallest <= MOST_SMALLEST:
            raise ValueError(f"no trade is worth {self.smallest}")
        if self.digest_minute is not None and not 0 <= self.digest_minute < MINUTES_A_DAY:
            raise ValueError(f"a day has no minute {self.digest_minute}")

    def level(self, kind: AlertKind) -> AlertLevel:
        return self.levels.get(kind, AlertLevel.ON)

    def with_level(self, kind: AlertKind, level: AlertLevel) -> Self:
        levels = {k: lv for k, lv in self.levels.items() if k is not kind}
        return replace(self, levels=levels if level is AlertLevel.ON else {**levels, kind: level})

    def is_quiet(self, now: datetime) -> bool:
        """The time when it is sent decides, not the time when it happened."""
        return self.quiet is not None and self.quiet.cover(minute_of_day(now, self.time_zone))

    def next_digest(self, now: datetime) -> datetime | None:
        if self.digest_minute is None or self.level(AlertKind.DIGEST) is AlertLevel.OFF:
            return None
        return next_at(self.digest_minute, time_zone=self.time_zone, after=now)

    def next_weekly(self, now: datetime) -> datetime | None:
        """The weekly report is as loud as the digest."""
        weekly = self.weekly
        if weekly is None or self.level(AlertKind.DIGEST) is AlertLevel.OFF:
            return None
        return next_at(weekly.minute, time_zone=self.time_zone, after=now, weekday=weekly.day)


def delivery_mode(told: AlertTraits, settings: AlertPreferences, *, now: datetime) -> DeliveryMode:
    """How loud an alert may be that is sent *now*. Quiet hours never leave anything out."""
    level = settings.level(told.kind)
    small = told.worth is not None and told.worth < settings.smallest
    if (level is AlertLevel.OFF or small) and not told.needed:
        return DeliveryMode.OFF
    if level is not AlertLevel.ON:
        return DeliveryMode.SILENT
    if settings.is_quiet(now) and not (settings.errors_break_through and _is_alarm(told)):
        return DeliveryMode.SILENT
    return DeliveryMode.LOUD


def _is_alarm(told: AlertTraits) -> bool:
    return told.kind is AlertKind.ERROR or (told.kind is AlertKind.KEY and told.needed)
