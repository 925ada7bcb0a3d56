"""Orders at the exchange that are made as ours are and are not known: told once, cancelled by a tap."""

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.alerts.order_alerts import StrayOrderFound
from engine.domain.market.pairs import OrderType, Side, Symbol
from engine.domain.orders.order import ClientOrderId
from engine.errors import OutcomeUnknown, Unavailable
from engine.exchanges.interface import OrderRequest
from engine.execution.stray_orders import (
    StrayEnded,
    StrayIsOurs,
    StrayOrder,
    StrayOrders,
    StrayStands,
)
from engine.storage.database import Database
from tests.builders import MNTLUSDT
from tests.engine.harness import CHAT, Engine
from tests.engine.portfolios import an_exchange, open_basket
from tests.fakes.clock import START, FakeClock
from tests.fakes.exchange import FakeExchange

D = Decimal
STRAY = ClientOrderId("bl" + "a2" * 13)
THEIRS = ClientOrderId("their-own-order")


async def rests(exchange: FakeExchange, name: ClientOrderId = STRAY) -> StrayOrder:
    await exchange.place(
        OrderRequest(
            client_order_id=name,
            symbol=MNTLUSDT,
            side=Side.BUY,
            quote_amount=None,
            base_quantity=D(500),
            sent_at=START,
            order_type=OrderType.LIMIT,
            price=D("0.0019"),
        )
    )
    return StrayOrder(MNTLUSDT, name)


def at(engine: Engine) -> StrayOrders:
    return StrayOrders(
        database=engine.database,
        clock=engine.clock,
        exchange_for=lambda account: engine.exchanges[account.chat_id],
    )


async def test_an_order_of_ours_without_a_row_is_told_once_and_theirs_never(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    await rests(exchange)
    await rests(exchange, THEIRS)
    account = await engine.open_account(target=D(60))

    for fence in (None, None, 7):
        await engine.check(account, fence=fence)

    [told] = await engine.alerts_of(StrayOrderFound)
    assert (told.client_order_id, told.price, told.base_quantity) == (STRAY, D("0.0019"), D(500))
    assert exchange.calls["open_orders"] == 2
    assert exchange.calls["cancel"] == 0
    assert {*exchange.resting} == {STRAY, THEIRS}


async def test_one_that_a_look_up_shows_to_be_over_is_not_told(
    engine: Engine, exchange: FakeExchange
):
    await rests(exchange)
    exchange.ledger[STRAY] = replace(exchange.ledger[STRAY], is_final=True)

    await engine.check(await engine.open_account())

    assert await engine.alerts_of(StrayOrderFound) == []


async def test_what_could_not_be_asked_is_asked_at_the_next_check_and_stops_none(
    engine: Engine, exchange: FakeExchange
):
    await rests(exchange)
    exchange.usdt = D(60)
    account = await engine.open_account()
    exchange.go_wrong("open_orders", Unavailable("503"))

    await engine.check(account)
    posts = len(exchange.tickets) - 1
    await engine.check(account)

    assert posts == 1
    assert len(await engine.alerts_of(StrayOrderFound)) == 1


async def test_it_is_looked_for_in_every_pair_that_is_traded(sqlite: Database, clock: FakeClock):
    exchange = an_exchange(clock)
    engine = Engine(sqlite, clock, exchange)
    await exchange.place(
        OrderRequest(
            client_order_id=STRAY,
            symbol=Symbol("BTCUSDT"),
            side=Side.BUY,
            quote_amount=None,
            base_quantity=D(1),
            sent_at=START,
            order_type=OrderType.LIMIT,
            price=D("9.00"),
        )
    )
    account = await open_basket(engine)

    for _ in range(2):
        await engine.check(account)

    [told] = await engine.alerts_of(StrayOrderFound)
    assert (told.symbol, told.client_order_id) == ("BTCUSDT", STRAY)
    assert exchange.calls["open_orders"] == 3


@pytest.mark.parametrize("error", [None, OutcomeUnknown("timeout"), Unavailable("503")])
async def test_a_tap_cancels_it_and_only_a_look_up_says_so(
    engine: Engine, exchange: FakeExchange, error: Exception | None
):
    stray = await rests(exchange)
    account = await engine.open_account()
    if error is not None:
        exchange.go_wrong("cancel", error, executes=True)

    answer = await at(engine).cancel(account, stray, user_id=CHAT)

    assert isinstance(answer, StrayEnded)
    assert answer.was_open
    assert exchange.resting == {}


async def test_a_cancellation_that_is_not_proven_is_not_called_one(
    engine: Engine, exchange: FakeExchange
):
    stray = await rests(exchange)
    account = await engine.open_account()
    exchange.go_wrong("cancel", Unavailable("503"))

    assert isinstance(await at(engine).cancel(account, stray, user_id=CHAT), StrayStands)
    assert {*exchange.resting} == {STRAY}


async def test_one_that_is_over_already_is_not_cancelled(engine: Engine, exchange: FakeExchange):
    stray = await rests(exchange)
    account = await engine.open_account()
    exchange.fill(STRAY, 500)

    answer = await at(engine).cancel(account, stray, user_id=CHAT)

    assert isinstance(answer, StrayEnded)
    assert not answer.was_open
    assert exchange.calls["cancel"] == 0


async def test_an_order_that_is_followed_here_is_left_to_that(
    engine: Engine, exchange: FakeExchange
):
    exchange.usdt, exchange.open_lookups = D(60), 100
    account = await engine.open_account()
    await engine.check(account)
    [ours] = await engine.intents()

    answer = await at(engine).cancel(
        account, StrayOrder(MNTLUSDT, ours.client_order_id), user_id=CHAT
    )

    assert isinstance(answer, StrayIsOurs)
    assert exchange.calls["cancel"] == 0
