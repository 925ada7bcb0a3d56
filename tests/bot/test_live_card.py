"""The card while the account's stream is believed: its numbers without a request, and "live"."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.pairs import USDT, Asset
from engine.domain.streams.events import BalanceEvent, Cause
from engine.domain.streams.trust import Doubt, StreamState
from engine.streaming.live_accounts import Feed
from tests.bot.harness import KEY, OWNER, Program, World
from tests.bot.scrape import scrape

MINUTE = timedelta(minutes=1)


def told(world: World, free: str, *, before: str = "40.79", number: int = 1) -> BalanceEvent:
    return BalanceEvent(
        asset=USDT,
        free=Decimal(free),
        locked=Decimal(0),
        before=(Decimal(before), Decimal(0)),
        cause=Cause.DEPOSIT,
        order=(number, number),
        at=world.clock.steady(),
    )


@pytest.fixture
async def feed(world: World, bot: Program) -> Feed:
    """The owner's account was traded to its target; its stream is subscribed, and proven by a read."""
    await bot.connect()
    await bot.checked()
    account, live = await bot.account(), bot.parts.live_accounts
    live._matters = lambda *_: False  # it stays in its band
    feed = live.open(account, fence=1)
    feed.acknowledge()
    at_mexc = world.mexc.ledger.accounts[KEY]
    balances = {a: Balance(at_mexc.of(a).free) for a in (USDT, Asset("MNTL"))}
    now = world.clock.steady()
    live.read(account.id, Holdings(balances, world.clock.now()), begun=now)
    await bot.live_for(2 * MINUTE)
    world.clock.shift(timedelta(seconds=5))
    assert (standing := live.standing(account.id))
    assert standing.is_live
    return feed


def asked(world: World) -> int:
    """Without the hourly candles, which are kept for `/profit`."""
    candles = "/api/v3/klines"
    return sum(n for (_, path), n in world.mexc.requests.items() if path != candles)


async def test_a_change_that_the_stream_told_is_on_the_card_without_a_request(
    world: World, bot: Program, feed: Feed
):
    card = await bot.ask(OWNER, "/status")  # which asks for the price
    before = asked(world)
    assert "USDT     40.79" in card.text
    assert "Watched  live, check by 12:04" in card.text

    world.clock.shift(timedelta(seconds=100))  # no beat is before the next check
    feed.event(told(world, "41.5"))
    await bot.tap(OWNER, "Refresh")

    assert "USDT     41.50" in card.text
    assert "Price    0.002  12:02" in card.text  # of then, and not of the event at 12:03
    assert asked(world) == before


async def test_a_live_card_whose_price_is_old_asks_for_that_alone(
    world: World, bot: Program, feed: Feed
):
    before = world.mexc.requests.copy()
    await bot.ask(OWNER, "/status")

    assert [path for _, path in world.mexc.requests - before] == ["/api/v3/depth"]


async def test_whoever_refreshes_a_live_card_long_after_a_check_has_the_balances_read(
    world: World, bot: Program, feed: Feed
):
    """The stream may be deaf, and its account is polled rarely where there are many."""
    await bot.ask(OWNER, "/status")
    before = world.mexc.requests.copy()
    world.clock.shift(10 * MINUTE)
    await bot.tap(OWNER, "Refresh")

    assert "/api/v3/account" in [path for _, path in world.mexc.requests - before]


async def test_the_card_is_edited_by_itself_with_what_the_stream_told(
    world: World, bot: Program, feed: Feed
):
    card = await bot.ask(OWNER, "/status")
    feed.event(told(world, "41.5"))
    before = asked(world)
    world.clock.shift(MINUTE)
    await bot.parts.periodic_jobs.run_once()

    assert "USDT     41.50" in card.text
    assert asked(world) == before


async def test_a_stream_in_doubt_is_not_live_and_its_numbers_are_read(
    world: World, bot: Program, feed: Feed
):
    card = await bot.ask(OWNER, "/status")
    feed.event(told(world, "41.5"))
    assert "Watched  live" in card.text
    bot.parts.live_accounts.doubt(feed.account_id, Doubt.SILENT)
    world.clock.shift(MINUTE)
    await bot.parts.periodic_jobs.run_once()
    assert "Watched" not in card.text

    before = asked(world)
    await bot.tap(OWNER, "Refresh")

    assert "USDT     40.79" in card.text
    assert asked(world) > before


async def test_the_numbers_of_streams_are_shown(world: World, bot: Program, feed: Feed):
    feed.event(told(world, "41.5"))
    bot.parts.live_accounts._matters = lambda *_: True
    feed.event(told(world, "57", before="41.5", number=2))
    world.clock.shift(timedelta(seconds=1))
    await bot.check()
    read = await scrape(bot)

    assert read("ballast_streams", state="off") == 0
    assert sum(read("ballast_streams", state=one.value) for one in StreamState) == 1
    assert read("ballast_stream_events_total") == 2
    assert read("ballast_stream_to_check_seconds_count") >= 1
    assert read("ballast_streams_wanted") == read("ballast_stream_connects_total") == 0


async def test_doctor_says_that_streams_are_off_here(bot: Program):
    await bot.connect()
    await bot.checked()

    assert "✅ Stream: off here. MEXC_API_URL is set" in (await bot.ask(OWNER, "/doctor")).text


async def test_with_many_accounts_what_is_said_of_the_interval_is_what_is_done(
    bot: Program, feed: Feed, monkeypatch: pytest.MonkeyPatch
):
    often = await bot.ask(OWNER, "/start")
    monkeypatch.setattr(bot.parts.live_accounts, "interval", lambda *_: 11 * MINUTE)
    seldom = await bot.ask(OWNER, "/start")
    changed = await bot.ask(OWNER, "/setinterval 5m")

    assert "I check your account every 2 min, or sooner when I hear of a change." in often.text
    for said in (seldom.text, changed.text):
        assert "I check your account when I hear of a change, at least every 11 min." in said
