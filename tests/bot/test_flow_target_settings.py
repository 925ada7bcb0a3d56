"""What is set around a target, in a conversation, down to the order at the exchange."""

from datetime import timedelta
from decimal import Decimal

from engine.domain.market.pairs import USDT, Asset
from engine.domain.targets.destination import Destination
from tests.bot.harness import OWNER, Program, World

D = Decimal
MNTL = Asset("MNTL")


async def test_a_protected_amount_is_told_at_once_and_stops_buying_under_it(
    world: World, bot: Program
):
    await bot.connect()
    partly = await bot.ask(OWNER, "/protect MNTL 50000")
    under = await bot.ask(OWNER, "/protect MNTL 150000")
    (told,) = await bot.checked()
    shown = await bot.ask(OWNER, "/protect")

    assert "Protected: 50,000 MNTL" in partly.text
    assert "You hold 91,858 MNTL. I manage 41,858 MNTL of that." in partly.text
    assert "You hold 91,858 MNTL, less than you protect: I buy no MNTL." in under.text
    assert "protect" in told.text
    assert world.mexc.order_posts.total() == 0
    assert shown.text.startswith("🟢 LIVE · Protected: 150,000 MNTL")

    await bot.tap(OWNER, "↩️ Undo")
    assert (await bot.account()).settings.protected == {MNTL: D(50_000)}
    ended = await bot.ask(OWNER, "/protect off")
    await bot.checked()
    assert "Protected: nothing" in ended.text
    assert world.mexc.order_posts.total() == 1


