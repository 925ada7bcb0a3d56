"""What is kept of each order to tell what it cost, and that the chat never waits for it."""

import asyncio
from dataclasses import replace
from datetime import UTC, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from engine.accounts.profit import ProfitReports
from engine.domain.execution.bound import ExecutionMode
from engine.domain.market.pairs import USDT, Asset, Symbol
from engine.domain.orders.ledger import EndReason
from engine.domain.orders.order import Fees, Order, OrderState
from engine.domain.profit.costs import CostReckoning, NotKnown, cost_of, settled_order
from engine.domain.profit.entries import PriceLine, Prices
from engine.errors import Rejected, Unavailable
from engine.exchanges.price_history import PriceHistory
from engine.storage.models.trading import OrderRow
from tests.engine.harness import Engine
from tests.fakes.clock import START, FakeClock
from tests.fakes.exchange import FakeExchange

D = Decimal
MX = Asset("MX")
COMPLETE = timedelta(minutes=2)


async def only_order(engine: Engine) -> Order:
    [intent] = await engine.intents()
    return intent


@pytest.mark.parametrize("mode", [ExecutionMode.MARKET, ExecutionMode.AUTO])
async def test_an_order_keeps_the_market_that_it_was_decided_on_and_its_end(
    engine_on_both: Engine, exchange: FakeExchange, mode: ExecutionMode
):
    engine = engine_on_both
    account = await engine.open_account(execution=mode)
    await engine.check(account)

    order = await only_order(engine)
    assert order.top is not None
    assert (order.top.bid, order.top.ask) == (D("0.002"), D("0.002001"))
    assert order.top.mid == order.price == D("0.0020005")
    assert order.top.read_at == START
    assert order.acknowledged_at is not None
    assert order.end_reason is EndReason.FILLED
    assert order.final_mid == D("0.0020005")
    async with engine.database.reading() as session:
        assert await session.scalar(select(OrderRow.execution_mode)) is mode
    if mode is ExecutionMode.AUTO:
        assert order.priced is not None
        assert order.priced.guard == D("0.01")
        assert order.priced.cost_bp is not None
        assert order.top.depth is not None


async def test_an_order_that_nobody_wanted_all_of_ended_at_its_bound(
    engine: Engine, exchange: FakeExchange
):
    exchange.fills = D("0.4")
    account = await engine.open_account()
    await engine.check(account)

    order = await only_order(engine)
    assert (order.state, order.end_reason) == (OrderState.PARTIAL, EndReason.BOUND)


async def test_an_order_that_rested_all_the_same_says_so(engine: Engine, exchange: FakeExchange):
    exchange.ioc_rests = True
    account = await engine.open_account(execution=ExecutionMode.AUTO)
    await engine.check(account)

    assert (await only_order(engine)).end_reason is EndReason.NOT_HONOURED


async def test_a_refused_order_has_ended_by_that(engine: Engine, exchange: FakeExchange):
    exchange.go_wrong("place", Rejected(code=1, message="no"))
    account = await engine.open_account()
    await engine.check(account)

    order = await only_order(engine)
    assert (order.end_reason, order.acknowledged_at) == (EndReason.REFUSED, None)


async def test_the_chat_does_not_wait_for_the_middle_at_the_end(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    asked = exchange.paper_market.book

    async def never(symbol: Symbol, *, fresh: bool = False):
        if fresh:
            await asyncio.Event().wait()
        return await asked(symbol)

    exchange.paper_market.book = never  # type: ignore[method-assign]
    account = await engine.open_account()
    async with asyncio.timeout(10):
        await engine.check(account)

    order = await only_order(engine)
    assert (order.state, order.final_mid) == (OrderState.FILLED, None)
    assert await engine.told() == ["TradeSettled"]


async def test_a_middle_that_cannot_be_read_is_left_out(engine: Engine, exchange: FakeExchange):
    exchange.paper_market.fails_fresh = Unavailable("no answer")
    account = await engine.open_account()
    await engine.check(account)

    assert (await only_order(engine)).final_mid is None


async def test_the_price_of_a_coin_that_pays_fees_is_kept_from_the_second_fill_on(
    engine: Engine, exchange: FakeExchange
):
    exchange.fee_coin = MX
    account = await engine.open_account()
    await engine.check(account)
    exchange.usdt += 20
    await engine.wait(timedelta(minutes=2))
    await engine.until_quiet(account)

    first, second = await engine.intents()
    assert (first.fee_price, second.fee_price) == (None, D("0.0020005"))
    assert cost_of(first, Prices({})) is NotKnown.FEES


async def test_fees_that_were_not_shown_in_time_are_booked_by_a_later_check(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    exchange.late_fills = 5
    account = await engine.open_account()
    await engine.check(account)
    booked = await only_order(engine)
    assert cost_of(booked, Prices({})) is NotKnown.FEES

    for _ in range(2):  # the first look shows no more than before
        await engine.wait(COMPLETE)
        await engine.check(account)

    order = await only_order(engine)
    assert order.fees == Fees({USDT: D("0.00855")})
    cost = cost_of(order, Prices({}))
    assert not isinstance(cost, NotKnown)
    assert cost is not None
    assert cost.fees == D("0.00855")
    asked = exchange.calls["fees"]
    await engine.wait(COMPLETE)
    await engine.check(account)
    assert exchange.calls["fees"] == asked


async def test_the_months_are_told_from_the_orders_of_the_account_and_its_kind_of_money(
    engine_on_both: Engine, exchange: FakeExchange, clock: FakeClock
):
    """Read as they are stored, they are what the orders themselves say."""
    engine = engine_on_both
    account = await engine.open_account(execution=ExecutionMode.AUTO)
    exchange.paper_market.asks = [("0.002001", 4000), ("0.002004", 10**7)]
    for fills, coin in (("1", USDT), ("0.4", MX), ("1", Asset("MNTL"))):
        exchange.fills, exchange.fee_coin = D(fills), coin
        await engine.until_quiet(account)
        exchange.usdt += 20
        await engine.wait(timedelta(days=20))
    prices = PriceHistory(database=engine.database, clock=clock, exchange_for=lambda _: exchange)
    reports = ProfitReports(
        database=engine.database, clock=clock, exchange_for=lambda _: exchange, prices=prices
    )
    found = await reports.costs(account)
    every = await engine.intents()
    coins = Prices({MX: PriceLine([START], [D("0.002")])})
    expected = CostReckoning(UTC)
    expected.take(settled_order(one, coins)._replace(mode=ExecutionMode.AUTO) for one in every)

    assert len(every) > len(found.months) == 3
    assert found == expected.report()
    assert (await reports.costs(account.with_money(dry_run=True))).months == []
    first = await reports.cost(every[0])
    assert first == cost_of(every[0], coins)
    of_mx = next(one for one in every if one.fees and MX in one.fees.by_asset)
    assert not isinstance(await reports.cost(replace(of_mx, fee_price=None)), NotKnown)


async def test_fees_are_not_asked_for_without_end(engine: Engine, exchange: FakeExchange):
    exchange.late_fills = 1000
    account = await engine.open_account()
    await engine.check(account)
    await engine.wait(timedelta(hours=2))
    asked = exchange.calls["fees"]
    await engine.check(account)

    assert exchange.calls["fees"] == asked
