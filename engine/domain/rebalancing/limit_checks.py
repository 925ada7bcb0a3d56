"""Checks orders against the limits of their account."""

from dataclasses import replace
from datetime import datetime
from decimal import ROUND_CEILING, Decimal, localcontext

from engine.domain.accounts.risk_limits import (
    BASIS_POINTS,
    SIGHTS_APART,
    Jump,
    LimitsInForce,
    Recent,
    whole_cents,
)
from engine.domain.execution.bounded_order import BoundedOrder
from engine.domain.market.decimals import CENT, EXACT_OR_LESS, ONE, ZERO, ceil_to_step
from engine.domain.market.order_book import OrderBook, average_when_buying, average_when_selling
from engine.domain.market.pairs import Side
from engine.domain.portfolio.plan import PortfolioPlan
from engine.domain.rebalancing.planner import LimitKind, MarketBuy, OverLimit, Plan, ProposedOrder

# Beyond any limit, and any database takes the number.
_MOST_BASIS_POINTS = 1_000_000


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
    """Returns the unconfirmed jump after reading *price* (None: the book has no middle)."""
    if recent.price is None or (price is not None and _is_near(price, recent.price, limits)):
        return None
    stays = price is not None and recent.last is not None and _is_near(price, recent.last, limits)
    if recent.jump is not None and stays and recent.jump.at <= now:
        return recent.jump
    return Jump(at=now, before=recent.price)


def limited(plan: Plan, *, book: OrderBook, limits: LimitsInForce, recent: Recent) -> Plan:
    """Returns *plan* if its order is within every limit, else the first limit it breaks."""
    if plan.order is None:
        return plan
    broken = _broken(plan.order, book=book, limits=limits, recent=recent)
    return plan if broken is None else replace(plan, order=None, reason=broken)


def plan_over_limit(
    plan: PortfolioPlan, *, limits: LimitsInForce, recent: Recent, reach: Decimal = ZERO
) -> OverLimit | None:
    """Returns the first limit that the orders of *plan* break, one by one or together: the whole
    plan is refused then, before its first order. Prices are checked order by order. A buy may spend
    the fraction *reach* more than it is planned for: the gate counts that too.
    """
    values = [
        worth(leg.quote_amount * (ONE + (reach if leg.side is Side.BUY else ZERO)))
        for leg in plan.legs
    ]
    largest = max(values, default=ZERO)
    if largest > limits.order:
        return OverLimit(LimitKind.ORDER, asked=largest, allowed=limits.order)
    with localcontext(EXACT_OR_LESS):
        total = sum(values, ZERO)
        if recent.turnover + total > limits.day:
            return OverLimit(LimitKind.DAY, asked=total, allowed=limits.day, used=recent.turnover)
    if recent.orders + len(values) > limits.orders_per_hour:
        asked, used = Decimal(len(values)), Decimal(recent.orders)
        return OverLimit(
            LimitKind.HOUR, asked=asked, allowed=Decimal(limits.orders_per_hour), used=used
        )
    return None


def over_jump(price: Decimal, *, seen: Decimal | None, limits: LimitsInForce) -> OverLimit | None:
    """Returns the limit on prices that *price* breaks, from the one *seen* before."""
    if seen is None or _is_near(price, seen, limits):
        return None
    asked = as_fraction(_distance_bp(price, seen))
    return OverLimit(LimitKind.JUMP, asked=asked, allowed=limits.move)


def worth(expected_quote: Decimal) -> Decimal:
    """Returns an order's worth in whole cents, rounded up."""
    return ceil_to_step(expected_quote, CENT)


def most_spent(order: ProposedOrder) -> Decimal:
    """Returns what the limits count: all that a buy may spend, at its bound if it has one."""
    if isinstance(order, BoundedOrder) and order.side is Side.BUY:
        return max(order.expected_quote, order.frozen_amount)
    return order.expected_quote


def worth_cents(expected_quote: Decimal) -> int:
    return whole_cents(worth(expected_quote))


def usual_price(book: OrderBook, side: Side) -> Decimal:
    """Returns the middle of the book; with one side empty, the best price of the other."""
    if (mid := book.mid) is not None:
        return mid
    return (book.asks if side is Side.BUY else book.bids)[0].price


def price_move_bp(order: ProposedOrder, *, book: OrderBook, seen: Decimal | None) -> int:
    """The larger of the two distances that the limit on prices is about."""
    return max(_jump_bp(order, book=book, seen=seen), _slip_bp(order, book=book))


def loss_bp(side: Side, *, paid: Decimal, expected: Decimal) -> int:
    """Returns how much worse than *expected* a fill's price was; 0 where it was no worse."""
    is_worse = paid > expected if side is Side.BUY else paid < expected
    return _distance_bp(paid, expected) if is_worse else 0


def as_fraction(basis_points: int) -> Decimal:
    return Decimal(basis_points) / BASIS_POINTS


def _broken(
    order: ProposedOrder, *, book: OrderBook, limits: LimitsInForce, recent: Recent
) -> OverLimit | None:
    value = worth(most_spent(order))
    if value > limits.order:
        return OverLimit(LimitKind.ORDER, asked=value, allowed=limits.order)
    if EXACT_OR_LESS.add(recent.turnover, value) > limits.day:
        return OverLimit(LimitKind.DAY, asked=value, allowed=limits.day, used=recent.turnover)
    if recent.orders >= limits.orders_per_hour:
        allowed, used = Decimal(limits.orders_per_hour), Decimal(recent.orders)
        return OverLimit(LimitKind.HOUR, asked=ONE, allowed=allowed, used=used)
    # A slip stays until the book changes; a jump ends once it was seen, so it comes last.
    for kind, moved in (
        (LimitKind.SLIP, _slip_bp(order, book=book)),
        (LimitKind.JUMP, _jump_bp(order, book=book, seen=recent.price)),
    ):
        if moved > limits.move_bp:
            return OverLimit(kind, asked=as_fraction(moved), allowed=limits.move)
    return None


def _slip_bp(order: ProposedOrder, *, book: OrderBook) -> int:
    return _distance_bp(_average(order, book), usual_price(book, order.side))


def _jump_bp(order: ProposedOrder, *, book: OrderBook, seen: Decimal | None) -> int:
    if seen is None:
        return 0
    now = (_average(order, book), usual_price(book, order.side))
    return max(_distance_bp(price, seen) for price in now)


def _average(order: ProposedOrder, book: OrderBook) -> Decimal:
    """The order's own price, in as much of the book as there is."""
    with localcontext(EXACT_OR_LESS):
        if isinstance(order, BoundedOrder):
            return order.expected.average
        if isinstance(order, MarketBuy):
            return average_when_buying(order.quote_amount, asks=book.asks)
        return average_when_selling(order.base_quantity, bids=book.bids)


def _is_near(price: Decimal, reference: Decimal, limits: LimitsInForce) -> bool:
    return _distance_bp(price, reference) <= limits.move_bp


def _distance_bp(price: Decimal, reference: Decimal) -> int:
    with localcontext(EXACT_OR_LESS):
        distance = abs(price - reference) * BASIS_POINTS / reference
        return min(int(distance.to_integral_value(ROUND_CEILING)), _MOST_BASIS_POINTS)
