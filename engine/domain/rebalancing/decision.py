"""The decision of a check, as a pure function of everything it depends on."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from engine.domain.accounts.deposits import WaitingDeposit
from engine.domain.accounts.risk_limits import LimitsInForce, Recent
from engine.domain.accounts.settings import Settings
from engine.domain.execution.bound import LEAST_SLIPPAGE, Slippage
from engine.domain.execution.bounded_order import BoundedOrder
from engine.domain.market.balances import Holdings
from engine.domain.market.decimals import floor_to_step
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import OrderType, PairRules
from engine.domain.rebalancing.bounded_plan import Within, plan_bounded
from engine.domain.rebalancing.limit_checks import limited
from engine.domain.rebalancing.manual_trade import ManualTrade, plan_manual
from engine.domain.rebalancing.planner import Plan, plan

# Raise it when the same inputs may lead to another order than before: orders planned by an older
# version are then told apart, instead of compared with what would be planned today.
PLANNER_VERSION = 2
# What these planned, the present version plans too: version 1 knew MARKET orders only.
REPLAYABLE = frozenset({1, PLANNER_VERSION})


@dataclass(frozen=True, slots=True)
class Waited:
    """The balance is out of its band since *outside_since*, so long by *now* that an order may go
    beyond its bound. *last_price* is what a MARKET order's reach is measured from.
    """

    outside_since: datetime
    now: datetime
    last_price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionInputs:
    """All that an order depends on. *trade* is the one that a user asked for, whatever the target
    says; *waiting* a deposit that is left alone. *order_type* is what the exchange takes of what the
    settings ask for; *waited* is None while no order may go beyond its bound. *is_narrowed*: the
    exchange refused the bound as too far away, so it is half as far. *worst* is the worst price that a
    user confirmed.
    """

    holdings: Holdings
    settings: Settings
    rules: PairRules
    book: OrderBook
    limits: LimitsInForce
    recent: Recent
    waiting: WaitingDeposit | None = None
    ignore_band: bool = False
    trade: ManualTrade | None = None
    order_type: OrderType = OrderType.MARKET
    waited: Waited | None = None
    is_narrowed: bool = False
    worst: Decimal | None = None


def wanted(inputs: DecisionInputs) -> Plan:
    """Returns the order that is right, whatever the limits say, or the reason for none."""
    if inputs.order_type is not OrderType.MARKET:
        return _bounded(inputs)
    return _by_market(inputs)


def _by_market(inputs: DecisionInputs) -> Plan:
    holdings, settings, rules, book = inputs.holdings, inputs.settings, inputs.rules, inputs.book
    if inputs.trade is not None:
        return plan_manual(
            inputs.trade, holdings=holdings, settings=settings, rules=rules, book=book
        )
    return plan(
        holdings=holdings,
        settings=settings,
        rules=rules,
        book=book,
        ignore_band=inputs.ignore_band,
        waiting=inputs.waiting,
    )


def _bounded(inputs: DecisionInputs) -> Plan:
    """By IOC at a bound, which is never further away than the limit on prices, or as a maker."""
    settings, rules, waited = inputs.settings, inputs.rules, inputs.waited
    near = min(settings.slippage.fraction, inputs.limits.move)
    if inputs.is_narrowed:
        near, waited = max(floor_to_step(near / 2, LEAST_SLIPPAGE), LEAST_SLIPPAGE), None
    within = Within(
        Slippage(near, settings.slippage.strict),
        inputs.limits.move,
        is_maker=inputs.order_type is OrderType.LIMIT_MAKER,
    )
    if waited is not None:
        if inputs.book.mid is None and rules.is_open:
            return _by_market(inputs)
        within = replace(
            within,
            outside_since=waited.outside_since,
            now=waited.now,
            last_price=waited.last_price,
        )
    plan = plan_bounded(
        within,
        inputs.trade,
        settings=settings,
        holdings=inputs.holdings,
        rules=rules,
        book=inputs.book,
        ignore_band=inputs.ignore_band,
        waiting=inputs.waiting,
    )
    if inputs.worst is None or not isinstance(plan.order, BoundedOrder):
        return plan
    return replace(plan, order=plan.order.kept_to(inputs.worst))


def allowed(plan: Plan, inputs: DecisionInputs) -> Plan:
    """Returns *plan* if its order is within every limit, else the first limit it breaks."""
    return limited(plan, book=inputs.book, limits=inputs.limits, recent=inputs.recent)
