"""`/doctor` over the chat: it asks everything at once, waits for little, and tells the remedy."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from engine.storage.models.queues import OutboxRow
from tests.bot.harness import FRIEND, KEY, OWNER, SECRET, Program, World
from tests.fakes.mexc_books import Refused
from tests.fakes.mexc_faults import Fault
from tests.fakes.telegram_faults import refused

SILENT = (("GET", "/api/v3/apiKeyInfo"), ("GET", "/api/v3/depth"), ("GET", "/api/v3/time"))


async def test_a_healthy_chat_is_told_so(world: World, bot: Program):
    await bot.connect()
    posts = world.mexc.order_posts.total()

    answer = await bot.ask(OWNER, "/doctor")

    assert answer.text.startswith("🟢 LIVE · All is well")
    assert "Key: …BWC5 may trade and cannot withdraw. It ends in 89 days." in answer.text
    assert answer.labels == ["/doctor", "/status"]
    assert world.mexc.order_posts.total() == posts
    assert KEY not in answer.text


async def test_the_button_looks_again(bot: Program):
    first = await bot.ask(OWNER, "/doctor")
    (second,) = await bot.tap(OWNER, "/doctor")

    assert "1 broken" in first.text
    assert second.text == first.text


async def test_a_key_that_was_revoked_is_broken(world: World, bot: Program):
    await bot.connect()
    world.mexc.ledger.accounts[KEY].refused = Refused(10072, "Api key info invalid")

    answer = await bot.ask(OWNER, "/doctor")

    assert "❌ Key: MEXC refuses …BWC5. MEXC said “Api key info invalid”." in answer.text
    assert "Address" not in answer.text


async def test_an_address_that_is_not_on_the_list_is_broken(world: World, bot: Program):
    await bot.connect()
    world.mexc.ledger.accounts[KEY].addresses = ("203.0.113.7",)

    answer = await bot.ask(OWNER, "/doctor")

    assert "❌ Address: the key works only from other IPs." in answer.text
    assert "Add the address 127.0.0.1 to the key at MEXC. Then send /resume." in answer.text


async def test_what_mexc_does_not_tell_in_time_is_to_look_at(
    world: World, bot: Program, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("engine.rebalancing.preview._PATIENCE_S", 0.3)
    monkeypatch.setattr("engine.accounts.key_expiry._PATIENCE_S", 0.3)
    await bot.connect()
    for endpoint in SILENT:
        world.mexc.inject(Fault(*endpoint, hang=True, times=None))
    world.clock.shift(timedelta(seconds=2))  # the order book that was read is old by now
    loop = asyncio.get_running_loop()
    began = loop.time()

    answer = await bot.ask(OWNER, "/doctor")

    assert loop.time() - began < 3 * 0.3 + 0.6
    for line in ("⚠️ Clock:", "⚠️ Key:", "⚠️ Address:", "⚠️ Market:", "✅ Database:"):
        assert line in answer.text, line


async def test_messages_that_wait_and_those_that_were_refused_are_counted(
    world: World, bot: Program
):
    await bot.ask(FRIEND, "/start")
    world.api.fail("sendMessage", refused(429, "Too Many Requests: retry after 5"), times=1)
    await bot.say(OWNER, "/version")
    waiting = await bot.ask(OWNER, "/doctor")
    other = await bot.ask(FRIEND, "/doctor")
    async with bot.database.writing() as session:
        await session.execute(
            update(OutboxRow).values(done_at=world.clock.now(), failure="chat not found")
        )
    given_up = await bot.ask(OWNER, "/doctor")

    assert "⚠️ Messages: 1 to this chat wait for Telegram, 1 in all." in waiting.text
    assert "✅ Messages: all of mine arrived here. 1 to others wait." in other.text
    assert "⚠️ Messages: Telegram refused 1 of mine" in given_up.text


async def test_a_key_is_looked_at_in_a_dry_run_too(world: World, bot: Program):
    world.mexc.ledger.accounts[KEY].days_left = 4
    await bot.ask(OWNER, f"/connect {KEY} {SECRET}")
    await bot.ask(OWNER, "/dryrun on")

    answer = await bot.ask(OWNER, "/doctor")

    assert "⚠️ Key: …BWC5 is about to end. It ends in 4 days. To renew it" in answer.text
    assert "✅ Clock: It is within a second" in answer.text


async def test_the_uptime_begins_anew_with_a_restart(world: World):
    async with world.program() as first:
        world.clock.shift(timedelta(minutes=5))
        assert "up for 5m" in (await first.ask(OWNER, "/doctor")).text
    async with world.program() as second:
        answer = await second.ask(OWNER, "/doctor")

    assert "up for 0s" in answer.text
    assert "✅ Telegram: it answered 1 s ago." in answer.text
