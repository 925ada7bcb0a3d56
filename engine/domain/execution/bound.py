"""The bound of an order: the worst price that it may have, and when that moves further away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from enum import Enum

from engine.domain.market.decimals import (
    EXACT_OR_LESS,
    ONE,
    ZERO,
    ceil_to_step,
    floor_to_step,
)
from engine.domain.market.order_book import OrderBook, PriceLevel
from engine.domain.market.pairs import PairRules, Side
from engine.domain.orders.matching import bound_price

LEAST_SLIPPAGE, MOST_SLIPPAGE = Decimal("0.0001"), Decimal("0.2")
# A balance that waits this long for offers within the bound gets one order beyond it.
WIDENS_AFTER = timedelta(minutes=15)
# An order is sized on a book no older than this.
BOOK_LIVES = timedelta(seconds=3)
_BASIS_POINTS = 10_000


class ExecutionMode(Enum):
    """AUTO is IOC at the bound, MARKET the exchange's own reach, MAKER rests first."""

    AUTO = "auto"
    MARKET = "market"
    MAKER = "maker"


@dataclass(frozen=True, slots=True)
class Slippage:
    """At most *fraction* from the middle of the book, in whole basis points.
    *strict*: never further, however long the balance has to wait.
    """

    fraction: Decimal = Decimal("0.01")
    strict: bool = False

    def __post_init__(self) -> None:
        fraction = self.fraction
        is_whole = fraction.is_finite() and (fraction * _BASIS_POINTS) % 1 == ZERO
        if not is_whole or not LEAST_SLIPPAGE <= fraction <= MOST_SLIPPAGE:
            raise ValueError(f"a slippage is 0.01 % to 20 %, was {fraction}")


USUAL_SLIPPAGE = Slippage()


@dataclass(frozen=True, slots=True)
class Bound:
    """The worst *price* of an order on *side*, on the exchange's grid. *mid* is the middle it was
    made from. *widened*: beyond what the user set, because nothing was offered within that.
    """

    side: Side
    price: Decimal
    mid: Decimal
    widened: bool = False

    def takes(self, price: Decimal) -> bool:
        return price <= self.price if self.side is Side.BUY else price >= self.price

    def within(self, book: OrderBook) -> Sequence[PriceLevel]:
        """Returns the levels that an order may trade with, the best first."""
        return [level for level in counterparts(book, self.side) if self.takes(level.price)]


def counterparts(book: OrderBook, side: Side) -> Sequence[PriceLevel]:
    """Returns the levels that an order on *side* trades with."""
    return book.asks if side is Side.BUY else book.bids


def bound_of(side: Side, *, mid: Decimal, fraction: Decimal, rules: PairRules) -> Bound:
    """Returns the bound *fraction* from *mid*, rounded to the grid towards the middle."""
    with localcontext(EXACT_OR_LESS):
        away = mid * (ONE + fraction if side is Side.BUY else max(ONE - fraction, ZERO))
        return Bound(side, towards_middle(side, away, rules=rules), mid)


def widened_bound(
    bound: Bound, *, last_price: Decimal, price_limit: Decimal, rules: PairRules
) -> Bound | None:
    """Returns the bound at the reach of a MARKET order from *last_price*, but within *price_limit*
    (a fraction) of the middle. None where that is no further away than *bound*.
    """
    side, mid = bound.side, bound.mid
    with localcontext(EXACT_OR_LESS):
        reach = bound_price(side, last_price=last_price)
        if side is Side.BUY:
            far = min(reach, mid * (ONE + price_limit))
        else:
            far = max(reach, mid * (ONE - price_limit))
        price = towards_middle(side, far, rules=rules)
    is_further = price > bound.price if side is Side.BUY else price < bound.price
    return Bound(side, price, mid, widened=True) if is_further else None


def may_widen(slippage: Slippage, *, outside_since: datetime | None, now: datetime) -> bool:
    """True if a balance out of its band since *outside_since* may trade beyond its bound."""
    if slippage.strict or outside_since is None:
        return False
    return now - outside_since >= WIDENS_AFTER


def is_old(book: OrderBook, *, now: datetime) -> bool:
    """True if *book* must be read again, once, before an order is sized on it."""
    return now - book.read_at > BOOK_LIVES


def towards_middle(side: Side, price: Decimal, *, rules: PairRules) -> Decimal:
    """Rounds down what is bought at, and up what is sold at: never worse than *price*."""
    if side is Side.BUY:
        return floor_to_step(price, rules.price_step)
    return ceil_to_step(price, rules.price_step)


def worse_by_bp(side: Side, price: Decimal, *, mid: Decimal) -> Decimal:
    """Returns how much worse than *mid* a price is, in basis points; below zero where better."""
    distance = (price - mid) / mid * _BASIS_POINTS
    return distance if side is Side.BUY else -distance
