"""What is kept of each order to tell what it cost, and that the chat never waits for it."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from engine.domain.execution.bound import ExecutionMode
from engine.domain.market.pairs import USDT, Asset, Symbol
from engine.domain.orders.ledger import EndReason
from engine.domain.orders.order import Fees, Order, OrderState
from engine.domain.profit.costs import NotKnown, cost_of
from engine.domain.profit.entries import Prices
from engine.errors import Rejected, Unavailable
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


async def test_fees_are_not_asked_for_without_end(engine: Engine, exchange: FakeExchange):
    exchange.late_fills = 1000
    account = await engine.open_account()
    await engine.check(account)
    await engine.wait(timedelta(hours=2))
    asked = exchange.calls["fees"]
    await engine.check(account)

    assert exchange.calls["fees"] == asked
