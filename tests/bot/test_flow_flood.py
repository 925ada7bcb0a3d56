"""A group that writes too much: what stops trading is answered first, then come alerts, then the rest;
and Telegram is left alone for as long as it asks.
"""

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.routing.viewer_limit import MOST_A_MINUTE
from engine.domain.alerts.key_alerts import KeyEnding
from engine.notifications.publish import publish
from engine.storage.accounts import audience
from engine.storage.models.queues import OutboxRow
from tests.bot.harness import GROUP, KEY, OWNER, SECRET, STRANGER, Program, World
from tests.fakes.telegram_faults import too_many_requests

SECOND = timedelta(seconds=1)
QUIET_S = 30
IN_GROUP = {"user_id": OWNER, "chat_type": "group"}


async def alert(bot: Program) -> None:
    now = bot.world.clock.now()
    news = KeyEnding(dry_run=True, key_tail="BWC5", days_left=2, expires_at=now)
    async with bot.database.writing() as session:
        await publish(session, GROUP, news, key="news", now=now)


async def a_group(bot: Program) -> None:
    """It trades on paper, and everybody in it may look."""
    await bot.ask(GROUP, "/dryrun on", **IN_GROUP)
    await bot.ask(GROUP, "/resume", **IN_GROUP)
    account = await bot.account(GROUP)
    async with bot.database.writing() as session:
        await audience.set_all_may_look(session, account.id, on=True)


def calls_to_group(world: World) -> list[str]:
    return [
        call.method
        for call in world.api.calls
        if str(call.params.get("chat_id")) == str(GROUP) or call.method == "answerCallbackQuery"
    ]


async def test_within_a_retry_after_nothing_is_sent_and_then_what_matters_comes_first(
    world: World, bot: Program
):
    await a_group(bot)
    card = await bot.ask(GROUP, "/status", **IN_GROUP)
    world.api.fail("sendMessage", too_many_requests(QUIET_S))
    await bot.say(GROUP, "/version", **IN_GROUP)
    known, begun = len(world.api.sent(GROUP)), len(calls_to_group(world))
    await alert(bot)
    await bot.told(GROUP)
    await bot.say(GROUP, "/help", **IN_GROUP)
    await bot.tap(GROUP, "Refresh", user_id=OWNER, message=card)
    await bot.say(GROUP, "/pause", **IN_GROUP)
    world.clock.shift((QUIET_S - 2) * SECOND)
    await bot.told(GROUP)
    within = calls_to_group(world)[begun:]
    paused = (await bot.account(GROUP)).settings.paused
    world.clock.shift(3 * SECOND)
    await bot.told(GROUP)
    first, second, *others = world.api.texts(GROUP)[known:]

    assert within == []
    assert paused
    assert "Paused" in first or "PAUSED" in first
    assert "Your MEXC key ends in 2 days" in second
    assert ["Ballast" in others[0], "/setinterval" in others[1]] == [True, True]


async def test_while_answers_wait_in_a_slowed_chat_new_ones_do_not_overtake_an_alert(
    world: World, bot: Program
):
    await a_group(bot)
    world.api.fail("sendMessage", too_many_requests(QUIET_S))
    await bot.say(GROUP, "/version", **IN_GROUP)
    known = len(world.api.sent(GROUP))
    await alert(bot)
    world.clock.shift((QUIET_S + 1) * SECOND)
    await bot.say(GROUP, "/help", **IN_GROUP)  # the time is over, and the alert not sent yet
    await bot.told(GROUP)
    answer = await bot.ask(GROUP, "/version", **IN_GROUP)

    assert "Your MEXC key ends" in world.api.texts(GROUP)[known]
    assert "Ballast" in answer.text  # nothing waits any more: at once


async def test_onlookers_are_answered_a_few_times_a_minute_and_told_so_once(
    world: World, bot: Program
):
    await a_group(bot)
    known = len(world.api.sent(GROUP))
    for _ in range(40):
        await bot.say(GROUP, "/help", user_id=STRANGER, chat_type="group")
    await alert(bot)
    await bot.told(GROUP)
    texts = world.api.texts(GROUP)[known:]

    assert len(texts) == MOST_A_MINUTE + 2
    assert f"I answer viewers of this chat {MOST_A_MINUTE} times a minute" in texts[-2]
    assert "Your MEXC key ends" in texts[-1]
    assert await bot.waiting() == 0


