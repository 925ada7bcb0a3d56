"""Deny by default: strangers, the pairing code, groups, and a gate that breaks."""

import asyncio
import hmac
import logging
import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.access import authorization as access
from engine.storage.models.accounts import AccountRow, MemberRow
from tests.bot.harness import FRIEND, GROUP, OWNER, STRANGER, Program, World, calls_between
from tests.fakes.database import WatchedDatabase, gone
from tests.fakes.tasks import a_moment

PAIRING = {"AUTHORIZED_CHATS": ""}
# What a stranger may try, in order; only the first gets an answer.
COMMANDS = ("/status", "/start", "/pause", "hello", "/connect mx0vglSomeKey1 secret1", "/logs")


def offered_code(caplog: pytest.LogCaptureFixture) -> str:
    """The code in the newest line that offers one."""
    return str(re.findall(r"/start (\S+)", caplog.text)[-1])


@pytest.fixture(autouse=True)
def _logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


async def test_a_stranger_is_answered_once_with_the_id_and_then_unheard(bot: Program):
    answers = [await bot.say(STRANGER, typed) for typed in COMMANDS]

    assert [len(answer) for answer in answers] == [1, 0, 0, 0, 0, 0]
    assert answers[0][0].text.splitlines() == [
        "Sorry, I only work for people I know.",
        "The id of this chat is 6666.",
        "Ask my owner for a code (/invite), or to add this id to AUTHORIZED_CHATS.",
    ]
    assert await bot.count(AccountRow) == 0


async def test_a_stranger_is_not_answered_again_after_a_restart(world: World):
    async with world.program() as first:
        assert len(await first.say(STRANGER, "/start")) == 1
    async with world.program() as second:
        assert await second.say(STRANGER, "/start") == []


async def test_a_strangers_edits_and_taps_do_nothing(world: World, bot: Program):
    await bot.say(STRANGER, "/start")
    await bot.ask(OWNER, "/dryrun on")
    before = await bot.account()

    edited = await bot.push(STRANGER, lambda: world.api.edit(STRANGER, "/resume"))
    tap = world.api.tap(STRANGER, "do:resume:", forged=True)
    await bot.handled(tap)
    foreign = world.api.tap(
        OWNER, "do:resume:", user_id=STRANGER, message=world.api.sent(OWNER)[0], forged=True
    )
    await bot.handled(foreign)

    assert edited == []
    assert len(world.api.sent(STRANGER)) == len(world.api.sent(OWNER)) == 1
    assert "text" not in world.api.answers[str(tap)]  # the spinner ends, and that is all
    assert await bot.account() == before


async def test_the_first_thing_a_stranger_does_may_be_an_edit(world: World, bot: Program):
    world.api.open_chat(STRANGER)
    message = {
        "message_id": 7,
        "date": 1_795_000_000,
        "edit_date": 1_795_000_001,
        "chat": {"id": STRANGER, "type": "private"},
        "from": {"id": STRANGER, "is_bot": False, "first_name": "X"},
        "text": "/resume",
    }

    answers = [
        await bot.push(STRANGER, lambda: world.push("edited_message", message)) for _ in range(2)
    ]

    assert [len(answer) for answer in answers] == [1, 0]


async def test_a_channels_posts_and_nameless_messages_are_nobodys_commands(
    world: World, bot: Program
):
    start = len(world.api.calls)
    chat = {"id": GROUP, "type": "supergroup", "title": "Group"}
    post = {"message_id": 1, "date": 1_795_000_000, "chat": chat, "text": "/resume"}

    for kind in ("channel_post", "message"):
        await bot.handled(world.push(kind, post))
    world.api.open_chat(OWNER)
    world.api.block(OWNER)

    assert set(calls_between(world.api, start)) <= {"answerCallbackQuery"}
    assert await bot.count(AccountRow) == 0


async def test_a_stranger_in_an_authorised_group_may_not_act_there(world: World, bot: Program):
    (refusal,) = await bot.say(GROUP, "/resume", user_id=STRANGER, chat_type="group")
    again = await bot.say(GROUP, "/pause", user_id=STRANGER, chat_type="group")
    elsewhere = await bot.say(STRANGER, "/start")

    assert "The id of this chat is -5005.\nYour own id is 6666." in refusal.text
    assert "add both ids to AUTHORIZED_CHATS" in refusal.text
    assert again == elsewhere == []
    assert await bot.count(AccountRow) == 0


async def test_a_known_person_may_act_in_a_listed_group_and_in_no_other(bot: Program):
    (inside,) = await bot.say(GROUP, "/status", user_id=FRIEND, chat_type="group")
    (outside,) = await bot.say(-77, "/status", user_id=FRIEND, chat_type="group")

    assert "target 40" in inside.text
    assert "only work for people I know" in outside.text


