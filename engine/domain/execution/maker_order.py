"""Sizes an order that rests at the best price of its own side, and trades as a maker only."""

from datetime import timedelta
from decimal import Decimal, localcontext

from engine.domain.execution.bounded_order import (
    BoundedOrder,
    Obstacle,
    OneSidedBook,
    TooLittleFree,
    TooSmall,
    TypeClosed,
    Walk,
    Wanted,
    affordable,
    arrival_of,
    smallest_order,
)
from engine.domain.market.decimals import EXACT_OR_LESS, ONE, ZERO, floor_to_step, step_of
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import OrderType, PairRules, Side

# Then it is cancelled, and the rest of the plan is an IOC.
RESTS_FOR = timedelta(seconds=45)
# Distances are told in basis points, and stored.
_FINE = step_of(12)


def maker_order(
    side: Side,
    wanted: Wanted,
    *,
    free: Decimal,
    book: OrderBook,
    rules: PairRules,
    improve: bool = True,
) -> BoundedOrder | Obstacle:
    """Returns the LIMIT_MAKER order for *wanted* at the best price of its own side, or one tick
    better. It expects to be filled at that price.
    """
    if not rules.allows(side) or not rules.takes(OrderType.LIMIT_MAKER):
        return TypeClosed(side, OrderType.LIMIT_MAKER)
    with localcontext(EXACT_OR_LESS):
        if (mid := book.mid) is None:
            return OneSidedBook(side)
        bid, ask, tick = book.bids[0].price, book.asks[0].price, rules.price_step
        price = maker_price(side, bid=bid, ask=ask, tick=tick, improve=improve)
        fee_rate = rules.maker_fee_rate
        quantity = wanted.base_quantity
        if quantity is None:
            amount = wanted.quote_amount or ZERO
            quantity = (amount if side is Side.BUY else amount / (ONE - fee_rate)) / price
        minimum = smallest_order(rules, OrderType.LIMIT_MAKER)
        _, most = rules.notional_limits(OrderType.LIMIT_MAKER)
        small = TooSmall(side, quantity * price, minimum)
        # The exchange may want the taker's fee to be free, whatever the order will pay.
        highest_fee = max(fee_rate, rules.taker_fee_rate)
        room = affordable(side, free, price=price, fee_rate=highest_fee)
        reasons = (
            (quantity, small),
            (room, TooLittleFree(side, free, minimum)),
            (most / price, small),
        )
        for found, reason in reasons:
            quantity = min(quantity, rules.floor_quantity(found))
            if quantity < rules.least_quantity or quantity * price < minimum:
                return reason
        return BoundedOrder(
            side=side,
            order_type=OrderType.LIMIT_MAKER,
            base_quantity=quantity,
            price=price,
            slippage=floor_to_step(abs(price - mid) / mid, _FINE),
            fee_rate=fee_rate,
            expected=Walk(quantity, quantity * price, price),
            arrival=arrival_of(book, depth=quantity * price),
        )


def maker_price(
    side: Side, *, bid: Decimal, ask: Decimal, tick: Decimal, improve: bool
) -> Decimal:
    """Returns the best price of the order's own side, one *tick* better if asked to *improve* it
    and if that does not trade at once.
    """
    if side is Side.BUY:
        return bid + tick if improve and bid + tick < ask else bid
    return ask - tick if improve and ask - tick > bid else ask
