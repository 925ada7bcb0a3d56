"""What a chat must be told of a run of several trades."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.alerts.key_alerts import InMode
from engine.domain.alerts.traits import AlertKind, AlertTraits
from engine.domain.market.decimals import ZERO, ceil_to_step, step_of
from engine.domain.market.pairs import Asset, Side, Symbol
from engine.domain.orders.order import Order, Trigger
from engine.domain.portfolio.run import RunEnd
from engine.domain.runs.stored_run import LeftOutside, PortfolioRun, cost_of_trades


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTrade:
    """One trade of a run."""

    symbol: Symbol
    side: Side
    base_quantity: Decimal
    quote_amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettled(InMode, stored_as="run_settled", kind=AlertKind.TRADE):
    """A run of several trades has ended. *cost* is what they cost in USDT, fees and distance from
    the middle; None where a fee is not known, or was taken in another asset: *fees* has those.
    *left* is still outside its band.
    """

    trigger: Trigger
    end: RunEnd
    trades: tuple[RunTrade, ...]
    fees: Mapping[Asset, Decimal]
    fees_complete: bool
    cost: Decimal | None
    left: tuple[LeftOutside, ...] = ()

    @property
    def turnover(self) -> Decimal:
        return sum((trade.quote_amount for trade in self.trades), ZERO)

    @property
    def traits(self) -> AlertTraits:
        return AlertTraits(AlertKind.TRADE, self.trigger is Trigger.PERSON, self.turnover)


def run_settled(run: PortfolioRun, trades: Sequence[Order]) -> RunSettled:
    fees: dict[Asset, Decimal] = {}
    for order in trades:
        for asset, fee in (order.fees.by_asset if order.fees else {}).items():
            fees[asset] = fees.get(asset, ZERO) + fee
    cost = cost_of_trades(trades)
    return RunSettled(
        dry_run=run.dry_run,
        trigger=run.story.trigger,
        end=run.end or RunEnd.RESTARTED,
        trades=tuple(
            RunTrade(
                symbol=order.symbol,
                side=order.side,
                base_quantity=order.execution.base_quantity,
                quote_amount=order.execution.quote_amount,
            )
            for order in trades
        ),
        fees=fees,
        fees_complete=all(order.fees is not None and order.fees.complete for order in trades),
        cost=None if cost is None else ceil_to_step(max(cost, ZERO), step_of(8)),
        left=run.story.left,
    )
