"""Orders at a bound: sent as IOC, cancelled where they rest, MARKET where they are not taken."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.accounts.account import Account
from engine.domain.accounts.risk_limits import Limits
from engine.domain.alerts.alerts import IncidentAlert, PricesNotTaken, TradeSettled
from engine.domain.execution.bound import WIDENS_AFTER, ExecutionMode, Slippage
from engine.domain.execution.bounded_order import NoOfferNear
from engine.domain.execution.capability import NO_LASTS, Answer
from engine.domain.market.pairs import OrderType, Side
from engine.domain.orders.order import Order, OrderState
from engine.domain.rebalancing.check_result import NoTrade
from engine.domain.rebalancing.manual_trade import ManualRun, ManualTrade
from engine.domain.rebalancing.planner import LimitKind, OverLimit
from engine.errors import (
    OrderNotFound,
    OutcomeUnknown,
    PairUnavailable,
    PriceOutOfRange,
    Unavailable,
)
from engine.storage.accounts import accounts
from engine.storage.trading import order_types
from tests.engine.harness import Engine
from tests.fakes.clock import START, FakeClock
from tests.fakes.exchange import FakeExchange

D = Decimal
FAR = [(D("0.00208"), 50_000)]
NOT_TAKEN = PairUnavailable(code=30041, message="Order type can not place.")


async def auto(engine: Engine, *, strict: bool = False) -> Account:
    return await engine.open_account(
        execution=ExecutionMode.AUTO, slippage=Slippage(strict=strict)
    )


async def answer(engine: Engine, account: Account) -> Answer | None:
    async with engine.database.reading() as session:
        return (await order_types.get(session, account, OrderType.IOC)).answer


async def the_order(engine: Engine) -> Order:
    [intent] = await engine.intents()
    return intent


def types(exchange: FakeExchange) -> list[OrderType]:
    return [ticket.order_type for ticket in exchange.tickets]


async def test_the_order_is_an_ioc_for_what_brings_the_balance_to_its_target(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    account = await auto(engine)

    await engine.check(account)

    [ticket] = exchange.tickets
    stored = await the_order(engine)
    assert (ticket.order_type, ticket.price) == (OrderType.IOC, D("0.002020"))
    assert (ticket.base_quantity, ticket.quote_amount) == (D(8545), None)
    assert stored.priced is not None
    assert (stored.priced.price, stored.priced.base_quantity) == (ticket.price, D(8545))
    assert stored.state is OrderState.FILLED
    assert abs(exchange.usdt - 40) < D("0.1")
    assert exchange.calls["try_order"] == 1
    assert await answer(engine, account) is Answer.YES


async def test_an_account_that_did_not_choose_sends_market_orders(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()

    await engine.check(account)

    assert types(exchange) == [OrderType.MARKET]
    assert exchange.calls["try_order"] == 0


async def test_an_ioc_that_rests_is_cancelled_and_told_once_and_the_next_one_is_market(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    exchange.ioc_rests = True
    account = await auto(engine)

    checked = await engine.check(account)

    first = await the_order(engine)
    assert first.state is OrderState.UNFILLED
    assert first.cancelling_since is not None
    assert clock.now() - START >= timedelta(seconds=2)
    assert exchange.resting == {}
    assert await answer(engine, account) is Answer.NO
    await engine.wait(checked.again_in or timedelta())
    await engine.until_quiet(account)
    assert types(exchange) == [OrderType.IOC, OrderType.MARKET]
    assert await engine.alerts_of(PricesNotTaken) == [
        PricesNotTaken(dry_run=False, symbol=account.settings.symbol, rested=True)
    ]
    assert len(await engine.alerts_of(TradeSettled)) == 1


CANCELLATIONS = {
    "lost, done": (OutcomeUnknown("timeout"), True),
    "lost, not done": (OutcomeUnknown("timeout"), False),
    "unavailable": (Unavailable("503"), False),
    "said to be gone": (OrderNotFound("-2011: Unknown order sent."), False),
}


@pytest.mark.parametrize("accident", CANCELLATIONS)
async def test_no_answer_to_a_cancellation_is_believed(
    engine: Engine, exchange: FakeExchange, accident: str
):
    error, executes = CANCELLATIONS[accident]
    exchange.ioc_rests = True
    exchange.go_wrong("cancel", error, executes=executes, times=1)
    account = await auto(engine)

    for _ in range(3):
        checked = await engine.check(account)
        if (await the_order(engine)).state is OrderState.UNFILLED:
            break
        await engine.wait(checked.again_in or timedelta())

    assert (await the_order(engine)).state is OrderState.UNFILLED
    assert exchange.resting == {}
    assert exchange.calls["cancel"] == (1 if executes else 2)


async def test_it_is_stored_that_an_order_is_cancelled_before_the_cancellation_leaves(
    engine: Engine, exchange: FakeExchange
):
    seen: list[Order] = []

    async def look_into_the_database() -> None:
        seen.extend(await engine.intents())

    exchange.ioc_rests = True
    exchange.meanwhile("cancel", look_into_the_database)
    await engine.check(await auto(engine))

    [before] = seen
    assert (before.state, before.cancelling_since is not None) == (OrderState.ACKED, True)


async def test_an_order_whose_answer_was_lost_is_cancelled_when_it_is_found_open(
    engine: Engine, exchange: FakeExchange
):
    exchange.ioc_rests = True
    exchange.go_wrong("place", OutcomeUnknown("ReadTimeout"), executes=True)
    account = await auto(engine)
    await engine.check(account)
    assert (await the_order(engine)).state is OrderState.UNKNOWN

    await engine.check(account)

    assert (await the_order(engine)).state is OrderState.UNFILLED
    assert (exchange.resting, exchange.calls["place"]) == ({}, 1)


async def test_what_was_filled_before_the_cancellation_is_booked(
    engine: Engine, exchange: FakeExchange
):
    async def fill_a_part() -> None:
        exchange.fill(exchange.tickets[0].client_order_id, 1000)

    exchange.ioc_rests = True
    exchange.meanwhile("cancel", fill_a_part)
    await engine.check(await auto(engine))

    order = await the_order(engine)
    assert (order.state, order.execution.base_quantity) == (OrderState.PARTIAL, D(1000))


async def test_a_pair_that_takes_no_ioc_gets_a_market_order_in_the_same_check(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    exchange.go_wrong("try_order", NOT_TAKEN)
    account = await auto(engine)

    await engine.until_quiet(account)

    assert types(exchange) == [OrderType.MARKET]
    assert await engine.alerts_of(IncidentAlert) == []
    assert len(await engine.alerts_of(PricesNotTaken)) == 1
    exchange.usdt += 20
    clock.shift(NO_LASTS)  # it is asked for again
    await engine.claim()
    await engine.lease_runs_out(within=engine.timing.lease)
    await engine.until_quiet(account)
    assert types(exchange)[1:] == [OrderType.IOC]


async def test_a_live_refusal_of_the_type_is_told_once_and_no_trouble(
    engine: Engine, exchange: FakeExchange
):
    exchange.go_wrong("place", NOT_TAKEN)
    account = await auto(engine)

    await engine.until_quiet(account)

    assert types(exchange) == [OrderType.IOC, OrderType.MARKET]
    assert await engine.alerts_of(IncidentAlert) == []
    [told] = await engine.alerts_of(PricesNotTaken)
    assert not told.rested


async def test_after_fifteen_minutes_outside_one_order_goes_beyond_the_bound(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    exchange.paper_market.asks = FAR
    account = await auto(engine)

    checked = await engine.check(account)
    assert isinstance(checked.look.verdict, NoTrade)
    assert isinstance(checked.look.verdict.reason, NoOfferNear)
    assert (await engine.account(account)).outside_since == clock.now()
    await engine.wait(WIDENS_AFTER - timedelta(seconds=1))
    await engine.check(account)
    assert exchange.tickets == []
    await engine.wait(timedelta(seconds=1))
    await engine.check(account)

    [ticket] = exchange.tickets
    assert (ticket.order_type, ticket.price) == (OrderType.IOC, D("0.0021"))
    stored = await the_order(engine)
    assert stored.priced is not None
    assert stored.priced.widened
    await engine.check(account)
    assert (await engine.account(account)).outside_since is None


async def test_a_strict_bound_waits_for_ever(engine: Engine, exchange: FakeExchange):
    exchange.paper_market.asks = FAR
    account = await auto(engine, strict=True)

    for _ in range(3):
        await engine.check(account)
        await engine.wait(WIDENS_AFTER)

    assert exchange.tickets == []
    assert len(await engine.alerts_of(IncidentAlert)) <= 2


async def test_a_limit_counts_what_the_order_may_spend_at_its_bound(
    engine: Engine, exchange: FakeExchange
):
    account = await auto(engine)
    async with engine.database.writing() as session:
        account = await accounts.set_limits(session, account, Limits(order=D("17.20")))

    checked = await engine.check(account)

    assert checked.look.verdict == NoTrade(
        OverLimit(LimitKind.ORDER, asked=D("17.27"), allowed=D("17.20"))
    )
    assert exchange.tickets == []


async def test_a_trade_by_hand_keeps_to_the_bound_too(engine: Engine, exchange: FakeExchange):
    account = await auto(engine)
    trade = ManualTrade(Side.BUY, quote_amount=D(10))
    manual = ManualRun(trade=trade, version=account.version, user_id=7, pauses=True)
    await engine.tap(account, side=Side.BUY, expected_quote="9.99", manual=manual)

    await engine.check(account)

    [ticket] = exchange.tickets
    assert (ticket.order_type, ticket.price) == (OrderType.IOC, D("0.002020"))
    assert D("9.9") < exchange.ledger[ticket.client_order_id].execution.quote_amount <= 10


TOO_FAR = PriceOutOfRange(code=30087, message="Order price exceeds allowed range")


async def test_a_bound_that_mexc_finds_too_far_is_halved_once(
    engine: Engine, exchange: FakeExchange
):
    exchange.go_wrong("place", TOO_FAR)
    account = await auto(engine)

    await engine.check(account)

    first, second = await engine.intents()
    assert (first.state, second.state) == (OrderState.REJECTED, OrderState.FILLED)
    assert [ticket.price for ticket in exchange.tickets] == [D("0.002020"), D("0.002010")]
    assert set(exchange.posts.values()) == {1}
    assert await engine.alerts_of(IncidentAlert) == []


async def test_a_half_that_is_too_far_as_well_is_told_and_not_tried_again(
    engine: Engine, exchange: FakeExchange
):
    exchange.go_wrong("place", TOO_FAR, times=2)
    account = await auto(engine)

    checked = await engine.check(account)

    assert exchange.calls["place"] == 2
    assert len(await engine.alerts_of(IncidentAlert)) == 1
    assert checked.again_in == engine.timing.error_backoff
    assert checked.backs_off
