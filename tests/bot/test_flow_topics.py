"""Forums: answers stay in their topic, alerts go where /start was last sent; and the menus."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.access.command_menu import menu_of
from bot.views.help import COMMANDS, DESCRIPTION, SHORT_DESCRIPTION
from engine.domain.accounts.members import Role
from engine.storage.accounts import members
from engine.storage.models.accounts import AuditRow
from tests.bot.harness import FRIEND, GROUP, OWNER, STRANGER, Program, World
from tests.fakes.telegram_faults import refused
from tests.fakes.telegram_messages import SentMessage


async def say(bot: Program, typed: str, *, topic: int | None, by: int = OWNER) -> SentMessage:
    [answer] = await bot.say(GROUP, typed, user_id=by, chat_type="supergroup", topic_id=topic)
    return answer


async def alerted(bot: Program) -> SentMessage:
    """The owner's halt is an alert for every other chat."""
    await bot.ask(OWNER, "/halt")
    [alert] = await bot.told(GROUP)
    await bot.ask(OWNER, "/halt off")
    await bot.tap(OWNER, "Yes, lift it")
    await bot.told(GROUP)
    return alert


async def test_answers_go_where_they_were_asked_and_alerts_where_start_was_last_sent(
    bot: Program,
):
    first = await say(bot, "/start", topic=7)
    status = await say(bot, "/status", topic=8)
    in_seven = await alerted(bot)
    again = await say(bot, "/start", topic=8)
    in_eight = await alerted(bot)
    general = await say(bot, "/start", topic=None)
    at_last = await alerted(bot)

    assert [first.topic_id, status.topic_id, again.topic_id, general.topic_id] == [7, 8, 8, None]
    assert "My alerts come to this topic from now on" in first.text
    assert "My alerts come to this topic from now on" in general.text
    assert [in_seven.topic_id, in_eight.topic_id, at_last.topic_id] == [7, 8, None]


async def test_a_group_without_topics_hears_nothing_of_them(bot: Program):
    assert "topic" not in (await say(bot, "/start", topic=None)).text


async def test_a_viewer_does_not_move_the_alerts(bot: Program):
    await say(bot, "/start", topic=7)
    async with bot.database.writing() as session:
        now = bot.world.clock.now()
        await members.admit(session, chat_id=GROUP, user_id=STRANGER, role=Role.VIEWER, now=now)
    await say(bot, "/start", topic=8, by=STRANGER)

    assert (await bot.account(GROUP)).topic_id == 7
    async with bot.database.reading() as session:
        moves = await session.scalars(select(AuditRow.detail).where(AuditRow.action == "topic"))
        assert list(moves) == ["general -> 7"]


async def test_buttons_answer_in_their_topic(bot: Program):
    await say(bot, "/status", topic=8)
    [answer] = await bot.tap(GROUP, "History", user_id=OWNER)

    assert answer.topic_id == 8


async def test_an_alert_for_a_topic_that_is_gone_comes_to_the_general_one(
    world: World, bot: Program
):
    await say(bot, "/start", topic=7)
    await bot.ask(OWNER, "/halt")
    gone = refused(400, "Bad Request: message thread not found")
    world.api.fail("sendMessage", gone)

    [alert] = await bot.told(GROUP)

    assert "halted all chats" in alert.text
    assert alert.topic_id is None


async def test_each_sees_the_menu_of_what_they_may(world: World, bot: Program):
    await bot.parts.command_menu.publish()
    menus = {scope: [c["command"] for c in menu] for scope, menu in world.api.menus.items()}
    looking = [name for name, _ in menu_of(Role.VIEWER)]

    assert menus["default"] == menus["all_group_chats"] == looking
    assert menus["all_private_chats"] == [name for name, _ in COMMANDS]
    for who, role in ((OWNER, Role.OWNER), (FRIEND, Role.TRADER)):
        mine = [name for name, _ in menu_of(role)]
        assert menus[f"chat_member:{GROUP}:{who}"] == mine
    assert "status" in looking
    assert not {"pause", "connect", "members", "halt"} & set(looking)
    assert "pause" in dict(menu_of(Role.TRADER))
    assert "members" not in dict(menu_of(Role.TRADER))


async def test_a_member_gets_the_menu_of_their_role_and_loses_it_again(world: World, bot: Program):
    world.api.open_chat(OWNER)
    await bot.say(GROUP, "/invite trader", user_id=OWNER, chat_type="group")
    code = world.api.sent(OWNER)[-1].text.split("/start ")[1].split()[0]
    await bot.say(GROUP, f"/start {code}", user_id=STRANGER, chat_type="group")
    scope = f"chat_member:{GROUP}:{STRANGER}"
    as_trader = [c["command"] for c in world.api.menus[scope]]
    await bot.say(GROUP, "/members", user_id=OWNER, chat_type="group")
    for label in (f"User {STRANGER}", "Remove", "Yes, remove"):
        await bot.tap(GROUP, label, user_id=OWNER)

    assert as_trader == [name for name, _ in menu_of(Role.TRADER)]
    assert scope not in world.api.menus


async def test_the_bot_introduces_itself_once_at_start(world: World, bot: Program):
    await bot.parts.command_menu.publish()
    short = world.api.called("setMyShortDescription")
    long = world.api.called("setMyDescription")

    assert [call["short_description"] for call in short] == [SHORT_DESCRIPTION]
    assert [call["description"] for call in long] == [DESCRIPTION]
    assert len(SHORT_DESCRIPTION) <= 120
    assert len(DESCRIPTION) <= 512


@pytest.mark.parametrize(
    "method", ["setMyCommands", "setMyDescription", "setMyShortDescription", "deleteMyCommands"]
)
async def test_a_menu_that_cannot_be_set_is_logged_and_harms_nothing(
    world: World, caplog: pytest.LogCaptureFixture, method: str
):
    world.api.fail(method, refused(400, "Bad Request: no"), times=9)
    async with world.program() as bot:
        await bot.parts.command_menu.publish()
        await bot.say(GROUP, "/members", user_id=OWNER, chat_type="group")
        for label in (f"User {FRIEND}", "Make viewer", "Yes, viewer"):
            await bot.tap(GROUP, label, user_id=OWNER)

        assert await bot.parts.access.role(chat_id=GROUP, user_id=FRIEND) is Role.VIEWER
        assert "target 40" in (await bot.ask(OWNER, "/status")).text
    assert "profile not updated" in caplog.text


async def test_time_passes_without_a_word_about_menus(world: World, bot: Program):
    await bot.parts.command_menu.publish()
    before = len(world.api.called("setMyCommands"))
    await bot.live_for(timedelta(minutes=2))

    assert len(world.api.called("setMyCommands")) == before
