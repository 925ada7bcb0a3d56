"""Matches orders as MEXC does. A MARKET order is immediate-or-cancel, 5 % around the last trade.

Pure: the paper exchange feeds it a live or a simulated book and keeps the account.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from engine.domain.market.decimals import EXACT_OR_LESS, ONE, ZERO, floor_to_step
from engine.domain.market.order_book import OrderBook, PriceLevel
from engine.domain.market.pairs import OrderType, PairRules, Side
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


def match_priced_order(
    *,
    side: Side,
    order_type: OrderType,
    base_quantity: Decimal,
    price: Decimal,
    free: Decimal,
    book: OrderBook,
    rules: PairRules,
) -> Match:
    """Check a LIMIT, LIMIT_MAKER or IOC order, and execute what *book* has within *price*.

    What is left of a LIMIT or LIMIT_MAKER rests at *price*, and what is left of an IOC is dropped:
    an empty book is no error. Raises as `match_market_order` does, also for a LIMIT_MAKER that
    would trade at once.
    """
    with localcontext(EXACT_OR_LESS):
        if not rules.takes(order_type):
            raise PairUnavailable(code=30041, message="Order type can not place.")
        if not rules.allows(side):
            raise PairUnavailable(code=30001, message="Current direction is not allowed")
        for amount, step in ((base_quantity, rules.quantity_step), (price, rules.price_step)):
            _check_scale(amount, step)
        least, most = rules.notional_limits(order_type)
        _check_notional(base_quantity * price, least=least, most=most, rules=rules)
        if base_quantity < rules.min_quantity:
            raise BelowMinimum(code=30002, message="The quantity is below the minimum")
        spent = base_quantity * price if side is Side.BUY else base_quantity
        _check_balance(side, spent, free=free, fee_rate=rules.taker_fee_rate)
        execution = crossing(side, base_quantity, price=price, book=book)
        if order_type is OrderType.LIMIT_MAKER and execution.base_quantity:
            raise Rejected(code=400, message="The order would trade at once")
        return Match(
            execution=execution,
            fee=execution.quote_amount * rules.taker_fee_rate,
            complete=execution.base_quantity == base_quantity,
        )


def crossing(side: Side, quantity: Decimal, *, price: Decimal, book: OrderBook) -> Execution:
    """Returns what *book* has for *quantity* within *price*, at its own prices."""
    levels = book.asks if side is Side.BUY else book.bids
    return _fill(quantity, levels=_within(levels, side=side, bound=price))


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
    _check_scale(amount, rules.quote_step if side is Side.BUY else rules.quantity_step)
    notional = amount if side is Side.BUY else amount * last_price
    _check_notional(notional, least=rules.min_notional, most=rules.max_notional, rules=rules)


def _check_scale(amount: Decimal, step: Decimal) -> None:
    if not amount.is_finite() or amount <= ZERO or floor_to_step(amount, step) != amount:
        raise Rejected(code=400, message="amount scale is invalid")


def _check_notional(notional: Decimal, *, least: Decimal, most: Decimal, rules: PairRules) -> None:
    if notional < least:
        raise BelowMinimum(
            code=30002,
            message=f"The minimum transaction volume cannot be less than:{least:f}{rules.quote}",
        )
    if notional > most:
        raise Rejected(
            code=30003,
            message=f"The maximum transaction volume cannot be greater than:{most:f}{rules.quote}",
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
