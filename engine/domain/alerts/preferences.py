"""How a chat wants to be told: which alerts, how loud, and when it must be quiet."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Self, assert_never

from engine.domain.accounts.incidents import IncidentKind
from engine.domain.accounts.undeliverable import ChatDeliverable, ChatUndeliverable
from engine.domain.alerts.alerts import (
    Alert,
    BalanceChanged,
    Digest,
    DriftNoticed,
    Halted,
    HaltLifted,
    IncidentAlert,
    IncidentResolved,
    LowBalanceOver,
    LowBalanceReached,
    MemberJoined,
    OrderNeedsPerson,
    OrderNeverArrived,
    OrderUnclear,
    PlanOffered,
    RunDeclined,
    TradeSettled,
)
from engine.domain.alerts.key_alerts import KeyEnding, KeyTooPowerful, MoneyShared
from engine.domain.alerts.local_time import MINUTES_A_DAY, minute_of_day, next_at
from engine.domain.market.decimals import ZERO
from engine.domain.orders.order import Trigger

MOST_SMALLEST = Decimal(1_000_000)
_KEY_TROUBLES = frozenset(
    {
        IncidentKind.KEY_REFUSED,
        IncidentKind.ADDRESS_REFUSED,
        IncidentKind.MISSING_PERMISSION,
        IncidentKind.ACCOUNT_RESTRICTED,
        IncidentKind.KEY_UNREADABLE,
    }
)


class AlertKind(Enum):
    TRADE = "trade"
    ERROR = "error"
    RECOVERY = "recovery"
    KEY = "key"
    PLAN = "plan"
    DIGEST = "digest"


class AlertLevel(Enum):
    """What a person wants of one kind of alert."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPreferences:
    """*levels* are what differs from ON; a trade worth less than *smallest* (USDT) is left to the
    digest. *digest_minute* None: no digest. *ask_deposits*: whether a deposit is asked about.
    """

    levels: Mapping[AlertKind, AlertLevel] = field(default_factory=dict)
    smallest: Decimal = ZERO
    time_zone: str = "UTC"
    quiet: QuietHours | None = None
    errors_break_through: bool = True
    ask_deposits: bool = True
    digest_minute: int | None = None

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


@dataclass(frozen=True, slots=True)
class AlertTraits:
    """What matters of an alert for how loud it may be. A *needed* one is never left out: somebody
    has to act, trading stopped, or a person waits for it. *worth* is of a trade, in USDT.
    """

    kind: AlertKind
    needed: bool = False
    worth: Decimal | None = None


def alert_traits(alert: Alert) -> AlertTraits:  # noqa: C901, PLR0911, PLR0912 - one return an alert
    """Whoever adds an alert says here what it is."""
    match alert:
        case TradeSettled():
            asked_for = alert.trigger is Trigger.PERSON
            return AlertTraits(AlertKind.TRADE, asked_for or alert.late, worth=_worth(alert))
        case RunDeclined():
            return AlertTraits(AlertKind.TRADE, needed=True)
        case OrderUnclear() | OrderNeverArrived() | LowBalanceReached():
            return AlertTraits(AlertKind.ERROR)
        case OrderNeedsPerson() | Halted() | ChatUndeliverable():
            return AlertTraits(AlertKind.ERROR, needed=True)
        case IncidentAlert():
            about_key = alert.kind in _KEY_TROUBLES
            return AlertTraits(
                AlertKind.KEY if about_key else AlertKind.ERROR, needed=alert.paused
            )
        case IncidentResolved() | LowBalanceOver():
            return AlertTraits(AlertKind.RECOVERY)
        case HaltLifted() | ChatDeliverable():
            return AlertTraits(AlertKind.RECOVERY, needed=True)
        case Digest():
            return AlertTraits(AlertKind.DIGEST)
        case PlanOffered():
            # In this mode nothing is traded without an answer to it.
            return AlertTraits(AlertKind.PLAN, needed=True)
        case DriftNoticed():
            return AlertTraits(AlertKind.PLAN)
        case BalanceChanged():
            return AlertTraits(AlertKind.TRADE)
        case KeyEnding():
            return AlertTraits(AlertKind.KEY)
        case KeyTooPowerful() | MoneyShared():
            return AlertTraits(AlertKind.KEY, needed=True)
        case MemberJoined():
            # Somebody may look or trade from now on: who did not mean that has to hear of it.
            return AlertTraits(AlertKind.KEY, needed=True)
        case _:
            assert_never(alert)


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


def _worth(trade: TradeSettled) -> Decimal:
    """An order that found nobody is worth what it was to move."""
    return trade.quote_amount if trade.base_quantity else trade.asked_quote
