"""A key's life over the chat: its end is told in time, a new one takes its place, a dead one is found."""

from datetime import timedelta

import pytest

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

DAY = timedelta(days=1)
INFO = ("GET", "/api/v3/apiKeyInfo")


async def a_day_passes(world: World, bot: Program, *, days_left: int | None) -> list[SentMessage]:
    world.clock.shift(DAY)
    world.mexc.ledger.accounts[KEY].days_left = days_left
    await bot.parts.periodic_jobs.run_once()
    return [told for told in await bot.told(OWNER) if "key" in told.text]


async def test_the_end_of_a_key_is_told_in_time_and_once_each(world: World, bot: Program):
    await bot.ask(OWNER, f"/connect {KEY} {SECRET}")
    told = {days: await a_day_passes(world, bot, days_left=days) for days in range(16, -1, -1)}
    await bot.parts.periodic_jobs.run_once()

    assert [days for days, messages in told.items() if messages] == [14, 7, 3, 1]
    assert all(len(messages) <= 1 for messages in told.values())
    assert "Your MEXC key ends in 3 days" in told[3][0].text
    assert "go to My API Key, then Action, then Renew" in told[3][0].text
    assert told[3][0].labels == ["/doctor", "/connect"]
    assert world.mexc.requests[INFO] == 1 + 17


async def test_the_status_tells_of_the_end_in_its_last_month(world: World, bot: Program):
    await bot.ask(OWNER, f"/connect {KEY} {SECRET}")
    early = await bot.ask(OWNER, "/status")
    await a_day_passes(world, bot, days_left=12)
    late = await bot.ask(OWNER, "/status")

    assert "Key  " not in early.text
    assert "Key      …BWC5, 12 days left" in late.text


async def test_a_key_that_was_renewed_at_mexc_is_reminded_of_afresh(world: World, bot: Program):
    await bot.ask(OWNER, f"/connect {KEY} {SECRET}")
    first = await a_day_passes(world, bot, days_left=3)
    renewed = await a_day_passes(world, bot, days_left=90)
    second = await a_day_passes(world, bot, days_left=14)

    assert (len(first), len(renewed), len(second)) == (1, 0, 1)


async def test_while_mexc_is_silent_the_end_that_is_known_is_told(world: World, bot: Program):
    world.mexc.ledger.accounts[KEY].days_left = 8
    await bot.ask(OWNER, f"/connect {KEY} {SECRET}")
    world.mexc.inject(Fault(*INFO, reply=BAD_GATEWAY, times=None))

    told = await a_day_passes(world, bot, days_left=90)
    again = await a_day_passes(world, bot, days_left=90)

    assert ["ends in 7 days" in message.text for message in told] == [True]
    assert again == []


async def test_a_key_without_an_end_is_never_reminded_of(world: World, bot: Program):
    world.mexc.ledger.accounts[KEY].days_left = -1
    await bot.ask(OWNER, f"/connect {KEY} {SECRET}")

    assert (await bot.account()).key_expires_at is None
    assert await a_day_passes(world, bot, days_left=-1) == []


async def test_a_key_on_whose_day_nobody_was_there_is_asked_about_after_a_restart(world: World):
    async with world.program() as first:
        await first.ask(OWNER, f"/connect {KEY} {SECRET}")
    async with world.program() as second:
        told = await a_day_passes(world, second, days_left=1)
    async with world.program() as third:
        again = await a_day_passes(world, third, days_left=1)

    assert len(told) == 1
    assert again == []


async def test_between_its_days_a_key_costs_no_request(world: World, bot: Program):
    await bot.ask(OWNER, f"/connect {KEY} {SECRET}")
    await bot.parts.periodic_jobs.run_once()  # asks for the price of the hour
    before = world.mexc.requests.total()

    for _ in range(3):
        await bot.parts.periodic_jobs.run_once()

    assert world.mexc.requests.total() == before


