"""Orders that wait as a maker first: 45 s at the best price, cancelled by proof, the rest at once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import TradingMode
from engine.domain.alerts.alerts import OrderNeedsPerson, PricesNotTaken, TradeSettled
from engine.domain.execution.bound import WIDENS_AFTER, ExecutionMode
from engine.domain.execution.capability import Answer
from engine.domain.market.balances import Balance, Counting, Holdings
from engine.domain.market.pairs import USDT, OrderType, Side
from engine.domain.orders.ledger import EndReason
from engine.domain.orders.order import NEEDS_HUMAN_AFTER, Order, OrderState
from engine.domain.targets.target import FixedUsdt
from engine.errors import OrderNotFound, OutcomeUnknown, PairUnavailable, Rejected, Unavailable
from engine.rebalancing.checked import Checked
from engine.scheduling.dispatcher import Dispatcher
from engine.storage.trading import order_types
from tests.engine.harness import Engine
from tests.fakes.clock import FakeClock
from tests.fakes.exchange import FakeExchange
from tests.unit.test_bounded_order import VECTORS

D = Decimal
A_WHILE = timedelta(seconds=46)


@pytest.fixture
def exchange(clock: FakeClock) -> FakeExchange:
    """A little outside the band, which is 38.00 to 42.00."""
    exchange = FakeExchange(clock, usdt="43.50", mntl=100_000)
    exchange.paper_market.bids = [(D("0.001998"), 50_000)]
    exchange.paper_market.asks = [(D("0.002002"), 50_000)]
    return exchange


async def maker(engine: Engine, **wishes) -> Account:
    return await engine.open_account(execution=ExecutionMode.MAKER, **wishes)


async def waiting(engine: Engine, **wishes) -> tuple[Account, Checked]:
    account = await maker(engine, **wishes)
    return account, await engine.check(account)


async def orders(engine: Engine) -> list[Order]:
    return await engine.intents()


def types(exchange: FakeExchange) -> list[OrderType]:
    return [ticket.order_type for ticket in exchange.tickets]


async def test_it_waits_at_the_best_price_of_its_own_side_and_holds_up_nobody(
    engine_on_both: Engine, exchange: FakeExchange, clock: FakeClock
):
    engine, before = engine_on_both, clock.now()

    _, checked = await waiting(engine)

    [ticket] = exchange.tickets
    [order] = await orders(engine)
    assert (ticket.order_type, ticket.side, ticket.price) == (
        OrderType.LIMIT_MAKER,
        Side.BUY,
        D("0.001998"),
    )
    assert order.state is OrderState.ACKED
    assert clock.now() - before < timedelta(seconds=1)
    assert checked.again_in is not None
    assert checked.again_in <= timedelta(seconds=15)


async def test_after_45_seconds_it_is_cancelled_and_the_rest_is_an_ioc(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    account, _ = await waiting(engine)
    [waits] = await orders(engine)
    exchange.fill(waits.client_order_id, 500)

    await engine.wait(A_WHILE)
    checked = await engine.check(account)
    first = (await orders(engine))[0]
    await engine.until_quiet(account)

    assert checked.again_in == timedelta(seconds=1)
    assert (first.state, first.cancelling_since is not None) == (OrderState.PARTIAL, True)
    assert types(exchange) == [OrderType.LIMIT_MAKER, OrderType.IOC]
    assert abs(exchange.usdt - 40) < D("0.1")
    assert [told.waited for told in await engine.alerts_of(TradeSettled)] == [True, False]
    assert exchange.resting == {}


@pytest.mark.parametrize(
    ("arrives", "bought"),
    [("0", []), ("8", [D(8986)])],  # 49.99 USDT is inside; of 57.99 what is over 40 buys
)
async def test_what_was_not_filled_before_a_cancellation_is_planned_afresh_from_the_balances(
    engine: Engine, exchange: FakeExchange, arrives: str, bought: list[Decimal]
):
    """Vector B16: not what was asked less what was filled, for the world moved."""
    given, expected = VECTORS["B16"]["given"], VECTORS["B16"]["expect"]
    exchange.usdt = 40 + D(given["asked"]) * D("0.001998")
    account, _ = await waiting(engine, threshold="0.25")
    [waits] = exchange.tickets

    async def filled_meanwhile() -> None:
        exchange.fill(waits.client_order_id, D(given["filled"]))
        exchange.usdt += D(arrives)

    exchange.meanwhile("cancel", filled_meanwhile)
    await engine.wait(A_WHILE)
    await engine.until_quiet(account)

    first = (await orders(engine))[0]
    assert waits.base_quantity == D(given["asked"])
    assert first.execution.base_quantity == D(given["filled"])
    assert D(given["asked"]) - first.execution.base_quantity == D(expected["rest"])
    assert [ticket.base_quantity for ticket in exchange.tickets[1:]] == bought


async def test_one_that_is_filled_in_time_is_booked_and_the_next_one_waits_again(
    engine: Engine, exchange: FakeExchange
):
    account, checked = await waiting(engine)
    [waits] = await orders(engine)
    exchange.fill(waits.client_order_id, waits.asked_base or 0)

    await engine.wait(checked.again_in or timedelta())
    await engine.until_quiet(account)
    exchange.usdt += 3
    await engine.wait(timedelta(minutes=5))
    await engine.check(account)

    assert types(exchange) == [OrderType.LIMIT_MAKER, OrderType.LIMIT_MAKER]
    [told] = await engine.alerts_of(TradeSettled)
    assert not told.late
    assert exchange.calls["cancel"] == 0


async def test_nobody_comes_and_nothing_is_told_of_it(engine: Engine, exchange: FakeExchange):
    account, _ = await waiting(engine)

    await engine.wait(A_WHILE)
    await engine.until_quiet(account)

    assert types(exchange) == [OrderType.LIMIT_MAKER, OrderType.IOC]
    assert await engine.told() == ["TradeSettled"]
    [waits, _] = await orders(engine)
    assert (waits.end_reason, waits.final_mid) == (EndReason.DEADLINE, waits.price)


URGENT: Mapping[str, Mapping[str, Any]] = {
    "a tap": {"autonomy": TradingMode.ASK},
    "far outside": {"target": D(30)},
}


@pytest.mark.parametrize("why", URGENT)
async def test_what_is_urgent_trades_at_once(engine: Engine, exchange: FakeExchange, why: str):
    account = await maker(engine, **URGENT[why])
    if why == "a tap":
        await engine.tap(account, expected_quote="3.50")

    await engine.check(account)

    assert types(exchange) == [OrderType.IOC]


async def test_a_balance_that_waits_for_offers_for_long_is_urgent(
    engine: Engine, exchange: FakeExchange
):
    account = await maker(engine)
    exchange.paper_market.bids = []
    await engine.check(account)
    exchange.paper_market.bids = [(D("0.001998"), 50_000)]
    await engine.wait(WIDENS_AFTER)

    await engine.check(account)

    assert types(exchange) == [OrderType.IOC]


REFUSALS = {
    "it would trade at once": (Rejected(code=400, message="Order would match"), None),
    "not for this pair": (PairUnavailable(code=30041, message="type"), Answer.NO),
}


@pytest.mark.parametrize("why", REFUSALS)
async def test_a_refused_maker_is_an_ioc_a_second_later(
    engine: Engine, exchange: FakeExchange, why: str
):
    error, known = REFUSALS[why]
    exchange.go_wrong("place", error)
    account, checked = await waiting(engine)

    assert checked.again_in == timedelta(seconds=1)
    await engine.until_quiet(account)

    assert types(exchange) == [OrderType.LIMIT_MAKER, OrderType.IOC]
    async with engine.database.reading() as session:
        answer = (await order_types.get(session, account, OrderType.LIMIT_MAKER)).answer
    assert answer is known
    told = await engine.alerts_of(PricesNotTaken)
    assert [alert.maker for alert in told] == ([True] if known else [])


async def test_one_that_is_taken_and_cancelled_at_once_is_an_ioc_a_second_later(
    engine: Engine, exchange: FakeExchange
):
    async def crossed() -> None:
        [name] = exchange.resting
        await exchange.cancel(account.settings.symbol, name)

    account = await maker(engine)
    exchange.meanwhile("order", crossed)

    checked = await engine.check(account)
    await engine.until_quiet(account)

    assert checked.again_in == timedelta(seconds=1)
    assert types(exchange) == [OrderType.LIMIT_MAKER, OrderType.IOC]


async def test_a_pair_without_makers_is_traded_by_ioc(engine: Engine, exchange: FakeExchange):
    rules = exchange.paper_market.pair_rules
    exchange.go_wrong("try_order", PairUnavailable(code=30041, message="type"))
    account = await maker(engine)

    await engine.check(account)

    assert rules.takes(OrderType.LIMIT_MAKER)
    assert types(exchange) == [OrderType.IOC]


CHANGES: Mapping[str, Mapping[str, Any]] = {
    "a pause": {"paused": True},
    "another target": {"target": FixedUsdt(D(41))},
    "market orders": {"execution": ExecutionMode.MARKET},
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_cancels_it_at_once(engine: Engine, exchange: FakeExchange, change: str):
    account, _ = await waiting(engine)

    account = await engine.change(account, **CHANGES[change])
    checked = await engine.check(account)

    [order] = await orders(engine)
    assert order.state is OrderState.UNFILLED
    assert exchange.resting == {}
    assert checked.again_in == timedelta(seconds=1)


async def test_cancelling_is_stored_before_the_cancellation_leaves(
    engine: Engine, exchange: FakeExchange
):
    seen: list[bool] = []

    async def look() -> None:
        seen.append((await orders(engine))[0].cancelling_since is not None)

    account, _ = await waiting(engine)
    exchange.meanwhile("cancel", look)
    await engine.wait(A_WHILE)

    await engine.check(account)

    assert seen == [True]


CANCELLATIONS = {
    "lost, done": (OutcomeUnknown("timeout"), True),
    "lost, not done": (OutcomeUnknown("timeout"), False),
    "unavailable": (Unavailable("503"), False),
    "said to be gone": (OrderNotFound("-2011: Unknown order sent."), False),
}


@pytest.mark.parametrize("accident", CANCELLATIONS)
async def test_no_answer_to_a_cancellation_is_believed_and_nothing_replaces_it_before(
    engine: Engine, exchange: FakeExchange, accident: str
):
    error, executes = CANCELLATIONS[accident]
    exchange.go_wrong("cancel", error, executes=executes)
    account, _ = await waiting(engine)
    await engine.wait(A_WHILE)

    for _ in range(4):
        checked = await engine.check(account)
        if (await orders(engine))[0].state is not OrderState.ACKED:
            break
        assert len(exchange.tickets) == 1
        await engine.wait(checked.again_in or timedelta())

    assert (await orders(engine))[0].state is OrderState.UNFILLED
    assert exchange.resting == {}


async def test_resting_is_never_unclear_but_a_cancellation_without_proof_is(
    engine: Engine, exchange: FakeExchange
):
    account, _ = await waiting(engine)
    exchange.go_wrong("order", Unavailable("503"), times=10_000)
    exchange.go_wrong("cancel", Unavailable("503"), times=10_000)
    await engine.wait(timedelta(hours=8))

    await engine.check(account)
    told = await engine.alerts_of(OrderNeedsPerson)
    await engine.wait(NEEDS_HUMAN_AFTER)
    await engine.check(account)

    assert told == []
    [asked] = await engine.alerts_of(OrderNeedsPerson)
    assert asked.rests
    assert (await orders(engine))[0].state is OrderState.NEEDS_HUMAN


async def test_after_a_kill_it_rests_until_the_next_start_looks_it_up(
    engine: Engine, exchange: FakeExchange
):
    account, _ = await waiting(engine)
    [waits] = await orders(engine)
    await engine.wait(timedelta(hours=8))
    exchange.fill(waits.client_order_id, 700)
    second = Engine(engine.database, engine.clock, exchange, owner="next-life")
    await second.lease_runs_out()
    await second.claim()

    await second.until_quiet(account)

    assert types(exchange) == [OrderType.LIMIT_MAKER, OrderType.IOC]
    assert (await orders(engine))[0].state is OrderState.PARTIAL
    assert "OrderUnclear" not in await engine.told()


async def test_the_end_of_one_that_was_unclear_is_told_though_nobody_took_it(
    engine: Engine, exchange: FakeExchange
):
    exchange.go_wrong("place", OutcomeUnknown("timeout"), executes=True)
    account, _ = await waiting(engine)
    await engine.check(account)
    await engine.wait(A_WHILE)

    await engine.check(account)

    unclear, ended = await engine.alerts()
    assert type(unclear).__name__ == "OrderUnclear"
    assert isinstance(ended, TradeSettled)
    assert (ended.base_quantity, ended.late, ended.waited) == (D(0), True, True)
    assert exchange.resting == {}


async def test_what_stays_locked_is_looked_at_ever_more_rarely(
    engine: Engine, exchange: FakeExchange
):
    """An order of the user's own may lock it, and each look weighs 10 of an address's 300."""
    account, _ = await waiting(engine)
    real = exchange.holdings

    async def locked_elsewhere() -> Holdings:
        held = await real()
        locked = Balance(free=held.of(USDT).free, locked=D(5))
        return replace(held, balances={**held.balances, USDT: locked})

    exchange.holdings = locked_elsewhere  # type: ignore[method-assign]
    await engine.wait(A_WHILE)
    before = exchange.calls["holdings"]
    await engine.check(account)

    assert exchange.calls["holdings"] - before <= 9


async def test_what_it_locked_is_free_before_the_next_plan(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    """Only what is free counts, so coins that seem locked would look like a loss."""
    account, _ = await waiting(engine, counting=Counting.FREE)
    released = clock.now() + A_WHILE + timedelta(seconds=5)
    true = exchange.holdings

    async def lagging():
        held = await true()
        if clock.now() >= released:
            return held
        exchange.resting |= kept
        try:
            return await true()
        finally:
            exchange.resting.clear()

    kept = dict(exchange.resting)
    await engine.wait(A_WHILE)
    exchange.holdings = lagging  # type: ignore[method-assign]

    await engine.check(account)

    assert clock.now() >= released
    assert (await orders(engine))[0].state is OrderState.UNFILLED


async def test_a_users_tap_does_not_wait_for_it(engine: Engine, exchange: FakeExchange):
    account, _ = await waiting(engine)
    await engine.tap(account, expected_quote="3.49")

    await engine.check(account)
    await engine.wait(timedelta(seconds=1))
    await engine.check(account)

    assert types(exchange) == [OrderType.LIMIT_MAKER, OrderType.IOC]


async def test_a_stop_cancels_it(engine: Engine, exchange: FakeExchange):
    await waiting(engine)

    stopping = Dispatcher(
        database=engine.database,
        clock=engine.clock,
        timing=engine.timing,
        checker=engine.checker,
        owner=engine.owner,
    )

    await stopping.cancel_resting()

    assert exchange.resting == {}
    assert (await orders(engine))[0].state is OrderState.UNFILLED
