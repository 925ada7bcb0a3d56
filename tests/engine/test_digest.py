"""The digest: once a day, whoever is first, and with all that came since the one before."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.accounts.alert_preferences import AlertPreferenceService
from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.alerts.alerts import Digest
from engine.domain.alerts.preferences import AlertLevel, AlertPreferences, WeeklyTime
from engine.domain.alerts.report_alerts import WeeklyReport
from engine.domain.alerts.traits import AlertKind
from engine.domain.market.pairs import USDT
from engine.domain.profit.report import Reckoning
from engine.errors import Unavailable
from engine.exchanges.price_history import PriceHistory
from engine.notifications.digest import Digests
from engine.storage.accounts import alert_preferences
from engine.storage.models.trading import BalanceRow
from tests.engine.harness import Crash, Engine, Fuse
from tests.fakes.database import WatchedDatabase
from tests.fakes.exchange import FakeExchange

D = Decimal
DAY = timedelta(days=1)
USER = 1001


async def wish(engine: Engine, account: Account, settings: AlertPreferences) -> None:
    alerting = AlertPreferenceService(database=engine.database, clock=engine.clock)
    await alerting.change(account, lambda _: settings, user_id=USER)


async def write(engine: Engine) -> list[Digest]:
    """One round; all digests so far."""
    await Digests(database=engine.database, clock=engine.clock).write_due()
    return await engine.alerts_of(Digest)


NOON = AlertPreferences(digest_minute=12 * 60)
# The clock starts on Sunday, 22 November, at 12:00.
SUNDAY = AlertPreferences(weekly=WeeklyTime(6, 12 * 60))
WEEK = timedelta(days=7)


async def weekly(engine: Engine) -> list[WeeklyReport]:
    """One round; all weekly reports so far."""
    await Digests(database=engine.database, clock=engine.clock).write_due()
    return await engine.alerts_of(WeeklyReport)


async def test_the_weekly_report_has_the_figures_of_seven_days_and_comes_once(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    prices = PriceHistory(
        database=engine.database, clock=engine.clock, exchange_for=lambda _: exchange
    )
    account = await engine.open_account()
    await engine.until_quiet(account)
    await prices.round()
    monday = replace(SUNDAY, weekly=WeeklyTime(0, 12 * 60))
    await wish(engine, account, monday)
    assert await weekly(engine) == []
    engine.clock.shift(DAY)
    await prices.round()
    asked = exchange.calls.copy()
    [first] = await weekly(engine)
    engine.clock.shift(WEEK)
    [_, second] = await weekly(engine)
    await weekly(engine)

    assert exchange.calls == asked
    [intent] = await engine.intents()
    assert first.figures is not None
    assert second.figures is not None
    assert (first.since, first.figures.trades) == (intent.created_at, 1)
    # A price that stands still makes nothing: what is lost is the cost of the trade.
    assert first.figures.made == first.figures.brought != 0
    assert first.next_at == engine.clock.now().replace(hour=12, minute=0)
    assert (second.since, second.figures.trades) == (second.at - WEEK, 0)
    assert (first.trading, second.trading) == (True, True)
    assert second.figures.now == first.figures.now
    assert len(await engine.alerts_of(WeeklyReport)) == 2


async def test_a_profit_that_cannot_be_reckoned_costs_no_chat_its_report(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    account = await engine.open_account()
    await engine.until_quiet(account)
    await wish(engine, account, SUNDAY)
    engine.clock.shift(WEEK)
    monkeypatch.setattr(Reckoning, "report", lambda _: 1 // 0)

    [report] = await weekly(engine)

    assert report.figures is None


async def test_weeks_without_the_bot_are_told_together_and_one_that_was_off_begins_anew(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await wish(engine, account, SUNDAY)
    exchange.go_wrong("holdings", Unavailable("away"))
    await engine.check(account)
    engine.clock.shift(WEEK)
    [first] = await weekly(engine)
    assert not first.trading
    engine.clock.shift(3 * WEEK + timedelta(hours=5))
    [_, late] = await weekly(engine)
    assert (late.since, late.next_at) == (first.at, first.at + 4 * WEEK)
    assert late.figures is None

    await wish(engine, account, NOON)
    engine.clock.shift(2 * WEEK)
    assert len(await weekly(engine)) == 2
    await wish(engine, account, replace(SUNDAY, digest_minute=12 * 60))
    engine.clock.shift(WEEK)
    [*_, anew] = await weekly(engine)
    assert anew.since == anew.at - WEEK


async def test_two_processes_write_one_weekly_report_and_one_digest(engine_on_both: Engine):
    engine = engine_on_both
    account = await engine.open_account()
    await wish(engine, account, replace(SUNDAY, digest_minute=12 * 60))
    engine.clock.shift(WEEK)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            process = Digests(database=engine.database, clock=engine.clock)
            tasks.create_task(process.write_due())

    assert len(await weekly(engine)) == 1
    assert len(await engine.alerts_of(Digest)) == 1


async def test_a_quiet_day_is_told_at_its_time_and_once(engine_on_both: Engine):
    engine = engine_on_both
    account = await engine.open_account()
    began = engine.clock.now()
    await wish(engine, account, NOON)
    engine.clock.shift(DAY - timedelta(seconds=1))

    assert await write(engine) == []

    engine.clock.shift(timedelta(seconds=1))
    [digest] = await write(engine)
    [_] = await write(engine)

    assert (digest.since, digest.at) == (began, began + DAY)
    assert (digest.trades, digest.troubles, digest.trouble, digest.held) == (0, 0, None, None)


async def test_it_tells_what_was_made_and_asks_the_exchange_nothing(
    engine: Engine, exchange: FakeExchange
):
    engine.clock.shift(timedelta(seconds=30))
    account = await engine.open_account()
    prices = PriceHistory(
        database=engine.database, clock=engine.clock, exchange_for=lambda _: exchange
    )
    exchange.usdt = D(40)
    await engine.check(account)
    await wish(engine, account, NOON)
    await prices.round()
    exchange.paper_market.price = D("0.0021")
    engine.clock.shift(DAY)
    await prices.round()
    asked = exchange.calls.copy()
    [digest] = await write(engine)

    assert exchange.calls == asked
    assert (digest.made, digest.brought) == (100_000 * D("0.0001"), D(0))
    assert not digest.about

    engine.clock.shift(2 * DAY)  # in which nobody read a price
    assert (await write(engine))[-1].about


async def test_it_tells_the_trades_since_the_last_one(engine: Engine, exchange: FakeExchange):
    account = await engine.open_account()
    await wish(engine, account, replace(NOON, smallest=D(10)))
    for drift in ("17.10", "5.00", "-5.00"):
        await engine.wait(timedelta(minutes=2))
        exchange.usdt = D(40) + D(drift)
        await engine.check(account)
    intents = await engine.intents()
    spent = [intent.execution.quote_amount for intent in intents]
    engine.clock.shift(DAY)
    [first] = await write(engine)
    engine.clock.shift(DAY)
    [_, second] = await write(engine)

    assert (first.trades, first.small, first.smallest) == (3, 2, D(10))
    assert (first.bought, first.sold) == (spent[0] + spent[1], spent[2])
    fees = [intent.fees.by_asset[USDT] for intent in intents if intent.fees]
    assert first.fees == {USDT: sum(fees, D(0))}
    assert first.held == intents[-1].quote_after
    assert (second.trades, second.small, second.fees) == (0, 0, {})
    assert second.held_before == first.held


async def test_it_tells_of_troubles_and_of_the_one_that_lasts(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await wish(engine, account, NOON)
    engine.clock.shift(timedelta(hours=1))
    exchange.go_wrong("holdings", Unavailable("away"))
    await engine.check(account)
    engine.clock.shift(DAY)

    [digest] = await write(engine)

    assert (digest.troubles, digest.trouble) == (1, IncidentKind.UNREACHABLE)


async def test_the_balance_that_was_seen_last_is_told(engine: Engine):
    account = await engine.open_account()
    await wish(engine, account, NOON)
    async with engine.database.writing() as session:
        session.add(
            BalanceRow(
                account_id=account.id,
                dry_run=False,
                asset=USDT,
                amount=D("41.25"),
                at=engine.clock.now(),
            )
        )
    engine.clock.shift(DAY)

    [digest] = await write(engine)

    assert digest.held == D("41.25")


async def test_days_without_the_bot_are_told_together_and_the_next_one_is_ahead(engine: Engine):
    account = await engine.open_account()
    began = engine.clock.now()
    await wish(engine, account, NOON)
    engine.clock.shift(3 * DAY + timedelta(hours=1))

    [digest] = await write(engine)

    assert digest.since == began

    engine.clock.shift(timedelta(hours=22))
    [_] = await write(engine)
    engine.clock.shift(timedelta(hours=1))
    [_, second] = await write(engine)

    assert second.since == digest.at


async def test_two_processes_write_one_digest(engine_on_both: Engine):
    engine = engine_on_both
    account = await engine.open_account()
    await wish(engine, account, NOON)
    engine.clock.shift(DAY)
    processes = [Digests(database=engine.database, clock=engine.clock) for _ in range(3)]

    async with asyncio.TaskGroup() as tasks:
        for process in processes:
            tasks.create_task(process.write_due())

    assert len(await engine.alerts_of(Digest)) == 1


@pytest.mark.parametrize(
    "without",
    [AlertPreferences(), NOON.with_level(AlertKind.DIGEST, AlertLevel.OFF)],
    ids=["no time", "off"],
)
async def test_one_that_is_off_is_not_written(engine: Engine, without: AlertPreferences):
    account = await engine.open_account()
    await wish(engine, account, NOON)
    await wish(engine, account, without)
    engine.clock.shift(2 * DAY)

    assert await write(engine) == []


async def test_one_that_was_off_begins_anew_with_the_day_it_is_wanted(engine: Engine):
    account = await engine.open_account()
    await wish(engine, account, NOON)
    await wish(engine, account, AlertPreferences())
    engine.clock.shift(30 * DAY)
    wanted_at = engine.clock.now()
    await wish(engine, account, NOON)
    engine.clock.shift(DAY)

    [digest] = await write(engine)

    assert digest.since == wanted_at


async def test_a_change_at_the_moment_it_is_due_does_not_cost_the_digest(engine: Engine):
    account = await engine.open_account()
    await wish(engine, account, NOON)
    engine.clock.shift(DAY)
    await wish(engine, account, replace(NOON, smallest=D(5)))

    assert len(await write(engine)) == 1


async def test_every_setting_comes_back(engine_on_both: Engine):
    engine = engine_on_both
    account = await engine.open_account()
    settings = AlertPreferences(
        levels={AlertKind.TRADE: AlertLevel.OFF, AlertKind.KEY: AlertLevel.SILENT},
        smallest=D("2.50"),
        time_zone="Asia/Kathmandu",
        errors_break_through=False,
        ask_deposits=False,
        digest_minute=0,
        digest_picture=True,
        weekly=WeeklyTime(0, 0),
        weekly_picture=False,
    )
    await wish(engine, account, settings)

    async with engine.database.reading() as session:
        assert await alert_preferences.of(session, account.id) == settings
        found = await alert_preferences.of_chats(session, [account.chat_id, 404])

    assert found == {account.chat_id: settings, 404: AlertPreferences()}


@pytest.mark.parametrize("step", ["read begins 1", "write begins 1", "commit 1", "committed 1"])
async def test_killed_at_any_step_digest_and_weekly_report_are_written_once(
    engine: Engine, step: str
):
    account = await engine.open_account()
    await wish(engine, account, replace(NOON, weekly=WeeklyTime(0, 12 * 60)))
    engine.clock.shift(DAY)
    dying = WatchedDatabase(engine.database, engine.clock, on_step=Fuse(step))
    with pytest.raises(Crash):
        await Digests(database=dying, clock=engine.clock).write_due()

    assert len(await write(engine)) == 1
    assert len(await weekly(engine)) == 1
