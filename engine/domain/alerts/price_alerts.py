"""Price alerts: a user is told when a price has moved by so much within 24 hours."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.alerts.key_alerts import InMode
from engine.domain.alerts.traits import AlertKind
from engine.domain.market.decimals import ZERO, is_positive
from engine.domain.market.pairs import Asset, Symbol

MOST_ALERTS = 10
WINDOW = timedelta(hours=24)
ARMED_AFTER = timedelta(hours=1)
_BUCKET = timedelta(hours=1)
# So much of the move that is told must a price go further before the extreme is kept anew.
_WORTH_KEEPING = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class PriceRange:
    """The lowest and the highest price seen in the hour from *at* on."""

    at: datetime
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class PriceMove:
    """The price went from *before*, seen in the hour from *at* on, to *after*."""

    at: datetime
    before: Decimal
    after: Decimal

    @property
    def fraction(self) -> Decimal:
        """Above zero where the price rose."""
        return self.after / self.before - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceAlert:
    """Tells when the price is *fraction* above the lowest, or below the highest, price that was seen
    in the last 24 hours and since the alert was set or last told: *seen*, the oldest hour first.
    """

    symbol: Symbol
    fraction: Decimal
    set_at: datetime
    told_at: datetime | None = None
    seen: tuple[PriceRange, ...] = ()

    def __post_init__(self) -> None:
        if not is_positive(self.fraction):
            raise ValueError(f"no price moves by {self.fraction}")

    @property
    def since(self) -> datetime:
        """The moment before which no price counts."""
        return self.told_at or self.set_at

    def is_armed(self, now: datetime) -> bool:
        return self.told_at is None or now - self.told_at >= ARMED_AFTER

    def bounds(self, now: datetime) -> tuple[Decimal, Decimal] | None:
        """The prices, low and high, at which it is told; None before a price was seen."""
        kept = _within_a_day(self.seen, now)
        if not kept:
            return None
        lowest, highest = min(one.low for one in kept), max(one.high for one in kept)
        return highest * (1 - self.fraction), lowest * (1 + self.fraction)


def noted(
    alert: PriceAlert, price: Decimal, *, now: datetime
) -> tuple[PriceAlert, PriceMove | None]:
    """Returns the alert after *price* was seen, and the move if that is to be told now. The alert
    is the same where nothing is worth storing.
    """
    move = _move(alert, price, now) if alert.is_armed(now) else None
    if move is not None:
        return replace(alert, told_at=now, seen=(PriceRange(now, price, price),)), move
    kept = _within_a_day(alert.seen, now)
    last = kept[-1] if kept else None
    if last is None or now - last.at >= _BUCKET:
        return replace(alert, seen=(*kept, PriceRange(now, price, price))), None
    step = _WORTH_KEEPING * alert.fraction
    if last.low * (1 - step) < price < last.high * (1 + step):
        return alert, None
    wider = PriceRange(last.at, min(last.low, price), max(last.high, price))
    return replace(alert, seen=(*kept[:-1], wider)), None


def nearer(alert: PriceAlert, one: Decimal, other: Decimal, *, now: datetime) -> Decimal:
    """Returns which of two prices in a row is less news, the *other* one where neither is: one odd
    price is no evidence, neither of a move nor of an extreme to move from.
    """
    kept = _within_a_day(alert.seen, now)
    if not kept:
        return other
    low, high = min(seen.low for seen in kept), max(seen.high for seen in kept)
    return min(other, one, key=lambda price: max(low - price, price - high, ZERO))


def _move(alert: PriceAlert, price: Decimal, now: datetime) -> PriceMove | None:
    bounds = alert.bounds(now)
    if bounds is None or bounds[0] < price < bounds[1]:
        return None
    kept = _within_a_day(alert.seen, now)
    low, high = min(kept, key=lambda one: one.low), max(kept, key=lambda one: one.high)
    rose, fell = PriceMove(low.at, low.low, price), PriceMove(high.at, high.high, price)
    if price < bounds[1]:
        return fell
    return rose if price > bounds[0] else max(rose, fell, key=lambda move: move.at)


def _within_a_day(seen: tuple[PriceRange, ...], now: datetime) -> tuple[PriceRange, ...]:
    """Those of a moment to come are of before the clock was set back."""
    return tuple(one for one in seen if now - WINDOW < one.at <= now + _BUCKET)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceMoved(InMode, stored_as="price_moved", kind=AlertKind.PRICE):
    """The price of *asset* went from *before* to *after* between *since* and *at*; the user wants to
    know of a move by *fraction* within a day.
    """

    asset: Asset
    fraction: Decimal
    before: Decimal
    after: Decimal
    since: datetime
    at: datetime
