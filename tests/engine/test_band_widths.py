"""Bands that follow volatility, over a real database: renewed once a day, and in force for trades."""

from datetime import timedelta
from decimal import Decimal

from engine.domain.market.candles import HOUR, HourlyClose, whole_hour
from engine.domain.market.pairs import USDT, Symbol
from engine.domain.rebalancing.check_result import NoTrade, OrderPlaced
from engine.domain.rebalancing.planner import InsideBand
from engine.storage.database import Database
from engine.storage.trading import candles
from tests.engine.harness import Engine
from tests.engine.portfolios import BTC, an_exchange, open_basket
from tests.engine.test_checker import WRITES
from tests.fakes.clock import START, FakeClock
from tests.fakes.database import statements

D = Decimal


async def hours(engine: Engine, *, swing: str, count: int = 160) -> None:
    """Store *count* hours of BTC that end now, each up or down by *swing*."""
    until = whole_hour(engine.clock.now())
    closes = [
        HourlyClose(until - n * HOUR, 10 + D(swing) * (n % 2)) for n in reversed(range(count))
    ]
    symbol = Symbol(BTC + USDT)
    async with engine.database.writing() as session:
        await candles.claim(
            session, symbol, newest=closes[0].at, now=engine.clock.now(), lease=HOUR
        )
        await candles.store(
            session, symbol, closes, since=closes[0].at, until=until, asked_at=until
        )


async def test_bands_are_renewed_once_a_day_kept_over_a_restart_and_in_force(
    database: Database, clock: FakeClock
):
    exchange = an_exchange(clock)
    engine = Engine(database, clock, exchange)
    account = await open_basket(engine, scaled=True)
    await hours(engine, swing="0.1")
    await engine.check(account)
    widths = (await engine.account(account)).widths
    assert widths is not None
    assert set(widths.factors.values()) == {1}
    assert widths.usual.keys() == {BTC}
    assert (widths.until.hour, widths.until.minute) == (0, 10)
    assert timedelta(0) < widths.until - START <= timedelta(days=1)

    await engine.wait(timedelta(days=8))
    await hours(engine, swing="0.4")
    exchange.others[BTC] = D(35)
    assert (await engine.check(account)).look.verdict == NoTrade(InsideBand())
    wider = (await engine.account(account)).widths
    assert wider is not None
    assert round(wider.factors[BTC], 1) == D("2.5")
    again = Engine(database, clock, exchange)
    again.fences = engine.fences
    await again.check(account)
    with statements(database) as seen:
        checked = await again.check(account)
    assert checked.look.verdict == NoTrade(InsideBand())
    assert not [one for one in seen if one.startswith(WRITES)]

    exchange.others[BTC] = D(60)
    assert isinstance((await again.check(account)).look.verdict, OrderPlaced)
    account = await again.change(account, scaled=False)
    assert (await again.account(account)).widths is None


async def test_bands_as_they_were_set_trade_what_wider_ones_let_be(
    sqlite: Database, clock: FakeClock
):
    exchange = an_exchange(clock, btc=35)
    engine = Engine(sqlite, clock, exchange)
    account = await open_basket(engine, scaled=True)
    await hours(engine, swing="0.4", count=50)  # too few to know
    assert isinstance((await engine.check(account)).look.verdict, OrderPlaced)
