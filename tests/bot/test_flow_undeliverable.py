"""A chat in which Telegram takes nothing for a while: everything is kept, and another chat hears."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import aliased

from engine.domain.accounts.audit import AuditEntry
from engine.domain.alerts.key_alerts import KeyEnding
from engine.notifications.publish import publish
from engine.storage.accounts import audit
from engine.storage.models.queues import OutboxRow
from tests.bot.harness import FRIEND, GROUP, OWNER, SUPERGROUP, Program, World
from tests.fakes.tasks import a_moment, running
from tests.fakes.telegram_faults import Refused
from tests.fakes.telegram_messages import SentMessage

MINUTE = timedelta(minutes=1)
MUTED = "Not enough rights to send text messages to the chat"
MUTED_NOW = Refused(400, f"Bad Request: {MUTED}")


async def news(bot: Program, number: int, *, chat_id: int = GROUP) -> None:
    """Something that the chat must be told."""
    now = bot.world.clock.now()
    alert = KeyEnding(dry_run=True, key_tail="BWC5", days_left=number, expires_at=now)
    async with bot.database.writing() as session:
        await publish(session, chat_id, alert, key=f"news:{chat_id}:{number}", now=now)


def heard(world: World, chat_id: int) -> list[str]:
    """The numbers of the news that arrived."""
    return [
        text.partition("ends in ")[2].split()[0]
        for text in world.api.texts(chat_id)
        if "ends in " in text
    ]


async def a_group(bot: Program) -> None:
    """A group that trades on paper, and its owner's private chat."""
    await bot.ask(OWNER, "/start")
    await bot.ask(GROUP, "/dryrun on", user_id=OWNER, chat_type="group")
    await bot.ask(GROUP, "/resume", user_id=OWNER, chat_type="group")


async def told(bot: Program, chat_id: int) -> list[SentMessage]:
    """What the chat hears of what the relay can send now."""
    known = len(bot.world.api.sent(chat_id))
    await live_for(bot, timedelta())
    return bot.world.api.sent(chat_id)[known:]


async def live_for(bot: Program, duration: timedelta) -> None:
    """With the relay at work every five minutes. What waits behind another row holds it up not."""
    end = bot.world.clock.now() + duration
    relay = bot.parts.outbox_sender
    ahead = aliased(OutboxRow)
    async with asyncio.timeout(30), running(relay.run()):
        while True:
            now = bot.world.clock.now()
            held_up = select(ahead.id).where(
                ahead.chat_id == OutboxRow.chat_id,
                ahead.done_at.is_(None),
                ahead.not_before > now,
                ahead.id < OutboxRow.id,
            )
            due = select(OutboxRow.id).where(
                OutboxRow.done_at.is_(None), OutboxRow.not_before <= now, ~held_up.exists()
            )
            while relay._workers._in_hand or await bot.scalar(due):
                await a_moment()
            if now >= end:
                return
            bot.world.clock.shift(5 * MINUTE)
            relay.nudge()


async def is_paused(bot: Program, chat_id: int = GROUP) -> bool:
    return (await bot.account(chat_id)).settings.paused


async def trail(bot: Program, chat_id: int = GROUP) -> list[AuditEntry]:
    async with bot.database.reading() as session:
        entries, _ = await audit.page(session, chat_id=chat_id, size=50, number=0)
    return list(entries)


async def test_an_hour_without_a_message_pauses_and_the_first_one_that_arrives_resumes(
    world: World, bot: Program
):
    await a_group(bot)
    world.api.mute(GROUP)
    await news(bot, 2)
    (first,) = await told(bot, OWNER)
    await live_for(bot, 55 * MINUTE)
    before = await is_paused(bot)
    await live_for(bot, 10 * MINUTE)
    paused = await is_paused(bot)
    await news(bot, 3)
    await live_for(bot, 5 * MINUTE)
    await news(bot, 4)
    world.api.unmute(GROUP)
    known = len(world.api.sent(OWNER))
    await live_for(bot, 20 * MINUTE)
    [over] = world.api.texts(OWNER)[known:]

    assert "I cannot write to another chat" in first.text
    assert MUTED in first.text
    assert (before, paused, await is_paused(bot)) == (False, True, False)
    assert heard(world, GROUP) == ["2", "3", "4"]
    assert "goes on now" in over
    assert "goes on now" in world.api.texts(GROUP)[-1]
    assert [(one.user_id, one.detail) for one in await trail(bot)][:2] == [
        (0, "paused -> on"),
        (0, "on -> paused"),
    ]
    assert sum("I cannot write" in text for text in world.api.texts(OWNER)) == 1


async def test_where_no_other_chat_could_be_told_trading_goes_on(world: World, bot: Program):
    await a_group(bot)
    for chat_id in (GROUP, OWNER):
        world.api.mute(chat_id)
    await news(bot, 2)
    await live_for(bot, 150 * MINUTE)

    assert not await is_paused(bot)

    for chat_id in (GROUP, OWNER):
        world.api.unmute(chat_id)
    await live_for(bot, 20 * MINUTE)

    assert heard(world, GROUP) == ["2"]


async def test_the_owners_own_chat_is_told_of_in_a_group_of_theirs(world: World, bot: Program):
    await a_group(bot)
    await bot.connect()
    world.api.mute(OWNER)
    await news(bot, 2, chat_id=OWNER)
    (first,) = await told(bot, GROUP)
    await live_for(bot, 65 * MINUTE)

    assert "Telegram has refused my messages to the private chat of User 1001" in first.text
    assert await is_paused(bot, OWNER)


