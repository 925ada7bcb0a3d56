"""Profit of a span, from what the checks stored: the account less what came and went."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from engine.accounts.flow_corrections import FlowCorrections
from engine.accounts.profit import NoReport, ProfitReports, SpanReport
from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import Confirmation, Refusal, RefusalReason
from engine.domain.accounts.flows import Correction
from engine.domain.market.balances import LastSeen
from engine.domain.market.candles import HOUR
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, Symbol, base_of
from engine.domain.orders.order import Order
from engine.domain.profit.corrections import CorrectionOffer, movements
from engine.domain.profit.entries import Change, Doubt, FlowKind, PairChange, Trade
from engine.domain.profit.spans import Span
from engine.errors import OutcomeUnknown, PairUnavailable, Unavailable
from engine.exchanges.price_history import PriceHistory
from engine.storage.accounts import accounts, audit
from engine.storage.chat import confirmations
from engine.storage.database import Database
from engine.storage.models.trading import BalanceChangeRow, OrderRow
from engine.storage.trading import balance_changes, value_events
from tests.engine.harness import CHAT, Engine
from tests.fakes.clock import FakeClock
from tests.fakes.exchange import FakeExchange

D = Decimal
DAY = timedelta(days=1)
MIDDLE = D("0.0020005")


@pytest.fixture
def exchange(clock: FakeClock) -> FakeExchange:
    clock.shift(timedelta(seconds=30))
    return FakeExchange(clock, usdt="40", mntl=100_000)


@pytest.fixture
def engine(database: Database, clock: FakeClock, exchange: FakeExchange) -> Engine:
    return Engine(database, clock, exchange)


@pytest.fixture
def reports(engine: Engine) -> ProfitReports:
    prices = PriceHistory(
        database=engine.database,
        clock=engine.clock,
        exchange_for=lambda account: engine.exchanges[account.chat_id],
    )
    return ProfitReports(
        database=engine.database,
        clock=engine.clock,
        exchange_for=prices.exchange_for,
        prices=prices,
    )


async def a_deposit_that_is_traded(engine: Engine, exchange: FakeExchange) -> Account:
    """An account on target gets 20 USDT, and buys tokens for them."""
    account = await engine.open_account()
    await engine.check(account)
    await engine.wait(HOUR)
    exchange.usdt += 20
    await engine.until_quiet(account)
    await engine.wait(HOUR)
    return account


async def of(reports: ProfitReports, account: Account, span: Span = Span.ALL) -> SpanReport:
    found = await reports.report(account, span)
    assert isinstance(found, SpanReport)
    return found


async def test_a_deposit_is_no_profit_and_trading_costs_its_fee_and_spread(
    engine: Engine, exchange: FakeExchange, reports: ProfitReports
):
    account = await a_deposit_that_is_traded(engine, exchange)

    report = (await of(reports, account)).report

    value = exchange.usdt + exchange.mntl * MIDDLE
    [order] = await engine.intents()
    assert report.now == value
    assert report.deposits == 20
    assert [flow.kind for flow in report.flows] == [FlowKind.MOVED]
    assert report.made == value - report.start - 20
    assert report.brought == sum((trade.brought for trade in report.trades), ZERO) < 0
    assert report.fees == order.execution.quote_amount * D("0.0005")
    assert report.turnover == order.execution.quote_amount
    assert report.doubts == frozenset()


async def test_the_price_of_a_movement_is_kept_with_it(engine: Engine, exchange: FakeExchange):
    await a_deposit_that_is_traded(engine, exchange)

    async with engine.database.reading() as session:
        assert list(await session.scalars(select(BalanceChangeRow.price))) == [MIDDLE]


async def test_a_span_begins_with_what_was_held_then(
    engine: Engine, exchange: FakeExchange, reports: ProfitReports
):
    account = await a_deposit_that_is_traded(engine, exchange)
    await engine.wait(3 * DAY)

    day = await of(reports, account, Span.DAY)
    week = await of(reports, account, Span.WEEK)

    assert (day.report.deposits, list(day.report.trades)) == (D(0), [])
    assert day.report.since == day.asked_since == engine.clock.now() - DAY
    assert day.report.start == exchange.usdt + exchange.mntl * D("0.002")
    assert week.asked_since is not None
    assert week.report.since > week.asked_since  # as far as the records go
    assert week.report.deposits == 20


async def test_a_correction_is_kept_until_it_is_undone_and_then_all_is_as_before(
    engine: Engine, exchange: FakeExchange, reports: ProfitReports
):
    """It holds for its flow alone, in every span, and in the next process too."""
    account = await a_deposit_that_is_traded(engine, exchange)
    service = FlowCorrections(database=engine.database, clock=engine.clock)
    before = (await of(reports, account)).report
    [movement] = movements(before)
    said: list[Refusal | None] = []

    async def correct(was: Correction | None, now: Correction | None) -> None:
        offer = CorrectionOffer(dry_run=False, at=movement.at, keys=movement.keys, was=was)
        asked_at = engine.clock.now()
        question = Confirmation(
            id=f"q{len(said)}",
            chat_id=CHAT,
            user_id=CHAT,
            kind="flow",
            payload="",
            asked_at=asked_at,
            expires_at=asked_at + DAY,
        )
        async with engine.database.writing() as session:
            await confirmations.ask(session, question)
        for _ in range(2):  # the second tap finds the question used
            done = await service.correct(
                question.id, chat_id=CHAT, user_id=CHAT, offer=offer, correction=now
            )
            said.append(done)

    await correct(None, Correction.RESULT)
    after = (await of(reports, account, Span.DAY)).report
    await correct(None, Correction.MINE)  # as somebody else saw it before
    await correct(Correction.RESULT, None)

    assert (after.deposits, after.made) == (D(0), before.made + 20)
    assert after.brought == before.brought
    assert after.start + after.deposits + after.fee_flows + after.made == after.now
    undone = (await of(reports, account)).report
    assert replace(undone, trades=[]) == replace(before, trades=[])
    assert [refusal and refusal.why for refusal in said] == [
        *(None, RefusalReason.USED, RefusalReason.OUTDATED, RefusalReason.USED),
        *(None, RefusalReason.USED),
    ]
    async with engine.database.reading() as session:
        trail, _ = await audit.page(session, chat_id=CHAT, size=2, number=0)
    assert [entry.detail for entry in trail] == ["result -> as found", "as found -> result"]
    assert trail[0].subject.startswith("+20 USDT of 2026-11-22 ")


async def test_paper_money_and_real_money_are_told_apart(
    engine: Engine, exchange: FakeExchange, reports: ProfitReports
):
    account = await a_deposit_that_is_traded(engine, exchange)

    assert await reports.report(account.with_money(dry_run=True), Span.ALL) is NoReport.NO_RECORDS


async def test_without_an_exchange_the_last_hours_price_counts(
    engine: Engine, exchange: FakeExchange, reports: ProfitReports
):
    account = await a_deposit_that_is_traded(engine, exchange)
    await reports.prices.round()
    exchange.go_wrong("book", Unavailable("away"), times=9)

    found = await of(reports, account)

    assert (found.priced_now, found.refused) == (False, False)
    assert found.report.now == exchange.usdt + exchange.mntl * D("0.002")


async def test_a_token_that_is_delisted_is_told_apart_from_an_exchange_that_is_away(
    engine: Engine, exchange: FakeExchange, reports: ProfitReports
):
    account = await a_deposit_that_is_traded(engine, exchange)
    await reports.prices.round()
    delisted = PairUnavailable(code=-1121, message="Invalid symbol.")
    exchange.go_wrong("book", delisted, times=9)
    await engine.wait(3 * DAY)
    exchange.go_wrong("hourly_closes", delisted, times=9)

    found = await of(reports, account, Span.DAY)

    assert (found.priced_now, found.refused) == (False, True)
    assert Doubt.PRICE_OLD in found.report.doubts
    assert found.report.now == exchange.usdt + exchange.mntl * D("0.002")


async def test_an_account_without_records_and_a_token_without_a_price_have_no_report(
    engine: Engine, exchange: FakeExchange, reports: ProfitReports
):
    account = await engine.open_account()
    assert await reports.report(account, Span.ALL) is NoReport.NO_RECORDS

    await engine.check(account)
    exchange.go_wrong("book", Unavailable("away"), times=9)
    exchange.go_wrong("hourly_closes", Unavailable("away"), times=9)
    assert await reports.report(account, Span.ALL) is NoReport.NO_PRICE
    tomorrow = engine.clock.now().date() + DAY
    assert await reports.report(account, tomorrow) is NoReport.FUTURE


async def test_a_trade_is_worth_what_it_brought_by_the_last_price(
    engine: Engine, exchange: FakeExchange, reports: ProfitReports
):
    account = await a_deposit_that_is_traded(engine, exchange)
    await of(reports, account)
    [order] = await engine.intents()

    found = await reports.worth(order)

    assert found is not None
    done, fee = order.execution, order.execution.quote_amount * D("0.0005")
    assert found.brought == done.base_quantity * D("0.002") - done.quote_amount - fee
    assert not found.about
    unknown = await reports.worth(replace(order, fees=None))
    assert unknown == replace(found, about=True)  # at the usual rate


async def test_a_fill_that_the_balances_were_slow_to_show_is_reckoned_with(
    engine: Engine, exchange: FakeExchange, reports: ProfitReports
):
    account = await engine.open_account()
    await engine.check(account)
    await engine.wait(HOUR)
    exchange.usdt += 20
    exchange.stale_reads = 0
    exchange.meanwhile("order", lambda: _slow(exchange))
    await engine.check(account)

    report = (await of(reports, account)).report

    assert report.now == exchange.usdt + exchange.mntl * MIDDLE
    assert Doubt.UNEXPLAINED not in report.doubts


async def test_while_an_order_is_unclear_the_report_is_about_so(
    engine: Engine, exchange: FakeExchange, reports: ProfitReports
):
    account = await a_deposit_that_is_traded(engine, exchange)
    exchange.go_wrong("place", OutcomeUnknown("ReadTimeout"), executes=True)
    exchange.hidden_lookups = exchange.hidden_in_history = 9
    exchange.usdt += 30
    await engine.check(account)

    report = (await of(reports, account)).report

    assert report.doubts == {Doubt.ORDER_UNCLEAR}
    assert report.now > exchange.usdt + exchange.mntl * MIDDLE


async def _slow(exchange: FakeExchange) -> None:
    exchange.stale_reads = 50


async def test_the_records_of_a_stored_trade_are_the_orders(
    engine: Engine, exchange: FakeExchange
):
    account = await a_deposit_that_is_traded(engine, exchange)
    orders: list[Order] = await engine.intents()

    async with engine.database.reading() as session:
        records = await value_events.records(session, account)
        assert records is not None
        pages = value_events.events(session, account, records.held, since=records.first)
        events = [event async for page in pages for event in page]

    assert events[1:] == [value_events.trade_of(order) for order in orders]
    assert records.held.quote == exchange.usdt
    assert (records.held.base_asset, CHAT) == (Asset("MNTL"), account.chat_id)
    assert isinstance(events[0], Change)
    assert events[0].asset == USDT


async def test_each_coin_that_paid_a_fee_and_each_token_needs_a_price(
    engine: Engine, exchange: FakeExchange
):
    account = await a_deposit_that_is_traded(engine, exchange)
    facts: list[dict[str, str | None]] = [
        {"fees": '{"USDT": "0.01", "MX": "0.5"}'},
        {"fees": '{"BNB": "0.01", "USDT": "0.5"}'},
        {"fees": '{"usdt": "0.01"}'},
        {"symbol": "ABCUSDT"},
        {"fees": "{}"},
        {"symbol": "DEFUSDT", "fees": None},
    ]

    async with engine.database.writing() as session:
        [row] = await session.scalars(select(OrderRow))
        kept = set(OrderRow.__table__.c.keys()) - {"id", "inputs", "fills"}
        stored = {name: getattr(row, name) for name in kept}
        for number, changed in enumerate(facts):
            name = f"other-{number}"
            copy = stored | changed | {"client_order_id": name, "run_id": name}
            session.add(OrderRow(**copy))
        await session.flush()
        records = await value_events.records(session, account)
        assert records is not None
        pairs = await value_events.priced(session, account, records.held, since=records.first)
        pages = value_events.events(session, account, records.held, since=records.first)
        events = [event async for page in pages for event in page]

    assert [*pairs] == ["ABC", "BNB", "DEF", "MNTL", "MX", "usdt"]
    fees = [event.fees for event in events if isinstance(event, Trade)]
    assert fees[1] == {USDT: D("0.01"), "MX": D("0.5")}
    assert fees[2:4] == [{"BNB": D("0.01"), USDT: D("0.5")}, {"usdt": D("0.01")}]
    assert fees[5:] == [{}, {}]


async def test_a_change_of_the_pair_is_an_event_once_the_account_was_looked_at(
    engine: Engine, exchange: FakeExchange, reports: ProfitReports
):
    """Until then what is held is the token before."""
    account = await a_deposit_that_is_traded(engine, exchange)
    await engine.wait(3 * HOUR)
    exchange.mntl += 1000
    await engine.check(account)
    at, other = engine.clock.now(), Symbol("ABCUSDT")
    changed = await engine.change(account, symbol=other)
    async with engine.database.writing() as session:
        await audit.add_changes(session, account, changed, at=at, user_id=CHAT)

    assert (await of(reports, changed)).report.now == exchange.usdt + exchange.mntl * MIDDLE

    await engine.wait(HOUR)
    held = {USDT: exchange.usdt, base_of(other): D(7)}
    async with engine.database.writing() as session:
        seen = LastSeen(held, engine.clock.now())
        await balance_changes.see(session, account.id, seen, dry_run=False)
        records = await value_events.records(session, changed)
        assert records is not None
        pages = value_events.events(session, changed, records.held, since=records.first)
        events = [event async for page in pages for event in page]
        pairs = await value_events.priced(session, changed, records.held, since=at - 2 * HOUR)
    assert events[-1] == PairChange(at, base_of(other))
    assert list(pairs) == [base_of(other), "MNTL"]
    assert (await of(reports, changed)).report.flows[-2].at == at


async def test_after_the_key_is_gone_the_records_still_tell(
    engine: Engine, exchange: FakeExchange, reports: ProfitReports
):
    account = await a_deposit_that_is_traded(engine, exchange)
    exchange.usdt += 1
    await engine.check(account)
    async with engine.database.writing() as session:
        keyless = await accounts.forget_key(session, account)

    report = (await of(reports, keyless)).report

    assert report.deposits == 21
    assert report.now == exchange.usdt + exchange.mntl * MIDDLE
    assert Doubt.UNEXPLAINED not in report.doubts
