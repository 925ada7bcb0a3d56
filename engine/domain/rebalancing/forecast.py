"""Forecasts a planned order's fill and the balance after it, from the real book. Pure."""

from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

from engine.domain.execution.bounded_order import BoundedOrder
from engine.domain.market.decimals import EXACT_OR_LESS, ONE, ZERO
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import OrderType, PairRules, Side
from engine.domain.orders.matching import Match, match_market_order, match_priced_order
from engine.domain.orders.order import Execution
from engine.domain.rebalancing.planner import (
    EmptyBook,
    MarketBuy,
    Plan,
    ProposedOrder,
    Reason,
    UnderMinimum,
    smallest_order,
)
from engine.errors import BelowMinimum, Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Forecast of a fill: *base_quantity* for *quote_amount*, before a *fee* in quote.
    Both are above zero. *held_after* is the quote held then. *complete* is False where the
    exchange would cancel a part of the order for lack of a counterpart within its reach.
    """

    base_quantity: Decimal
    quote_amount: Decimal
    fee: Decimal
    held_after: Decimal
    complete: bool

    @property
    def average_price(self) -> Decimal:
        return self.quote_amount / self.base_quantity


def forecast(
    plan: Plan, *, rules: PairRules, book: OrderBook, last_price: Decimal
) -> tuple[Plan, Forecast | None]:
    """Returns *plan* with its order's forecast, None where there is no order.
    Where it would fill nothing, the plan has no order but the reason.
    """
    if plan.order is None:
        return plan, None
    with localcontext(EXACT_OR_LESS):
        try:
            match = _matched(plan.order, rules=rules, book=book, last_price=last_price)
        except Rejected as e:
            reason = _reason(e, plan.order, rules=rules, last_price=last_price)
            return replace(plan, order=None, reason=reason), None
        done = match.execution
        if done.base_quantity == ZERO:
            return replace(plan, order=None, reason=EmptyBook(plan.order.side)), None
        moved = (
            -(done.quote_amount + match.fee)
            if plan.order.side is Side.BUY
            else done.quote_amount - match.fee
        )
        return plan, Forecast(
            base_quantity=done.base_quantity,
            quote_amount=done.quote_amount,
            fee=match.fee,
            held_after=plan.held + moved,
            complete=match.complete,
        )


def _matched(
    order: ProposedOrder, *, rules: PairRules, book: OrderBook, last_price: Decimal
) -> Match:
    if isinstance(order, BoundedOrder) and order.order_type is OrderType.LIMIT_MAKER:
        # Whether anybody comes to it is not known; what it pays then is.
        traded = Execution(order.base_quantity, order.expected.quote_amount)
        fee = traded.quote_amount * order.fee_rate
        return Match(traded, fee, complete=True)
    if isinstance(order, BoundedOrder):
        return match_priced_order(
            side=order.side,
            order_type=order.order_type,
            base_quantity=order.base_quantity,
            price=order.price,
            free=order.frozen_amount * (ONE + rules.taker_fee_rate),
            book=book,
            rules=rules,
        )
    amount = _amount(order)
    return match_market_order(
        side=order.side,
        amount=amount,
        free=amount * (ONE + rules.taker_fee_rate),
        last_price=last_price,
        book=book,
        rules=rules,
    )


def _amount(order: ProposedOrder) -> Decimal:
    return order.quote_amount if isinstance(order, MarketBuy) else order.base_quantity


def _reason(
    error: Rejected, order: ProposedOrder, *, rules: PairRules, last_price: Decimal
) -> Reason:
    """Why the exchange would refuse the order. It measures a sell at the last price."""
    if not isinstance(error, BelowMinimum):
        return EmptyBook(order.side)
    value = _amount(order)
    if order.side is Side.SELL:
        value *= last_price
    return UnderMinimum(order.side, quote_amount=value, minimum=smallest_order(rules))
