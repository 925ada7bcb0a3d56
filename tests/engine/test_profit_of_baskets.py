"""Profit of an account with several tokens, from what its checks stored."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.accounts.profit import ProfitReports, SpanReport
from engine.domain.accounts.account import Account
from engine.domain.market.candles import HOUR
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, Symbol
from engine.domain.market.quotes import Quote
from engine.domain.profit.entries import Doubt, FlowKind
from engine.domain.profit.report import ProfitReport
from engine.domain.profit.spans import Span
from engine.domain.targets.target import Basket, FixedUsdt, Target
from engine.exchanges.price_history import PriceHistory
from engine.storage.accounts import audit, stored_profit
from engine.storage.database import Database
from engine.storage.trading import candles
from tests.builders import MNTL
from tests.engine.harness import CHAT, Engine
from tests.engine.portfolios import BTC, ETH, an_exchange, open_basket
from tests.fakes.clock import FakeClock
from tests.fakes.exchange import FakeExchange

D = Decimal


@pytest.fixture
def exchange(clock: FakeClock) -> FakeExchange:
    clock.shift(timedelta(seconds=30))
    return an_exchange(clock, btc=36)


@pytest.fixture
def engine(sqlite: Database, clock: FakeClock, exchange: FakeExchange) -> Engine:
    return Engine(sqlite, clock, exchange)


def history(engine: Engine) -> PriceHistory:
    return PriceHistory(
        database=engine.database,
        clock=engine.clock,
        exchange_for=lambda account: engine.exchanges[account.chat_id],
    )


async def report(engine: Engine, account: Account) -> ProfitReport:
    prices = history(engine)
    reports = ProfitReports(
        database=engine.database,
        clock=engine.clock,
        exchange_for=prices.exchange_for,
        prices=prices,
    )
    found = await reports.report(await engine.account(account), Span.ALL)
    assert isinstance(found, SpanReport)
    assert found.priced_now
    return found.report


async def checked(engine: Engine, account: Account, *, times: int = 3) -> None:
    """Some minutes in which all is noted, and what is outside is traded."""
    for _ in range(times):
        await engine.wait(timedelta(minutes=5))
        await engine.until_quiet(await engine.account(account))


async def retarget(engine: Engine, account: Account, target: Target) -> None:
    before = await engine.account(account)
    after = await engine.change(before, target=target)
    async with engine.database.writing() as session:
        at = engine.clock.now()
        await audit.add_changes(session, before, after, at=at, user_id=CHAT)


def worth(exchange: FakeExchange, *tokens: Asset) -> Decimal:
    quotes = exchange.paper_market.others
    amounts = {**exchange.others, MNTL: exchange.mntl}
    mids = {asset: quote.mid for asset, quote in quotes.items()} | {MNTL: D("0.0020005")}
    return exchange.usdt + sum((amounts[asset] * mids[asset] for asset in tokens), ZERO)


async def test_deposits_of_any_token_are_no_profit_and_trading_costs_what_it_cost(
    engine: Engine, exchange: FakeExchange
):
    account = await open_basket(engine)
    start = worth(exchange, BTC, ETH, MNTL)
    await checked(engine, account)
    exchange.others[ETH] += 10
    exchange.usdt += 50
    await checked(engine, account)
    found = await report(engine, account)

    assert (found.bought, found.sold) == (1, 1)
    assert found.now == worth(exchange, BTC, ETH, MNTL)
    assert found.deposits == 50 + 10 * D("2.001")
    assert found.brought == sum((trade.brought for trade in found.trades), ZERO)
    assert found.made - found.held_made == found.brought
    assert D("-0.3") < found.brought < 0
    assert abs(found.start - start) < D("0.1")  # by the hour's close, not the middle of now
    assert found.doubts == frozenset()
    assert {asset: units for asset, (units, _) in found.holdings.items()} == {
        USDT: exchange.usdt,
        BTC: exchange.others[BTC],
        ETH: exchange.others[ETH],
        MNTL: exchange.mntl,
    }


async def test_a_price_that_rose_is_made_by_holding(engine: Engine, exchange: FakeExchange):
    account = await open_basket(engine)
    await checked(engine, account)
    before = await report(engine, account)
    exchange.paper_market.others[ETH] = Quote(D("2.1"), D("2.102"))
    after = await report(engine, account)

    assert after.made - before.made == exchange.others[ETH] * D("0.1")
    assert after.held_made - before.held_made == 100 * D("0.1")
    assert after.brought < before.brought + D("10.1")


async def test_tokens_that_come_into_a_target_or_leave_it_are_flows_in_kind(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    account = await open_basket(engine, target=Basket.of([(BTC, 50), (USDT, 50)]))
    await checked(engine, account)
    await retarget(engine, account, Basket.of([(BTC, 2), (ETH, 2), (USDT, 2)]))
    await checked(engine, account)
    both = await report(engine, account)
    await retarget(engine, account, FixedUsdt(D(40)))
    await checked(engine, account)
    single = await report(engine, account)

    came = [(flow.asset, flow.units) for flow in both.flows if flow.kind is FlowKind.PAIR]
    assert came == [(ETH, D(100))]
    assert both.made == both.brought
    left = {flow.asset for flow in single.flows if flow.kind is FlowKind.PAIR and flow.units < 0}
    assert left == {BTC, ETH}
    assert single.now == worth(exchange, MNTL)
    assert single.start + single.deposits + single.fee_flows + single.made == single.now
    assert single.brought == sum((trade.brought for trade in single.trades), ZERO)
    assert abs(single.made) < 1
    assert single.doubts == frozenset()


async def test_the_prices_of_all_tokens_are_kept_for_the_digest(
    engine_on_both: Engine,
):
    engine = engine_on_both
    prices = history(engine)
    account = await open_basket(engine)
    await checked(engine, account)
    await engine.wait(2 * HOUR)
    for _ in range(4):
        await prices.round()
        await engine.wait(timedelta(minutes=2))
    now = engine.clock.now()

    async with engine.database.reading() as session:
        kept = [
            await candles.prices(session, Symbol(asset + USDT), since=now - 2 * HOUR, until=now)
            for asset in (BTC, ETH, MNTL)
        ]
        current = await engine.account(account)
        found = await stored_profit.report(session, current, since=now - HOUR, until=now)
    assert all(line.times for line in kept)
    assert found is not None
    assert Doubt.PRICE_OLD not in found.doubts
    assert found.now > 900
