"""Sizes an order with a price: what is wanted, what is offered within its bound, what is free.

Pure, as the planner is. The exchange freezes a buy at its bound and its fee, so that is what must
be free. All quantities are rounded down to whole steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Self

from engine.domain.execution.bound import (
    Bound,
    Slippage,
    bound_of,
    counterparts,
    may_widen,
    widened_bound,
    worse_by_bp,
)
from engine.domain.market.decimals import (
    EXACT_OR_LESS,
    ONE,
    ZERO,
    ceil_to_step,
    floor_to_step,
    step_of,
)
from engine.domain.market.order_book import (
    OrderBook,
    PriceLevel,
    base_bought,
    quantity_to_receive,
)
from engine.domain.market.pairs import OrderType, PairRules, Side

# The exchange may measure an order's worth at another price than we do.
MINIMUM_MARGIN = Decimal("1.1")
# Estimates are shown and kept, never sent.
_ESTIMATE_STEP = step_of(8)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Spend *quote_amount*, or receive it after the fee; or trade *base_quantity*. One is set."""

    quote_amount: Decimal | None = None
    base_quantity: Decimal | None = None

    def __post_init__(self) -> None:
        if (self.quote_amount is None) == (self.base_quantity is None):
            raise ValueError("an order is for an amount or for a quantity, not both")


@dataclass(frozen=True, slots=True)
class Walk:
    """What *base_quantity* finds in a book: *quote_amount* before the fee, *worst* the last price."""

    base_quantity: Decimal
    quote_amount: Decimal
    worst: Decimal

    @property
    def average(self) -> Decimal:
        return self.quote_amount / self.base_quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """The market that an order was decided on. *depth* is the quote offered within its bound."""

    bid: Decimal
    ask: Decimal
    read_at: datetime
    depth: Decimal

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundedOrder:
    """Trade *base_quantity* at *price* or better. *expected* is what its book had for it.

    *slippage* is the fraction from the middle that was asked for; *widened* says that *price* is
    beyond it.
    """

    side: Side
    order_type: OrderType
    base_quantity: Decimal
    price: Decimal
    slippage: Decimal
    fee_rate: Decimal
    expected: Walk
    arrival: Arrival
    widened: bool = False

    @property
    def expected_fee(self) -> Decimal:
        return self.expected.quote_amount * self.fee_rate

    @property
    def expected_quote(self) -> Decimal:
        """What a buy spends before its fee, or a sell brings after it."""
        quote = self.expected.quote_amount
        with localcontext(EXACT_OR_LESS):
            amount = quote if self.side is Side.BUY else quote - self.expected_fee
            return floor_to_step(amount, _ESTIMATE_STEP)

    @property
    def frozen_amount(self) -> Decimal:
        """What the exchange freezes: quote for a buy, without the fee, or else base."""
        return self.base_quantity * self.price if self.side is Side.BUY else self.base_quantity

    def is_worse_than(self, price: Decimal) -> bool:
        """True if it may trade at a worse price than *price*."""
        return self.price > price if self.side is Side.BUY else self.price < price

    def kept_to(self, worst: Decimal) -> Self:
        """Returns the same order at no worse a price than *worst*; unchanged where that would leave
        a part of it without an offer.
        """
        is_reached = replace(self, price=self.expected.worst).is_worse_than(worst)
        if is_reached or not self.is_worse_than(worst):
            return self
        return replace(self, price=worst)

    @property
    def slippage_bp(self) -> Decimal:
        """How much worse than the middle the expected average is."""
        return worse_by_bp(self.side, self.expected.average, mid=self.arrival.mid)

    @property
    def cost_bp(self) -> Decimal:
        """Slippage and fee, of the worth at the middle: comparable with `Shortfall.done_bp`."""
        fee_bp = self.fee_rate * self.expected.average / self.arrival.mid * 10_000
        return self.slippage_bp + fee_bp


@dataclass(frozen=True, slots=True)
class OneSidedBook:
    """Without both sides there is no middle to measure from."""

    side: Side


