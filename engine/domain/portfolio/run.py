"""One run of a plan over several pairs: which leg is next, and when the run is over. Pure.

After each order the account is looked at and planned again with the same target: a partial fill, a
price that moved or a refused leg is simply the next plan.
"""

from dataclasses import dataclass, replace
from enum import Enum

from engine.domain.portfolio.plan import Leg, PortfolioPlan


class RunEnd(Enum):
    """Why a run has no further order."""

    INSIDE = "inside"
    NO_LEG = "no leg"  # what is outside cannot be traded: each has a reason
    NO_PROGRESS = "no progress"
    MOST_ORDERS = "most orders"
    UNCLEAR = "unclear"  # an order's outcome is not known
    OVER_LIMIT = "over limit"  # what is left to trade would break one
    NO_PLAN = "no plan"  # a price is missing or old
    UNSETTLED = "unsettled"  # the balances do not show the last order yet
    STOPPED = "stopped"  # by a pause, a halt, or another change of the account
    FAILED = "failed"  # the exchange did not answer
    RESTARTED = "restarted"  # what was left is planned afresh


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run so far. *legs* of its current round are still to come; *outside* is how many assets
    were outside when the round began. *most_orders* is two more than there are tokens.
    """

    most_orders: int
    orders: int = 0
    legs: int = 0
    outside: int | None = None


@dataclass(frozen=True, slots=True)
class NextOrder:
    """Send *leg*; the run goes on with *run*."""

    leg: Leg
    run: Run


def begun(plan: PortfolioPlan) -> Run:
    """USDT is one of the assets of a plan, and no pair."""
    return Run(most_orders=len(plan.values) + 1)


def next_order(run: Run, plan: PortfolioPlan) -> NextOrder | RunEnd:
    """Returns the next order of *run*, by a *plan* of what is there now.

    Sells come first, the largest one. A round, the legs of one plan, must leave fewer assets
    outside than it found.
    """
    if not plan.outside and not plan.legs:
        return RunEnd.INSIDE
    if not plan.legs:
        return RunEnd.NO_LEG
    if run.orders >= run.most_orders:
        return RunEnd.MOST_ORDERS
    outside = len(plan.outside)
    if run.legs == 0:
        if run.outside is not None and outside >= run.outside:
            return RunEnd.NO_PROGRESS
        run = replace(run, legs=len(plan.legs), outside=outside)
    return NextOrder(plan.legs[0], replace(run, orders=run.orders + 1, legs=run.legs - 1))
