"""Matches a MARKET order as MEXC does: immediate-or-cancel, 5 % around the last trade.

Pure: the paper exchange feeds it a live or a simulated book and keeps the account.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from engine.domain.market.decimals import EXACT_OR_LESS, ONE, ZERO, floor_to_step
from engine.domain.market.order_book import OrderBook, PriceLevel
from engine.domain.market.pairs import PairRules, Side
from engine.domain.orders.order import Execution
from engine.errors import (
    BelowMinimum,
    InsufficientBalance,
    NoCounterpart,
    PairUnavailable,
    Rejected,
)

_REACH = {Side.BUY: Decimal("1.05"), Side.SELL: Decimal("0.95")}


@dataclass(frozen=True, slots=True)
class Match:
    """Result of an order. *fee* is in quote, on top of a buy and out of a sell.

    *complete* is False where a part of the order had no counterpart within the bound.
    """

    execution: Execution
    fee: Decimal
    complete: bool


def bound_price(side: Side, *, last_price: Decimal) -> Decimal:
    """The worst price a MARKET order accepts; MEXC sizes a buy by it."""
    return last_price * _REACH[side]


def match_market_order(
    *,
    side: Side,
    amount: Decimal,
    free: Decimal,
    last_price: Decimal,
    book: OrderBook,
    rules: PairRules,
) -> Match:
    """Check and execute one order in one go; what cannot be filled at once is cancelled.

    *amount* is the quote to spend (buy) or the base to sell (sell), *free* what the account may
    use of that asset. Raises Rejected (with its leaf, and MEXC's code) where the exchange would
    refuse the order; a fill of nothing is no error.
    """
    # Rounding down keeps the one inexact step, quote / bound, on the side of buying less.
    with localcontext(EXACT_OR_LESS):
        _check_open(side, rules=rules)
        _check_size(side, amount, last_price=last_price, rules=rules)
        _check_balance(side, amount, free=free, fee_rate=rules.taker_fee_rate)
        bound = bound_price(side, last_price=last_price)
        quantity = amount
        if side is Side.BUY:
            quantity = rules.floor_quantity(amount / bound)
        if quantity <= ZERO or quantity < rules.min_quantity:
            raise BelowMinimum(code=30002, message="The quantity is below the minimum")
        levels = book.asks if side is Side.BUY else book.bids
        if not levels:
            raise NoCounterpart(code=30025, message="No exist opponent order")
        execution = _fill(quantity, levels=_within(levels, side=side, bound=bound))
        return Match(
            execution=execution,
            fee=execution.quote_amount * rules.taker_fee_rate,
            complete=execution.base_quantity == quantity,
        )


def _check_open(side: Side, *, rules: PairRules) -> None:
    if not rules.online:
        raise PairUnavailable(code=30016, message="Trading disabled")
    if not rules.api_allowed:
        raise PairUnavailable(code=10007, message="symbol not support api")
    if not rules.market_orders:
        raise PairUnavailable(code=30051, message="api market order is disabled")
    if not rules.allows(side):
        raise PairUnavailable(code=30001, message="Current transaction direction is not allowed")


def _check_size(side: Side, amount: Decimal, *, last_price: Decimal, rules: PairRules) -> None:
    step = rules.quote_step if side is Side.BUY else rules.quantity_step
    if not amount.is_finite() or amount <= ZERO or floor_to_step(amount, step) != amount:
        raise Rejected(code=400, message="amount scale is invalid")
    notional = amount if side is Side.BUY else amount * last_price
    if notional < rules.min_notional:
        raise BelowMinimum(
            code=30002,
            message=f"The minimum transaction volume cannot be less than:{rules.min_notional:f}"
            f"{rules.quote}",
        )
    if notional > rules.max_notional:
        raise Rejected(
            code=30003,
            message=f"The maximum transaction volume cannot be greater than:"
            f"{rules.max_notional:f}{rules.quote}",
        )


def _check_balance(side: Side, amount: Decimal, *, free: Decimal, fee_rate: Decimal) -> None:
    if side is Side.BUY and amount * (ONE + fee_rate) > free:
        # MEXC: the funds must cover the purchase and its fee.
        raise InsufficientBalance(code=30004, message="Insufficient position")
    if side is Side.SELL and amount > free:
        raise InsufficientBalance(code=30005, message="Oversold")


def _within(levels: Sequence[PriceLevel], *, side: Side, bound: Decimal) -> Sequence[PriceLevel]:
    if side is Side.BUY:
        return [level for level in levels if level.price <= bound]
    return [level for level in levels if level.price >= bound]


def _fill(quantity: Decimal, *, levels: Sequence[PriceLevel]) -> Execution:
    filled = quote_amount = ZERO
    for level in levels:
        taken = min(quantity - filled, level.quantity)
        filled += taken
        quote_amount += taken * level.price
    return Execution(base_quantity=filled, quote_amount=quote_amount)