@dataclass(frozen=True, slots=True)
class BeyondBound:
    """The nearest counterpart, at *nearest*, is beyond the bound."""

    bound: Bound
    nearest: Decimal

    @property
    def nearest_bp(self) -> Decimal:
        return worse_by_bp(self.bound.side, self.nearest, mid=self.bound.mid)


@dataclass(frozen=True, slots=True)
class ThinBook:
    """Within the bound only *offered* is to be had, in quote: less than the *minimum*."""

    bound: Bound
    offered: Decimal
    minimum: Decimal


@dataclass(frozen=True, slots=True)
class TooSmall:
    """What is wanted is worth *quote_amount*, less than the *minimum*."""

    side: Side
    quote_amount: Decimal
    minimum: Decimal


@dataclass(frozen=True, slots=True)
class TooLittleFree:
    """*free* of the order's asset does not make an order of the *minimum*, in quote."""

    side: Side
    free: Decimal
    minimum: Decimal


@dataclass(frozen=True, slots=True)
class TypeClosed:
    """The pair takes no such orders from API keys, or none on this side."""

    side: Side
    order_type: OrderType


@dataclass(frozen=True, slots=True, kw_only=True)
class NoOfferNear:
    """Less than the *minimum* is *offered* within *slippage* (a fraction) of the middle, in quote.
    *nearest* is how far the nearest offer is, None where there is no middle to measure from.
    *strict*: no order goes further, however long that lasts. *wanted* is set where other tokens
    would be sold for this order, and less than half of it is offered.
    """

    side: Side
    slippage: Decimal
    nearest: Decimal | None
    offered: Decimal
    minimum: Decimal
    strict: bool
    wanted: Decimal | None = None


Obstacle = OneSidedBook | BeyondBound | ThinBook | TooSmall | TooLittleFree | TypeClosed


def bounded_order(
    side: Side,
    wanted: Wanted,
    *,
    free: Decimal,
    book: OrderBook,
    rules: PairRules,
    slippage: Decimal,
) -> BoundedOrder | Obstacle:
    """Returns the IOC order for as much of *wanted* as is offered within *slippage* (a fraction)
    from the middle, or the reason for none. *free* is of the asset that the order gives away.
    """
    if not rules.allows(side) or not rules.takes(OrderType.IOC):
        return TypeClosed(side, OrderType.IOC)
    with localcontext(EXACT_OR_LESS):
        if (mid := book.mid) is None:
            return OneSidedBook(side)
        bound = bound_of(side, mid=mid, fraction=slippage, rules=rules)
        return _sized(bound, wanted, free=free, book=book, rules=rules, slippage=slippage)


def auto_order(
    side: Side,
    wanted: Wanted,
    *,
    free: Decimal,
    book: OrderBook,
    rules: PairRules,
    slippage: Slippage,
    last_price: Decimal,
    price_limit: Decimal,
    outside_since: datetime | None,
    now: datetime,
) -> BoundedOrder | Obstacle:
    """As `bounded_order`; but where less than the smallest order is offered within the bound, and
    the balance has been outside its band for WIDENS_AFTER, at the reach of a MARKET order.
    """
    fraction = slippage.fraction
    order = bounded_order(side, wanted, free=free, book=book, rules=rules, slippage=fraction)
    if not isinstance(order, BeyondBound | ThinBook):
        return order
    if not may_widen(slippage, outside_since=outside_since, now=now):
        return order
    with localcontext(EXACT_OR_LESS):
        wide = widened_bound(
            order.bound, last_price=last_price, price_limit=price_limit, rules=rules
        )
        if wide is None:
            return order
        return _sized(wide, wanted, free=free, book=book, rules=rules, slippage=fraction)


def smallest_order(rules: PairRules, order_type: OrderType) -> Decimal:
    """Returns what an order must be worth at its expected price, so that it is surely accepted."""
    return rules.notional_limits(order_type)[0] * MINIMUM_MARGIN


