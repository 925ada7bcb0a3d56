"""The streams of best prices at the fake MEXC, from the subscription to the account that is due."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from engine.domain.market.pairs import Symbol
from engine.domain.market.quotes import Quote
from engine.domain.streams.trust import Doubt
from engine.exchanges.mexc.client import MexcClient
from engine.exchanges.mexc.market_data import MexcMarket
from engine.exchanges.mexc.price_streams import MexcPriceStreams
from engine.exchanges.mexc.push_messages import BEST_PRICES
from engine.streaming.price_streams import PriceFleet
from tests.exchange.streaming import Away
from tests.fakes.mexc_connection import Refusal

D = Decimal
MNTLUSDT, ZONE = Symbol("MNTLUSDT"), Symbol("ZONEUSDT")


class Told:
    """Satisfies `PriceFeed`."""

    def __init__(self) -> None:
        self.answers: dict[Symbol, bool] = {}
        self.quotes: list[Quote | None] = []

    def answered(self, symbol: Symbol, *, is_subscribed: bool) -> None:
        self.answers[symbol] = is_subscribed

    def quote(self, symbol: Symbol, quote: Quote | None) -> None:
        self.quotes.append(quote)


async def test_best_prices_are_told_and_a_pair_of_the_zone_is_refused(away: Away):
    told = Told()
    away.streams.refusals[f"{BEST_PRICES}@{ZONE}"] = Refusal.BLOCKED
    prices = MexcPriceStreams(streams=away.session, clock=away.clock)
    stream = await prices.open(told)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(stream.run())
        await stream.subscribe([MNTLUSDT, ZONE])
        await away.streams.until(lambda: len(told.answers) == 2)
        away.mexc.ledger.pairs["MNTLUSDT"].move(D("1.5"))
        await away.streams.until(lambda: bool(told.quotes))
        away.mexc.ledger.pairs["MNTLUSDT"].asks = []
        await away.streams.until(lambda: None in told.quotes)
        await stream.end(Doubt.CLOSED)

    assert told.answers == {MNTLUSDT: True, ZONE: False}
    first = told.quotes[0]
    assert first is not None
    assert first.bid < D("0.003") < first.ask


async def test_a_mistake_of_whoever_is_told_is_not_taken_for_prices_that_cross(away: Away):
    """It would be silent for ever, and no price would count."""

    class Mistaken(Told):
        def quote(self, symbol: Symbol, quote: Quote | None) -> None:
            raise ValueError("a mistake of ours")

    prices = MexcPriceStreams(streams=away.session, clock=away.clock)
    stream = await prices.open(Mistaken())
    await stream.subscribe([MNTLUSDT])
    await away.streams.until(lambda: bool(away.streams.subscribed(f"{BEST_PRICES}@{MNTLUSDT}")))
    away.mexc.ledger.pairs["MNTLUSDT"].move(D("1.5"))

    with pytest.raises(ValueError, match="a mistake of ours"):
        await asyncio.wait_for(stream.run(), timeout=5)


async def test_prices_are_read_and_then_followed(away: Away, mexc_client: MexcClient):
    seen: list[Quote] = []
    fleet = PriceFleet(
        clock=away.clock,
        streams=MexcPriceStreams(streams=away.session, clock=away.clock),
        read=partial(MexcMarket(mexc_client).quotes, listed_only=True),
    )
    fleet.on_quote.append(lambda _symbol, quote: seen.append(quote))
    fleet.want(MNTLUSDT)

    def turned(*, until: Callable[[], bool]) -> bool:
        away.clock.shift(timedelta(milliseconds=50))
        fleet.turn()
        return until()

    async with asyncio.TaskGroup() as tasks:
        fleet._tasks = tasks
        await away.streams.until(lambda: turned(until=lambda: fleet.live == 1))
        read = fleet.quote(MNTLUSDT)
        away.mexc.ledger.pairs["MNTLUSDT"].move(D("1.5"))
        await away.streams.until(lambda: turned(until=lambda: bool(seen)))
        fleet.leave(MNTLUSDT)
        fleet.turn()

    assert read is not None
    assert abs(seen[-1].mid - read.mid * D("1.5")) < D("1e-6")
    assert len(away.streams.connects) == 1
