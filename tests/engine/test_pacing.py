"""Set times and rests over a real database: each set time is dealt with once, whatever happens."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.domain.accounts.account import Account
from engine.domain.alerts.pace_alerts import SlotMissed
from engine.domain.execution.bound import ExecutionMode
from engine.domain.market.pairs import OrderType, Side
from engine.domain.orders.order import OrderState
from engine.domain.rebalancing.check_result import NoTrade, OrderPlaced
from engine.domain.rebalancing.planner import InsideBand
from engine.domain.targets.pacing import AwaitsSlot, Pacing, RestsUntil
from engine.domain.targets.timing import Schedule, When
from engine.errors import Unavailable
from engine.exchanges.interface import Exchange
from engine.storage.database import Database
from tests.engine.harness import Crash, Engine, Fuse
from tests.engine.portfolios import an_exchange, open_basket
from tests.engine.test_checker import WRITES
from tests.fakes.clock import START, FakeClock
from tests.fakes.database import statements
from tests.fakes.exchange import FakeExchange

D = Decimal
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RESTING = Pacing(cooldown=30 * MINUTE)


def at(moment: datetime, when: When = When.BOTH) -> Pacing:
    return Pacing(schedule=Schedule((moment.hour * 60 + moment.minute,)), when=when)


HALF_PAST = START + 30 * MINUTE
SET_TIME = at(HALF_PAST)


async def verdict(engine: Engine, account: Account) -> Any:
    return (await engine.check(account)).look.verdict


async def test_after_a_filled_trade_the_account_rests_and_that_costs_one_request(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    account = await engine.open_account(pacing=RESTING)
    assert isinstance(await verdict(engine, account), OrderPlaced)
    await engine.until_quiet(account)
    exchange.usdt += 3
    await engine.wait(MINUTE)
    await engine.check(account)  # which notes the deposit
    exchange.calls.clear()
    duty = await engine.duty(account)
    with statements(engine.database) as seen:
        resting = await engine.checker.check(duty, fence=1)

    assert resting.look.verdict == NoTrade(RestsUntil(START + 30 * MINUTE))
    assert dict(exchange.calls) == {"holdings": 1}
    assert not [one for one in seen if one.startswith(WRITES)]

    await engine.wait(28 * MINUTE)
    assert (await engine.check(account)).again_in == MINUTE
    await engine.wait(MINUTE)
    assert isinstance(await verdict(engine, account), OrderPlaced)


async def test_a_drift_of_three_bands_or_a_tap_breaks_the_rest(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account(pacing=RESTING)
    await engine.until_quiet(account)
    exchange.usdt += 3
    await engine.wait(MINUTE)
    assert isinstance(await verdict(engine, account), NoTrade)
    exchange.usdt += 4
    await engine.wait(MINUTE)
    assert isinstance(await verdict(engine, account), OrderPlaced)
    await engine.until_quiet(account)

    exchange.usdt += 3
    await engine.wait(MINUTE)
    assert isinstance(await verdict(engine, account), NoTrade)
    await engine.tap(account, side=Side.BUY, expected_quote=D(3))
    assert isinstance(await verdict(engine, account), OrderPlaced)


async def test_at_a_set_time_nothing_waits_as_a_maker(engine: Engine, exchange: FakeExchange):
    exchange.usdt = D("43.50")
    exchange.paper_market.bids = [(D("0.001998"), 50_000)]
    exchange.paper_market.asks = [(D("0.002002"), 50_000)]
    account = await engine.open_account(pacing=SET_TIME, execution=ExecutionMode.MAKER)
    await engine.check(account)
    await engine.wait(30 * MINUTE)
    await engine.check(account)
    await engine.wait(MINUTE)
    await engine.until_quiet(account)

    assert [ticket.order_type for ticket in exchange.tickets] == [OrderType.IOC]
    assert abs(exchange.usdt - 40) < D("0.1")


async def test_a_set_time_is_traded_once_and_not_again_by_the_next_process(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    account = await engine.open_account(pacing=SET_TIME)
    waits = await engine.check(account)
    assert waits.look.verdict == NoTrade(AwaitsSlot(HALF_PAST))
    assert (await engine.account(account)).slot_at == START
    assert (waits.again_in, waits.by) == (None, 30 * MINUTE)
    await engine.wait(29 * MINUTE)
    assert (await engine.check(account)).again_in == MINUTE
    await engine.wait(MINUTE)
    assert isinstance(await verdict(engine, account), OrderPlaced)
    assert (await engine.account(account)).slot_at == HALF_PAST
    await engine.until_quiet(account)

    exchange.usdt += 10
    await engine.lease_runs_out()
    another = Engine(engine.database, engine.clock, exchange, owner="process-2")
    await another.claim()
    await another.wait(MINUTE)
    assert await verdict(another, account) == NoTrade(AwaitsSlot(HALF_PAST + DAY))
    assert exchange.calls["place"] == 1


async def test_a_set_time_is_not_over_by_an_order_whose_process_died_before_it_was_let_out(
    sqlite: Database, clock: FakeClock, exchange: FakeExchange
):
    fuse = Fuse("committed 3")  # what is held, that the schedule began, and the order
    engine = Engine(sqlite, clock, exchange, on_step=fuse)
    account = await engine.open_account(pacing=SET_TIME)
    await engine.check(account)
    await engine.wait(30 * MINUTE)
    with pytest.raises((Crash, BaseExceptionGroup)):
        await engine.check(account)
    await engine.lease_runs_out()
    another = Engine(sqlite, clock, exchange, owner="process-2")
    await another.claim()
    await another.wait(MINUTE)

    assert [order.state for order in await another.intents()] == [OrderState.DROPPED]
    assert isinstance(await verdict(another, account), OrderPlaced)
    assert (await another.account(account)).slot_at == HALF_PAST
    assert exchange.calls["place"] == 1


async def test_inside_the_band_a_set_time_is_over_without_a_trade_unless_it_always_trades(
    engine: Engine, exchange: FakeExchange
):
    exchange.usdt = D("41.99")
    account = await engine.open_account(pacing=SET_TIME)
    await engine.check(account)
    await engine.wait(31 * MINUTE)
    assert await verdict(engine, account) == NoTrade(InsideBand())
    assert (await engine.account(account)).slot_at == HALF_PAST

    account = await engine.change(account, pacing=at(HALF_PAST, When.SCHEDULE))
    await engine.check(account)
    await engine.wait(DAY)
    assert isinstance(await verdict(engine, account), OrderPlaced)
    await engine.until_quiet(account)
    assert exchange.usdt < D("40.2")
    await engine.wait(DAY)
    assert isinstance(await verdict(engine, account), NoTrade)  # too little to trade
    assert (await engine.account(account)).slot_at == HALF_PAST + 2 * DAY
    assert await engine.told() == ["TradeSettled"]


async def test_a_set_time_missed_by_an_hour_is_told_once_and_not_made_up_for(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account(pacing=SET_TIME)
    await engine.check(account)
    await engine.wait(2 * HOUR)
    for _ in range(2):
        assert await verdict(engine, account) == NoTrade(AwaitsSlot(HALF_PAST + DAY))

    [told] = [alert for alert in await engine.alerts() if isinstance(alert, SlotMissed)]
    assert (told.at, told.next_at) == (HALF_PAST, HALF_PAST + DAY)
    assert (await engine.account(account)).slot_at == HALF_PAST
    assert exchange.calls["place"] == 0


async def test_where_nothing_could_be_sent_the_set_time_is_tried_again(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account(pacing=SET_TIME)
    await engine.check(account)
    await engine.wait(31 * MINUTE)
    exchange.go_wrong("place", Unavailable("never left"))
    await engine.check(account)
    assert (await engine.account(account)).slot_at == START

    await engine.wait(MINUTE)
    assert isinstance(await verdict(engine, account), OrderPlaced)
    assert (await engine.account(account)).slot_at == HALF_PAST


@pytest.mark.parametrize(
    "wishes", [{"paused": True}, {"pacing": at(START + 50 * MINUTE)}], ids=["pause", "schedule"]
)
async def test_what_was_before_a_pause_or_another_schedule_was_not_missed(
    engine: Engine, exchange: Exchange, wishes: dict[str, Any]
):
    account = await engine.open_account(pacing=SET_TIME)
    await engine.check(account)
    account = await engine.change(account, **wishes)
    assert account.slot_at is None
    await engine.wait(2 * HOUR)
    account = await engine.change(account, paused=False)
    await engine.check(account)

    assert not [alert for alert in await engine.alerts() if isinstance(alert, SlotMissed)]
    assert (await engine.account(account)).slot_at == START + 2 * HOUR


async def test_a_basket_keeps_to_its_set_times_and_to_its_rest(sqlite: Database, clock: FakeClock):
    exchange = an_exchange(clock, btc=60)
    engine = Engine(sqlite, clock, exchange)
    account = await open_basket(engine)
    pacing = replace(SET_TIME, cooldown=30 * MINUTE)
    account = await engine.change(account, pacing=pacing)
    await engine.check(account)
    exchange.calls.clear()
    duty = await engine.duty(account)
    with statements(engine.database) as seen:
        waits = await engine.checker.check(duty, fence=1)
    assert waits.look.verdict == NoTrade(AwaitsSlot(HALF_PAST))
    assert dict(exchange.calls) == {"holdings": 1, "quotes": 1}
    assert not [one for one in seen if one.startswith(WRITES)]

    await engine.wait(30 * MINUTE)
    assert isinstance(await verdict(engine, account), OrderPlaced)
    assert (await engine.account(account)).slot_at == HALF_PAST
    assert len(await engine.intents()) == 3

    account = await engine.change(account, pacing=Pacing(cooldown=30 * MINUTE))
    exchange.usdt += 40
    await engine.wait(MINUTE)
    resting = await engine.check(account)
    assert isinstance(resting.look.verdict, NoTrade)
    assert isinstance(resting.look.verdict.reason, RestsUntil)
    assert len(await engine.intents()) == 3