def least_wanted(side: Side, *, rules: PairRules, book: OrderBook, slippage: Decimal) -> Decimal:
    """Returns the quote that makes an order for sure, if it is offered and free: the smallest order
    and one step of the token, because quantities are rounded down. Zero without a middle.
    """
    with localcontext(EXACT_OR_LESS):
        if (mid := book.mid) is None:
            return ZERO
        bound = bound_of(side, mid=mid, fraction=slippage, rules=rules)
        dearest = max(bound.price, counterparts(book, side)[0].price)
        minimum, _ = rules.notional_limits(OrderType.IOC)
        step = rules.quantity_step
        least = rules.least_quantity
        if bound.price > ZERO:
            least = max(least, ceil_to_step(minimum / bound.price, step) + step)
        return max(smallest_order(rules, OrderType.IOC), least * dearest) + step * dearest


def walk(quantity: Decimal, levels: Sequence[PriceLevel]) -> Walk:
    """Takes *quantity* from *levels*, the best first, as far as they reach; both above zero."""
    left, quote, worst = quantity, ZERO, levels[0].price
    for level in levels:
        taken = min(left, level.quantity)
        quote += taken * level.price
        left, worst = left - taken, level.price
        if not left:
            break
    return Walk(quantity - left, quote, worst)


def _sized(
    bound: Bound,
    wanted: Wanted,
    *,
    free: Decimal,
    book: OrderBook,
    rules: PairRules,
    slippage: Decimal,
) -> BoundedOrder | Obstacle:
    side, fee_rate = bound.side, rules.taker_fee_rate
    levels, best = bound.within(book), counterparts(book, side)[0].price
    if not levels:
        return BeyondBound(bound, nearest=best)
    minimum = smallest_order(rules, OrderType.IOC)
    worth = wanted.quote_amount
    if worth is None:
        worth = (wanted.base_quantity or ZERO) * best
    if worth < minimum:
        return TooSmall(side, worth, minimum)
    everything = sum((level.quantity for level in levels), ZERO)
    depth = walk(everything, levels).quote_amount
    _, most = rules.notional_limits(OrderType.IOC)
    quantity = ZERO
    for most_of_it, reason in (
        (everything, ThinBook(bound, depth, minimum)),
        (
            affordable(side, free, price=bound.price, fee_rate=fee_rate),
            TooLittleFree(side, free, minimum),
        ),
        (
            _wanted_quantity(side, wanted, levels, fee_rate=fee_rate),
            TooSmall(side, worth, minimum),
        ),
        (most / max(bound.price, best), TooSmall(side, worth, minimum)),
    ):
        found = rules.floor_quantity(most_of_it)
        quantity = min(quantity, found) if quantity else found
        if not _is_enough(quantity, levels=levels, bound=bound, rules=rules):
            return reason
    return BoundedOrder(
        side=side,
        order_type=OrderType.IOC,
        base_quantity=quantity,
        price=bound.price,
        slippage=slippage,
        fee_rate=fee_rate,
        expected=walk(quantity, levels),
        arrival=arrival_of(book, depth=depth),
        widened=bound.widened,
    )


def _wanted_quantity(
    side: Side, wanted: Wanted, levels: Sequence[PriceLevel], *, fee_rate: Decimal
) -> Decimal:
    """Returns what is wanted, in base, as far as the *levels* reach."""
    if wanted.base_quantity is not None:
        return wanted.base_quantity
    amount = wanted.quote_amount or ZERO
    if side is Side.BUY:
        return base_bought(amount, asks=levels)
    return quantity_to_receive(amount, bids=levels, fee_rate=fee_rate)


def affordable(side: Side, free: Decimal, *, price: Decimal, fee_rate: Decimal) -> Decimal:
    """Returns the base that *free* is enough for: a buy freezes its *price*, and pays its fee."""
    return free if side is Side.SELL else free / (ONE + fee_rate) / price


def _is_enough(
    quantity: Decimal, *, levels: Sequence[PriceLevel], bound: Bound, rules: PairRules
) -> bool:
    """True if the exchange takes an order for *quantity*, measured in the book and at the bound."""
    if quantity < rules.least_quantity:
        return False
    least, _ = rules.notional_limits(OrderType.IOC)
    value = walk(quantity, levels).quote_amount
    return value >= smallest_order(rules, OrderType.IOC) and quantity * bound.price >= least


def arrival_of(book: OrderBook, *, depth: Decimal) -> Arrival:
    return Arrival(
        bid=book.bids[0].price, ask=book.asks[0].price, read_at=book.read_at, depth=depth
    )
