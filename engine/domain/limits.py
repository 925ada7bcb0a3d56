"""Limits that hold whatever the plan says: what an order may be worth, how much and how often may
be traded, how far a price may be from the one seen before.

An order over a limit is refused, never made smaller: what is so far from the usual is for a person
to look at. Checked here, where the reason is told, and again in the statement that lets it leave.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal, localcontext

from engine.domain.book import OrderBook, average_when_buying, average_when_selling
from engine.domain.money import EXACT_OR_LESS, ONE, ZERO, ceil_to_step, is_positive
from engine.domain.pairs import Side
from engine.domain.planner import CENT, LimitKind, MarketBuy, Order, OverLimit, Plan
from engine.domain.target import MAX_TARGET

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
# Two sights of a price are so far apart, whatever the interval of the checks.
SIGHTS_APART = timedelta(seconds=10)
MAX_AMOUNT = MAX_TARGET * 10
MAX_ORDERS = 3600
MIN_MOVE, MAX_MOVE = Decimal("0.01"), ONE

# Nobody who keeps a balance on target meets these; a plan gone mad does.
_USUAL_ORDER = Decimal(1000)
_ORDER_PER_TARGET = Decimal("1.5")
_ORDERS_OF_A_DAY = 5
_USUAL_ORDERS_PER_HOUR = 60
_USUAL_MOVE = Decimal("0.20")

_BASIS = 10_000
# Beyond any limit, and any database takes the number.
_MOST_BASIS_POINTS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsInForce:
    """*order* and *day* are USDT in whole cents, *move* is a fraction in whole basis points."""

    order: Decimal
    day: Decimal
    orders_per_hour: int
    move: Decimal

    @property
    def order_cents(self) -> int:
        return _cents(self.order)

    @property
    def day_cents(self) -> int:
        return _cents(self.day)

    @property
    def move_bp(self) -> int:
        return int(self.move * _BASIS)


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
    """A price was over the limit away from *before*, and has been since *at*, by the exchange's clock."""

    at: datetime
    before: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """What the limits are measured against: the worth of the orders of the last 24 hours that
    traded or may have, the number of those sent in the last hour whatever came of them, and the
    *price* of the pair that counts as known. Real money and paper are counted apart.

    That is the price *last* seen, unless it made a *jump* so lately that it needs a second sight.
    """

    turnover: Decimal = ZERO
    orders: int = 0
    price: Decimal | None = None
    last: Decimal | None = None
    jump: Jump | None = None


def known_price(
    last: Decimal | None, jump: Jump | None, *, now: datetime
) -> tuple[Decimal | None, Jump | None]:
    """The price to measure by, with the jump that still needs a second sight, if there is one."""
    if jump is None or (last is not None and now - jump.at >= SIGHTS_APART):
        return last, None
    return jump.before, jump


def jump_at(
    price: Decimal | None, *, limits: LimitsInForce, recent: Recent, now: datetime
) -> Jump | None:
    """The jump that a look at *price* (None: the book has no middle) leaves to be confirmed."""
    if recent.price is None or (price is not None and _is_near(price, recent.price, limits)):
        return None
    stays = price is not None and recent.last is not None and _is_near(price, recent.last, limits)
    if recent.jump is not None and stays and recent.jump.at <= now:
        return recent.jump
    return Jump(at=now, before=recent.price)


def limited(plan: Plan, *, book: OrderBook, limits: LimitsInForce, recent: Recent) -> Plan:
    """*plan* where its order keeps within every limit, else the first limit it breaks."""
    if plan.order is None:
        return plan
    broken = _broken(plan.order, book=book, limits=limits, recent=recent)
    return plan if broken is None else replace(plan, order=None, reason=broken)


def worth(expected_quote: Decimal) -> Decimal:
    """What an order counts for: whole cents, rounded up."""
    return ceil_to_step(expected_quote, CENT)


def worth_cents(expected_quote: Decimal) -> int:
    return _cents(worth(expected_quote))


def usual_price(book: OrderBook, side: Side) -> Decimal:
    """What the token costs: the middle of the book; with nobody on one side, the best price."""
    if (mid := book.mid) is not None:
        return mid
    return (book.asks if side is Side.BUY else book.bids)[0].price


def price_move_bp(order: Order, *, book: OrderBook, seen: Decimal | None) -> int:
    """The larger of the two distances that the limit on prices is about."""
    return max(_jump_bp(order, book=book, seen=seen), _slip_bp(order, book=book))


def loss_bp(side: Side, *, paid: Decimal, expected: Decimal) -> int:
    """How much worse than *expected* the price of a fill was; 0 where it was as good or better."""
    is_worse = paid > expected if side is Side.BUY else paid < expected
    return _distance_bp(paid, expected) if is_worse else 0


def as_fraction(basis_points: int) -> Decimal:
    return Decimal(basis_points) / _BASIS


def _broken(
    order: Order, *, book: OrderBook, limits: LimitsInForce, recent: Recent
) -> OverLimit | None:
    value = worth(order.expected_quote)
    if value > limits.order:
        return OverLimit(LimitKind.ORDER, asked=value, allowed=limits.order)
    if EXACT_OR_LESS.add(recent.turnover, value) > limits.day:
        return OverLimit(LimitKind.DAY, asked=value, allowed=limits.day, used=recent.turnover)
    if recent.orders >= limits.orders_per_hour:
        allowed, used = Decimal(limits.orders_per_hour), Decimal(recent.orders)
        return OverLimit(LimitKind.HOUR, asked=ONE, allowed=allowed, used=used)
    # A slip stays until the book changes; a jump is over once it has been seen, so it comes last.
    for kind, moved in (
        (LimitKind.SLIP, _slip_bp(order, book=book)),
        (LimitKind.JUMP, _jump_bp(order, book=book, seen=recent.price)),
    ):
        if moved > limits.move_bp:
            return OverLimit(kind, asked=as_fraction(moved), allowed=limits.move)
    return None


def _slip_bp(order: Order, *, book: OrderBook) -> int:
    return _distance_bp(_average(order, book), usual_price(book, order.side))


def _jump_bp(order: Order, *, book: OrderBook, seen: Decimal | None) -> int:
    if seen is None:
        return 0
    now = (_average(order, book), usual_price(book, order.side))
    return max(_distance_bp(price, seen) for price in now)


def _average(order: Order, book: OrderBook) -> Decimal:
    """The order's own price, in as much of the book as there is."""
    with localcontext(EXACT_OR_LESS):
        if isinstance(order, MarketBuy):
            return average_when_buying(order.quote_amount, asks=book.asks)
        return average_when_selling(order.base_quantity, bids=book.bids)


def _is_near(price: Decimal, reference: Decimal, limits: LimitsInForce) -> bool:
    return _distance_bp(price, reference) <= limits.move_bp


def _distance_bp(price: Decimal, reference: Decimal) -> int:
    with localcontext(EXACT_OR_LESS):
        distance = abs(price - reference) * _BASIS / reference
        return min(int(distance.to_integral_value(ROUND_CEILING)), _MOST_BASIS_POINTS)


def _cents(amount: Decimal) -> int:
    return int(EXACT_OR_LESS.divide(amount, CENT).to_integral_value(ROUND_DOWN))


def _is_amount(amount: Decimal) -> bool:
    return is_positive(amount) and amount <= MAX_AMOUNT and ceil_to_step(amount, CENT) == amount


def _is_move(move: Decimal) -> bool:
    return move.is_finite() and MIN_MOVE <= move <= MAX_MOVE and move * _BASIS % 1 == ZERO
