"""A trade by hand goes the way of every order, and what it does to trading is stored with it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update

from engine.domain.accounts.account import Account
from engine.domain.accounts.risk_limits import Limits
from engine.domain.alerts.alerts import ManualDeclined, TradeSettled
from engine.domain.market.pairs import Side
from engine.domain.orders.order import OrderState, Trigger
from engine.domain.rebalancing.check_result import NoTrade, PlanChanged
from engine.domain.rebalancing.manual_trade import ManualRun, ManualTrade
from engine.domain.rebalancing.planner import LimitKind, OverLimit
from engine.domain.targets.target import FixedUsdt
from engine.errors import ClockRefused
from engine.scheduling.dispatcher import is_idle_duty
from engine.storage.accounts import accounts
from engine.storage.database import Database
from engine.storage.models.accounts import AuditRow
from engine.storage.models.trading import RunRequestRow
from engine.storage.trading import run_requests
from tests.engine.harness import Crash, Engine, Fuse
from tests.fakes.clock import FakeClock
from tests.fakes.exchange import FakeExchange

D = Decimal
USER = 1001
HALF = ManualTrade(Side.SELL, share=D("0.5"))
PAUSES: Mapping[str, Any] = {"pauses": True}
KEEPS: Mapping[str, Any] = {"target": D("139.95")}


async def ask(engine: Engine, account: Account, trade: ManualTrade = HALF, **run) -> None:
    """The user taps; half of the tokens are worth 99.95 USDT."""
    manual = ManualRun(trade=trade, version=account.version, user_id=USER, **run)
    amount = trade.quote_amount or D("99.95")
    await engine.tap(account, side=trade.side, expected_quote=amount, manual=manual)


async def audited(engine: Engine) -> list[tuple[int, str, str]]:
    async with engine.database.reading() as session:
        rows = await session.scalars(select(AuditRow).order_by(AuditRow.id))
        return [(row.user_id, row.subject, row.detail) for row in rows]


@pytest.fixture
def exchange(clock: FakeClock) -> FakeExchange:
    """On target: only a user trades here."""
    return FakeExchange(clock, usdt=40, mntl=100_000)


async def test_the_trade_and_the_pause_are_stored_together(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    account = await engine.open_account()
    await ask(engine, account, **PAUSES)

    await engine.check(account)

    assert exchange.usdt == D("139.95")
    assert (await engine.account(account)).settings.paused
    assert is_idle_duty(await engine.duty(account))
    assert await audited(engine) == [(USER, "trading", "on -> paused")]
    [intent] = await engine.intents()
    assert (intent.state, intent.trigger) == (OrderState.FILLED, Trigger.PERSON)
    [told] = await engine.alerts_of(TradeSettled)
    assert told.paused


async def test_a_target_set_with_the_trade_keeps_it(engine: Engine, exchange: FakeExchange):
    account = await engine.open_account()
    await ask(engine, account, **KEEPS)

    await engine.until_quiet(account)

    assert exchange.usdt == D("139.95")
    after = await engine.account(account)
    assert (after.settings.fixed_goal.target, after.settings.paused) == (D("139.95"), False)
    assert await audited(engine) == [(USER, "target", "40 USDT -> 139.95 USDT")]
    [told] = await engine.alerts_of(TradeSettled)
    assert told.target == D("139.95")


async def test_in_a_pause_the_tapped_trade_leaves_and_nothing_else(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    account = await engine.open_account(paused=True)
    await ask(engine, account)

    await engine.check(account)

    assert exchange.usdt == D("139.95")
    assert is_idle_duty(await engine.duty(account))


async def test_a_pause_after_the_tap_calls_the_trade_off_in_a_pause_too(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    account = await engine.open_account(paused=True)
    await ask(engine, account)

    async def pause() -> None:
        async with engine.database.writing() as session:
            await accounts.change(session, account, paused=True)
            await run_requests.drop(session, account.id)

    exchange.meanwhile("last_price", pause)
    await engine.check(account)

    assert exchange.calls["place"] == 0


@pytest.mark.parametrize("run", [PAUSES, KEEPS])
async def test_where_the_gate_stays_shut_no_setting_changes(
    engine: Engine, exchange: FakeExchange, run: Mapping[str, Any]
):
    account = await engine.open_account()
    await ask(engine, account, **run)

    async def lose() -> None:
        await engine.lease_runs_out()

    exchange.meanwhile("last_price", lose)
    await engine.check(account)

    after = await engine.account(account)
    assert exchange.calls["place"] == 0
    assert (after.settings, after.version) == (account.settings, account.version)
    [declined] = await engine.alerts_of(ManualDeclined)
    assert (declined.side, declined.reason) == (Side.SELL, None)


async def test_a_trade_that_a_check_would_undo_is_not_made_without_the_users_word(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await ask(engine, account)

    checked = await engine.check(account)

    assert isinstance(checked.look.verdict, PlanChanged)
    assert exchange.calls["place"] == 0
    assert await engine.told() == ["ManualDeclined"]


async def test_a_change_between_the_tap_and_the_order_ends_the_trade(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await ask(engine, account, **PAUSES)
    await engine.change(account, target=FixedUsdt(D(50)))

    await engine.check(account)

    assert exchange.calls["place"] == 0
    assert not (await engine.account(account)).settings.paused


async def test_a_trade_by_hand_keeps_within_the_limits(engine: Engine, exchange: FakeExchange):
    account = await engine.open_account()
    async with engine.database.writing() as session:
        account = await accounts.set_limits(session, account, Limits(order=D(50)))
    await ask(engine, account, **PAUSES)

    checked = await engine.check(account)

    reason = OverLimit(LimitKind.ORDER, asked=D("99.95"), allowed=D(50))
    assert checked.look.verdict == NoTrade(reason)
    assert exchange.calls["place"] == 0


async def test_a_refused_time_stamp_is_no_reason_to_send_a_used_tap_again(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await ask(engine, account, **PAUSES)
    exchange.go_wrong("place", ClockRefused(code=700003, message="no"))

    await engine.check(account)

    assert exchange.calls["place"] == 1
    assert await engine.told() == ["IncidentAlert"]
    assert (await engine.account(account)).settings.paused


async def test_what_only_another_version_can_read_is_no_rebalance(
    engine: Engine, exchange: FakeExchange
):
    exchange.usdt = D("57.10")
    account = await engine.open_account(paused=True)
    await engine.tap(account, expected_quote="17.10")
    async with engine.database.writing() as session:
        await session.execute(update(RunRequestRow).values(manual='{"trade":"by tomorrow"}'))

    assert (await engine.duty(account)).request is None


@pytest.mark.parametrize("step", ["committed 2", "commit 3", "committed 3", "place answered 1"])
async def test_killed_at_any_step_the_order_and_the_pause_are_both_there_or_neither(
    sqlite: Database, clock: FakeClock, step: str
):
    exchange = FakeExchange(clock, usdt=40, on_step=(fuse := Fuse(step)))
    first = Engine(sqlite, clock, exchange, on_step=fuse)
    second = Engine(sqlite, clock, exchange, owner="next-life")
    account = await first.open_account()
    await ask(first, account, **PAUSES)

    with pytest.raises((Crash, BaseExceptionGroup)):
        await first.check(account)
    killed_at = await second.account(account)
    sent = [intent for intent in await second.intents() if intent.sent_at is not None]

    assert killed_at.settings.paused == bool(sent)

    exchange.hear_steps()
    await second.lease_runs_out()
    await second.claim()
    for _ in range(20):
        duty = await second.duty(account)
        if is_idle_duty(duty):
            break
        checked = await second.check(duty.account)
        await second.wait(checked.again_in or account.settings.interval)

    assert (await second.account(account)).settings.paused == bool(sent)
    assert set(exchange.posts.values()) <= {1}
    assert len(exchange.ledger) == (step == "place answered 1")
    assert await second.pending_taps() == []
