"""The last gate counts for itself: each limit, exact to the cent, on both databases."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.domain.accounts.account import Account
from engine.domain.accounts.risk_limits import Limits, Recent
from engine.domain.market.pairs import OrderType, Symbol
from engine.domain.orders.order import Order, OrderState, PricedTerms, Trigger
from engine.domain.rebalancing.check_result import BalanceSnapshot, CheckResult, NoTrade
from engine.domain.rebalancing.planner import InsideBand
from engine.storage.accounts import accounts
from engine.storage.database import Database
from engine.storage.trading import check_results, limit_usage, orders
from tests.builders import book, holdings, intent, settings
from tests.engine.harness import Engine
from tests.fakes.clock import START, FakeClock
from tests.fakes.exchange import FakeExchange
from tests.fakes.tasks import a_moment

D = Decimal
COUNTED = {
    OrderState.SENDING,
    OrderState.ACKED,
    OrderState.UNKNOWN,
    OrderState.NEEDS_HUMAN,
    OrderState.FILLED,
    OrderState.PARTIAL,
    OrderState.SET_ASIDE,
}
NEVER_SENT = {OrderState.PLANNED, OrderState.DROPPED}


@pytest.fixture
async def account(engine_on_both: Engine) -> Account:
    """Owned and running: 100 USDT an order, 250 USDT a day, 3 orders an hour, 10 % a move."""
    account = await engine_on_both.open_account()
    chosen = Limits(order=D(100), day=D(250), orders_per_hour=3, move=D("0.10"))
    async with engine_on_both.database.writing() as session:
        return await accounts.set_limits(session, account, chosen)


async def past(database: Database, *quotes: str, **facts: Any) -> None:
    """Orders of the account that are over."""
    values = {"state": OrderState.FILLED, "sent_at": facts.get("created_at", START)} | facts
    async with database.writing() as session:
        for number, quote in enumerate(quotes):
            order = intent(run_id=f"past-{number}-{values}", expected_quote=quote, **values)
            await orders.add(session, order)


async def leaves(database: Database, account: Account, **facts: Any) -> bool:
    """Whether a new order passes the gate."""
    wanted = intent(**facts)
    async with database.writing() as session:
        await orders.add(session, wanted)
    return await passes(database, account, wanted)


async def passes(database: Database, account: Account, wanted: Order) -> bool:
    async with database.writing() as session:
        await orders.hold_account(session, account.id)
        sending = await orders.start_sending(
            session,
            wanted,
            now=database.now(),
            owner="process-1",
            margin=timedelta(seconds=20),
            account=account,
            sent_at=START,
        )
    return sending is not None


@pytest.mark.parametrize(
    ("worth", "let_through"), [("100", True), ("100.01", False), ("100.000000001", False)]
)
async def test_an_order_over_its_limit_does_not_leave_whatever_was_planned(
    database: Database, account: Account, worth: str, let_through: bool
):
    assert await leaves(database, account, expected_quote=worth) is let_through
    async with database.reading() as session:
        stored = await orders.get(session, intent().client_order_id)
    assert stored is not None
    assert (stored.state is OrderState.PLANNED) is not let_through


@pytest.mark.parametrize(("price", "let_through"), [("0.002", True), ("0.00200001", False)])
async def test_a_buy_with_a_price_counts_with_all_that_it_may_spend(
    database: Database, account: Account, price: str, let_through: bool
):
    priced = PricedTerms(
        order_type=OrderType.IOC, price=D(price), base_quantity=D(50_000), average=D("0.0019")
    )

    assert await leaves(database, account, expected_quote="95", priced=priced) is let_through


@pytest.mark.parametrize(("worth", "let_through"), [("70.10", True), ("70.11", False)])
async def test_a_days_orders_together_keep_to_the_cent(
    database: Database, account: Account, worth: str, let_through: bool
):
    await past(database, "99.90", "80.00")

    assert await leaves(database, account, expected_quote=worth) is let_through


async def test_what_was_traded_24_hours_ago_counts_no_more(database: Database, account: Account):
    await past(database, "100", "99", created_at=START - timedelta(hours=24))

    assert await leaves(database, account, expected_quote="100")


@pytest.mark.parametrize("hours", [-48, -2, 0, 2, 48])
async def test_the_day_is_the_exchanges_whatever_the_hosts_clock_showed(
    database: Database, account: Account, hours: int
):
    shown = START + timedelta(hours=hours)
    await past(database, "99.90", "80.00", created_at=shown, sent_at=START - timedelta(hours=1))

    assert not await leaves(database, account, expected_quote="70.11")


async def test_what_was_traded_within_24_hours_counts(database: Database, account: Account):
    almost = START - timedelta(hours=24) + timedelta(milliseconds=1)
    await past(database, "100", "99", created_at=almost)

    assert not await leaves(database, account, expected_quote="100")


@pytest.mark.parametrize("state", OrderState)
async def test_an_order_counts_for_the_day_if_it_traded_or_may_have(
    database: Database, account: Account, state: OrderState
):
    two_hours_ago = START - timedelta(hours=2)
    await past(database, "200", state=state, created_at=two_hours_ago)
    async with database.reading() as session:
        recent = await limit_usage.recent(session, account, now=START)

    assert recent == Recent(turnover=D(200) if state in COUNTED else D(0))


@pytest.mark.parametrize("state", OrderState)
async def test_an_order_counts_for_the_hour_if_it_was_sent(
    database: Database, account: Account, state: OrderState
):
    await past(database, "1", state=state)
    async with database.reading() as session:
        recent = await limit_usage.recent(session, account, now=START)

    assert recent.orders == (state not in NEVER_SENT)


async def test_a_storm_of_refusals_is_stopped_within_the_hour(
    database: Database, account: Account
):
    refused = OrderState.REJECTED
    await past(database, "1", "1", "1", state=refused, created_at=START - timedelta(minutes=59))

    assert not await leaves(database, account)


async def test_orders_of_an_hour_ago_count_no_more(database: Database, account: Account):
    await past(database, "1", "1", "1", created_at=START - timedelta(hours=1))

    assert await leaves(database, account)


async def test_paper_and_real_money_are_counted_apart(database: Database, account: Account):
    await past(database, "100", "100", "50", dry_run=True)

    assert await leaves(database, account, expected_quote="100")


async def test_another_chats_orders_count_for_nobody_else(
    engine_on_both: Engine, database: Database, account: Account
):
    other = await engine_on_both.open_account(2002)
    await past(database, "100", "100", "50", account_id=other.id)

    assert await leaves(database, account, expected_quote="100")


@pytest.mark.parametrize(("moved", "let_through"), [(1000, True), (1001, False)])
async def test_an_order_at_a_price_that_moved_too_far_does_not_leave(
    database: Database, account: Account, moved: int, let_through: bool
):
    assert await leaves(database, account, move_bp=moved) is let_through


async def test_an_order_planned_under_other_limits_does_not_leave(
    database: Database, account: Account
):
    async with database.writing() as session:
        await accounts.set_limits(session, account, replace(account.limits, order=D(99)))

    assert not await leaves(database, account, expected_quote="1")


async def test_an_order_of_a_halted_account_stays_in(database: Database, account: Account):
    async with database.writing() as session:
        [halted] = await accounts.halt_all(session, halted=True)

    assert halted.halted
    assert not await leaves(database, halted)


async def test_a_halt_committed_while_the_gate_waits_for_it_keeps_the_order_in(
    database: Database, account: Account
):
    async with asyncio.TaskGroup() as tasks, database.writing() as session:
        await accounts.halt_all(session, halted=True)
        gate = tasks.create_task(leaves(database, account))
        for _ in range(5):
            await a_moment()

        assert not gate.done()

    assert gate.result() is False


async def test_two_gates_at_once_do_not_both_overlook_the_other(
    database: Database, account: Account
):
    """Each alone keeps within the day, and the first is over before the second looks."""
    await past(database, "100")
    first, second = (
        intent(run_id="a", expected_quote="90"),
        intent(run_id="b", expected_quote="90"),
    )
    async with database.writing() as session:
        await orders.add(session, first)
        await orders.add(session, second)
    async with asyncio.TaskGroup() as tasks, database.writing() as session:
        await orders.hold_account(session, account.id)
        sending = await orders.start_sending(
            session,
            first,
            now=database.now(),
            owner="process-1",
            margin=timedelta(seconds=20),
            account=account,
            sent_at=START,
        )
        assert sending is not None
        acked = await orders.move(session, sending, OrderState.ACKED, exchange_order_id="E1")
        await orders.move(session, acked, OrderState.FILLED)
        behind = tasks.create_task(passes(database, account, second))
        for _ in range(5):
            await a_moment()

        assert not behind.done()

    assert behind.result() is False


async def test_limits_come_back_as_they_were_set(database: Database, account: Account):
    async with database.reading() as session:
        stored = await accounts.get(session, account.id)

    assert stored == account
    assert stored.limits == Limits(order=D(100), day=D(250), orders_per_hour=3, move=D("0.10"))


async def test_the_price_seen_last_is_of_the_pair_that_is_traded(
    database: Database, account: Account
):
    look = CheckResult(
        at=START,
        trigger=Trigger.INTERVAL,
        target=D(40),
        band=settings().fixed_goal.band,
        verdict=NoTrade(InsideBand()),
        seen=BalanceSnapshot.of(settings(), holdings(), book()),
    )
    async with database.writing() as session:
        await check_results.put(session, account.id, look)
        other_pair = await check_results.seen_of(session, account.id, Symbol("ABCUSDT"))
        seen = await check_results.seen_of(session, account.id, account.settings.symbol)
        await check_results.put(session, account.id, replace(look, seen=None))
        blind = await check_results.seen_of(session, account.id, account.settings.symbol)

    assert (other_pair, blind) == (None, None)
    assert seen is not None
    assert seen.price == D("0.00205")


async def test_a_look_that_another_version_wrote_has_no_price(
    database: Database, account: Account, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(check_results, "to_json", lambda _: '{"verdict":{"_type":"Tomorrow"}}')
    look = CheckResult(
        at=START,
        trigger=Trigger.INTERVAL,
        target=D(40),
        band=settings().fixed_goal.band,
        verdict=NoTrade(InsideBand()),
    )
    async with database.writing() as session:
        await check_results.put(session, account.id, look)

        assert await check_results.seen_of(session, account.id, account.settings.symbol) is None


@pytest.mark.parametrize("by", [timedelta(days=2), timedelta(days=-2), timedelta(hours=-2)])
async def test_a_hosts_clock_that_is_set_opens_no_new_day(
    sqlite: Database, clock: FakeClock, exchange: FakeExchange, by: timedelta
):
    """Running, and again by a process that starts with the clock as it is then."""
    engine = Engine(sqlite, clock, exchange)
    account = await engine.open_account()
    async with sqlite.writing() as session:
        account = await accounts.set_limits(session, account, Limits(day=D(20)))
    await engine.check(account)
    clock.set_by(by)
    exchange.usdt += D("17.10")
    await engine.wait(timedelta(minutes=11))
    await engine.check(account)
    running = exchange.calls["place"]
    started = FakeClock(start=clock.now())
    url = str(sqlite.engine.url).replace("+aiosqlite", "")
    async with Database.open(url, clock=started) as db:
        again = Engine(db, started, exchange, owner="process-2")
        await again.lease_runs_out()
        await again.claim()
        await again.check(account)

    assert running == exchange.calls["place"] == 1
