"""USDT that arrives, as its owner chose: traded later, after an answer, or kept."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from engine.accounts.account_service import Change
from engine.accounts.deposits import DepositService
from engine.accounts.trading_mode import TradingModes
from engine.domain.accounts.account import Account
from engine.domain.accounts.audit import BY_ITSELF
from engine.domain.accounts.confirmation import Refusal, RefusalReason
from engine.domain.accounts.deposits import DepositChoice, DepositRule
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.accounts.settings import TradingMode
from engine.domain.alerts.deposit_alerts import DepositKept, DepositTraded, DepositWaiting
from engine.domain.market.balances import Holdings
from engine.domain.market.pairs import USDT
from engine.domain.orders.order import OrderState, Trigger
from engine.domain.rebalancing.check_result import CheckFailed, NoTrade
from engine.domain.rebalancing.deposit_offer import DepositOffer
from engine.domain.rebalancing.planner import DepositWaits
from engine.domain.targets.target import FixedUsdt
from engine.storage.accounts import accounts
from engine.storage.database import Database
from engine.storage.models.accounts import AuditRow
from tests.engine.harness import CHAT, Crash, Engine, Fuse
from tests.fakes.clock import FakeClock
from tests.fakes.exchange import FakeExchange

D = Decimal
ANYBODY = 7
INTERVAL = timedelta(seconds=120)
WAIT = DepositRule(DepositChoice.WAIT, timedelta(minutes=15))
ASK = DepositRule(DepositChoice.ASK)
KEEP = DepositRule(DepositChoice.KEEP)


async def seen(
    engine: Engine, exchange: FakeExchange, rule: DepositRule, **wishes: Any
) -> Account:
    """An account on target whose balances were looked at."""
    exchange.usdt = D(40)
    account = await engine.open_account(deposits=rule, **wishes)
    await engine.check(account)
    await engine.wait(INTERVAL)
    return account


async def card(engine: Engine) -> DepositWaiting:
    return (await engine.alerts_of(DepositWaiting))[-1]


def service(engine: Engine) -> DepositService:
    return DepositService(database=engine.database, clock=engine.clock)


async def test_a_deposit_waits_as_long_as_was_said_and_is_traded_then(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    account = await seen(engine, exchange, WAIT)
    exchange.usdt += 100
    until = engine.clock.now() + WAIT.wait

    first = await engine.check(account)
    calls = exchange.calls.copy()
    again = await engine.check(account)
    asked, orders_before = exchange.calls - calls, await engine.intents()
    await engine.wait(WAIT.wait)
    await engine.check(account)

    assert first.look.verdict == NoTrade(DepositWaits(D(100), until))
    assert again.look.verdict == first.look.verdict
    assert asked == {"holdings": 1}
    assert orders_before == []
    [order] = await engine.intents()
    assert (order.quote_amount, order.trigger) == (D(100), Trigger.INTERVAL)
    assert await engine.told() == ["DepositWaiting", "TradeSettled"]
    told = await card(engine)
    assert (told.amount, told.buys, told.new_target) == (D(100), D(100), D("140.00"))
    assert (told.until, told.asks) == (until, False)
    assert (await engine.account(account)).waiting is None


async def test_a_check_comes_at_the_end_of_the_wait_however_long_the_interval(
    engine: Engine, exchange: FakeExchange
):
    account = await seen(engine, exchange, WAIT, interval=timedelta(hours=1))
    exchange.usdt += 100

    checked = await engine.check(account)

    assert checked.again_in == WAIT.wait


async def test_only_the_deposit_waits_and_what_is_over_it_is_traded(
    engine: Engine, exchange: FakeExchange
):
    account = await seen(engine, exchange, WAIT)
    exchange.usdt += 100
    await engine.check(account)
    account = await engine.change(account, target=FixedUsdt(D(30)))

    await engine.check(account)
    await engine.wait(INTERVAL)
    await engine.check(account)

    [order] = await engine.intents()
    assert order.quote_amount == D(10)
    waiting = (await engine.account(account)).waiting
    assert waiting is not None
    assert waiting.amount == D("99.995")  # the fee was taken from it


async def test_what_is_protected_is_no_part_of_a_deposit(engine: Engine, exchange: FakeExchange):
    exchange.usdt = D(530)
    account = await engine.open_account(deposits=ASK)
    account = await engine.change(account, protected={USDT: D(500)})
    await engine.until_quiet(account)
    await engine.wait(INTERVAL)
    await engine.check(account)
    sold = exchange.usdt

    exchange.usdt += 1  # still inside the band
    await engine.wait(INTERVAL)
    await engine.check(account)
    assert await engine.alerts_of(DepositWaiting) == []

    exchange.usdt += 49
    await engine.wait(INTERVAL)
    await engine.check(account)

    assert abs(sold - 540) < 1
    told = await card(engine)
    assert told.held == exchange.usdt - 500
    assert told.buys == told.held - 40
    assert told.amount <= told.buys


async def test_a_shortfall_is_sold_as_ever(engine: Engine, exchange: FakeExchange):
    account = await seen(engine, exchange, WAIT)
    exchange.usdt += 100
    await engine.check(account)
    exchange.usdt = D(20)
    await engine.wait(INTERVAL)

    await engine.check(account)

    [order] = await engine.intents()
    assert order.side.value == "SELL"
    assert (await engine.account(account)).waiting is None


async def test_what_is_withdrawn_does_not_wait_any_more(engine: Engine, exchange: FakeExchange):
    account = await seen(engine, exchange, WAIT)
    exchange.usdt += 100
    await engine.check(account)
    for change in (-70, 50):
        exchange.usdt += change
        await engine.wait(INTERVAL)
        await engine.check(account)

    waiting = (await engine.account(account)).waiting
    assert waiting is not None
    assert waiting.amount == D(80)
    assert await engine.intents() == []


async def test_a_second_deposit_is_one_card_for_both(engine: Engine, exchange: FakeExchange):
    account = await seen(engine, exchange, WAIT)
    exchange.usdt += 100
    await engine.check(account)
    old = await card(engine)
    exchange.usdt += 20
    await engine.wait(INTERVAL)
    await engine.check(account)

    told = await card(engine)
    assert (told.amount, told.moved[0].change) == (D(120), D(20))
    assert told.until == engine.clock.now() + WAIT.wait
    tapped = await service(engine).trade(
        old.question_id, chat_id=CHAT, user_id=ANYBODY, expected_quote=D(100)
    )
    assert isinstance(tapped, Refusal)
    assert (await engine.account(account)).waiting is not None


async def test_one_who_is_asked_is_asked_again_a_day_later_and_nothing_is_traded(
    engine: Engine, exchange: FakeExchange
):
    account = await seen(engine, exchange, ASK)
    exchange.usdt += 100
    await engine.check(account)
    await engine.wait(timedelta(days=1))
    await engine.check(account)
    await engine.wait(INTERVAL)
    await engine.check(account)

    first, second = await engine.alerts_of(DepositWaiting)
    assert first.asks
    assert (len(first.moved), second.moved) == (1, ())
    assert first.question_id != second.question_id
    assert await engine.intents() == []


@pytest.mark.parametrize("rule", [DepositRule(), WAIT, ASK])
@pytest.mark.parametrize("mode", [TradingMode.ASK, TradingMode.NOTIFY])
async def test_where_no_order_leaves_unasked_a_deposit_is_one_card(
    engine: Engine, exchange: FakeExchange, mode: TradingMode, rule: DepositRule
):
    account = await seen(engine, exchange, rule, autonomy=mode)
    exchange.usdt += 100
    for _ in range(3):
        await engine.check(account)
        await engine.wait(INTERVAL)
    told = await engine.told()

    await service(engine).trade(
        (await card(engine)).question_id, chat_id=CHAT, user_id=ANYBODY, expected_quote=D(100)
    )
    await engine.check(account)

    assert told == ["DepositWaiting"]
    [order] = await engine.intents()
    assert (order.trigger, order.state) == (Trigger.PERSON, OrderState.FILLED)
    assert await engine.told() == ["DepositWaiting", "TradeSettled"]


async def test_a_drift_that_was_offered_already_grows_by_a_deposit(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account(deposits=ASK, autonomy=TradingMode.ASK)
    await engine.check(account)
    exchange.usdt += 20
    await engine.wait(INTERVAL)
    await engine.check(account)

    assert await engine.told() == ["PlanOffered", "BalanceChanged", "PlanOffered"]
    assert (await engine.account(account)).waiting is None


async def test_a_deposit_seen_twice_raises_the_target_and_is_told(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    account = await seen(engine, exchange, KEEP)
    exchange.usdt += 18
    calls = exchange.calls["holdings"]

    checked = await engine.check(account)
    readings = exchange.calls["holdings"] - calls
    await engine.wait(INTERVAL)
    await engine.check(account)

    assert readings == 2
    assert (await engine.account(account)).settings.fixed_goal.target == D(58)
    assert checked.look.target == D(58)
    [told] = await engine.alerts()
    assert isinstance(told, DepositKept)
    assert (told.former_target, told.target, told.held) == (D(40), D(58), D(58))
    async with engine.database.reading() as session:
        [line] = (await session.scalars(select(AuditRow))).all()
    assert (line.user_id, line.detail) == (BY_ITSELF, "40 USDT -> 58 USDT")
    assert await engine.intents() == []


@pytest.mark.parametrize(("first", "then"), [(58, 40), (58, 30), (40, 58)])
async def test_a_deposit_seen_once_raises_nothing_and_is_not_traded(
    engine: Engine, exchange: FakeExchange, first: int, then: int
):
    account = await seen(engine, exchange, KEEP, threshold=D("0.2"))
    # A token that is gone for a moment is another reason to read twice.
    readings = iter([(first, 0 if first < then else 100_000), (then, 100_000)])
    real = exchange.holdings

    async def odd() -> Holdings:
        exchange.usdt, exchange.mntl = map(D, next(readings))
        return await real()

    exchange.holdings = odd  # type: ignore[method-assign]
    checked = await engine.check(account)

    assert isinstance(checked.look.verdict, CheckFailed)
    assert checked.look.verdict.kind is IncidentKind.BAD_DATA
    assert (await engine.account(account)).settings.fixed_goal.target == D(40)
    assert await engine.intents() == []


@pytest.mark.parametrize("rule", [WAIT, ASK, KEEP])
async def test_what_arrives_right_after_a_fill_is_not_traded_before_it_is_known(
    engine: Engine, exchange: FakeExchange, rule: DepositRule
):
    account = await engine.open_account(deposits=rule)
    await engine.check(account)  # it buys
    await engine.wait(timedelta(seconds=2))
    exchange.usdt += 100
    for _ in range(25):
        checked = await engine.check(account)
        if isinstance(checked.look.verdict, NoTrade):
            break
        await engine.wait(checked.again_in or INTERVAL)

    assert len(await engine.intents()) == 1
    told = await engine.told()
    assert told[1:] == ["DepositKept" if rule == KEEP else "DepositWaiting"]


async def test_one_who_trades_at_once_does_not_wait_for_that(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await engine.check(account)
    await engine.wait(timedelta(seconds=2))
    exchange.usdt += 100

    await engine.check(account)

    assert len(await engine.intents()) == 2


@pytest.mark.parametrize("rule", [WAIT, KEEP])
@pytest.mark.parametrize("dies_at", ["write begins 1", "commit 1", "committed 1"])
async def test_killed_around_it_a_deposit_is_not_traded_and_told_once(
    sqlite: Database, clock: FakeClock, dies_at: str, rule: DepositRule
):
    exchange = FakeExchange(clock)
    account = await seen(Engine(sqlite, clock, exchange), exchange, rule)
    exchange.usdt += 100
    dying = Engine(sqlite, clock, exchange, on_step=Fuse(dies_at))
    dying.fences[account.id] = 1
    with pytest.raises((Crash, BaseExceptionGroup)):
        await dying.check(account)
    engine = Engine(sqlite, clock, exchange, owner="next-life")
    await engine.lease_runs_out()
    await engine.claim()

    for _ in range(3):
        await engine.check(account)

    assert await engine.told() == ["DepositKept" if rule == KEEP else "DepositWaiting"]
    assert await engine.intents() == []


async def test_a_longer_wait_stops_the_order_that_is_planned_at_its_end(
    engine: Engine, exchange: FakeExchange
):
    account = await seen(engine, exchange, ASK)
    exchange.usdt += 100
    await engine.check(account)
    # From now on a deposit is traded at the end of its wait.
    account = await engine.change(account, deposits=WAIT)
    question = (await card(engine)).question_id
    await engine.wait(timedelta(days=1) - timedelta(milliseconds=1))

    async def meanwhile() -> None:
        engine.clock.shift(-timedelta(milliseconds=1))
        waits = await service(engine).wait(
            question,
            chat_id=CHAT,
            user_id=ANYBODY,
            offered=D(100),
            held=D(140),
            longer=timedelta(days=1),
        )
        assert isinstance(waits, Account)
        engine.clock.shift(timedelta(milliseconds=2))

    exchange.meanwhile("holdings", meanwhile)
    await engine.check(account)
    await engine.check(account)

    assert exchange.calls["place"] == 0
    waiting = (await engine.account(account)).waiting
    assert waiting is not None
    assert waiting.until > engine.clock.now() + timedelta(hours=23)


async def test_a_tap_counts_once_and_only_for_the_deposit_that_waits(
    engine: Engine, exchange: FakeExchange
):
    account = await seen(engine, exchange, WAIT)
    exchange.usdt += 100
    await engine.check(account)
    question = (await card(engine)).question_id
    taps = service(engine)

    first = await taps.trade(question, chat_id=CHAT, user_id=ANYBODY, expected_quote=D(100))
    second = await taps.trade(question, chat_id=CHAT, user_id=ANYBODY, expected_quote=D(100))

    assert isinstance(first, Account)
    assert first.waiting is None
    assert isinstance(second, Refusal)
    assert second.why is RefusalReason.OUTDATED


@pytest.mark.parametrize("always", [False, True])
async def test_a_deposit_is_kept_and_the_rule_set_in_one_step(
    engine: Engine, exchange: FakeExchange, *, always: bool
):
    account = await seen(engine, exchange, WAIT)
    exchange.usdt += 100
    await engine.check(account)
    question = (await card(engine)).question_id
    account = await engine.account(account)
    change = DepositOffer.of(account, D(100), held=D(140)).as_change(account)
    keep = partial(
        service(engine).keep, question, chat_id=CHAT, user_id=ANYBODY, change=change, always=always
    )

    done = await keep()
    again = await keep()

    assert isinstance(done, Change)
    assert isinstance(again, Refusal)
    assert done.after == await engine.account(account)
    assert done.after.settings.fixed_goal.target == D(140)
    assert done.after.settings.deposits == (
        replace(WAIT, choice=DepositChoice.KEEP) if always else WAIT
    )


@pytest.mark.parametrize("wish", [{"dry_run": True}, {"symbol": "ABCUSDT"}])
async def test_nothing_waits_for_another_pair_or_kind_of_money(
    engine: Engine, exchange: FakeExchange, wish: dict[str, Any]
):
    account = await seen(engine, exchange, WAIT)
    exchange.usdt += 100
    await engine.check(account)

    assert (await engine.change(account, **wish)).waiting is None


@pytest.mark.parametrize(("rule", "bought"), [(DepositRule(), 1), (ASK, 0)])
async def test_a_mode_that_asks_no_more_trades_what_waited_for_its_answer(
    engine: Engine, exchange: FakeExchange, rule: DepositRule, bought: int
):
    account = await seen(engine, exchange, rule, autonomy=TradingMode.ASK)
    exchange.usdt += 100
    await engine.check(account)
    modes = TradingModes(database=engine.database, clock=engine.clock)

    change = await modes.change(account, TradingMode.AUTO, user_id=ANYBODY)
    await engine.check(account)

    assert (change.after.waiting is None) == bool(bought)
    assert len(await engine.intents()) == bought


async def test_another_mode_leaves_a_deposit_waiting(engine: Engine, exchange: FakeExchange):
    account = await seen(engine, exchange, WAIT)
    exchange.usdt += 100
    await engine.check(account)
    modes = TradingModes(database=engine.database, clock=engine.clock)

    await modes.change(account, TradingMode.ASK, user_id=ANYBODY)
    await engine.wait(WAIT.wait)
    await engine.check(account)

    first, again = await engine.alerts_of(DepositWaiting)
    assert (first.asks, again.asks) == (False, True)
    assert await engine.alerts_of(DepositTraded) == []
    assert await engine.intents() == []


async def test_a_group_that_moves_takes_its_deposit_and_the_buttons_along(
    engine: Engine, exchange: FakeExchange
):
    account = await seen(engine, exchange, WAIT)
    exchange.usdt += 100
    await engine.check(account)
    before = (await engine.account(account)).waiting
    async with engine.database.writing() as session:
        current = await accounts.get(session, account.id)
        moved = await accounts.move(session, current, chat_id=-100, sealed_key="sealed again")

    traded = await service(engine).trade(
        (await card(engine)).question_id, chat_id=-100, user_id=ANYBODY, expected_quote=D(100)
    )

    assert moved.waiting == before
    assert isinstance(traded, Account)
