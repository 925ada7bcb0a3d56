"""The order of one leg of a plan over several pairs, in its own book. Pure."""

from decimal import localcontext

from engine.domain.execution.bounded_order import Wanted
from engine.domain.market.balances import Holdings
from engine.domain.market.decimals import EXACT_OR_LESS
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import PairRules
from engine.domain.portfolio.plan import Leg
from engine.domain.rebalancing.planner import (
    ProposedOrder,
    Reason,
    buy_order,
    obstacle,
    sell_order,
)


def market_order(
    leg: Leg, *, holdings: Holdings, rules: PairRules, book: OrderBook
) -> ProposedOrder | Reason:
    """Returns the MARKET order of *leg*, or the reason for none. *holdings* are without what is
    protected. Made smaller where less is free, never larger.
    """
    with localcontext(EXACT_OR_LESS):
        if (closed := obstacle(leg.side, rules=rules, book=book)) is not None:
            return closed
        if leg.base_quantity is not None:
            balance = holdings.of(rules.base)
            return sell_order(leg.base_quantity, balance=balance, rules=rules, book=book)
        balance = holdings.of(rules.quote)
        return buy_order(leg.quote_amount, balance=balance, rules=rules, book=book)


def wanted_of(leg: Leg) -> Wanted:
    """Returns what an order with a bound is sized by."""
    if leg.base_quantity is not None:
        return Wanted(base_quantity=leg.base_quantity)
    return Wanted(quote_amount=leg.quote_amount)
