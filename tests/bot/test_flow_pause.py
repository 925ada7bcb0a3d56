"""`/stop`, `/pause 1h` and the plain words that stop trading or show how things stand."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select

from engine.storage.models.accounts import TimedPauseRow
from tests.bot.harness import GROUP, KEY, OWNER, Program, World


async def test_a_pause_of_an_hour_ends_by_itself_after_a_restart(world: World):
    async with world.program() as bot:
        await bot.connect()
        await bot.checked()
        paused = await bot.ask(OWNER, "pause for 1h")
    world.clock.shift(timedelta(hours=1))
    async with world.program() as bot:
        await bot.parts.periodic_jobs.run_once()
        [told] = await bot.told(OWNER)
        account = await bot.account()

    assert paused.text.startswith("⏸ PAUSED · Trading is paused\nNo order leaves from now on.")
    assert "Trading starts again by itself: 22 Nov 13:0" in paused.text
    assert "🟢 LIVE · Trading is on again" in told.text
    assert not account.settings.paused


async def test_a_big_first_order_is_asked_about_and_a_tap_starts(world: World, bot: Program):
    await bot.connect()
    await bot.checked()
    await bot.ask(OWNER, "/stop 1h")
    world.mexc.deposit(KEY, "USDT", Decimal(900))
    world.clock.shift(timedelta(hours=1))
    await bot.parts.periodic_jobs.run_once()
    [told] = await bot.told(OWNER)

    assert "⏸ PAUSED · Trading stays paused" in told.text
    assert "The first order would buy MNTL for about 900.79 USDT." in told.text
    assert "Resume" in told.labels
    assert (await bot.account()).settings.paused
    assert await bot.scalar(select(TimedPauseRow.asked)) == 1


async def test_a_time_that_is_none_pauses_all_the_same(bot: Program):
    await bot.connect()
    answer = await bot.ask(OWNER, "/pause tomorrow")

    assert "I do not read “tomorrow” as a time, so the pause has no end." in answer.text
    assert (await bot.account()).settings.paused
    assert await bot.count(TimedPauseRow) == 0


async def test_plain_words_stop_and_show_in_a_private_chat_alone(bot: Program):
    await bot.connect()

    assert "LIVE · MNTL/USDT" in (await bot.ask(OWNER, "Status")).text
    assert await bot.say(GROUP, "stop", user_id=OWNER, chat_type="group") == []
    assert "Trading is paused" in (await bot.ask(OWNER, "Stop!")).text
    assert "Paused already" in (await bot.ask(OWNER, "/stop")).text


async def test_the_card_shows_when_the_pause_ends_in_the_chats_own_time(
    world: World, bot: Program
):
    await bot.connect()
    await bot.say(OWNER, "/alerts zone Europe/Berlin")
    card = await bot.ask(OWNER, "/status")
    world.clock.shift(timedelta(seconds=10))
    await bot.say(OWNER, "/pause 1h")
    timed = card.text
    world.clock.shift(timedelta(seconds=10))
    await bot.say(OWNER, "/pause")

    assert "Paused until 14:00. Then trading starts again." in timed
    assert "until" not in card.text
