"""Reads the fees of an order that has ended, and the balances once they show it."""

from dataclasses import replace
from datetime import timedelta

from engine.clock import Clock
from engine.domain.market.balances import Holdings
from engine.domain.orders.order import Fees, Order, can_be_of
from engine.domain.orders.settlement import shows
from engine.errors import Rejected, Unavailable
from engine.exchanges.interface import Exchange, OrderReport

# The exchange shows fills and balances a moment after the order itself.
_FIRST_PAUSE = timedelta(milliseconds=250)
_MOST_READS = 4


async def fees_of_order(
    intent: Order, report: OrderReport, exchange: Exchange, clock: Clock
) -> Fees | None:
    """The fees once all fills are shown; None where the exchange shows no fill of the order."""
    pause = _FIRST_PAUSE
    fees: Fees | None = None
    for _ in range(_MOST_READS):
        try:
            fees = await exchange.fees(
                intent.symbol,
                report.exchange_order_id,
                executed=report.execution.base_quantity,
                sent_at=intent.sent_at or intent.created_at,
            )
        except (Unavailable, Rejected):
            break
        if fees.complete:
            break
        await clock.sleep(pause)
        pause *= 2
    if fees is None or not can_be_of(report.execution, fees, symbol=intent.symbol):
        return None
    return fees if fees.complete or fees.by_asset else None


async def balances_after(
    intent: Order, report: OrderReport, exchange: Exchange, clock: Clock
) -> Holdings | None:
    """The balances once they show the fill; None where the exchange is slow to show it."""
    filled = replace(intent, execution=report.execution)
    pause = _FIRST_PAUSE
    for _ in range(_MOST_READS):
        try:
            holdings = await exchange.holdings()
            if shows(holdings, filled):
                return holdings
        except (Unavailable, Rejected):
            return None
        await clock.sleep(pause)
        pause *= 2
    return None