async def test_protecting_usdt_asks_before_it_would_sell_much(world: World, bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/settarget 100")
    await bot.checked()
    question = await bot.ask(OWNER, "/protect USDT 90")

    assert "Change this?" in question.text
    assert "Protected: 90.00 USDT?" in question.text
    assert "Sell" in question.text
    assert (await bot.account()).settings.protected == {}
    await bot.tap(OWNER, "Change it")
    assert (await bot.account()).settings.protected == {USDT: D(90)}


async def test_a_trade_leads_where_the_destination_says(world: World, bot: Program):
    await bot.connect()
    changed = await bot.ask(OWNER, "/destination half")
    (told,) = await bot.checked()
    shown = await bot.ask(OWNER, "/destination")

    assert "Destination set to half" in changed.text
    assert "Above 42.00 I buy until 41.00 USDT is left." in changed.text
    assert "Below 38.00 I sell until you hold 39.00 USDT." in changed.text
    assert "of 16.10 (normal)" in told.text
    assert world.mexc.order_posts.total() == 1
    assert "▶ half" in shown.text
    assert (await bot.account()).settings.destination is Destination.HALF
    usual = await bot.ask(OWNER, "/destination usual")
    assert "Destination set to usual (centre)" in usual.text
    await bot.tap(OWNER, "↩️ Undo")
    assert (await bot.account()).settings.destination is Destination.HALF


async def test_a_rest_after_a_trade_is_shown_and_ended_by_a_tap(world: World, bot: Program):
    await bot.connect()
    set_ = await bot.ask(OWNER, "/cooldown 30m")
    await bot.checked()
    world.clock.shift(timedelta(minutes=18))
    card = await bot.ask(OWNER, "/status")
    assert "Cool-down set to 30 min" in set_.text
    assert "After a trade I rest for 30 min.\nTwo things end a rest: three times" in set_.text
    assert "Undo works for 60 s. Later: /cooldown off\n" in f"{set_.text}\n"
    assert "Next trade allowed in 12 min. (/cooldown)" in card.text
    assert world.mexc.order_posts.total() == 1
    await bot.ask(OWNER, "/settarget 38.5")
    await bot.check()
    why = await bot.ask(OWNER, "/why")
    assert "I rest after a trade until 22 Nov 12:30 UTC." in why.text
    assert "To trade now: /rebalance." in why.text
    await bot.ask(OWNER, "/rebalance")
    await bot.tap(OWNER, "Trade")
    await bot.check()
    assert world.mexc.order_posts.total() == 2


async def test_set_times_are_of_the_chats_zone_and_said_with_the_next_one(
    world: World, bot: Program
):
    await bot.connect()
    await bot.ask(OWNER, "/alerts zone Europe/Berlin")
    set_ = await bot.ask(OWNER, "/schedule 13:30, 21:00")
    await bot.check()
    why = await bot.ask(OWNER, "/why")
    panel = await bot.ask(OWNER, "/settings")

    assert "Schedule set to daily 13:30 21:00" in set_.text
    assert "I send nothing. Something is out of its band. I trade at set times." in set_.text
    assert set_.text.count("13:30") == 2
    assert "Later: /schedule off" in set_.text
    assert "/cooldown" not in set_.text
    assert "I trade at set times. The next is 22 Nov 13:30." in why.text
    assert "daily 13:30 21:00" in panel.text
    assert world.mexc.order_posts.total() == 0
    world.clock.shift(timedelta(minutes=30))
    await bot.check()
    assert world.mexc.order_posts.total() == 1
    await bot.ask(OWNER, "/schedule off")
    await bot.tap(OWNER, "↩️ Undo")
    assert (await bot.account()).settings.pacing.schedule is not None


async def test_a_band_of_its_own_is_said_in_money_and_refused_where_the_part_is_outside(
    bot: Program,
):
    await bot.connect()
    await bot.ask(OWNER, "/target 25%")
    await bot.tap(OWNER, "Set")
    never = await bot.ask(OWNER, "/bands USDT 30..40")
    refused = await bot.ask(OWNER, "/bands USDT 22..24")
    changed = await bot.ask(OWNER, "/bands USDT 20..40")
    shown = await bot.ask(OWNER, "/bands")

    assert "Their low edges add up to 101.2%. That must be 100% at most." in never.text
    assert "The band of USDT does not hold its part of 25%." in refused.text
    assert "Bands: USDT 20..40" in changed.text
    assert "USDT    20 – 40%, goal 25%" in changed.text
    assert "48.16 – 96.33" in changed.text
    assert "MNTL    71.25 – 78.75%, goal 75%" in shown.text
    assert set((await bot.account()).settings.bands) == {USDT}
    await bot.tap(OWNER, "↩️ Undo")
    assert (await bot.account()).settings.bands == {}


async def test_two_looks_are_set_for_parts_alone_and_waited_for(world: World, bot: Program):
    await bot.connect()
    no_parts = await bot.ask(OWNER, "/bands twice on")
    await bot.ask(OWNER, "/target 75%")
    await bot.tap(OWNER, "Set")
    set_ = await bot.ask(OWNER, "/bands twice on")
    await bot.check()
    why = await bot.ask(OWNER, "/why")
    card = await bot.ask(OWNER, "/status")
    panel = await bot.ask(OWNER, "/settings")
    assert "That has no parts." in no_parts.text
    assert "Two looks set to on" in set_.text
    assert "I trade what two checks in a row find out of its band." in set_.text
    assert "I trade once two checks in a row find MNTL, USDT out of the band." in why.text
    assert "Next check: I sell MNTL for " in why.text
    assert "seen once" in card.text
    assert "two in a row" in panel.text
    assert world.mexc.order_posts.total() == 0

    world.clock.shift(timedelta(minutes=2))
    await bot.check()
    assert world.mexc.order_posts.total() == 1
    await bot.ask(OWNER, "/bands twice off")
    await bot.tap(OWNER, "↩️ Undo")
    assert (await bot.account()).settings.twice


async def test_bands_that_follow_volatility_are_said_where_they_are_on(bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/target 25%")
    await bot.tap(OWNER, "Set")
    set_ = await bot.ask(OWNER, "/bands scale on")
    await bot.check()
    shown = [await bot.ask(OWNER, f"/{page}") for page in ("bands", "target", "status")]
    panel = await bot.ask(OWNER, "/settings")

    assert "Scaled bands set to on" in set_.text
    assert all("Bands are 1.0 times as wide today." in one.text for one in shown)
    assert "by volatility" in panel.text
    await bot.ask(OWNER, "/bands scale off")
    await bot.tap(OWNER, "↩️ Undo")
    assert (await bot.account()).settings.scaled


async def test_a_protected_amount_that_would_trade_much_of_a_basket_is_asked_about(bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/target 75%")
    await bot.tap(OWNER, "Set")
    await bot.check()
    question = await bot.ask(OWNER, "/protect USDT 140")

    assert "Change this?" in question.text
    assert "Protected: 140.00 USDT?" in question.text
    assert "sell MNTL for" in question.text
    await bot.tap(OWNER, "Change it")
    assert (await bot.account()).settings.protected == {USDT: D(140)}


async def test_a_crash_guard_is_set_tells_what_it_stopped_and_is_lifted(
    world: World, bot: Program
):
    await bot.connect()
    await bot.checked()
    set_ = await bot.ask(OWNER, "/crashguard 20%")
    await bot.check()
    pair = world.mexc.ledger.pairs["MNTLUSDT"]
    pair.bids = [(price * D("0.7"), size) for price, size in pair.bids]
    pair.asks = [(price * D("0.7"), size) for price, size in pair.asks]
    world.clock.shift(timedelta(minutes=2))
    (told,) = await bot.checked()
    card = await bot.ask(OWNER, "/status")
    shown = await bot.ask(OWNER, "/crashguard")
    lifted = await bot.ask(OWNER, "/crashguard lift")
    again = await bot.ask(OWNER, "/crashguard lift")

    assert "Crash guard at 20%" in set_.text
    assert "If what I manage falls by 20% within a day, I stop buying." in set_.text
    assert "fell by 24" in told.text
    assert "To buy again: /crashguard lift" in told.text
    assert "The crash guard lets me buy nothing. (/crashguard)" in card.text
    assert "I have bought nothing since 12:02." in shown.text
    assert "I buy again from the next check on." in lifted.text
    assert "Nothing changed" in again.text
    assert (await bot.account()).buying_stopped_at is None
