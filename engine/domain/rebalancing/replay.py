"""Replays a decision: plans an order again from the inputs that were stored with it."""

from dataclasses import dataclass, replace
from enum import Enum

from engine.domain.accounts.risk_limits import Recent
from engine.domain.market.balances import Holdings
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import Side
from engine.domain.orders.order import Order
from engine.domain.rebalancing.decision import DecisionInputs, allowed, wanted
from engine.domain.rebalancing.leg_order import ReplayedLeg
from engine.domain.rebalancing.order_factory import terms_of
from engine.domain.rebalancing.planner import Plan, ProposedOrder


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """What is stored with an order: its inputs, and the version of the *planner* that used them."""

    planner: int
    inputs: DecisionInputs


@dataclass(frozen=True, slots=True)
class PlannerTag:
    """The part of a StoredDecision that every version can read."""

    planner: int


class WhyNot(Enum):
    """Why an order cannot be replayed."""

    NOT_STORED = "not stored"  # it is of an older version of the program
    OTHER_PLANNER = "other planner"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class NotReplayed:
    """*planner* is the version that planned the order, if that is known."""

    order: Order
    why: WhyNot
    planner: int | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """The *plan* that comes out today. *is_same* if that is the stored order, to the last digit."""

    order: Order
    inputs: DecisionInputs
    plan: Plan
    is_same: bool


Replay = Replayed | ReplayedLeg | NotReplayed


def replayed(order: Order, inputs: DecisionInputs) -> Replayed:
    plan = allowed(wanted(inputs), inputs)
    is_same = plan.order is not None and all(
        getattr(order, name) == value for name, value in terms_of(plan.order, inputs).items()
    )
    return Replayed(order, inputs, plan, is_same=is_same)


def shortened(inputs: DecisionInputs, order: ProposedOrder) -> DecisionInputs:
    """Returns as little of *inputs* as gives the same *order*: the pair's two balances, and the
    part of the book that the order reaches.
    """
    pair = (inputs.rules.quote, inputs.rules.base)
    recent, waiting = inputs.recent, inputs.waiting
    short = replace(
        inputs,
        holdings=Holdings(
            {asset: inputs.holdings.of(asset) for asset in pair}, inputs.holdings.read_at
        ),
        recent=Recent(turnover=recent.turnover, orders=recent.orders, price=recent.price),
        waiting=None if waiting is None else replace(waiting, question_id=""),
    )
    depth, terms = 1, terms_of(order, inputs)
    while depth < max(len(inputs.book.bids), len(inputs.book.asks)):
        tried = replace(short, book=_cut(inputs.book, order.side, depth))
        plan = allowed(wanted(tried), tried)
        if plan.order == order and terms_of(plan.order, tried) == terms:
            return tried
        depth *= 2
    return short


def _cut(book: OrderBook, side: Side, depth: int) -> OrderBook:
    """Returns *depth* prices of the side that the order takes from, and the best of the other."""
    bids, asks = (1, depth) if side is Side.BUY else (depth, 1)
    return replace(book, bids=book.bids[:bids], asks=book.asks[:asks])
