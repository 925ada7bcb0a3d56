"""A trade over time that runs: which slice is next, how far it is, and what its end changes. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

from engine.domain.accounts.settings import Settings
from engine.domain.execution.slices import (
    DueSlice,
    NextSlice,
    SlicedTrade,
    SlicesEnd,
    SlicesOver,
    next_slice,
)
from engine.domain.market.decimals import (
    EXACT_OR_LESS,
    ZERO,
)
from engine.domain.market.pairs import USDT, Asset, Side, Symbol
from engine.domain.orders.order import Order
from engine.domain.rebalancing.manual_trade import ManualTrade
from engine.domain.targets.target import FixedUsdt

_PATIENCE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicedRun:
    """A *trade* over time that *user_id* confirmed; *plan_id* is the confirmation's. It ends where
    less than *least* is left. After it trading *pauses*, or *target* becomes the account's.
    *last* is the number of the slice that ran last, *end* why none runs any more.
    """

    plan_id: str
    user_id: int
    symbol: Symbol
    dry_run: bool
    trade: SlicedTrade
    least: Decimal
    pauses: bool = False
    target: Decimal | None = None
    last: int = 0
    end: SlicesEnd | None = None

    @property
    def count(self) -> int:
        return len(self.trade.amounts)

    def is_over(self, now: datetime) -> bool:
        """True if it ends without another look at the balance: what is to be told is known, or the
        exchange was not seen for so long after the deadline.
        """
        return self.end is not None or now >= self.trade.deadline + _PATIENCE

    def run_id(self, number: int) -> str:
        """Names the decision for slice *number*, so that none becomes two orders."""
        return f"{self.plan_id}:{number}"

    def step(self, done: "SlicesDone", *, now: datetime) -> DueSlice | NextSlice | SlicesOver:
        """Returns what is to be done *now*, after what was *done*."""
        return next_slice(
            self.trade,
            last=self.last,
            traded=done.of(self.trade),
            minimum=self.least,
            now=now,
            stop=self.end,
        )

    def next_at(self, now: datetime) -> datetime | None:
        """Returns when the next slice is due; None after the last one, and where it is late."""
        if self.end is not None or self.last >= self.count:
            return None
        due = self.trade.due_at(self.last + 1)
        return due if due > now else None

    def changes(
        self, done: "SlicesDone", *, end: SlicesEnd, settings: Settings, held: Decimal | None
    ) -> Mapping[str, Any]:
        """Returns the fields of the settings that change at the *end*: none if nothing was traded.
        *held* is the balance, if it was read. Where it is not what *target* was meant for, trading
        pauses: a check would trade back, or trade the rest at once.
        """
        if not done.base_quantity or not (self.pauses or self.target is not None):
            return {}
        if self.target is not None and held is not None and end in _BY_ITSELF:
            set_to = FixedUsdt(self.target)
            fixed = replace(settings, target=set_to).fixed
            if fixed is not None and fixed.band.holds(held):
                return {"target": set_to}
        return {"paused": True}


_BY_ITSELF = frozenset({SlicesEnd.DONE, SlicesEnd.DEADLINE})


def plan_of(run_id: str) -> str:
    """Returns the confirmation that an order's run came from, be it a slice or not."""
    return run_id.partition(":")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicesDone:
    """What *orders* slices traded together. *cost* is what they lost against the prices seen when
    each was planned, with the fees in USDT.
    """

    orders: int = 0
    base_quantity: Decimal = ZERO
    quote_amount: Decimal = ZERO
    fees: Mapping[Asset, Decimal]
    fees_complete: bool = True
    cost: Decimal = ZERO

    @property
    def average_price(self) -> Decimal | None:
        return self.quote_amount / self.base_quantity if self.base_quantity else None

    def of(self, trade: SlicedTrade) -> Decimal:
        """Returns how much of *trade* is done, in its unit; a sale brings what is left of its fee."""
        if trade.in_base:
            return self.base_quantity
        if trade.side is Side.BUY:
            return self.quote_amount
        return max(EXACT_OR_LESS.subtract(self.quote_amount, self.fees.get(USDT, ZERO)), ZERO)


def done_by(orders: Collection[Order]) -> SlicesDone:
    """Adds up the slices in *orders*."""
    traded = [order for order in orders if order.execution.base_quantity]
    fees: dict[Asset, Decimal] = {}
    with localcontext(EXACT_OR_LESS):
        for order in traded:
            for asset, fee in order.fees.by_asset.items() if order.fees else ():
                fees[asset] = fees.get(asset, ZERO) + fee
        return SlicesDone(
            orders=len(traded),
            base_quantity=sum((order.execution.base_quantity for order in traded), ZERO),
            quote_amount=sum((order.execution.quote_amount for order in traded), ZERO),
            fees=fees,
            fees_complete=all(order.fees and order.fees.complete for order in traded),
            cost=sum(map(_lost, traded), fees.get(USDT, ZERO)),
        )


@dataclass(frozen=True, slots=True)
class SlicesProgress:
    """A trade over time that runs, and what is done of it."""

    run: SlicedRun
    done: SlicesDone


def _lost(order: Order) -> Decimal:
    """Returns USDT, below zero where the fill was better than the price seen."""
    if order.price is None:
        return ZERO
    at_seen = order.execution.base_quantity * order.price
    lost = order.execution.quote_amount - at_seen
    return lost if order.side is Side.BUY else -lost


def slice_trade(trade: SlicedTrade, amount: Decimal) -> ManualTrade:
    """Returns the trade by hand that a slice of *amount* is."""
    if trade.in_base:
        return ManualTrade(trade.side, base_quantity=amount)
    return ManualTrade(trade.side, quote_amount=amount)
