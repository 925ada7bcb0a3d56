"""What a plan over several pairs starts from, and what it comes to. In USDT; a buy is above zero,
a sell below.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from enum import Enum

from engine.domain.market.decimals import ONE, ZERO, ceil_to_step, floor_to_step
from engine.domain.market.pairs import Asset, Side
from engine.domain.targets.goals import Goal

# Shares and costs are quotients: 40 digits are more than any amount has.
PLANNING = Context(prec=40)
# Of the whole: less than this is not outside, it is how a quotient was rounded.
ROUNDING = Decimal("1e-12")


class LegReason(Enum):
    """Why an asset outside its band stays there, or comes only nearer."""

    UNDER_MINIMUM = "under minimum"
    NOT_ENOUGH_FREE = "not enough free"
    SIDE_CLOSED = "side closed"
    BUYING_STOPPED = "buying stopped"
    STEP_TOO_COARSE = "step too coarse"
    PROTECTED = "protected amount not held"
    WOULD_PUSH_CASH = "would push USDT out of its band"
    NOT_REACHABLE = "not reachable with what may be traded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One token of a plan. *value* is what is managed of it, *free* how much of that may be sold.
    An order is worth *least* at least, and a multiple of its step; a step of zero is none. A trade
    to an edge leads *inset* inside.
    *buying* and *selling* say what closes a side.
    """

    asset: Asset
    value: Decimal
    goal: Goal
    free: Decimal
    cost_rate: Decimal = ZERO
    least: Decimal = ZERO
    inset: Decimal = ZERO
    buy_step: Decimal = ZERO
    sell_step: Decimal = ZERO
    buying: LegReason | None = None
    selling: LegReason | None = None

    def closed(self, side: Side) -> LegReason | None:
        return self.buying if side is Side.BUY else self.selling

    def floor(self, side: Side, size: Decimal) -> Decimal:
        step = self._step(side)
        return floor_to_step(size, step) if step else size

    def ceil(self, side: Side, size: Decimal) -> Decimal:
        step = self._step(side)
        return ceil_to_step(size, step) if step else size

    def _step(self, side: Side) -> Decimal:
        return self.buy_step if side is Side.BUY else self.sell_step


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """*cash* is the USDT that is managed; *floor* of it stays for fees, whatever is bought."""

    cash: Decimal
    cash_goal: Goal
    positions: Sequence[Position]
    floor: Decimal = ZERO

    @property
    def whole(self) -> Decimal:
        return self.cash + sum((position.value for position in self.positions), ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The *trades* of a plan by token, what they *cost* together, and *reasons* for what is left
    outside; an asset may have both.
    """

    trades: Mapping[Asset, Decimal] = field(default_factory=dict)
    cost: Decimal = ZERO
    reasons: Mapping[Asset, LegReason] = field(default_factory=dict)


def cost_of(positions: Sequence[Position], trades: Mapping[Asset, Decimal]) -> Decimal:
    costs = (p.cost_rate * trades[p.asset].copy_abs() for p in positions if p.asset in trades)
    return sum(costs, ZERO)


def cash_after(portfolio: Portfolio, trades: Mapping[Asset, Decimal]) -> Decimal:
    return portfolio.cash - sum(trades.values(), ZERO) - cost_of(portfolio.positions, trades)


def cash_per(side: Side, cost_rate: Decimal) -> Decimal:
    """Returns how much cash one USDT of a trade moves: a buy takes more, a sell brings less."""
    return ONE + cost_rate if side is Side.BUY else ONE - cost_rate