async def test_another_persons_chat_is_told_of_to_the_owner(world: World, bot: Program):
    await bot.ask(OWNER, "/start")
    await bot.ask(FRIEND, "/start")
    world.api.mute(FRIEND, "Bad Request: PEER_ID_INVALID")
    await news(bot, 2, chat_id=FRIEND)

    (first,) = await told(bot, OWNER)

    assert "User 1002" in first.text


@pytest.mark.parametrize("command", ["/pause", "/resume"])
async def test_a_pause_that_a_person_decided_about_is_not_lifted(
    world: World, bot: Program, command: str
):
    await a_group(bot)
    world.api.mute(GROUP)
    await news(bot, 2)
    await live_for(bot, 65 * MINUTE)
    await bot.say(GROUP, command, user_id=OWNER)
    wanted = await is_paused(bot)
    world.api.unmute(GROUP)
    await live_for(bot, 20 * MINUTE)

    assert wanted is (command == "/pause")
    assert await is_paused(bot) is wanted
    assert heard(world, GROUP) == ["2"]


async def test_a_restart_forgets_neither_the_hour_nor_whose_pause_it_is(world: World):
    async with world.program() as first:
        await a_group(first)
        world.api.mute(GROUP)
        await news(first, 2)
        await live_for(first, 30 * MINUTE)
    async with world.program() as second:
        await live_for(second, 35 * MINUTE)
        paused = await is_paused(second)
    world.api.unmute(GROUP)
    async with world.program() as third:
        await live_for(third, 20 * MINUTE)

        assert paused
        assert not await is_paused(third)
        assert sum("I cannot write" in text for text in world.api.texts(OWNER)) == 1


@pytest.mark.parametrize("sign", ["writes", "member"])
async def test_what_comes_from_the_chat_makes_its_messages_come_at_once(
    world: World, bot: Program, sign: str
):
    await a_group(bot)
    world.api.mute(GROUP)
    await news(bot, 2)
    await live_for(bot, 40 * MINUTE)
    world.api.unmute(GROUP)
    if sign == "writes":
        await bot.say(GROUP, "hello", user_id=OWNER)
    else:
        await bot.handled(world.api.let_write(GROUP))
    await told(bot, GROUP)

    assert heard(world, GROUP) == ["2"]


async def test_status_and_doctor_say_which_chat_hears_nothing(world: World, bot: Program):
    await a_group(bot)
    world.api.mute(GROUP)
    await news(bot, 2)
    await told(bot, OWNER)

    status = await bot.ask(OWNER, "/status")
    doctor = await bot.ask(OWNER, "/doctor")
    elsewhere = await bot.ask(FRIEND, "/doctor")

    assert f"📭 Telegram has refused my messages to the group {GROUP} since" in status.text
    assert f"⚠️ Messages: Telegram refuses mine to the group {GROUP}." in doctor.text
    assert str(GROUP) not in elsewhere.text


async def test_the_chat_itself_says_so_where_an_answer_gets_through(world: World, bot: Program):
    await a_group(bot)
    world.api.refuses = lambda text: MUTED_NOW if "ends in 2" in text else None
    await news(bot, 2)
    await told(bot, OWNER)

    status = await bot.ask(GROUP, "/status", user_id=OWNER)
    doctor = await bot.ask(GROUP, "/doctor", user_id=OWNER)

    assert "📭 Telegram has refused my messages here since" in status.text
    assert "📭 1 message has not reached you yet." in status.text
    assert "❌ Messages: Telegram has refused mine to this chat since" in doctor.text


async def test_a_group_that_moves_meanwhile_keeps_its_pause_and_its_messages(
    world: World, bot: Program
):
    await a_group(bot)
    world.api.mute(GROUP)
    await news(bot, 2)
    await live_for(bot, 65 * MINUTE)
    world.api.unmute(GROUP)
    world.api.migrate(GROUP, SUPERGROUP)
    await live_for(bot, 20 * MINUTE)

    assert heard(world, SUPERGROUP) == ["2"]
    assert not await is_paused(bot, SUPERGROUP)


async def test_a_crowd_that_writes_where_the_bot_may_not_causes_few_requests(
    world: World, bot: Program
):
    await a_group(bot)
    world.api.mute(GROUP, f"Bad Request: {MUTED}")
    await news(bot, 1)
    await told(bot, GROUP)
    before = len(world.api.called("sendMessage"))
    for number in range(25):
        await bot.say(GROUP, f"we talk {number}", user_id=7000 + number, chat_type="group")
        await told(bot, GROUP)
    tried = len(world.api.called("sendMessage")) - before
    await bot.handled(world.api.let_write(GROUP))
    await told(bot, GROUP)

    assert tried <= 10
    assert heard(world, GROUP) == ["1"]


@pytest.mark.parametrize("status", [400, 403])
async def test_an_answer_that_may_not_be_written_now_is_kept(
    world: World, bot: Program, status: int
):
    await a_group(bot)
    world.api.mute(GROUP, f"Forbidden: {MUTED}", status=status)
    assert await bot.say(GROUP, "/pause", user_id=OWNER, chat_type="group") == []
    world.api.unmute(GROUP)
    world.clock.shift(MINUTE)

    assert ["aused" in one.text for one in await told(bot, GROUP)] == [True]
