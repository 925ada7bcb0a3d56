"""A person confirmed a rebalance: the engine prices it anew, trades it once, or says why not."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.alerts.alerts import RunDeclined, TradeSettled
from engine.domain.market.pairs import Side
from engine.domain.orders.order import Trigger
from engine.domain.rebalancing.check_result import NoTrade, PlanChanged
from engine.domain.rebalancing.planner import NothingFree
from engine.domain.targets.target import FixedUsdt
from engine.errors import OutcomeUnknown, Unavailable
from tests import builders
from tests.engine.harness import Engine
from tests.fakes.exchange import FakeExchange

D = Decimal
SECOND = timedelta(seconds=1)


async def test_the_deal_they_saw_is_traded_under_the_id_of_the_tap(engine: Engine):
    account = await engine.open_account()
    await engine.tap(account, expected_quote="17.50", tap_id="tap-42")

    checked = await engine.check(account)

    [intent] = await engine.intents()
    assert (intent.run_id, intent.trigger) == ("tap-42", Trigger.PERSON)
    assert checked.look.trigger is Trigger.PERSON
    [told] = await engine.alerts_of(TradeSettled)
    assert told.trigger is Trigger.PERSON
    assert await engine.pending_taps() == []


async def test_a_drift_inside_the_band_is_traded_if_a_person_wants_it(
    engine: Engine, exchange: FakeExchange
):
    exchange.usdt = D("41.90")
    account = await engine.open_account()
    await engine.tap(account, expected_quote="1.90")

    await engine.check(account)

    assert exchange.calls["place"] == 1


@pytest.mark.parametrize(
    ("side", "expected_quote", "late"),
    [
        (Side.BUY, "30", timedelta()),
        (Side.SELL, "17.10", timedelta()),
        (Side.BUY, "17.10", timedelta(seconds=61)),
    ],
)
async def test_another_deal_or_a_late_one_is_declined_with_the_new_numbers(
    engine: Engine,
    exchange: FakeExchange,
    side: Side,
    expected_quote: str,
    late: timedelta,
):
    account = await engine.open_account()
    await engine.tap(account, side=side, expected_quote=expected_quote)
    await engine.wait(late)

    checked = await engine.check(account)

    assert checked.look.verdict == PlanChanged(Side.BUY, D("17.10"))
    assert exchange.calls["place"] == 0
    assert await engine.alerts() == [
        RunDeclined(
            dry_run=False,
            symbol=builders.MNTLUSDT,
            held=D("57.10"),
            target=D(40),
            reason=None,
            new_side=Side.BUY,
            new_quote=D("17.10"),
        )
    ]
    assert await engine.pending_taps() == []


async def test_a_deal_the_market_does_not_allow_is_declined_with_the_reason(
    engine: Engine, exchange: FakeExchange
):
    exchange.usdt, exchange.mntl = D(30), D(0)
    account = await engine.open_account()
    await engine.tap(account, side=Side.SELL, expected_quote="10")

    checked = await engine.check(account)

    reason = NothingFree(Side.SELL, free=D(0), locked=D(0))
    assert checked.look.verdict == NoTrade(reason)
    [told] = await engine.alerts_of(RunDeclined)
    assert (told.reason, told.new_side) == (reason, None)
    assert await engine.trouble(account) is None


async def test_the_same_tap_twice_is_one_order(engine: Engine, exchange: FakeExchange):
    account = await engine.open_account()
    await engine.tap(account, expected_quote="17.10")
    await engine.check(account)
    exchange.usdt = D("57.20")
    await engine.tap(account, expected_quote="17.10")
    await engine.wait(SECOND)

    await engine.check(account)

    assert exchange.calls["place"] == 1
    assert await engine.told() == ["TradeSettled", "RunDeclined"]
    assert await engine.pending_taps() == []


async def test_the_same_tap_checked_twice_at_once_is_one_order(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    account = await engine.open_account()
    await engine.tap(account, expected_quote="17.10")
    duty = await engine.duty(account)

    async def again() -> None:
        await engine.checker.check(duty, fence=engine.fences[account.id])

    exchange.meanwhile("book", again)
    await engine.checker.check(duty, fence=engine.fences[account.id])

    assert exchange.calls["place"] == 1
    assert await engine.told() == ["TradeSettled"]


async def test_a_tap_during_a_check_is_not_lost(engine: Engine, exchange: FakeExchange):
    account = await engine.open_account()

    async def a_person_taps() -> None:
        await engine.tap(account, expected_quote="17.10")

    exchange.meanwhile("book", a_person_taps)
    await engine.check(account)

    assert await engine.pending_taps() == ["tap-1"]

    await engine.wait(SECOND)
    await engine.check(account)

    assert exchange.calls["place"] == 1
    assert await engine.told() == ["TradeSettled", "RunDeclined"]


async def test_a_tap_during_a_check_that_fails_is_not_lost(engine: Engine, exchange: FakeExchange):
    account = await engine.open_account()

    async def a_person_taps() -> None:
        await engine.tap(account, expected_quote="17.10")

    exchange.meanwhile("holdings", a_person_taps)
    exchange.go_wrong("holdings", Unavailable("away"))
    await engine.check(account)

    await engine.check(account)

    [traded] = await engine.alerts_of(TradeSettled)
    assert traded.trigger is Trigger.PERSON


async def test_a_tap_whose_check_fails_is_told_even_in_the_middle_of_an_outage(
    engine: Engine, exchange: FakeExchange
):
    exchange.go_wrong("holdings", Unavailable("away"), times=3)
    account = await engine.open_account()
    await engine.check(account)
    await engine.check(account)

    assert len(await engine.alerts()) == 1

    await engine.tap(account, expected_quote="17.10")
    await engine.check(account)

    assert len(await engine.alerts()) == 2
    assert await engine.pending_taps() == []


async def test_a_tap_overtaken_by_a_change_of_the_account_is_answered(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await engine.tap(account, expected_quote="17.10")

    async def the_target_is_changed() -> None:
        await engine.change(account, target=FixedUsdt(D(41)))

    exchange.meanwhile("book", the_target_is_changed)
    await engine.check(account)

    assert exchange.calls["place"] == 0
    assert await engine.told() == ["RunDeclined"]
    assert await engine.pending_taps() == []


async def test_a_tap_whose_order_left_is_not_declined_when_the_account_changes_hands(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    other = Engine(engine.database, engine.clock, exchange, owner="process-2")
    account = await engine.open_account()
    await engine.tap(account, expected_quote="17.10")

    async def the_other_process_takes_over() -> None:
        await engine.lease_runs_out()
        await other.claim()
        await other.check(account)

    exchange.meanwhile("place", the_other_process_takes_over)
    checked = await engine.check(account)
    await other.check(account)

    assert checked.again_in == SECOND
    assert exchange.calls["place"] == 1
    assert await engine.told() == ["OrderUnclear", "TradeSettled"]


async def test_a_tap_waits_for_the_order_before_it(engine: Engine, exchange: FakeExchange):
    exchange.go_wrong("place", OutcomeUnknown("timeout"), executes=True)
    account = await engine.open_account()
    await engine.check(account)
    await engine.tap(account, expected_quote="17.10")

    await engine.until_quiet(account)

    assert exchange.calls["place"] == 1
    assert await engine.told() == ["OrderUnclear", "TradeSettled", "RunDeclined"]
