"""Deposits, withdrawals and trades by hand, as the checks notice them: told once, never invented."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from engine.domain.accounts.account import Account
from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.accounts.risk_limits import Limits
from engine.domain.accounts.settings import TradingMode
from engine.domain.accounts.settings_change import SettingsPatch
from engine.domain.alerts.alerts import TradeSettled
from engine.domain.alerts.deposit_alerts import BalanceChanged, DepositTraded
from engine.domain.market.balances import Holdings
from engine.domain.market.pairs import USDT, Asset, Symbol
from engine.domain.orders.order import OrderState
from engine.domain.rebalancing.pending_change import PendingChange
from engine.domain.targets.target import FixedUsdt
from engine.errors import OutcomeUnknown, Unavailable
from engine.rebalancing.deposits import WAITING
from engine.storage.accounts import accounts
from engine.storage.database import Database
from engine.storage.models.accounts import AlertPreferencesRow
from engine.storage.models.chat import ConfirmationRow
from engine.storage.models.trading import BalanceRow, OrderRow
from engine.storage.serialization import from_json
from engine.storage.trading import history
from tests.engine.harness import Crash, Engine, Fuse
from tests.fakes.clock import FakeClock
from tests.fakes.exchange import FakeExchange

D = Decimal
ANYBODY = 7
INTERVAL = timedelta(seconds=120)


async def seen(engine: Engine, exchange: FakeExchange, **wishes: Any) -> Account:
    """An account on target, whose balances were looked at."""
    exchange.usdt = D(40)
    account = await engine.open_account(**wishes)
    await engine.check(account)
    await engine.wait(INTERVAL)
    return account


async def kept(engine: Engine, account: Account) -> list[BalanceChange]:
    async with engine.database.reading() as session:
        events = await history.page(session, account.id, most=100)
    return [event for event in events if isinstance(event, BalanceChange)]


async def questions(engine: Engine) -> list[str]:
    async with engine.database.reading() as session:
        query = select(ConfirmationRow.id)
        return list(await session.scalars(query))


async def test_a_deposit_is_told_kept_and_traded_all_the_same(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    account = await seen(engine, exchange)
    exchange.usdt += 100

    await engine.check(account)

    [moved] = await kept(engine, account)
    assert moved == BalanceChange(
        at=engine.clock.now(), dry_run=False, asset=USDT, before=D(40), after=D(140)
    )
    [told] = await engine.alerts_of(DepositTraded)
    assert (told.moved, told.held, told.has_choices) == ((moved,), D(140), True)
    assert await questions(engine) == []  # it is spent
    assert await engine.told() == ["DepositTraded", "TradeSettled"]
    assert account.settings.fixed_goal.band.holds(exchange.usdt)


@pytest.mark.parametrize("stopped_by", ["minimum", "limit", "book", "read", None])
async def test_a_deposit_is_announced_as_bought_now_only_where_the_order_passes_what_is_known(
    engine: Engine, exchange: FakeExchange, stopped_by: str | None
):
    account = await seen(engine, exchange)
    exchange.usdt += 100
    market = exchange.paper_market
    if stopped_by == "minimum":
        market.pair_rules = replace(market.pair_rules, min_notional=D(200))
    elif stopped_by == "limit":
        async with engine.database.writing() as session:
            await accounts.set_limits(session, account, Limits(day=D(60)))
    elif stopped_by == "book":
        market.asks = []
    elif stopped_by == "read":
        exchange.go_wrong("book", Unavailable("no answer"))

    await engine.check(account)

    [told] = await engine.alerts_of(DepositTraded)
    assert told.coming is not None
    reason = type(told.coming.reason).__name__ if told.coming.reason else None
    assert reason == {"minimum": "UnderMinimum", "limit": "OverLimit", "book": "EmptyBook"}.get(
        stopped_by or ""
    )
    assert told.coming.at_once == (stopped_by != "read")
    assert told.coming.expected_quote == (D(100) if stopped_by is None else None)


async def test_what_our_own_orders_did_is_never_told(engine: Engine, exchange: FakeExchange):
    account = await seen(engine, exchange)
    for change in (100, -30, 55):
        exchange.usdt += change
        await engine.until_quiet(account)
        for _ in range(4):
            await engine.wait(INTERVAL)
            await engine.check(account)

    assert [movement.change for movement in reversed(await kept(engine, account))] == [
        100,
        -30,
        55,
    ]
    assert len(await engine.alerts_of(TradeSettled)) == 3


async def test_the_first_look_at_an_account_judges_nothing(engine: Engine, exchange: FakeExchange):
    account = await engine.open_account()

    await engine.until_quiet(account)

    assert await engine.told() == ["TradeSettled"]


@pytest.mark.parametrize(
    "wish", [{"symbol": Symbol("ABCUSDT")}, {"dry_run": True}, {"sealed_key": "another"}]
)
async def test_another_pair_key_or_kind_of_money_begins_anew(
    engine: Engine, exchange: FakeExchange, wish: dict[str, Any]
):
    account = await seen(engine, exchange)
    async with engine.database.writing() as session:
        if "sealed_key" in wish:
            await accounts.store_key(
                session, account, sealed_key="another", key_tail="T", key_print="another"
            )
            account = await accounts.change(
                session, await accounts.get(session, account.id), paused=False
            )
        else:
            account = await accounts.change(session, account, **wish)
    exchange.usdt = D(41)

    await engine.check(account)

    assert await engine.alerts() == []
    assert await kept(engine, account) == []


async def test_a_change_of_key_while_the_check_looks_leaves_no_trace_of_the_old_one(
    engine: Engine, exchange: FakeExchange
):
    account = await seen(engine, exchange)
    exchange.usdt = D(41)

    async def meanwhile() -> None:
        await engine.change(account, dry_run=True)

    exchange.meanwhile("holdings", meanwhile)
    await engine.check(account)

    assert await kept(engine, account) == []
    async with engine.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(BalanceRow)) == 0


async def test_another_process_that_lost_the_account_notes_nothing(
    engine: Engine, exchange: FakeExchange
):
    account = await seen(engine, exchange)
    exchange.usdt = D(41)
    await engine.lease_runs_out()

    await engine.check(account)

    assert await kept(engine, account) == []


async def test_a_trade_by_hand_is_told_as_one(engine: Engine, exchange: FakeExchange):
    account = await seen(engine, exchange)
    exchange.usdt, exchange.mntl = D(60), D(90_000)

    await engine.check(account)

    [told] = await engine.alerts_of(BalanceChanged)
    assert told.by_hand
    assert [m.change for m in told.moved] == [20, -10_000]
    assert await questions(engine) == []


async def test_a_withdrawal_is_told_and_nothing_is_asked(engine: Engine, exchange: FakeExchange):
    account = await seen(engine, exchange)
    exchange.usdt -= 1

    await engine.check(account)
    await engine.wait(INTERVAL)
    await engine.check(account)

    [told] = await engine.alerts()
    assert isinstance(told, BalanceChanged)
    assert [m.change for m in told.moved] == [-1]
    assert await questions(engine) == []


async def test_one_who_does_not_want_choices_is_only_told(engine: Engine, exchange: FakeExchange):
    account = await seen(engine, exchange)
    async with engine.database.writing() as session:
        session.add(
            AlertPreferencesRow(
                account_id=account.id,
                levels="{}",
                smallest=D(0),
                time_zone="UTC",
                ask_deposits=False,
            )
        )
    exchange.usdt += 100

    await engine.check(account)

    [told] = await engine.alerts_of(DepositTraded)
    assert not told.has_choices
    assert await questions(engine) == []


async def test_more_than_a_few_in_an_hour_are_kept_without_a_word(
    engine: Engine, exchange: FakeExchange
):
    account = await seen(engine, exchange)
    for n in range(12):
        exchange.usdt = D(41 if n % 2 else 40) + D(n) / 100
        await engine.wait(timedelta(minutes=1))
        await engine.check(account)

    told = await engine.alerts_of(BalanceChanged)
    assert len(told) == 6
    assert [alert.last_for_now for alert in told] == [False] * 5 + [True]
    assert len(await kept(engine, account)) >= 10


async def test_balances_that_lag_behind_a_fill_are_no_movement(
    engine: Engine, exchange: FakeExchange
):
    account = await seen(engine, exchange)
    exchange.usdt += 20
    exchange.stale_reads = 8
    for _ in range(12):
        await engine.check(account)
        await engine.wait(timedelta(seconds=10))

    assert [m.change for m in await kept(engine, account)] == [20]
    assert exchange.calls["place"] == 1


async def test_a_fill_that_was_found_late_is_no_movement(engine: Engine, exchange: FakeExchange):
    account = await seen(engine, exchange)
    exchange.usdt += 20
    exchange.go_wrong("place", OutcomeUnknown("timeout"), executes=True)
    await engine.until_quiet(account)
    await engine.wait(INTERVAL)
    await engine.check(account)

    assert [m.change for m in await kept(engine, account)] == [20]


@pytest.mark.parametrize("state", [OrderState.NOT_EXECUTED, OrderState.SET_ASIDE])
async def test_after_an_order_nobody_is_sure_of_the_next_look_is_the_first(
    engine: Engine, exchange: FakeExchange, state: OrderState
):
    account = await seen(engine, exchange)
    exchange.usdt += 20
    exchange.go_wrong("place", OutcomeUnknown("timeout"))
    await engine.check(account)
    async with engine.database.writing() as session:
        [row] = (await session.scalars(select(OrderRow))).all()
        row.state = state
    exchange.usdt, exchange.mntl = D(40), D(110_000)
    await engine.wait(INTERVAL)

    await engine.check(account)
    await engine.check(account)

    assert [m.change for m in await kept(engine, account)] == [20]


async def test_the_question_holds_for_the_target_pair_and_money_it_was_asked_about(
    engine: Engine, exchange: FakeExchange
):
    account = await seen(engine, exchange, autonomy=TradingMode.NOTIFY)
    exchange.usdt += D("100.009")
    await engine.check(account)
    async with engine.database.reading() as session:
        [row] = (await session.scalars(select(ConfirmationRow))).all()

    proposal = from_json(row.payload, PendingChange)

    assert (row.kind, proposal.wanted) == (WAITING, SettingsPatch(target=FixedUsdt(D("140.00"))))
    assert proposal.holds(account)
    for other in ({"target": FixedUsdt(D(60))}, {"symbol": Symbol("BTCUSDT")}, {"dry_run": True}):
        assert not proposal.holds(replace(account, settings=replace(account.settings, **other)))


@pytest.mark.parametrize("dies_at", ["write begins 1", "commit 1", "committed 1"])
async def test_killed_around_it_a_movement_is_told_once(
    sqlite: Database, clock: FakeClock, dies_at: str
):
    exchange = FakeExchange(clock)
    account = await seen(Engine(sqlite, clock, exchange), exchange)
    exchange.usdt += D("1.50")
    dying = Engine(sqlite, clock, exchange, on_step=Fuse(dies_at))
    dying.fences[account.id] = 1
    with pytest.raises((Crash, BaseExceptionGroup)):
        await dying.check(account)
    engine = Engine(sqlite, clock, exchange, owner="next-life")
    await engine.lease_runs_out()
    await engine.claim()

    await engine.check(account)
    await engine.check(account)

    assert [m.change for m in await kept(engine, account)] == [D("1.50")]
    assert await engine.told() == ["BalanceChanged"]


async def test_open_orders_of_the_person_are_still_theirs(engine: Engine, exchange: FakeExchange):
    account = await seen(engine, exchange)
    real = exchange.holdings

    async def locked() -> Holdings:
        held = await real()
        usdt = held.of(USDT)
        split = type(usdt)(free=usdt.free - 10, locked=D(10))
        return Holdings({USDT: split, Asset("MNTL"): held.of(Asset("MNTL"))}, held.read_at)

    exchange.holdings = locked  # type: ignore[method-assign]
    await engine.check(account)

    assert await engine.alerts() == []
