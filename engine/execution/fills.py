"""Reads an order's end: its fees, the balances once they show it, and the market then."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain, repeat

from engine.clock import Clock
from engine.domain.execution.resting import BALANCES_WITHIN, LOOK_PAUSES
from engine.domain.market.balances import Holdings
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import Asset, Symbol, symbol_of
from engine.domain.orders.order import Fees, Fill, Order, can_be_of, coin_of, fees_of
from engine.domain.orders.settlement import shows
from engine.errors import Rejected, Unavailable
from engine.exchanges.interface import Exchange, OrderReport
from engine.exchanges.pair_data import middle
from engine.exchanges.rate_limiter import hurried

# The exchange shows fills and balances a moment after the order itself.
_FIRST_PAUSE = timedelta(milliseconds=250)
_MOST_READS = 4
# How far fills that were streamed may be from what was executed: each is rounded.
_ABOUT = Decimal("0.001")
# For so long the checks after an order ask once more for its fees, where some were not shown.
_SHOWS_FEES_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class OrderEnd:
    """What was read when an order had ended: its *fees*, the balances *after* it, asked for when
    *begun* by the steady clock, the middle of the book, and what the coin that paid the fee cost, if
    it is none of the pair. None of what could not be read in time.
    """

    fees: Fees | None = None
    after: Holdings | None = None
    begun: datetime | None = None
    mid: Decimal | None = None
    fee_price: Decimal | None = None


NOTHING_READ = OrderEnd()


async def read_end(
    intent: Order,
    report: OrderReport,
    exchange: Exchange,
    clock: Clock,
    *,
    coin: Asset | None,
    streamed: Collection[Fill] = (),
) -> OrderEnd:
    """The user waits for the fees and the balances. The prices, of *coin* too, are read meanwhile:
    what is not there by then is left out. *streamed* are the fills that a stream told.
    """
    with hurried():
        return await _read_end(intent, report, exchange, clock, coin=coin, streamed=streamed)


async def _read_end(
    intent: Order,
    report: OrderReport,
    exchange: Exchange,
    clock: Clock,
    *,
    coin: Asset | None,
    streamed: Collection[Fill],
) -> OrderEnd:
    async with asyncio.TaskGroup() as reads:
        fees = reads.create_task(fees_of_order(intent, report, exchange, clock, streamed=streamed))
        after = reads.create_task(balances_after(intent, report, exchange, clock))
        prices = [
            reads.create_task(middle(exchange.market, intent.symbol, fresh=True)),
            *(reads.create_task(middle(exchange.market, symbol)) for symbol in _symbols(coin)),
        ]
        await asyncio.wait([fees, after])
        for price in prices:
            price.cancel()
    mid, *others = [None if price.cancelled() else price.result() for price in prices]
    paid_with = coin_of(fees.result(), intent.symbol)
    fee_price = others[0] if others and paid_with == coin else None
    holdings, begun = after.result() or (None, None)
    return OrderEnd(fees.result(), holdings, begun, mid, fee_price)


def _symbols(coin: Asset | None) -> list[Symbol]:
    return [] if coin is None else [symbol_of(coin)]


async def fees_of_order(
    intent: Order,
    report: OrderReport,
    exchange: Exchange,
    clock: Clock,
    *,
    streamed: Collection[Fill] = (),
) -> Fees | None:
    """The fees once all fills are shown; None where the exchange shows no fill of the order. It is
    not asked where those that were *streamed* are all that was executed.
    """
    streamed_fees = fees_of(streamed, executed=report.execution.base_quantity)
    if (
        streamed
        and _are_all_of(streamed_fees.fills, report)
        and can_be_of(report.execution, streamed_fees, symbol=intent.symbol)
    ):
        return streamed_fees
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


def _are_all_of(fills: Collection[Fill], report: OrderReport) -> bool:
    """True if *fills* add up to what was executed, in both of its assets."""
    done = report.execution
    quote = sum((fill.price * fill.quantity for fill in fills), ZERO)
    is_paid = abs(quote - done.quote_amount) <= done.quote_amount * _ABOUT
    return is_paid and sum(fill.quantity for fill in fills) == done.base_quantity


async def late_fees(order: Order, exchange: Exchange) -> Fees | None:
    """Returns all fees of an *order* that was booked without some of them; None while they are not
    shown.
    """
    if order.exchange_order_id is None:
        return None
    try:
        fees = await exchange.fees(
            order.symbol,
            order.exchange_order_id,
            executed=order.execution.base_quantity,
            sent_at=order.sent_at or order.created_at,
        )
    except (Unavailable, Rejected):
        return None
    is_whole = fees.complete and can_be_of(order.execution, fees, symbol=order.symbol)
    return fees if is_whole else None


def lacks_fees(order: Order, *, now: datetime) -> bool:
    """True if the exchange may still show fees of *order* that it did not show in time."""
    is_whole = order.fees is not None and order.fees.complete
    ended_at = order.resolved_at
    return not is_whole and ended_at is not None and now - ended_at <= _SHOWS_FEES_WITHIN


async def balances_after(
    intent: Order, report: OrderReport, exchange: Exchange, clock: Clock
) -> tuple[Holdings, datetime] | None:
    """The balances once they show the fill, and when they were asked for by the steady clock; None
    where the exchange is slow to show it.
    """
    filled = replace(intent, execution=report.execution)
    pause = _FIRST_PAUSE
    for _ in range(_MOST_READS):
        try:
            begun = clock.steady()
            holdings = await exchange.holdings()
            if shows(holdings, filled):
                return holdings, begun
        except (Unavailable, Rejected):
            return None
        await clock.sleep(pause)
        pause *= 2
    return None


async def until_released(
    intent: Order, exchange: Exchange, clock: Clock, *, locked: Decimal | None
) -> OrderEnd:
    """Wait until nothing of an order that rested is locked any more, 15 s at most: a plan that is made
    before that would find too little free. *locked* was so before the order. Looks ever more rarely:
    an order of the user's own may lock it for good. Returns the middle, which is read meanwhile.
    """
    async with asyncio.TaskGroup() as reads:
        price = reads.create_task(middle(exchange.market, intent.symbol, fresh=True))
        await asyncio.wait([reads.create_task(_released(intent, exchange, clock, locked=locked))])
        price.cancel()
    return OrderEnd(mid=None if price.cancelled() else price.result())


async def _released(
    intent: Order, exchange: Exchange, clock: Clock, *, locked: Decimal | None
) -> None:
    until = clock.steady() + BALANCES_WITHIN
    pauses = chain(LOOK_PAUSES, repeat(LOOK_PAUSES[-1]))
    while locked is not None and (left := until - clock.steady()) > timedelta():
        with suppress(Unavailable, Rejected):
            if (await exchange.holdings()).of(intent.spends).locked <= locked:
                return
        await clock.sleep(min(next(pauses), left))