async def test_a_new_key_takes_the_old_ones_place_and_all_settings_stay(
    world: World, bot: Program
):
    world.mexc.add_account(OTHER_KEY, OTHER_SECRET, USDT="40", MNTL="1").days_left = 50
    for setting in ("/settarget 55", "/setthreshold 7%", "/setinterval 5m", "/limits order 99"):
        await bot.ask(OWNER, setting)
    await bot.ask(OWNER, f"/connect {KEY} {SECRET}")
    await a_day_passes(world, bot, days_left=3)
    before = await bot.account()

    answer = await bot.ask(OWNER, f"/connect {OTHER_KEY} {OTHER_SECRET}")
    after = await bot.account()

    assert "It replaces the one ending in BWC5." in answer.text
    assert (after.settings, after.limits) == (before.settings, before.limits)
    assert after.key_tail == OTHER_KEY[-4:]
    assert after.key_expires_at == world.clock.now() + 50 * DAY
    assert "3 days left" not in (await bot.ask(OWNER, "/status")).text


async def test_a_forgotten_key_is_not_reminded_of(world: World, bot: Program):
    await bot.ask(OWNER, f"/connect {KEY} {SECRET}")
    await bot.ask(OWNER, "/disconnect")
    await bot.tap(OWNER, "Forget the key")

    assert (await bot.account()).key_expires_at is None
    assert await a_day_passes(world, bot, days_left=1) == []


@pytest.mark.parametrize("code", [10072, 700002])
async def test_a_revoked_key_is_found_by_the_next_check_and_explained(
    world: World, bot: Program, code: int
):
    await bot.connect()
    await bot.checked()
    world.mexc.ledger.accounts[KEY].refused = Refused(code, "Api key info invalid")
    world.clock.shift(timedelta(minutes=2))

    [told] = await bot.checked()

    assert told.text.startswith("⚠️ PAUSED · MEXC refuses the key\nNo order was sent.\nThe key is")
    assert "Trading is paused for this chat." in told.text
    assert "send it with /connect. All settings stay. Then send /resume." in told.text


@pytest.mark.parametrize(
    "gained", ["SPOT_WITHDRAW_WRITE", "SPOT_TRANSFER_WRITE", "CONTRACT_DEAL_WRITE"]
)
async def test_a_key_that_gains_powers_pauses_trading_and_is_told_of(
    world: World, bot: Program, gained: str
):
    await bot.connect()
    world.mexc.ledger.accounts[KEY].permissions |= {gained}

    [told] = [one for one in await a_day_passes(world, bot, days_left=89) if "MEXC" in one.text]
    again = await a_day_passes(world, bot, days_left=89)

    assert told.text.startswith("⚠️ PAUSED · Your key may do too much now")
    assert f"MEXC lists for the key …BWC5: “{gained}”." in told.text
    assert "Trading is paused for this chat." in told.text
    assert "Resume" in told.labels
    assert (await bot.account()).settings.paused
    assert [one.text for one in again if "Trading is paused for" in one.text] == []


async def test_who_resumes_with_such_a_key_is_stopped_again_within_the_hour(
    world: World, bot: Program
):
    await bot.connect()
    world.mexc.ledger.accounts[KEY].permissions |= {"SPOT_WITHDRAW_WRITE"}
    await a_day_passes(world, bot, days_left=89)
    await bot.ask(OWNER, "/resume")
    resumed = (await bot.account()).settings.paused
    world.clock.shift(timedelta(hours=1, minutes=1))
    await bot.parts.periodic_jobs.run_once()
    stopped = (await bot.account()).settings.paused
    world.mexc.ledger.accounts[KEY].permissions -= {"SPOT_WITHDRAW_WRITE"}
    await bot.ask(OWNER, "/resume")
    world.clock.shift(timedelta(hours=1, minutes=1))
    await bot.parts.periodic_jobs.run_once()

    assert (resumed, stopped) == (False, True)
    assert not (await bot.account()).settings.paused