async def test_the_right_code_lets_its_bearer_in_as_the_owner(
    world: World, caplog: pytest.LogCaptureFixture
):
    async with world.program(PAIRING) as bot:
        (refusal,) = await bot.say(STRANGER, "/status")
        code = offered_code(caplog)
        welcome = await bot.ask(OWNER, f"/start {code}")
        status = await bot.ask(OWNER, "/status")
        logs = await bot.ask(OWNER, "/logs")
        reused = await bot.say(FRIEND, f"/start {code}")
        helpful = await bot.ask(OWNER, f"/start {code}")

    assert "Its log shows a code: send /start and the code" in refusal.text
    assert "Welcome! This chat may use me now." in welcome.text
    assert "/connect" in welcome.text
    assert "target 40" in status.text
    assert "Only my owner" not in logs.text
    assert ["only work for people I know" in answer.text for answer in reused] == [True]
    assert "You need no code" in helpful.text


async def test_whoever_pairs_in_a_group_is_let_in_in_private_too(
    world: World, caplog: pytest.LogCaptureFixture
):
    async with world.program(PAIRING) as bot:
        code = offered_code(caplog)
        (welcome,) = await bot.say(
            GROUP, f"/start@ballast_bot {code}", user_id=OWNER, chat_type="group"
        )
        private = await bot.ask(OWNER, "/connect")
        (other,) = await bot.say(GROUP, "/status", user_id=FRIEND, chat_type="group")

    assert "Welcome!" in welcome.text
    assert "Step 1 of 2" in private.text
    assert "only work for people I know" in other.text


async def test_an_owner_needs_no_new_code_after_a_restart(
    world: World, caplog: pytest.LogCaptureFixture
):
    async with world.program(PAIRING) as first:
        await first.ask(OWNER, f"/start {offered_code(caplog)}")
    caplog.clear()
    async with world.program(PAIRING) as second:
        (status,) = await second.say(OWNER, "/status")

    assert "/start" not in caplog.text
    assert "target 40" in status.text


async def test_no_code_is_offered_where_chats_are_listed(
    bot: Program, caplog: pytest.LogCaptureFixture
):
    answer = (await bot.say(STRANGER, "/start whatever"))[0]

    assert "no owner yet" not in caplog.text
    assert "only work for people I know" in answer.text


async def test_five_wrong_codes_of_a_stranger_cost_that_stranger_alone(
    world: World, caplog: pytest.LogCaptureFixture
):
    async with world.program(PAIRING) as bot:
        code = offered_code(caplog)
        wrong = [await bot.ask(STRANGER, f"/start {guess}") for guess in "abcde"]
        late = [await bot.say(STRANGER, f"/start {code}") for _ in range(2)]
        members = await bot.count(MemberRow)
        welcome = await bot.ask(OWNER, f"/start {code}")

    assert [answer.text.splitlines()[1] for answer in wrong[:4]] == [
        "You have 4 tries left.",
        "You have 3 tries left.",
        "You have 2 tries left.",
        "You have 1 try left.",
    ]
    assert "You have no tries left." in wrong[4].text
    assert "only work for people I know" in late[0][0].text
    assert late[1] == []
    assert members == 0
    assert "Welcome!" in welcome.text


async def test_who_used_up_the_tries_has_new_ones_after_a_day_or_with_a_new_code(
    world: World, caplog: pytest.LogCaptureFixture
):
    async with world.program(PAIRING) as bot:
        for guess in "abcde":
            await bot.ask(OWNER, f"/start {guess}")
        world.clock.shift(timedelta(hours=24, minutes=1))
        answer = await bot.ask(OWNER, "/start f")
        for guess in "ghij":
            await bot.ask(OWNER, f"/start {guess}")
    async with world.program(PAIRING) as again:
        welcome = await again.ask(OWNER, f"/start {offered_code(caplog)}")

    assert "You have 4 tries left." in answer.text
    assert "Welcome!" in welcome.text


