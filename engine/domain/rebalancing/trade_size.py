"""Decides whether a plan moves so much that the user should confirm first."""

from decimal import Decimal, localcontext

from engine.domain.execution.bounded_order import NoOfferNear
from engine.domain.market.decimals import EXACT_OR_LESS, ZERO
from engine.domain.rebalancing.check_result import BalanceSnapshot
from engine.domain.rebalancing.planner import (
    EmptyBook,
    NothingFree,
    PairClosed,
    Plan,
    SideClosed,
)

BIG_PART = Decimal("0.25")
BIG_AMOUNT = Decimal(100)


def moved(plan: Plan, *, target: Decimal) -> Decimal:
    """Returns the USDT that *plan* moves, or would once what prevents it has passed.
    A closed pair opens again, and coins become free. What is never traded counts as zero.
    """
    if plan.order is not None:
        return plan.order.expected_quote
    match plan.reason:
        case PairClosed() | SideClosed() | EmptyBook() | NoOfferNear():
            passing = True
        case NothingFree():
            passing = plan.reason.locked > ZERO
        case _:
            passing = False
    return EXACT_OR_LESS.subtract(plan.held, target).copy_abs() if passing else ZERO


def worth_of(seen: BalanceSnapshot) -> Decimal:
    """Returns the worth of the account's USDT and tokens; without a price, of the USDT alone."""
    with localcontext(EXACT_OR_LESS):
        return seen.quote.total + seen.base.total * (seen.price or ZERO)


def is_big(quote_amount: Decimal, *, worth: Decimal) -> bool:
    """More than a quarter of what the account is *worth*, or than 100 USDT, whichever is less."""
    with localcontext(EXACT_OR_LESS):
        return quote_amount > min(worth * BIG_PART, BIG_AMOUNT)
