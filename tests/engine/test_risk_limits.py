"""Limits on a running account: refused and told, never clipped, and lifted by who set them."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from engine.accounts.risk_limits import AccountLimits
from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.accounts.risk_limits import SIGHTS_APART, Limits, Recent
from engine.domain.alerts.alerts import IncidentAlert, RunDeclined, TradeSettled
from engine.domain.market.pairs import Side
from engine.domain.orders.order import OrderState, Trigger
from engine.domain.rebalancing.check_result import CheckFailed, NoTrade, OrderPlaced
from engine.domain.rebalancing.planner import LimitKind, OverLimit
from engine.rebalancing.preview import Previews
from engine.storage.models.accounts import AuditRow
from tests.engine.harness import CHAT, Engine, nothing_known
from tests.fakes.exchange import FakeExchange

D = Decimal
USER = 77


def limits_of(engine: Engine) -> AccountLimits:
    return AccountLimits(database=engine.database, clock=engine.clock)


def previews_of(engine: Engine) -> Previews:
    return Previews(
        database=engine.database,
        clock=engine.clock,
        exchange_for=lambda account: engine.exchanges[account.chat_id],
        last_known=nothing_known,
    )


async def limit(engine: Engine, account: Account, **wishes) -> Account:
    change = await limits_of(engine).change(account, user_id=USER, **wishes)
    return change.after


def over(checked) -> OverLimit:
    verdict = checked.look.verdict
    assert isinstance(verdict, NoTrade)
    assert isinstance(verdict.reason, OverLimit)
    return verdict.reason


async def test_an_order_over_the_limit_is_refused_whole_and_told_once_with_the_numbers(
    engine: Engine, exchange: FakeExchange
):
    account = await limit(engine, await engine.open_account(), order=D(10))

    reasons = [over(await engine.check(account)) for _ in range(3)]

    assert set(reasons) == {OverLimit(LimitKind.ORDER, asked=D("17.10"), allowed=D(10))}
    assert not exchange.tickets
    assert await engine.intents() == []
    [told] = await engine.alerts_of(IncidentAlert)
    assert (told.kind, told.reason) == (IncidentKind.BLOCKED, reasons[0])


async def test_a_raised_limit_lets_the_next_check_trade(engine: Engine, exchange: FakeExchange):
    account = await limit(engine, await engine.open_account(), order=D(10))
    await engine.check(account)
    await limit(engine, account, order=D("17.10"))

    checked = await engine.check(account)

    assert isinstance(checked.look.verdict, OrderPlaced)
    assert len(exchange.tickets) == 1


async def test_a_day_that_is_used_up_goes_on_a_day_later(engine: Engine, exchange: FakeExchange):
    account = await limit(engine, await engine.open_account(), day=D(30))
    await engine.until_quiet(account)
    exchange.usdt += D("17.10")
    await engine.wait(timedelta(minutes=20))

    refused = over(await engine.check(account))
    await engine.wait(timedelta(hours=24))
    traded = await engine.check(account)

    assert (refused.kind, refused.used, refused.allowed) == (LimitKind.DAY, D("17.10"), D(30))
    assert isinstance(traded.look.verdict, OrderPlaced)
    assert len(exchange.tickets) == 2


async def test_a_storm_of_refused_orders_ends_at_the_hours_limit(
    engine: Engine, exchange: FakeExchange
):
    account = await limit(engine, await engine.open_account(), orders_per_hour=2)
    exchange.fills = D(0)
    for _ in range(2):
        await engine.check(account)
        await engine.wait(timedelta(minutes=2))

    refused = over(await engine.check(account))

    assert (refused.kind, refused.used, refused.allowed) == (LimitKind.HOUR, D(2), D(2))
    assert len(exchange.tickets) == 2


async def test_a_price_that_jumps_is_traded_only_when_it_was_seen_twice(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await engine.until_quiet(account)
    exchange.usdt += 20
    exchange.paper_market.price *= 2
    await engine.wait(timedelta(minutes=20))

    first = await engine.check(account)
    stored = await engine.stored_look(account)
    await engine.wait(SIGHTS_APART)
    second = await engine.check(account)

    assert over(first).kind is LimitKind.JUMP
    assert over(first).allowed == D("0.20")
    assert first.again_in == timedelta(seconds=60)
    assert stored is not None
    assert stored.seen is not None
    assert stored.seen.price == exchange.paper_market.price + D("0.0000005")
    assert isinstance(second.look.verdict, OrderPlaced)
    assert len(exchange.tickets) == 2


async def test_a_price_that_jumps_and_comes_back_trades_nothing_at_the_wrong_one(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await engine.until_quiet(account)
    exchange.usdt += 20
    usual = exchange.paper_market.price
    await engine.wait(timedelta(minutes=20))
    exchange.paper_market.price = usual * 3
    await engine.check(account)
    exchange.paper_market.price = usual

    back = await engine.check(account)

    assert isinstance(back.look.verdict, OrderPlaced)
    assert all(report.execution.average_price == usual for report in exchange.ledger.values())


async def test_a_flash_at_an_interval_of_a_second_is_not_traded_into(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await engine.until_quiet(account)
    exchange.usdt += 20
    usual = exchange.paper_market.price
    await engine.wait(timedelta(minutes=20))
    exchange.paper_market.price = usual * 3
    flashed = []
    for _ in range(9):
        flashed.append(await engine.check(account))
        await engine.wait(timedelta(seconds=1))
    exchange.paper_market.bids = []  # a book without a middle is no second sight either
    flashed.append(await engine.check(account))
    exchange.paper_market.bids = None
    await engine.wait(SIGHTS_APART)
    exchange.paper_market.price = usual * 9
    flashed.append(await engine.check(account))

    assert [over(checked).kind for checked in flashed] == [LimitKind.JUMP] * 11
    assert [over(checked).asked for checked in flashed[:9]] == [over(flashed[0]).asked] * 9
    assert len(exchange.tickets) == 1


@pytest.mark.parametrize("host_is_ahead_by", [timedelta(hours=-1), timedelta(hours=1)])
async def test_a_host_whose_clock_is_wrong_needs_two_sights_of_a_price_all_the_same(
    engine: Engine, exchange: FakeExchange, host_is_ahead_by: timedelta
):
    exchange.offset = -host_is_ahead_by
    account = await engine.open_account()
    await engine.until_quiet(account)
    exchange.usdt += 20
    exchange.paper_market.price *= 3
    await engine.wait(timedelta(minutes=20))

    first = await engine.check(account)
    too_soon = await engine.check(account)
    shown = await previews_of(engine).preview(account)
    await engine.wait(SIGHTS_APART)
    later = await engine.check(account)

    assert over(first).kind is LimitKind.JUMP
    assert over(too_soon).kind is LimitKind.JUMP
    assert shown.plan.reason == over(first)
    assert isinstance(later.look.verdict, OrderPlaced)


async def test_a_book_so_thin_that_the_order_would_slip_gets_no_order(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    exchange.paper_market.asks = [("0.0021", 100), ("0.005", 1_000_000)]

    refused = over(await engine.check(account))

    assert refused.kind is LimitKind.SLIP
    assert refused.asked > D(1)
    assert not exchange.tickets


async def test_a_tap_is_bound_by_the_limits_too(engine: Engine, exchange: FakeExchange):
    account = await limit(engine, await engine.open_account(), order=D(10))
    await engine.tap(account, expected_quote="17.10")

    await engine.check(account)

    [declined] = await engine.alerts_of(RunDeclined)
    assert declined.reason == OverLimit(LimitKind.ORDER, asked=D("17.10"), allowed=D(10))
    assert not exchange.tickets
    assert await engine.pending_taps() == []


async def test_limits_that_shrink_while_the_order_is_planned_stop_it_at_the_gate(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()

    async def person_sets_a_limit() -> None:
        await limit(engine, account, order=D(5))

    exchange.meanwhile("book", person_sets_a_limit)
    checked = await engine.check(account)
    again = over(await engine.check(account))

    assert checked.look.verdict == CheckFailed(IncidentKind.INTERNAL, "changed")
    assert checked.again_in == timedelta(seconds=1)
    assert [order.state for order in await engine.intents()] == [OrderState.DROPPED]
    assert again.kind is LimitKind.ORDER
    assert not exchange.tickets


async def test_the_intent_keeps_the_price_and_how_far_it_had_moved(engine: Engine):
    account = await engine.open_account()

    await engine.check(account)

    [order] = await engine.intents()
    assert order.price == D("0.0020005")
    assert order.move_bp == 3  # from the middle of the book to its ask


async def test_a_fill_far_off_the_price_pauses_trading_and_says_by_how_much(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()

    async def the_price_runs_away() -> None:
        exchange.paper_market.price = D("0.00262")

    exchange.meanwhile("place", the_price_runs_away)
    await engine.check(account)

    trade, trouble = await engine.alerts()
    assert isinstance(trade, TradeSettled)
    assert isinstance(trouble, IncidentAlert)
    assert (trouble.kind, trouble.detail, trouble.paused) == (
        IncidentKind.BAD_FILL,
        "0.3097",
        True,
    )
    assert (await engine.account(account)).settings.paused


async def test_a_fill_better_than_the_price_is_no_trouble(engine: Engine, exchange: FakeExchange):
    account = await engine.open_account()

    async def the_price_falls() -> None:
        exchange.paper_market.price = D("0.0012")

    exchange.meanwhile("place", the_price_falls)
    await engine.check(account)

    assert await engine.told() == ["TradeSettled"]
    assert not (await engine.account(account)).settings.paused


async def test_who_goes_on_after_a_bad_fill_hears_no_all_clear(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()

    async def the_price_runs_away() -> None:
        exchange.paper_market.price *= 2

    exchange.meanwhile("place", the_price_runs_away)
    await engine.check(account)
    account = await engine.change(account, paused=False)
    await engine.wait(timedelta(minutes=20))
    await engine.until_quiet(account)

    assert await engine.trouble(account) is None
    assert "IncidentResolved" not in await engine.told()


async def test_the_plan_that_is_shown_is_bound_by_the_limits(engine: Engine):
    account = await limit(engine, await engine.open_account(), order=D(10))

    preview = await previews_of(engine).preview(account)

    assert preview.plan.reason == OverLimit(LimitKind.ORDER, asked=D("17.10"), allowed=D(10))


async def test_a_jump_that_a_person_was_shown_has_been_seen(
    engine: Engine, exchange: FakeExchange
):
    """Inside the band no check reads the book, so nobody else would ever see the new price."""
    account = await engine.open_account()
    await engine.until_quiet(account)
    exchange.usdt = D(41.5)
    exchange.paper_market.price *= 2
    await engine.wait(timedelta(minutes=20))

    first = await previews_of(engine).preview(account)
    look = await engine.stored_look(account)
    too_soon = await previews_of(engine).preview(account)
    await engine.wait(SIGHTS_APART)
    second = await previews_of(engine).preview(account)

    assert isinstance(first.plan.reason, OverLimit)
    assert first.plan.reason.kind is LimitKind.JUMP
    assert look is not None
    assert (look.trigger, look.verdict) == (Trigger.PERSON, NoTrade(first.plan.reason))
    assert too_soon.plan.reason == first.plan.reason
    assert second.plan.order is not None
    assert second.plan.order.side is Side.BUY


async def test_setting_a_limit_is_written_to_the_audit_and_the_same_again_is_not(
    engine: Engine,
):
    account = await engine.open_account()
    first = await limits_of(engine).change(account, user_id=USER, order=D(500), move=D("0.15"))
    again = await limits_of(engine).change(first.after, user_id=USER, order=D(500))

    assert first.after.limits == Limits(order=D(500), move=D("0.15"))
    assert first.after.version == account.version + 1
    assert again.before == again.after == first.after
    async with engine.database.reading() as session:
        lines = (await session.scalars(select(AuditRow).order_by(AuditRow.id))).all()
    assert {(line.chat_id, line.user_id, line.action) for line in lines} == {
        (CHAT, USER, "limits")
    }
    assert [(line.subject, line.detail) for line in lines] == [
        ("order", "auto -> 500 USDT"),
        ("price", "auto -> 15%"),
    ]


async def test_what_is_used_of_the_limits_is_told(engine: Engine):
    account = await engine.open_account()
    await engine.until_quiet(account)

    recent = await limits_of(engine).recent(account)

    assert recent == Recent(
        turnover=D("17.10"), orders=1, price=D("0.0020005"), last=D("0.0020005")
    )
