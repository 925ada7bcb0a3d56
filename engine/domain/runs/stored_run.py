"""A run of a plan over several pairs as it is stored: what it was for, how it ended, what it cost.

It is stored and never resumed: after a restart the next check plans afresh.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.market.decimals import ZERO, floor_to_step, step_of
from engine.domain.market.pairs import USDT, Asset, Side
from engine.domain.orders.order import AccountId, Order, Trigger
from engine.domain.portfolio.plan import PortfolioPlan
from engine.domain.portfolio.position import LegReason
from engine.domain.portfolio.run import RunEnd
from engine.domain.rebalancing.planner import Reason
from engine.domain.targets.destination import Destination
from engine.domain.targets.goals import TargetSettings
from engine.domain.targets.outside import Beyond

# Quotients have 40 digits, which nobody reads and no database needs.
_SHOWN_STEP = step_of(8)
_REFUSED_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutside:
    """An asset that a run left outside: *why* by its plan, or the *obstacle* that its order met."""

    asset: Asset
    edge: Beyond
    why: LegReason | None = None
    obstacle: Reason | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """An order for *asset* came to nothing *at* that moment."""

    asset: Asset
    side: Side
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStory:
    """The target and the plan that a run began with, how many *orders* it sent in how many *rounds*
    (the legs of one plan are a round), what it *left* outside, and the sides on which the exchange
    *refused* an order or nobody took it, in this run or lately: see `refused_lately`.
    """

    settings: TargetSettings
    destination: Destination
    trigger: Trigger
    plan: PortfolioPlan
    rounds: int = 1
    orders: int = 0
    left: tuple[LeftOutside, ...] = ()
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioRun:
    """Its legs are the orders with its *run_id* and a leg. *end* is None while it is open; *told*
    when the chat was told of its end, or needs not be.
    """

    account_id: AccountId
    run_id: str
    started_at: datetime
    dry_run: bool
    story: RunStory
    ended_at: datetime | None = None
    end: RunEnd | None = None
    told: bool = False


def refused_lately(last: PortfolioRun | None, *, now: datetime) -> tuple[Refused, ...]:
    """Returns the sides that are left alone after the account's *last* run: the others would be
    traded to and fro around them, check after check.
    """
    if last is None:
        return ()
    return tuple(side for side in last.story.refused if now - side.at < _REFUSED_FOR)


def shown(plan: PortfolioPlan) -> PortfolioPlan:
    """Returns *plan* as it is kept: amounts of eight decimals, rounded down."""
    return replace(
        plan,
        whole=_floored(plan.whole),
        values={asset: _floored(value) for asset, value in plan.values.items()},
        legs=tuple(replace(leg, quote_amount=_floored(leg.quote_amount)) for leg in plan.legs),
        cost=_floored(plan.cost),
    )


def left_outside(
    plan: PortfolioPlan, obstacles: Mapping[Asset, Reason]
) -> tuple[LeftOutside, ...]:
    """Returns what *plan* finds outside, each with the reason that is known."""
    return tuple(
        LeftOutside(
            asset=asset,
            edge=edge,
            why=None if asset in obstacles else plan.reasons.get(asset),
            obstacle=obstacles.get(asset),
        )
        for asset, edge in plan.outside.items()
    )


def cost_of_trades(trades: Sequence[Order]) -> Decimal | None:
    """Returns what *trades* cost in USDT: fees, and how much worse than the middle they traded.
    None where a fee is not known, or was taken in another asset.
    """
    cost = ZERO
    for order in trades:
        done, fees, mid = order.execution, order.fees, order.price
        if fees is None or not fees.complete or mid is None or fees.by_asset.keys() - {USDT}:
            return None
        worse = done.quote_amount - mid * done.base_quantity
        cost += fees.in_asset(USDT) + (worse if order.side is Side.BUY else -worse)
    return cost


def _floored(amount: Decimal) -> Decimal:
    return floor_to_step(max(amount, ZERO), _SHOWN_STEP)
