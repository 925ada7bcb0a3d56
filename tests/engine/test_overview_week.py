"""The card's week: the stored records by the shared prices, and no reading in between."""

from datetime import timedelta
from decimal import Decimal

from engine.accounts.overview import Week, Weeks
from engine.domain.accounts.account import Account
from engine.domain.market.candles import HOUR
from engine.domain.rebalancing.check_result import CheckResult
from engine.exchanges.price_history import PriceHistory
from tests.engine.harness import Engine
from tests.fakes.database import WatchedDatabase
from tests.fakes.exchange import FakeExchange

D = Decimal
DAY = timedelta(days=1)


async def test_the_week_is_read_once_an_hour_and_when_money_moved(
    engine: Engine, exchange: FakeExchange
):
    engine.clock.shift(timedelta(seconds=30))
    prices = PriceHistory(
        database=engine.database, clock=engine.clock, exchange_for=lambda _: exchange
    )
    read: list[str] = []

    async def note(step: str) -> None:
        read.append(step)

    weeks = Weeks(
        database=WatchedDatabase(engine.database, engine.clock, on_step=note), clock=engine.clock
    )

    async def week(account: Account, seen: CheckResult | None = None) -> tuple[Week, int]:
        intents = await engine.intents()
        read.clear()
        asked = exchange.calls.copy()
        found = await weeks.of(account, last_trade=intents[-1] if intents else None, seen=seen)
        assert exchange.calls == asked
        assert not [step for step in read if not step.startswith("read")]
        return found, read.count("read begins")

    account = await engine.open_account()
    look = (await engine.until_quiet(account))[-1]
    assert await week(account, look) == (Week(), 1)
    await prices.round()
    await engine.wait(2 * DAY)
    exchange.paper_market.price = D("0.0021")
    await prices.round()

    found, times = await week(account, look)
    assert times == 1
    assert found.made is not None
    assert (round(found.made), found.about) == (11, False)
    assert DAY * 2 <= found.length < DAY * 2 + HOUR
    assert found.day_ago is not None
    assert await week(account, (await engine.check(account)).look) == (found, 0)

    exchange.usdt += 20
    traded = (await engine.check(account)).look
    after, times = await week(account, traded)
    assert times == 1
    assert after.made != found.made
    assert after.made is not None
    assert round(after.made) == 11  # the deposit is none of it
    await engine.wait(HOUR)
    assert (await week(account, traded))[1] == 1
    weeks.forget(account)
    assert (await week(account, traded))[1] == 1
