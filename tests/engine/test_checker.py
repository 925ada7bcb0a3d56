"""One check: hold cheaply, decide, and never be silent about a drift that is not traded."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.alerts.alerts import IncidentAlert, IncidentResolved
from engine.domain.market.pairs import Side
from engine.domain.orders.order import OrderState, Trigger
from engine.domain.orders.settlement import SETTLE_WITHIN
from engine.domain.rebalancing.check_result import (
    AwaitingSettlement,
    BalanceSnapshot,
    CheckFailed,
    NoTrade,
    OrderPlaced,
)
from engine.domain.rebalancing.planner import EmptyBook, InsideBand
from engine.errors import (
    BadCredentials,
    BadData,
    DecryptionFailed,
    LeaseLost,
    PairUnavailable,
    Unavailable,
)
from engine.exchanges.interface import Exchange
from tests import builders
from tests.engine.harness import Engine
from tests.fakes.clock import FakeClock
from tests.fakes.database import statements
from tests.fakes.exchange import FakeExchange

D = Decimal
SECOND = timedelta(seconds=1)
WRITES = ("INSERT", "UPDATE", "DELETE", "BEGIN IMMEDIATE")


async def test_a_check_that_holds_asks_once_and_writes_nothing(
    engine_on_both: Engine, exchange: FakeExchange
):
    exchange.usdt = D("41.99")
    account = await engine_on_both.open_account()
    await engine_on_both.check(account)  # which notes what there is
    exchange.calls.clear()
    duty = await engine_on_both.duty(account)

    with statements(engine_on_both.database) as seen:
        checked = await engine_on_both.checker.check(duty, fence=1)

    assert checked.look.verdict == NoTrade(InsideBand())
    assert checked.again_in is None
    assert dict(exchange.calls) == {"holdings": 1}
    assert seen == []


async def test_a_check_that_holds_says_what_it_saw(engine: Engine, exchange: FakeExchange):
    exchange.usdt = D("41.99")
    account = await engine.open_account()

    look = (await engine.check(account)).look

    assert look.seen == BalanceSnapshot.of(account.settings, builders.holdings(usdt="41.99"), None)
    assert (look.trigger, look.at, look.band) == (
        Trigger.INTERVAL,
        engine.clock.now(),
        account.settings.fixed_goal.band,
    )


async def test_a_blocked_trouble_that_lingers_costs_a_holding_check_no_write(
    engine: Engine, exchange: FakeExchange
):
    exchange.mntl = D(0)
    exchange.usdt = D(30)
    account = await engine.open_account()
    await engine.check(account)
    exchange.usdt = D(40)
    await engine.check(account)  # which notes that 10 USDT came
    duty = await engine.duty(account)

    with statements(engine.database) as seen:
        await engine.checker.check(duty, fence=1)

    assert seen == []


async def test_balances_that_do_not_show_the_last_fill_are_not_traded_on(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    exchange.stale_reads = 1000
    await engine.check(account)

    for _ in range(5):
        await engine.wait(SECOND)
        checked = await engine.check(account)

        assert checked.look.verdict == AwaitingSettlement()
        assert checked.again_in == 2 * SECOND

    exchange.stale_reads = 0
    checked = await engine.check(account)

    assert checked.look.verdict == NoTrade(InsideBand())
    assert exchange.calls["place"] == 1


async def test_a_balance_that_still_shows_no_fill_after_ten_minutes_is_believed(
    engine: Engine, exchange: FakeExchange
):
    """The person may have moved the money back by exactly as much: waiting for ever is no option."""
    account = await engine.open_account()
    await engine.check(account)
    exchange.usdt, exchange.mntl = D("57.10"), D(100_000)
    await engine.wait(SETTLE_WITHIN)

    assert (await engine.check(account)).look.verdict == AwaitingSettlement()

    await engine.wait(SECOND)
    checked = await engine.check(account)

    assert isinstance(checked.look.verdict, OrderPlaced)
    assert exchange.calls["place"] == 2


@pytest.mark.parametrize("by", [timedelta(hours=2), timedelta(hours=-2)])
async def test_a_clock_that_is_set_makes_no_stale_balance_true(
    engine: Engine, exchange: FakeExchange, clock: FakeClock, by: timedelta
):
    account = await engine.open_account()
    exchange.stale_reads = 1000
    await engine.check(account)
    clock.set_by(by)
    await engine.wait(timedelta(minutes=9))
    await engine.check(account)
    before = exchange.calls["place"]
    await engine.wait(timedelta(minutes=2))
    await engine.check(account)

    assert before == 1
    assert exchange.calls["place"] == 2  # believed after all, as with a clock that is right


async def test_a_stale_balance_is_no_answer_to_a_persons_tap_either(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    exchange.stale_reads = 1000
    await engine.check(account)
    await engine.tap(account, expected_quote="17.10")

    await engine.check(account)

    assert exchange.calls["place"] == 1
    assert await engine.pending_taps() == ["tap-1"]


@pytest.mark.parametrize("read", ["holdings", "rules", "book"])
async def test_a_read_that_fails_is_a_trouble_and_no_order(
    engine: Engine, exchange: FakeExchange, read: str
):
    exchange.go_wrong(read, BadData("NaN"))
    account = await engine.open_account()

    checked = await engine.check(account)

    assert checked.look.verdict == CheckFailed(IncidentKind.BAD_DATA, "NaN")
    assert checked.again_in == engine.timing.error_backoff
    assert checked.backs_off
    assert exchange.calls["place"] == 0
    assert await engine.told() == ["IncidentAlert"]


async def test_a_key_that_cannot_be_opened_pauses_and_is_told(engine: Engine):
    def sealed_shut(_: Account) -> Exchange:
        raise DecryptionFailed("bound to another chat")

    engine.checker.exchange_for = sealed_shut
    account = await engine.open_account()

    await engine.check(account)

    assert (await engine.account(account)).settings.paused
    [told] = await engine.alerts_of(IncidentAlert)
    assert (told.kind, told.paused) == (IncidentKind.KEY_UNREADABLE, True)


async def test_a_refusal_of_one_account_leaves_the_others_alone(
    sqlite, exchange: FakeExchange, clock: FakeClock
):
    other = FakeExchange(clock, usdt="57.10")
    engine = Engine(sqlite, clock, {1: exchange, 2: other})
    refused = await engine.open_account(1)
    fine = await engine.open_account(2)
    exchange.go_wrong("holdings", BadCredentials(code=10072, message="Api key info invalid"))

    await engine.check(refused)
    await engine.check(fine)

    assert (await engine.account(refused)).settings.paused
    assert not (await engine.account(fine)).settings.paused
    assert other.calls["place"] == 1


async def test_a_drift_that_cannot_be_traded_has_a_reason_that_is_kept_and_told_once(
    engine: Engine, exchange: FakeExchange
):
    exchange.paper_market.asks = []
    account = await engine.open_account()

    for _ in range(4):
        await engine.wait(account.settings.interval)
        await engine.check(account)

    look = await engine.stored_look(account)
    assert look is not None
    assert (look.verdict, look.at) == (NoTrade(EmptyBook(Side.BUY)), engine.clock.now())
    [told] = await engine.alerts_of(IncidentAlert)
    assert (told.kind, told.reason) == (IncidentKind.BLOCKED, EmptyBook(Side.BUY))
    assert exchange.calls["place"] == 0


async def test_a_drift_that_cannot_be_traded_outlives_the_trouble_before_it(
    engine: Engine, exchange: FakeExchange
):
    exchange.go_wrong("holdings", Unavailable("away"))
    account = await engine.open_account()
    await engine.check(account)
    exchange.paper_market.asks = []
    await engine.wait(engine.timing.error_backoff)

    await engine.check(account)

    await engine.wait(timedelta(minutes=5))
    await engine.check(account)

    assert await engine.told() == ["IncidentAlert", "IncidentAlert", "IncidentResolved"]
    trouble = await engine.trouble(account)
    assert trouble is not None
    assert trouble.kind is IncidentKind.BLOCKED


async def test_a_check_that_holds_ends_a_trouble_and_says_so_once(
    engine: Engine, exchange: FakeExchange
):
    exchange.usdt = D(40)
    exchange.go_wrong("holdings", Unavailable("away"), times=3)
    account = await engine.open_account()
    for _ in range(5):
        await engine.check(account)
        await engine.wait(engine.timing.error_backoff)
    assert not await engine.alerts_of(IncidentResolved)  # it may come back
    await engine.wait(timedelta(minutes=5))
    await engine.check(account)

    [over] = await engine.alerts_of(IncidentResolved)
    assert (over.kind, over.count) == (IncidentKind.UNREACHABLE, 3)
    assert await engine.trouble(account) is None


async def test_a_trade_ends_a_trouble_too(engine: Engine, exchange: FakeExchange):
    exchange.go_wrong("place", Unavailable("cannot connect"))
    account = await engine.open_account()
    await engine.check(account)
    await engine.wait(engine.timing.error_backoff)

    await engine.check(account)
    await engine.wait(timedelta(minutes=5))
    await engine.check(account)

    assert await engine.told() == ["IncidentAlert", "TradeSettled", "IncidentResolved"]


async def test_a_lost_lease_while_looking_is_no_trouble(engine: Engine, exchange: FakeExchange):
    exchange.go_wrong("holdings", LeaseLost("gone"))
    account = await engine.open_account()

    checked = await engine.check(account)

    assert checked.again_in == SECOND
    assert await engine.alerts() == []


async def test_a_pair_that_is_gone_is_told_and_not_traded(engine: Engine, exchange: FakeExchange):
    exchange.go_wrong("rules", PairUnavailable(code=-1121, message="Invalid symbol."), times=2)
    account = await engine.open_account()

    await engine.check(account)
    await engine.check(account)

    [told] = await engine.alerts_of(IncidentAlert)
    assert told.kind is IncidentKind.PAIR_UNAVAILABLE
    assert not (await engine.account(account)).settings.paused


async def test_each_check_of_a_drift_is_an_order_of_its_own(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    for _ in range(3):
        exchange.usdt += D("17.10")
        await engine.check(account)
        await engine.wait(account.settings.interval)

    intents = await engine.intents()
    assert len({intent.client_order_id for intent in intents}) == 3
    assert {intent.state for intent in intents} == {OrderState.FILLED}