async def test_an_onlookers_taps_count_too_and_a_traders_questions_do_not(
    world: World, bot: Program
):
    await a_group(bot)
    card = await bot.ask(GROUP, "/status", **IN_GROUP)
    for _ in range(MOST_A_MINUTE + 1):
        await bot.tap(GROUP, "Refresh", user_id=STRANGER, message=card)
    notices = [answer.get("text") for answer in world.api.answers.values()]
    for _ in range(MOST_A_MINUTE + 1):
        await bot.ask(GROUP, "/version", **IN_GROUP)

    assert notices[-1] == (
        "Too many questions in this chat just now. Please tap again in a minute."
    )


@pytest.mark.parametrize(("command", "rank"), [("/pause", 0), ("/halt", 0), ("/help", 20)])
async def test_an_answer_that_waits_has_the_rank_of_its_command(
    world: World, bot: Program, command: str, rank: int
):
    await a_group(bot)
    world.api.fail("sendMessage", too_many_requests(QUIET_S))
    await bot.say(GROUP, command, **IN_GROUP)
    async with bot.database.reading() as session:
        rows = (await session.scalars(select(OutboxRow).where(OutboxRow.done_at.is_(None)))).all()

    assert [row.rank for row in rows if row.kind == "answer"] == [rank]


async def test_a_tap_within_a_retry_after_is_obeyed_when_it_is_over(world: World, bot: Program):
    """Telegram is asked how old it is, but not before."""
    await a_group(bot)
    await bot.ask(GROUP, "/pause", **IN_GROUP)
    paused = world.api.sent(GROUP)[-1]
    world.api.fail("sendMessage", too_many_requests(QUIET_S))
    await bot.say(GROUP, "/version", **IN_GROUP)
    begun, began = len(calls_to_group(world)), world.clock.now()

    await bot.tap(GROUP, "Resume", user_id=OWNER, message=paused)
    waited = world.clock.now() - began

    assert calls_to_group(world)[begun] == "answerCallbackQuery"
    assert waited >= QUIET_S * SECOND
    assert not (await bot.account(GROUP)).settings.paused


async def test_a_tap_within_a_long_retry_after_does_not_start_trading(world: World, bot: Program):
    await a_group(bot)
    await bot.ask(GROUP, "/pause", **IN_GROUP)
    paused = world.api.sent(GROUP)[-1]
    world.api.fail("sendMessage", too_many_requests(3600))
    await bot.say(GROUP, "/version", **IN_GROUP)

    await bot.tap(GROUP, "Resume", user_id=OWNER, message=paused)
    world.clock.shift(timedelta(hours=1, seconds=1))
    told = await bot.told(GROUP)

    assert any("I do not know when you tapped “/resume”." in one.text for one in told)
    assert (await bot.account(GROUP)).settings.paused


async def test_a_group_that_hears_nothing_gathers_no_answers_for_onlookers(
    world: World, bot: Program
):
    """Days later they would keep its trader's answers waiting for hours."""
    await a_group(bot)
    world.api.mute(GROUP)
    for _ in range(3):
        for _ in range(MOST_A_MINUTE):
            await bot.say(GROUP, "/help", user_id=STRANGER, chat_type="group")
        world.clock.shift(timedelta(minutes=2))

    assert await bot.waiting() == MOST_A_MINUTE


async def test_a_group_that_hears_nothing_gathers_no_answers_for_strangers(
    world: World, bot: Program
):
    await bot.ask(GROUP, "/dryrun on", **IN_GROUP)
    world.api.mute(GROUP)
    for user_id in range(STRANGER, STRANGER + 12):
        await bot.say(GROUP, "/help", user_id=user_id, chat_type="group")
    heap = await bot.waiting()
    world.api.unmute(GROUP)
    await bot.say(GROUP, "/version", **IN_GROUP)
    world.clock.shift(timedelta(minutes=1))
    await bot.told(GROUP)
    known = len(world.api.sent(GROUP))
    await bot.say(GROUP, "/help", user_id=STRANGER + 11, chat_type="group")

    assert heap == MOST_A_MINUTE
    assert len(world.api.sent(GROUP)) == known + 1  # who was passed over is answered later


async def test_a_key_is_deleted_even_within_a_retry_after(world: World, bot: Program):
    world.api.open_chat(OWNER)
    world.api.fail("sendMessage", too_many_requests(QUIET_S))
    await bot.say(OWNER, "/version")

    await bot.say(OWNER, f"/connect {KEY} {SECRET}")

    assert len(world.api.called("deleteMessage")) == 1
