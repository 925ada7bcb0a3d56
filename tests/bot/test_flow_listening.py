"""Whoever is asked for a value may just type it; a plain value that nobody asked for is asked about."""

from datetime import timedelta
from decimal import Decimal

import pytest

from bot.interaction.callback_data import SetAlert
from engine.domain.targets.bands import Threshold
from tests.bot.harness import GROUP, KEY, OWNER, SECRET, Program, World


async def test_the_cards_buttons_ask_and_listen(bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/status")
    (asked,) = await bot.tap(OWNER, "do:settarget:")
    set_ = await bot.ask(OWNER, "41")
    await bot.tap(OWNER, "do:setthreshold:", forged=True)
    unclear = (await bot.ask(OWNER, "7")).text
    await bot.tap(OWNER, "/setthreshold 7%")

    assert asked.text == (
        "Target is 40.00 USDT.\n"
        "Send the USDT to hold:\n"
        "/settarget 40\n"
        "Or send only the value, like 40. I wait for 10 min."
    )
    assert asked.labels == [f"/settarget {n}usdt" for n in (15, 30, 50, 65)]
    assert "Target set to 41.00 USDT" in set_.text
    assert "I am not sure how to read “7”." in unclear
    assert (await bot.account()).settings.threshold == Threshold(relative=Decimal("0.07"))


async def test_a_bare_setpair_offers_what_was_held_at_the_last_look_without_asking_mexc(
    world: World, bot: Program
):
    await bot.ask(OWNER, "/setpair")
    unknown = world.api.sent(OWNER)[-1]
    world.mexc.deposit(KEY, "SOL", Decimal(2))
    await bot.connect()
    before = len(world.mexc.seen)
    known = await bot.ask(OWNER, "/setpair")

    assert unknown.labels == []
    assert known.labels == ["/setpair SOLUSDT"]
    assert len(world.mexc.seen) == before


async def test_bare_limits_and_warn_listen_and_a_tapped_token_waits_for_its_amount(
    world: World, bot: Program
):
    await bot.connect()
    await bot.ask(OWNER, "/limits")
    limited = await bot.ask(OWNER, "order 50")
    await bot.ask(OWNER, "/limits")
    await bot.tap(OWNER, "/limits order 20")
    tapped = world.api.sent(OWNER)[-1]
    await bot.ask(OWNER, "/warn")
    await bot.tap(OWNER, "/warn MNTL")
    asked = world.api.sent(OWNER)[-1]
    refused = await bot.ask(OWNER, "many")
    warned = await bot.ask(OWNER, "100000 MNTL")

    assert "Order    50.00 USDT\n" in limited.text
    assert "Order    20.00 USDT\n" in tapped.text
    assert "Below how many MNTL should I warn you? Nothing changed yet." in asked.text
    assert "I cannot use “MNTL many” here." in refused.text
    assert "I warn you once below 100,000 MNTL." in warned.text


async def test_what_is_refused_may_be_typed_again_even_after_a_restart(world: World):
    async with world.program() as bot:
        await bot.ask(OWNER, "/settarget lots")
    async with world.program() as bot:
        again = await bot.ask(OWNER, "-5")
        set_ = await bot.ask(OWNER, "45")

    assert "I cannot use “-5” here. Nothing changed." in again.text
    assert "Target set to 45.00 USDT" in set_.text


async def test_a_time_zone_is_typed_or_tapped(bot: Program):
    await bot.ask(OWNER, "/alerts")
    await bot.tap(OWNER, "Time zone…")
    unknown = await bot.ask(OWNER, "Berlinn")
    known = await bot.ask(OWNER, "Berlin")
    await bot.tap(OWNER, SetAlert("zone").encode(), forged=True)
    await bot.tap(OWNER, SetAlert("zone", "UTC").encode(), forged=True)
    later = await bot.ask(OWNER, "Berlin")

    assert "I know no time zone “Berlinn”." in unknown.text
    assert "Europe/Berlin" in known.text
    assert "I only understand commands" in later.text


@pytest.mark.parametrize("ends", ["tap", "command", "time"])
async def test_another_tap_a_command_and_ten_minutes_end_the_question(
    world: World, bot: Program, ends: str
):
    await bot.ask(OWNER, "/setinterval")
    if ends == "tap":
        await bot.tap(OWNER, "do:version:", forged=True)
    elif ends == "command":
        await bot.ask(OWNER, "/version")
    else:
        world.clock.shift(timedelta(minutes=10, seconds=1))
    answer = await bot.ask(OWNER, "300")

    assert "I asked for no value. “300” changed nothing." in answer.text
    assert answer.labels == ["/settarget 300", "/status"]


async def test_a_plain_value_asks_first_and_a_big_one_asks_again(world: World, bot: Program):
    await bot.connect()
    world.mexc.deposit(KEY, "USDT", Decimal(900))
    await bot.ask(OWNER, "60")
    await bot.tap(OWNER, "/settarget 60")
    big = world.api.sent(OWNER)[-1].text
    await bot.ask(OWNER, "8%")
    before = await bot.account()
    await bot.tap(OWNER, "/setthreshold 8%")
    after = await bot.account()

    assert "Set the target to 60.00 USDT?" in big
    assert (before.settings.fixed_goal.target, after.settings.fixed_goal.target) == (
        Decimal(40),
        Decimal(40),
    )
    assert before.settings.threshold == Threshold(relative=Decimal("0.05"))
    assert after.settings.threshold == Threshold(relative=Decimal("0.08"))


async def test_a_plain_resume_asks_first(bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "stop")
    asked = await bot.ask(OWNER, "Resume.")

    assert (await bot.account()).settings.paused
    assert asked.labels == ["Resume", "/status"]


async def test_a_plain_resume_with_a_big_first_order_asks_one_question(world: World, bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/pause")
    world.mexc.deposit(KEY, "USDT", Decimal(900))
    await bot.ask(OWNER, "/limits")
    asked = (await bot.ask(OWNER, "resume")).text
    paused = (await bot.account()).settings.paused
    await bot.tap(OWNER, "Start")

    assert paused
    assert "Start trading?" in asked
    assert not (await bot.account()).settings.paused


async def test_a_group_talks_without_being_heard(bot: Program):
    for text in ("/settarget", "60", "resume", "pause"):
        answers = await bot.say(GROUP, text, user_id=OWNER, chat_type="group")

        assert len(answers) == (text == "/settarget")


async def test_a_key_typed_as_the_answer_is_deleted_and_not_taken(world: World, bot: Program):
    await bot.ask(OWNER, "/setpair")
    answer = await bot.ask(OWNER, KEY)
    panic = await bot.ask(OWNER, "stop")
    unasked = await bot.ask(OWNER, SECRET)

    assert "deleted" in answer.text
    assert "Paused already" in panic.text
    assert "deleted" in unasked.text
