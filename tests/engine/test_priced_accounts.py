"""A price that is told leads to the order that a poll would have led to, only sooner."""

from datetime import timedelta
from decimal import Decimal
from functools import partial

from engine.accounts.overview import AccountOverviews
from engine.domain.market.pairs import Side, Symbol
from engine.domain.market.quotes import Quote
from engine.domain.rebalancing.check_result import PriceSeen
from engine.storage.database import Database
from engine.streaming.live_accounts import LiveAccounts
from engine.streaming.live_prices import LivePrices
from engine.streaming.price_streams import PriceFleet
from tests.builders import MNTLUSDT
from tests.engine.harness import Engine, StillClock
from tests.engine.portfolios import BTC, an_exchange, open_basket
from tests.engine.test_dispatcher import Process, alive
from tests.engine.test_streamed_accounts import RememberingFleet
from tests.fakes.price_streams import FakePriceStreams
from tests.fakes.tasks import a_moment, running

D = Decimal
QUARTER = timedelta(milliseconds=250)
BTCUSDT = Symbol("BTCUSDT")


async def test_the_card_shows_the_price_that_is_told(sqlite: Database):
    clock = StillClock()
    exchange = an_exchange(clock)
    engine = Engine(sqlite, clock, exchange)
    streams = FakePriceStreams()
    fleet = PriceFleet(clock=clock, streams=streams, read=exchange.market.quotes)
    overviews = AccountOverviews(
        database=sqlite,
        clock=clock,
        dispatcher=Process(engine).dispatcher,
        live=LiveAccounts(clock),
        prices=LivePrices(clock, fleet),
    )
    account = await engine.open_account()
    assert (await overviews.of(account)).price is None

    fleet.want(MNTLUSDT)
    async with running(fleet.run()):
        while not fleet.live:
            clock.shift(QUARTER)
            await a_moment()
        streams.tell(MNTLUSDT, "0.0029", "0.0031")
        told = (await overviews.of(account)).price

    assert told == PriceSeen(D("0.003"), clock.now())


async def test_a_price_leads_to_an_order_between_two_polls(sqlite: Database):
    clock = StillClock()
    exchange = an_exchange(clock)
    engine = Engine(sqlite, clock, exchange, owner="process-1")
    streams = FakePriceStreams()
    read = partial(exchange.market.quotes, listed_only=True)
    prices = LivePrices(clock, PriceFleet(clock=clock, streams=streams, read=read))
    process = Process(engine, checker=engine.checker, fleet=RememberingFleet(), prices=prices)
    prices.on_due = lambda account_id, at: process.dispatcher.wake(account_id, at=at)
    account = await open_basket(engine)
    async with alive(process), running(prices.run()):
        await process.beat()
        while not prices.are_live(account.id):
            clock.shift(QUARTER)
            await a_moment()
        exchange.paper_market.others[BTC] = Quote(D("13.00"), D("13.01"))
        streams.tell(BTCUSDT, "13.00", "13.01")
        told_at = clock.now()
        while not exchange.tickets:
            clock.shift(QUARTER)
            await a_moment()
        sent_after = clock.now() - told_at
        await process.dispatcher.until_idle()

    first = exchange.tickets[0]
    assert (first.symbol, first.side) == (BTCUSDT, Side.SELL)
    assert sent_after < timedelta(seconds=5)
