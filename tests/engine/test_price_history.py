"""One price an hour of each pair in use: one request for all accounts, and none twice."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.accounts.account import Account
from engine.domain.market.candles import HOUR, whole_hour
from engine.domain.market.pairs import Symbol
from engine.errors import BadData, PairUnavailable, Unavailable
from engine.exchanges import price_history
from engine.exchanges.price_history import PriceHistory
from engine.storage.database import Database
from engine.storage.trading import candles, orders
from tests import builders
from tests.builders import MNTLUSDT
from tests.engine.harness import CHAT, Engine
from tests.fakes.clock import FakeClock
from tests.fakes.database import statements
from tests.fakes.exchange import FakeExchange

OTHER_CHAT = 1002
SECOND = timedelta(seconds=1)


@pytest.fixture
def exchange(clock: FakeClock) -> FakeExchange:
    clock.shift(timedelta(seconds=30))  # the hour is over, and the exchange knows its last trade
    return FakeExchange(clock)


@pytest.fixture
def engine(database: Database, clock: FakeClock, exchange: FakeExchange) -> Engine:
    return Engine(database, clock, {CHAT: exchange, OTHER_CHAT: exchange})


def history(engine: Engine) -> PriceHistory:
    return PriceHistory(
        database=engine.database,
        clock=engine.clock,
        exchange_for=lambda account: engine.exchanges[account.chat_id],
    )


async def hours(engine: Engine, *, since: timedelta) -> int:
    now = engine.clock.now()
    async with engine.database.reading() as session:
        line = await candles.prices(session, MNTLUSDT, since=now - since, until=now)
    return len(line.times)


async def a_trade(engine: Engine, account: Account, *, ago: timedelta) -> None:
    order = builders.intent(account_id=account.id, created_at=engine.clock.now() - ago)
    async with engine.database.writing() as session:
        await orders.add(session, order)


async def test_two_accounts_of_a_pair_and_two_processes_share_one_request_an_hour(
    engine: Engine, exchange: FakeExchange
):
    await engine.open_account()
    await engine.open_account(OTHER_CHAT)
    here, there = history(engine), history(engine)
    await here.round()
    first = exchange.calls["hourly_closes"]
    for _ in range(3 * 60):
        engine.clock.shift(timedelta(minutes=1))
        await here.round()
        await there.round()

    assert (first, exchange.calls["hourly_closes"]) == (1, 4)
    assert await hours(engine, since=4 * HOUR) >= 4


async def test_the_hours_since_the_first_trade_are_read_page_by_page(
    engine: Engine, exchange: FakeExchange
):
    await a_trade(engine, await engine.open_account(), ago=1_200 * HOUR)
    prices = history(engine)
    for _ in range(10):
        await prices.round()
        engine.clock.shift(timedelta(minutes=2))

    assert exchange.calls["hourly_closes"] == 3
    assert await hours(engine, since=1_201 * HOUR) >= 1_200


async def test_a_report_has_the_hours_at_once_and_only_once(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await engine.open_account()
    prices, since = history(engine), clock.now() - 600 * HOUR
    now = whole_hour(clock.now())
    exchange.paper_market.closes[now - HOUR] = Decimal("0.0021")
    for _ in range(2):
        await prices.fill(account, MNTLUSDT, since=since)

    assert exchange.calls["hourly_closes"] == 2
    async with engine.database.reading() as session:
        line = await candles.prices(session, MNTLUSDT, since=since, until=clock.now())
    assert line.at(now - SECOND) == Decimal("0.0021")
    assert line.at(now) == Decimal("0.002")


async def test_a_round_with_nothing_to_ask_writes_nothing(engine: Engine, exchange: FakeExchange):
    await engine.open_account()
    prices = history(engine)
    await prices.round()
    engine.clock.shift(timedelta(minutes=2))
    with statements(engine.database) as seen:
        await prices.round()

    assert not [text for text in seen if not text.lstrip().upper().startswith(("SELECT", "BEGIN"))]
    assert exchange.calls["hourly_closes"] == 1


async def test_a_key_that_does_not_see_the_pair_leaves_it_to_another(
    engine: Engine, exchange: FakeExchange
):
    await engine.open_account()
    await engine.open_account(OTHER_CHAT)
    exchange.go_wrong("hourly_closes", PairUnavailable(code=-1121, message="Invalid symbol."))
    await history(engine).round()

    assert exchange.calls["hourly_closes"] == 2
    assert await hours(engine, since=100 * HOUR) >= 100


async def test_a_pair_that_is_gone_is_asked_for_once_an_hour(
    engine: Engine, exchange: FakeExchange
):
    await engine.open_account()
    gone = PairUnavailable(code=-1121, message="Invalid symbol.")
    exchange.go_wrong("hourly_closes", gone, times=100)
    prices = history(engine)
    for _ in range(60):
        await prices.round()
        engine.clock.shift(timedelta(minutes=2))

    assert exchange.calls["hourly_closes"] == 2


async def test_an_exchange_that_is_away_is_asked_again_a_minute_later(
    engine: Engine, exchange: FakeExchange
):
    await engine.open_account()
    exchange.go_wrong("hourly_closes", Unavailable("away"))
    prices = history(engine)
    with pytest.raises(Unavailable):
        await prices.round()
    engine.clock.shift(timedelta(seconds=61))
    await prices.round()

    assert await hours(engine, since=100 * HOUR) >= 100


async def test_a_pair_whose_prices_are_no_answer_keeps_no_other_pair_waiting(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    engine.exchanges[OTHER_CHAT] = strange = FakeExchange(clock)
    await engine.open_account()
    other = await engine.open_account(OTHER_CHAT)
    await engine.change(other, symbol=Symbol("ABCUSDT"))
    strange.go_wrong("hourly_closes", BadData("a candle is not a time and its prices"))
    with pytest.raises(BadData):
        await history(engine).round()

    assert await hours(engine, since=100 * HOUR) >= 100


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def test_an_exchange_that_does_not_answer_holds_no_round_up(
    engine: Engine, exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch
):
    """Digests, cards and pauses come after it."""
    monkeypatch.setattr(price_history, "_PATIENCE_S", 0.01)
    await engine.open_account()
    exchange.meanwhile("hourly_closes", _for_ever)
    async with asyncio.timeout(5):
        with pytest.raises(Unavailable):
            await history(engine).round()


async def test_a_report_does_without_an_exchange_that_is_away(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await engine.open_account()
    exchange.go_wrong("hourly_closes", Unavailable("away"))
    await history(engine).fill(account, MNTLUSDT, since=clock.now() - HOUR)

    assert await hours(engine, since=HOUR) == 0
