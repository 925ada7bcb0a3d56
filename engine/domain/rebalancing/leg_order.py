"""The order of one leg of a plan over several pairs, in its own book: a pure function of everything
it depends on.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import localcontext
from typing import Any

from engine.domain.accounts.risk_limits import LimitsInForce, Recent
from engine.domain.execution.bound import LEAST_SLIPPAGE, USUAL_SLIPPAGE, Slippage
from engine.domain.execution.bounded_order import Wanted
from engine.domain.market.balances import Holdings
from engine.domain.market.decimals import EXACT_OR_LESS, floor_to_step
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import USDT, OrderType, PairRules, base_of
from engine.domain.market.quotes import Quotes
from engine.domain.orders.order import Order
from engine.domain.portfolio.plan import (
    Leg,
    PlanInputs,
    PortfolioPlan,
    managed_of,
    plan_portfolio,
)
from engine.domain.rebalancing.bounded_plan import Need, Within, order_within
from engine.domain.rebalancing.decision import Waited
from engine.domain.rebalancing.limit_checks import limited
from engine.domain.rebalancing.order_factory import terms_in
from engine.domain.rebalancing.planner import (
    InsideBand,
    Plan,
    ProposedOrder,
    Reason,
    buy_order,
    obstacle,
    sell_order,
)
from engine.domain.targets.protection import without_protected

# Stored with the order of a leg, as PLANNER_VERSION is with every other order, and raised likewise.
LEG_PLANNER_VERSION = 101
REPLAYABLE_LEGS = frozenset({LEG_PLANNER_VERSION})


@dataclass(frozen=True, slots=True, kw_only=True)
class LegInputs:
    """All that the order of a plan's first leg depends on: the plan's own inputs, and the *book* of
    the leg's pair. *recent* has the last price of its token. *order_type* is what the exchange
    takes; *waited* is None while no order may go beyond its bound. *is_narrowed*: the exchange
    refused the bound as too far away, so it is half as far.
    """

    portfolio: PlanInputs
    planned_at: datetime
    book: OrderBook
    limits: LimitsInForce
    recent: Recent
    to_centre: bool = False
    slippage: Slippage = USUAL_SLIPPAGE
    order_type: OrderType = OrderType.MARKET
    waited: Waited | None = None
    is_narrowed: bool = False

    @property
    def rules(self) -> PairRules:
        return self.portfolio.rules[base_of(self.book.symbol)]


@dataclass(frozen=True, slots=True)
class StoredLeg:
    """What is stored with the order of a leg, and the version of the *planner* that used it."""

    planner: int
    inputs: LegInputs


@dataclass(frozen=True, slots=True)
class ReplayedLeg:
    """The *plan* that comes out today. *is_same* if that is the stored order, to the last digit."""

    order: Order
    inputs: LegInputs
    plan: Plan
    is_same: bool


def leg_of(inputs: LegInputs) -> Leg | None:
    """Returns the leg that is due by *inputs*; None where none of the book's pair is."""
    now = inputs.planned_at
    plan = plan_portfolio(inputs.portfolio, now=now, to_centre=inputs.to_centre)
    if not isinstance(plan, PortfolioPlan) or not plan.legs:
        return None
    return plan.legs[0] if plan.legs[0].asset == base_of(inputs.book.symbol) else None


def allowed_leg(leg: Leg, inputs: LegInputs) -> Plan:
    """Returns the order of *leg* within every limit, or the reason for none."""
    held = managed_of(inputs.portfolio, USDT).quantity
    plan = Plan.of(held, _order(leg, inputs))
    return limited(plan, book=inputs.book, limits=inputs.limits, recent=inputs.recent)


def replayed_leg(order: Order, inputs: LegInputs) -> ReplayedLeg:
    leg = leg_of(inputs)
    if leg is None:
        held = managed_of(inputs.portfolio, USDT).quantity
        return ReplayedLeg(order, inputs, Plan(held, reason=InsideBand()), is_same=False)
    plan = allowed_leg(leg, inputs)
    is_same = plan.order is not None and all(
        getattr(order, name) == value for name, value in terms_of_leg(plan.order, inputs).items()
    )
    return ReplayedLeg(order, inputs, plan, is_same=is_same)


def terms_of_leg(order: ProposedOrder, inputs: LegInputs) -> dict[str, Any]:
    """Returns the fields of a stored order that follow from its decision alone."""
    holdings, seen = inputs.portfolio.holdings, inputs.recent.price
    return dict(terms_in(inputs.book, order, holdings=holdings, seen=seen))


def shortened_leg(inputs: LegInputs) -> LegInputs:
    """Returns as little of *inputs* as gives the same order: the balances of the target's assets,
    and their prices.
    """
    portfolio, recent = inputs.portfolio, inputs.recent
    tokens = portfolio.settings.tokens
    held, quotes = portfolio.holdings, portfolio.quotes
    return replace(
        inputs,
        portfolio=replace(
            portfolio,
            holdings=Holdings({a: held.of(a) for a in (*tokens, USDT)}, held.read_at),
            quotes=Quotes({a: quotes.by_asset[a] for a in tokens}, quotes.read_at),
        ),
        recent=Recent(turnover=recent.turnover, orders=recent.orders, price=recent.price),
    )


def _order(leg: Leg, inputs: LegInputs) -> ProposedOrder | Reason:
    portfolio = inputs.portfolio
    holdings = without_protected(
        portfolio.holdings, portfolio.protected, counting=portfolio.counting
    )
    if inputs.order_type is OrderType.MARKET:
        return market_order(leg, holdings=holdings, rules=inputs.rules, book=inputs.book)
    need = Need(leg.side, wanted_of(leg))
    return order_within(need, _within(inputs), holdings, inputs.rules, inputs.book)


def _within(inputs: LegInputs) -> Within:
    """The bound is never further away than the limit on prices."""
    near, waited = min(inputs.slippage.fraction, inputs.limits.move), inputs.waited
    if inputs.is_narrowed:
        near, waited = max(floor_to_step(near / 2, LEAST_SLIPPAGE), LEAST_SLIPPAGE), None
    within = Within(Slippage(near, inputs.slippage.strict), inputs.limits.move)
    if waited is None:
        return within
    return replace(
        within,
        outside_since=waited.outside_since,
        now=waited.now,
        last_price=waited.last_price,
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
