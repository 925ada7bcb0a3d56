"""Which money a screen speaks of: paper figures never stand under LIVE, nor those of another key."""

import re
from datetime import timedelta
from decimal import Decimal

from tests.bot.harness import (
    KEY,
    OTHER_KEY,
    OTHER_SECRET,
    OWNER,
    SECRET,
    Program,
    World,
)
from tests.fakes.mexc_books import Refused
from tests.fakes.mexc_faults import BAD_GATEWAY, Fault
from tests.fakes.telegram_messages import SentMessage

MINUTE = timedelta(minutes=1)
ACCOUNT = ("GET", "/api/v3/account")
GO_LIVE = "Trade for real"


async def rounds(bot: Program) -> None:
    bot.world.clock.shift(MINUTE)
    await bot.parts.dispatcher.tick()
    await bot.parts.periodic_jobs.run_once()


async def on_paper(world: World, bot: Program) -> SentMessage:
    """A dry run that has drifted far from the real balance, and its card."""
    await bot.connect()
    await bot.ask(OWNER, "/dryrun on")
    await bot.live_for(MINUTE)
    world.mexc.deposit(KEY, "USDT", Decimal(900))
    card = await bot.ask(OWNER, "/status")
    assert "USDT     40." in card.text
    return card


async def test_after_a_dry_run_the_card_shows_the_real_balance(world: World, bot: Program):
    card = await on_paper(world, bot)

    await bot.ask(OWNER, "/dryrun off")
    await bot.tap(OWNER, GO_LIVE)

    assert card.text.startswith("⏸ PAUSED · MNTL/USDT")
    assert "USDT     957.10" in card.text


async def test_where_mexc_is_away_no_paper_balance_stands_under_live_and_the_card_fills_in_later(
    world: World, bot: Program
):
    card = await on_paper(world, bot)
    await bot.ask(OWNER, "/dryrun off")
    away = world.mexc.inject(Fault(*ACCOUNT, reply=BAD_GATEWAY, times=None))
    await bot.tap(OWNER, GO_LIVE)
    meanwhile = card.text
    why = await bot.ask(OWNER, "/why")
    echo = await bot.ask(OWNER, "/setinterval 3m")
    world.mexc.remove(away)
    await rounds(bot)

    assert "USDT     not seen yet" in meanwhile
    assert "There was no check yet." in why.text
    assert "After /resume: I read your balance and decide." in echo.text
    assert "USDT     957.10" in card.text


async def test_a_dry_run_that_begins_anew_forgets_the_one_before(world: World, bot: Program):
    card = await on_paper(world, bot)
    await bot.ask(OWNER, "/dryrun off")
    await bot.tap(OWNER, GO_LIVE)

    await bot.ask(OWNER, "/dryrun on")
    await rounds(bot)

    assert "DRY RUN" in card.text.replace("PAUSED (dry run)", "DRY RUN")
    assert "USDT     957.10" in card.text


async def test_another_key_has_another_balance(world: World, bot: Program):
    world.mexc.add_account(OTHER_KEY, OTHER_SECRET, USDT="7.77", MNTL="5")
    await bot.connect()
    card = await bot.ask(OWNER, "/status")
    before = card.text

    await bot.ask(OWNER, f"/connect {OTHER_KEY} {OTHER_SECRET}")
    await rounds(bot)

    assert "USDT     57.10" in before
    assert "USDT     7.77" in card.text


async def test_without_a_key_no_balance_of_it_is_shown(world: World, bot: Program):
    await bot.connect()
    card = await bot.ask(OWNER, "/status")

    await bot.ask(OWNER, "/disconnect")
    await bot.tap(OWNER, "Forget the key")

    assert "57.10" not in card.text
    assert "USDT     not seen yet" in card.text


async def test_a_key_that_is_connected_in_a_dry_run_says_which_money_is_traded(
    world: World, bot: Program
):
    """The next step it tells is the one that /resume then takes."""
    await bot.ask(OWNER, "/dryrun on")

    connected = await bot.ask(OWNER, f"/connect {KEY} {SECRET}")
    resumed = await bot.ask(OWNER, "/resume")

    assert connected.text.startswith("⏸ PAUSED (dry run) · Key connected")
    assert "At MEXC you hold 57.10 USDT and 91,858 MNTL." in connected.text
    assert "Dry run: I trade paper money, not this balance." in connected.text
    assert "After /resume: I buy 28,571 MNTL for about 57.20 USDT." in connected.text
    assert "Next check: I buy 28,571 MNTL for about 57.20 USDT." in resumed.text
    assert resumed.text.startswith("🧪 DRY RUN")


async def test_a_check_that_fails_does_not_forget_what_was_seen_before(world: World, bot: Program):
    await bot.connect()
    await bot.checked()
    card = await bot.ask(OWNER, "/status")
    world.mexc.inject(Fault(*ACCOUNT, reply=BAD_GATEWAY, times=None))
    await bot.live_for(timedelta(minutes=6))
    await rounds(bot)
    kept = card.text
    later = await bot.ask(OWNER, "/status")

    assert "USDT     40.79" in kept
    assert "USDT     40.79" in later.text
    assert re.search(r"Checked  22 Nov 12:0\d failed\n", later.text)
    assert "Seen     22 Nov 12:00\n" in later.text


async def test_a_restart_does_not_forget_what_a_person_or_a_failing_check_saw(world: World):
    async with world.program() as first:
        await first.ask(OWNER, f"/connect {KEY} {SECRET}")
        await first.ask(OWNER, "/rebalance")
        world.mexc.inject(Fault(*ACCOUNT, reply=BAD_GATEWAY, times=None))
    world.clock.shift(MINUTE)
    async with world.program() as second:
        card = await second.ask(OWNER, "/status")

    assert "USDT     57.10" in card.text


async def test_the_doctor_does_not_call_it_well_while_a_trouble_stops_trading(
    world: World, bot: Program
):
    await bot.connect()
    world.mexc.ledger.accounts[KEY].refused = Refused(10072, "Api key info invalid")
    await bot.checked()
    world.mexc.ledger.accounts[KEY].refused = None  # mended at MEXC, and nobody sent /resume

    answer = await bot.ask(OWNER, "/doctor")

    assert answer.text.startswith("⏸ PAUSED · Check-up: 1 broken")
    assert "❌ Trading: paused. MEXC refuses the key. Mend it, then send /resume." in answer.text
