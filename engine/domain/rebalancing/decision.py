"""The decision of a check, as a pure function of everything it depends on."""

from dataclasses import dataclass

from engine.domain.accounts.deposits import WaitingDeposit
from engine.domain.accounts.risk_limits import LimitsInForce, Recent
from engine.domain.accounts.settings import Settings
from engine.domain.market.balances import Holdings
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import PairRules
from engine.domain.rebalancing.limit_checks import limited
from engine.domain.rebalancing.manual_trade import ManualTrade, plan_manual
from engine.domain.rebalancing.planner import Plan, plan

# Raise it when the same inputs may lead to another order than before: orders planned by an older
# version are then told apart, instead of compared with what would be planned today.
PLANNER_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionInputs:
    """All that an order depends on. *trade* is the one that a user asked for, whatever the target
    says; *waiting* a deposit that is left alone.
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


def wanted(inputs: DecisionInputs) -> Plan:
    """Returns the order that is right, whatever the limits say, or the reason for none."""
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


def allowed(plan: Plan, inputs: DecisionInputs) -> Plan:
    """Returns *plan* if its order is within every limit, else the first limit it breaks."""
    return limited(plan, book=inputs.book, limits=inputs.limits, recent=inputs.recent)