async def test_after_a_thousand_wrong_codes_of_many_there_is_a_new_one_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(access, "_CODE_TRIES", 7)
    async with world.program(PAIRING) as bot:
        code = offered_code(caplog)
        for n in range(7):
            await bot.ask(3000 + n // 4, f"/start guess{n}")
        new = offered_code(caplog)
        stale = await bot.ask(FRIEND, f"/start {code}")
        welcome = await bot.ask(OWNER, f"/start {new}")

    assert new != code
    assert "pairing code replaced" in caplog.text
    assert "That is not the code." in stale.text
    assert "Welcome!" in welcome.text


async def test_codes_are_compared_in_constant_time_and_kept_only_as_a_hash(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    compared: list[tuple[str, str]] = []
    in_constant_time = hmac.compare_digest

    def compare(expected: str, given: str) -> bool:
        compared.append((expected, given))
        return in_constant_time(expected, given)

    async with world.program(PAIRING) as bot:
        code = offered_code(caplog)
        async with bot.database.engine.connect() as connection:
            notes = str((await connection.execute(text("select * from notes"))).all())
        monkeypatch.setattr(hmac, "compare_digest", compare)
        await bot.ask(STRANGER, "/start guess")

    assert code not in notes
    assert len(compared) == 1
    assert {len(side) for side in compared[0]} == {64}


async def test_a_gate_that_breaks_lets_nobody_through(
    world: World, bot: Program, caplog: pytest.LogCaptureFixture
):
    await bot.ask(OWNER, "/dryrun on")
    before = await bot.account()
    async with bot.database.engine.begin() as connection:
        await connection.execute(text("alter table members rename to elsewhere"))

    answers = await bot.say(OWNER, "/resume", user_id=STRANGER)
    tap = world.api.tap(OWNER, "do:resume:", user_id=STRANGER, forged=True)
    await bot.handled(tap)

    assert answers == []
    assert await bot.account() == before
    assert "update failed" in caplog.text
    assert "no such table: members" in caplog.text


async def test_who_writes_while_the_database_is_gone_is_answered_when_it_is_back(
    world: World, bot: Program
):
    """Nobody is known then, so nobody may hear of it: nothing is done or said until they are."""
    access = bot.parts.access
    breaks: list[Exception] = []

    async def break_once(_: str) -> None:
        if not breaks:
            breaks.append(gone())
            raise breaks[0]

    access._database = WatchedDatabase(bot.database, world.clock, on_step=break_once)
    bot.recorded.clear()
    world.api.say(GROUP, "/version", user_id=OWNER, chat_type="group")
    await asyncio.wait_for(bot.recorded.wait(), timeout=30)

    assert world.api.sent(GROUP) == []

    world.clock.shift(timedelta(seconds=1))
    answers = await bot.say(GROUP, "/dryrun on", user_id=OWNER, chat_type="group")

    late, in_time = answers
    assert "Up for" in late.text
    assert "Dry run is on" in in_time.text


async def test_a_pause_is_carried_out_however_often_the_database_was_away_before(
    world: World, bot: Program, caplog: pytest.LogCaptureFixture
):
    tries = 0

    async def broken(_: str) -> None:
        nonlocal tries
        tries += 1
        raise gone()

    world.api.open_chat(GROUP)
    await bot.ask(GROUP, "/dryrun on", user_id=OWNER, chat_type="group")
    await bot.ask(GROUP, "/resume", user_id=OWNER, chat_type="group")
    database = bot.parts.access._database
    bot.parts.access._database = WatchedDatabase(database, world.clock, on_step=broken)
    known = len(world.api.sent(GROUP))
    update_id = world.api.say(GROUP, "/pause", user_id=OWNER, chat_type="group")
    async with asyncio.timeout(30):
        while tries < 10:
            world.clock.shift(timedelta(seconds=5))
            bot.parts.update_workers.nudge()
            await a_moment()
    bot.parts.access._database = database
    world.clock.shift(timedelta(seconds=5))
    bot.parts.update_workers.nudge()
    await bot.handled(update_id)

    assert (await bot.account(GROUP)).settings.paused
    assert "Trading is paused" in world.api.sent(GROUP)[known].text
    assert "quarantined" not in caplog.text


async def test_a_command_that_loses_the_database_half_way_says_so_once_and_is_carried_out_later(
    world: World, bot: Program
):
    steps = failures = 0

    async def broken(_: str) -> None:
        nonlocal steps, failures
        steps += 1
        if steps % 3 == 0:  # after the read that tells who it is
            failures += 1
            raise gone()

    database = bot.parts.access._database
    bot.parts.access._database = WatchedDatabase(database, world.clock, on_step=broken)
    update_id = world.api.say(OWNER, "/halt")
    async with asyncio.timeout(30):
        while failures < 3:
            world.clock.shift(timedelta(seconds=5))
            bot.parts.update_workers.nudge()
            await a_moment()
    bot.parts.access._database = database
    async with asyncio.TaskGroup() as tasks:
        handled = tasks.create_task(bot.handled(update_id))
        while not handled.done():  # the last failure may be recorded after the time went on
            world.clock.shift(timedelta(seconds=5))
            bot.parts.update_workers.nudge()
            await a_moment()

    waits, done = world.api.sent(OWNER)
    assert "My database does not answer right now." in waits.text
    assert "Everything is halted" in done.text


async def test_an_update_that_breaks_the_program_is_set_aside_and_its_author_told(
    world: World, bot: Program
):
    """Not a stranger: they hear nothing whatever they send."""

    async def broken(update: object) -> None:
        raise ZeroDivisionError

    bot.parts.update_workers._handle = broken
    for chat_id in (OWNER, STRANGER):
        await bot.handled(world.api.say(chat_id, "/pause"))

    (told,) = await bot.told(OWNER)
    sent_at = f"{world.clock.now():%H:%M} UTC"
    assert f"I could not carry out your message of {sent_at}." in told.text
    assert await bot.told(STRANGER) == []


async def test_two_first_words_of_a_stranger_at_once_get_one_answer(world: World, bot: Program):
    ids = [
        world.api.say(chat, "/hi", user_id=STRANGER, chat_type="group") for chat in (GROUP,) * 3
    ]
    for update_id in ids:
        await bot.handled(update_id)

    assert len(world.api.sent(GROUP)) == 1
