"""Limits on an order's worth, traded volume, order rate and price distance.

An order over a limit is refused, never made smaller: the user must check it. Checked here, where
the reason is reported, and again in the statement that lets the order leave.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from engine.domain.accounts.settings import MAX_TARGET
from engine.domain.market.decimals import CENT, EXACT_OR_LESS, ONE, ZERO, ceil_to_step, is_positive

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
# Minimum time between two readings of a price, whatever the interval of the checks.
SIGHTS_APART = timedelta(seconds=10)
MAX_AMOUNT = MAX_TARGET * 10
MAX_ORDERS = 3600
MIN_MOVE, MAX_MOVE = Decimal("0.01"), ONE

# Keeping a balance on target does not reach these; a faulty plan does.
_USUAL_ORDER = Decimal(1000)
_ORDER_PER_TARGET = Decimal("1.5")
_ORDERS_OF_A_DAY = 5
_USUAL_ORDERS_PER_HOUR = 60
_USUAL_MOVE = Decimal("0.20")

BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsInForce:
    """*order* and *day* are USDT in whole cents, *move* is a fraction in whole basis points."""

    order: Decimal
    day: Decimal
    orders_per_hour: int
    move: Decimal

    @property
    def order_cents(self) -> int:
        return whole_cents(self.order)

    @property
    def day_cents(self) -> int:
        return whole_cents(self.day)

    @property
    def move_bp(self) -> int:
        return int(self.move * BASIS_POINTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A chat's own limits; one that is None follows from the target.

    *order* and *day* (all orders of 24 hours together) are USDT, *move* is how far a price may be
    from the one seen before, as a fraction of it.
    """

    order: Decimal | None = None
    day: Decimal | None = None
    orders_per_hour: int | None = None
    move: Decimal | None = None

    def __post_init__(self) -> None:
        for amount in (self.order, self.day):
            if amount is not None and not _is_amount(amount):
                raise ValueError(f"a limit must be above 0, in whole cents, was {amount}")
        if self.orders_per_hour is not None and not 1 <= self.orders_per_hour <= MAX_ORDERS:
            raise ValueError(f"orders an hour must be from 1 to {MAX_ORDERS}")
        if self.move is not None and not _is_move(self.move):
            raise ValueError(f"a price may move by 1 % to 100 %, was {self.move}")

    def for_target(self, target: Decimal) -> LimitsInForce:
        order = self.order
        if order is None:
            half_more = EXACT_OR_LESS.multiply(target, _ORDER_PER_TARGET)
            order = max(_USUAL_ORDER, ceil_to_step(half_more, CENT))
        return LimitsInForce(
            order=order,
            day=self.day or order * _ORDERS_OF_A_DAY,
            orders_per_hour=self.orders_per_hour or _USUAL_ORDERS_PER_HOUR,
            move=self.move or _USUAL_MOVE,
        )


AUTOMATIC = Limits()


@dataclass(frozen=True, slots=True)
class Jump:
    """A price beyond the limit from *before*, since *at* by the exchange's clock."""

    at: datetime
    before: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """What the limits are measured against; real money and paper are counted apart.
    The worth of the last 24 hours' orders that traded or may have, the number sent in the last
    hour whatever their result, and the last known *price* of the pair, unless it made a *jump* so
    lately that it needs a second reading.
    """

    turnover: Decimal = ZERO
    orders: int = 0
    price: Decimal | None = None
    last: Decimal | None = None
    jump: Jump | None = None


def whole_cents(amount: Decimal) -> int:
    return int(EXACT_OR_LESS.divide(amount, CENT).to_integral_value(ROUND_DOWN))


def _is_amount(amount: Decimal) -> bool:
    return is_positive(amount) and amount <= MAX_AMOUNT and ceil_to_step(amount, CENT) == amount


def _is_move(move: Decimal) -> bool:
    return move.is_finite() and MIN_MOVE <= move <= MAX_MOVE and move * BASIS_POINTS % 1 == ZERO
