"""A trade over time: one order a slice, whatever happens, nothing else meanwhile, and one end."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

from engine.accounts.deliverability import Deliverability
from engine.domain.accounts.account import Account
from engine.domain.accounts.risk_limits import Limits
from engine.domain.accounts.settings import TradingMode
from engine.domain.alerts.deposit_alerts import DepositTraded
from engine.domain.alerts.slices_alerts import SlicedTradeOver
from engine.domain.execution.bound import ExecutionMode
from engine.domain.execution.slices import SlicesEnd, SlicesRun, sliced
from engine.domain.market.pairs import OrderType, Side
from engine.domain.orders.order import OrderState, Trigger
from engine.domain.rebalancing.check_result import NoTrade, OrderPlaced
from engine.domain.rebalancing.slices.run import SlicedRun
from engine.domain.targets.target import FixedUsdt
from engine.errors import LeaseLost, OutcomeUnknown, Rejected, Unavailable
from engine.scheduling.dispatcher import is_idle_duty
from engine.storage.accounts import accounts
from engine.storage.database import Database
from engine.storage.models.queues import OutboxRow
from engine.storage.trading import sliced_trades
from tests.engine.harness import CHAT, Crash, Engine, Fuse
from tests.fakes.clock import START, FakeClock
from tests.fakes.exchange import FakeExchange
from tests.sampling import long

D = Decimal
USER = 1001
MINUTE = timedelta(minutes=1)


@pytest.fixture
def exchange(clock: FakeClock) -> FakeExchange:
    """On target: only a user trades here."""
    return FakeExchange(clock, usdt=40, mntl=100_000)


async def begin(
    engine: Engine,
    account: Account,
    *,
    side: Side = Side.SELL,
    total: str = "30",
    span: timedelta = 15 * MINUTE,
    pauses: bool = True,
    target: str | None = None,
) -> SlicedRun:
    """A tap on the plan; 30 USDT in a quarter of an hour are three slices of 10."""
    least = D("1.38")
    now = engine.clock.now()
    run = SlicedRun(
        plan_id="plan-1",
        user_id=USER,
        symbol=account.settings.symbol,
        dry_run=account.settings.dry_run,
        trade=sliced(side, D(total), span=span, started_at=now, minimum=least),
        least=least,
        pauses=pauses,
        target=None if target is None else D(target),
    )
    async with engine.database.writing() as session:
        current = await accounts.locked(session, account.id)
        await sliced_trades.add(session, account.id, run)
        await accounts.note_slices(session, current, until=run.trade.deadline)
    return run


async def until_over(engine: Engine, account: Account) -> SlicedTradeOver:
    """Check, and wait as told, until the end was told."""
    for _ in range(120):
        checked = await engine.check(account)
        if told := await engine.alerts_of(SlicedTradeOver):
            return told[0]
        await engine.wait(checked.again_in or account.settings.interval)
    raise TimeoutError


async def stored(engine: Engine, account: Account) -> SlicedRun | None:
    async with engine.database.reading() as session:
        return (await sliced_trades.of_accounts(session, [account.id])).get(account.id)


async def test_each_slice_is_one_order_at_its_time_and_the_end_is_told_once(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    account = await engine.open_account()
    await begin(engine, account)
    started = engine.clock.now()

    told = await until_over(engine, account)

    sent = await engine.intents()
    assert [order.created_at - started for order in sent] == [5 * n * MINUTE for n in range(3)]
    assert [(order.slice_number, order.slices) for order in sent] == [(n, 3) for n in range(1, 4)]
    assert {(order.trigger, order.state) for order in sent} == {
        (Trigger.PERSON, OrderState.FILLED)
    }
    assert set(exchange.posts.values()) == {1}
    assert D("29.9") < exchange.usdt - 40 <= 30
    assert (told.end, told.orders, told.slices, told.paused) == (SlicesEnd.DONE, 3, 3, True)
    assert told.quote_amount == sum(order.execution.quote_amount for order in sent)
    assert told.cost > sum(told.fees.values())
    assert told.left < D("1.38")
    after = await engine.account(account)
    assert after.settings.paused
    assert (after.slicing_until, await stored(engine, account)) == (None, None)
    assert await engine.told() == ["SlicedTradeOver"]
    assert is_idle_duty(await engine.duty(account))


async def test_meanwhile_nothing_else_is_traded_and_a_deposit_is_told(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await begin(engine, account)
    await engine.check(account)
    await engine.wait(2 * MINUTE)
    exchange.usdt += 100

    checked = await engine.check(account)

    until = (await engine.account(account)).slicing_until
    assert until is not None
    assert checked.look.verdict == NoTrade(SlicesRun(until))
    assert exchange.calls["place"] == 1
    [arrived] = await engine.alerts_of(DepositTraded)
    assert arrived.coming is not None
    assert arrived.coming.reason == SlicesRun(until)


async def test_an_order_planned_before_the_tap_does_not_leave_after_it(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    exchange.usdt = D("57.10")
    account = await engine.open_account()

    async def tap() -> None:
        await begin(engine, account)

    exchange.meanwhile("book", tap)
    await engine.check(account)

    assert exchange.calls["place"] == 0


async def test_what_was_missed_is_not_made_up_for_and_told_as_left(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await begin(engine, account)
    await engine.check(account)
    await engine.wait(11 * MINUTE)  # the bot was off

    told = await until_over(engine, account)

    assert [order.slice_number for order in await engine.intents()] == [1, 3]
    assert (told.end, told.orders) == (SlicesEnd.DEADLINE, 2)
    assert D(10) <= told.left < D("10.1")
    assert told.paused


@pytest.mark.parametrize("was_paused", [False, True])
async def test_a_pause_ends_it_and_nothing_leaves_after_that(
    engine_on_both: Engine, exchange: FakeExchange, was_paused: bool
):
    engine = engine_on_both
    account = await engine.open_account(paused=was_paused)
    await begin(engine, account, pauses=not was_paused)
    await engine.check(account)
    await engine.wait(5 * MINUTE)

    async def pause() -> None:
        await engine.change(account, paused=True)

    exchange.meanwhile("last_price" if exchange.calls["last_price"] else "book", pause)
    await engine.check(account)
    told = await until_over(engine, account)

    assert exchange.calls["place"] == 1
    assert (told.end, told.orders, told.paused) == (SlicesEnd.PAUSED, 1, True)
    assert is_idle_duty(await engine.duty(account))


@pytest.mark.parametrize("is_paused", [False, True])
async def test_where_no_user_can_be_reached_it_ends_in_a_pause_too(
    engine: Engine, exchange: FakeExchange, is_paused: bool
):
    account = await engine.open_account()
    if is_paused:
        account = await engine.change(account, paused=True)
    await begin(engine, account, span=timedelta(hours=10), pauses=False)
    await engine.check(account)

    async def others(_: int) -> list[int]:
        return [CHAT + 1]

    chats = Deliverability(database=engine.database, clock=engine.clock, others=others)
    await chats.refused(CHAT, problem="blocked", gone=False)
    async with engine.database.writing() as session:
        await session.execute(update(OutboxRow).values(message_id=1))
    await engine.wait(timedelta(hours=2))
    await chats.refused(CHAT, problem="blocked", gone=False)
    told = await until_over(engine, account)
    await chats.delivered(CHAT)

    assert told.end is SlicesEnd.PAUSED
    assert exchange.calls["place"] == 1
    assert (await engine.account(account)).settings.paused is is_paused


async def test_a_halt_ends_it_and_trading_stays_paused_after_the_halt(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    account = await engine.open_account()
    await begin(engine, account)
    await engine.check(account)
    async with engine.database.writing() as session:
        await accounts.halt_all(session, halted=True)
    await engine.wait(5 * MINUTE)

    told = await until_over(engine, account)

    assert exchange.calls["place"] == 1
    assert (told.end, told.halted) == (SlicesEnd.HALTED, True)
    assert (await engine.account(account)).settings.paused


@pytest.mark.parametrize("change", [{"symbol": "MXUSDT"}, {"dry_run": True}, {"key": None}])
async def test_another_pair_key_or_kind_of_money_ends_it_without_asking_the_exchange(
    engine: Engine, exchange: FakeExchange, change: dict[str, Any]
):
    account = await engine.open_account()
    await begin(engine, account)
    await engine.check(account)
    if "key" in change:
        async with engine.database.writing() as session:
            await accounts.forget_key(session, await accounts.get(session, account.id))
    else:
        await engine.change(account, **change)
    asked = exchange.calls.copy()

    await engine.check(account)

    assert exchange.calls == asked
    [told] = await engine.alerts_of(SlicedTradeOver)
    assert (told.end, told.symbol, told.dry_run) == (SlicesEnd.CHANGED, "MNTLUSDT", False)
    assert told.orders == 1
    assert (await engine.account(account)).settings.paused


async def test_a_key_that_is_refused_pauses_and_so_ends_it(engine: Engine, exchange: FakeExchange):
    account = await engine.open_account(paused=True)
    await begin(engine, account, pauses=False)
    exchange.go_wrong("place", Rejected(code=30019, message="no"), times=3)

    told = await until_over(engine, account)

    assert told.end is SlicesEnd.PAUSED
    assert exchange.calls["place"] == 3


@pytest.mark.parametrize("mode", [TradingMode.ASK, TradingMode.NOTIFY])
async def test_who_is_asked_before_trades_is_not_asked_about_slices(
    engine: Engine, exchange: FakeExchange, mode: TradingMode
):
    account = await engine.open_account(autonomy=mode)
    await begin(engine, account, pauses=False)

    told = await until_over(engine, account)

    assert (told.orders, told.paused, told.by_itself) == (3, False, False)
    assert await engine.told() == ["SlicedTradeOver"]


async def test_slices_are_orders_with_a_bound_where_the_account_sends_such(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account(execution=ExecutionMode.AUTO)
    await begin(engine, account)

    told = await until_over(engine, account)

    sent = await engine.intents()
    assert {order.order_type for order in sent} == {OrderType.IOC}
    assert (told.orders, told.end) == (3, SlicesEnd.DONE)
    assert (await engine.account(account)).outside_since is None


async def test_where_the_exchange_is_away_the_end_is_told_ten_minutes_after_the_deadline(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await begin(engine, account)
    await engine.check(account)
    exchange.go_wrong("holdings", Unavailable("away"), times=60)

    told = await until_over(engine, account)

    assert (told.end, told.orders, told.paused) == (SlicesEnd.DEADLINE, 1, True)
    assert engine.clock.now() - START >= 25 * MINUTE


async def test_the_target_is_set_at_the_end_where_the_balance_is_what_it_was_meant_for(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await begin(engine, account, pauses=False, target="69.98")

    told = await until_over(engine, account)
    await engine.until_quiet(account)

    after = (await engine.account(account)).settings
    assert (after.target, after.paused) == (FixedUsdt(D("69.98")), False)
    assert told.target == D("69.98")
    assert exchange.calls["place"] == 3


async def test_trading_pauses_where_the_target_is_not_reached(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await begin(engine, account, pauses=False, target="69.98")
    await engine.check(account)
    await engine.wait(11 * MINUTE)

    told = await until_over(engine, account)

    after = (await engine.account(account)).settings
    assert (after.target, after.paused, told.target) == (FixedUsdt(D(40)), True, None)


async def test_a_target_that_is_set_meanwhile_is_kept_and_trading_pauses(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await begin(engine, account, pauses=False, target="69.98")
    await engine.check(account)
    await engine.change(account, target=FixedUsdt(D(75)))

    told = await until_over(engine, account)

    after = (await engine.account(account)).settings
    assert (after.target, after.paused, told.target) == (FixedUsdt(D(75)), True, None)


async def test_a_target_that_is_set_while_the_last_check_runs_is_kept(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    account = await engine.open_account()
    run = await begin(engine, account, pauses=False, target="69.98")
    while (run := await stored(engine, account) or run).last < run.count:
        checked = await engine.check(account)
        await engine.wait(checked.again_in or MINUTE)
    duty = await engine.duty(account)
    await engine.wait(15 * MINUTE)
    await engine.change(account, target=FixedUsdt(D(75)))

    await engine.checker.check(duty, fence=engine.fences[account.id])

    after = (await engine.account(account)).settings
    [told] = await engine.alerts_of(SlicedTradeOver)
    assert (after.target, after.paused, told.target) == (FixedUsdt(D(75)), True, None)


async def test_where_no_slice_traded_no_setting_changes(engine: Engine, exchange: FakeExchange):
    account = await engine.open_account()
    async with engine.database.writing() as session:
        account = await accounts.set_limits(session, account, Limits(order=D(5)))
    await begin(engine, account)

    told = await until_over(engine, account)

    assert exchange.calls["place"] == 0
    assert (told.end, told.orders, told.paused, told.left) == (SlicesEnd.DEADLINE, 0, False, D(30))
    assert {*await engine.told()} == {"IncidentAlert", "SlicedTradeOver"}


async def test_in_a_pause_the_slices_leave_and_nothing_else(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account(paused=True)
    await begin(engine, account, pauses=False)

    told = await until_over(engine, account)

    assert (told.orders, told.paused) == (3, True)
    assert is_idle_duty(await engine.duty(account))


async def test_an_unclear_slice_is_looked_up_and_the_next_one_waits(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await begin(engine, account)
    exchange.go_wrong("place", OutcomeUnknown("timeout"), executes=True)
    exchange.hidden_lookups = 2

    checked = await engine.check(account)
    await engine.wait(6 * MINUTE)
    blocked = await engine.check(account)  # slice 2 is due, and slice 1 is looked up
    told = await until_over(engine, account)

    assert isinstance(checked.look.verdict, OrderPlaced)
    assert exchange.calls["place"] == len(await engine.intents())
    assert not isinstance(blocked.look.verdict, OrderPlaced)
    assert told.orders == len(exchange.ledger)
    assert set(exchange.posts.values()) == {1}
    assert (await engine.told())[:2] == ["OrderUnclear", "TradeSettled"]


async def test_who_lost_the_account_uses_no_slice_up(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    account = await engine.open_account()
    await begin(engine, account)

    async def lose() -> None:
        await engine.lease_runs_out()

    exchange.meanwhile("book", lose)
    await engine.check(account)

    run = await stored(engine, account)
    assert (run and run.last, exchange.calls["place"]) == (0, 0)
    assert await engine.intents() == []


async def test_of_two_processes_one_tells_the_end(engine: Engine, exchange: FakeExchange):
    account = await engine.open_account()
    await begin(engine, account)
    await engine.check(account)
    await engine.change(account, paused=True)
    duty = await engine.duty(account)
    other = Engine(engine.database, engine.clock, exchange, owner="process-2")
    await engine.lease_runs_out()
    await other.claim()

    late = await engine.checker.check(duty, fence=engine.fences[account.id])
    assert await engine.alerts_of(SlicedTradeOver) == []
    await other.check(account)
    await other.checker.check(duty, fence=other.fences[account.id])

    assert late.again_in == timedelta(seconds=1)
    assert len(await engine.alerts_of(SlicedTradeOver)) == 1


# The first check writes what is held, then the order with its number, the gate, and what came of it.
@pytest.mark.parametrize(
    ("step", "is_sent", "is_used"),
    [
        ("commit 2", False, False),
        ("committed 2", False, True),
        long("commit 3", False, True),
        ("committed 3", False, True),
        long("place asked 1", False, True),
        ("place answered 1", True, True),
        long("committed 4", True, True),
    ],
)
async def test_killed_at_any_step_a_slice_is_sent_once_or_missed_and_the_rest_goes_on(
    sqlite: Database, clock: FakeClock, step: str, is_sent: bool, is_used: bool
):
    exchange = FakeExchange(clock, usdt=40, on_step=(fuse := Fuse(step)))
    first = Engine(sqlite, clock, exchange, on_step=fuse)
    second = Engine(sqlite, clock, exchange, owner="next-life")
    account = await first.open_account()
    await begin(first, account)

    with pytest.raises((Crash, BaseExceptionGroup)):
        await first.check(account)
    killed_at = await stored(second, account)
    exchange.hear_steps()
    await second.lease_runs_out()
    await second.claim()
    told = await until_over(second, account)

    assert killed_at is not None
    assert killed_at.last == is_used
    traded = 3 if is_sent or not is_used else 2
    assert (told.orders, len(exchange.ledger)) == (traded, traded)
    assert set(exchange.posts.values()) == {1}
    assert told.end is (SlicesEnd.DONE if traded == 3 else SlicesEnd.DEADLINE)


async def test_a_number_is_begun_once(engine_on_both: Engine, exchange: FakeExchange):
    engine = engine_on_both
    account = await engine.open_account()
    await begin(engine, account)
    await engine.check(account)
    [order] = await engine.intents()

    async with engine.database.writing() as session:
        with pytest.raises(LeaseLost):
            await sliced_trades.begin(
                session, order, owner=engine.owner, now=engine.database.now()
            )
