"""Answers out: within a second, in place, in words that arrive; whatever Telegram and MEXC do."""

import asyncio
import logging
from datetime import timedelta

import pytest
from sqlalchemy import text
from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.interaction import message as messages
from bot.interaction.message import Message, MessagePlace
from bot.interaction.request import Document, Photo, Response
from bot.messaging import responder
from bot.messaging.responder import Responder
from bot.messaging.sender import MessageSender
from engine.storage.accounts.accounts import move
from engine.storage.models.accounts import AccountRow
from engine.storage.models.queues import OutboxRow
from engine.storage.queues import outbox
from tests.bot.harness import (
    FRIEND,
    GROUP,
    KEY,
    OWNER,
    SECRET,
    SUPERGROUP,
    Program,
    World,
    calls_between,
)
from tests.fakes.mexc_faults import Fault as MexcFault
from tests.fakes.telegram_faults import (
    DROPPED,
    FORBIDDEN,
    HANG,
    Fault,
    refused,
    server_error,
    too_many_requests,
)

CANNOT_PARSE = refused(400, "Bad Request: can't parse entities: unsupported start tag")
ACCOUNT = ("GET", "/api/v3/account")


def answers_of(bot: Program) -> Responder:
    return Responder(bot=bot.parts.application.bot, database=bot.database, clock=bot.world.clock)


async def test_while_mexc_hangs_a_person_hears_of_it_within_a_second(
    world: World, bot: Program, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("engine.rebalancing.preview._PATIENCE_S", 2.0)
    await bot.connect()
    world.mexc.inject(MexcFault(*ACCOUNT, hang=True, times=None))

    update_id = world.api.say(OWNER, "/rebalance")
    waiting = await world.api.wait_for(OWNER, "⏳ One moment…")
    await bot.handled(update_id)

    assert responder._PATIENCE_S < 1
    assert waiting.silent
    assert waiting.edits == ["⏳ One moment…"]
    assert "MEXC does not answer, so I do not know what you hold." in waiting.text
    assert world.api.sent(OWNER)[-1] is waiting


async def test_a_chat_that_waits_for_mexc_delays_no_other(world: World, bot: Program):
    await bot.connect()
    world.mexc.inject(MexcFault(*ACCOUNT, hang=True, times=None))
    world.api.say(OWNER, "/balance")
    await world.api.wait_for(OWNER, "One moment")

    answer = await bot.ask(FRIEND, "/status")

    assert "target 40" in answer.text
    assert world.api.sent(OWNER)[-1].text == "⏳ One moment…"


async def test_commands_of_one_chat_are_answered_in_order(world: World, bot: Program):
    ids = [world.api.say(OWNER, f"/settarget {target}") for target in (41, 42, 43, 44)]
    for update_id in ids:
        await bot.handled(update_id)

    assert [text.splitlines()[0][-10:] for text in world.api.texts(OWNER)] == [
        "41.00 USDT",
        "42.00 USDT",
        "43.00 USDT",
        "44.00 USDT",
    ]


async def test_where_telegram_refuses_the_markup_the_same_words_go_out_plain(
    world: World, bot: Program, caplog: pytest.LogCaptureFixture
):
    world.api.fail("sendMessage", CANNOT_PARSE)

    answer = await bot.ask(OWNER, "/status")

    assert answer.html is None
    assert "target 40 ±5%" in answer.text
    assert answer.labels[0] == "Connect"
    assert "sent as plain text" in caplog.text


async def test_an_edit_whose_markup_is_refused_is_made_as_plain_text(world: World, bot: Program):
    await bot.ask(OWNER, "/settarget 1,000")
    world.api.fail("editMessageText", CANNOT_PARSE)

    assert await bot.tap(OWNER, "/settarget 1000 USDT") == []

    answer = world.api.sent(OWNER)[-1]
    assert "Target set to 1,000.00 USDT" in answer.text
    assert answer.html is None


@pytest.mark.parametrize("refused_markup", [False, True])
async def test_half_a_character_is_replaced_in_what_is_sent_and_in_what_is_edited(
    world: World, bot: Program, refused_markup: bool
):
    """Text of the exchange may hold one, and the library raises no error of Telegram's for it."""
    world.api.open_chat(OWNER)
    sender = MessageSender(bot.parts.application.bot, turn=bot.parts.flood.check)
    message_id = await sender.send(MessagePlace(OWNER), Message("sent \ud800"))
    sent = world.api.sent(OWNER)[-1].text
    if refused_markup:
        world.api.fail("editMessageText", CANNOT_PARSE)
    await sender.edit(OWNER, message_id, Message("edited \ud800"))

    assert (sent, world.api.sent(OWNER)[-1].text) == ("sent ?", "edited ?")


@pytest.mark.parametrize(
    "fault",
    [DROPPED, server_error(), too_many_requests(7), HANG],
    ids=["dropped", "502", "429", "hangs"],
)
async def test_an_answer_that_telegram_does_not_take_arrives_later(world: World, fault: Fault):
    async with world.program(telegram_patience_s=4 if fault is HANG else 20) as bot:
        world.api.fail("sendMessage", fault)

        now = await bot.say(OWNER, "/settarget 50")
        waiting = await bot.waiting()
        world.clock.shift(timedelta(seconds=7))
        (later,) = await bot.told(OWNER)
        account = await bot.account()

    assert now == []
    assert waiting == 1
    assert "Target set to 50.00 USDT" in later.text
    assert account.settings.fixed_goal.target == 50


async def test_an_answer_that_waits_keeps_its_buttons_through_a_restart(world: World):
    async with world.program() as first:
        world.api.fail("sendMessage", DROPPED)
        await first.say(OWNER, "/settarget 1,000")
    async with world.program() as second:
        (question,) = await second.told(OWNER)
        await second.tap(OWNER, "/settarget 1 USDT")

    assert "Target set to 1.00 USDT" in question.text


async def test_an_edit_that_does_not_get_through_is_sent_later(world: World, bot: Program):
    question = await bot.ask(OWNER, "/settarget 1,000")
    world.api.fail("editMessageText", DROPPED)
    world.api.fail("sendMessage", DROPPED)

    await bot.tap(OWNER, "/settarget 1000 USDT")
    (answer,) = await bot.told(OWNER)

    assert question.labels == []
    assert "Target set to 1,000.00 USDT" in answer.text


async def test_a_tap_counts_though_telegram_is_away_meanwhile(world: World, bot: Program):
    question = await bot.ask(OWNER, "/settarget 1,000")
    for method in ("answerCallbackQuery", "editMessageReplyMarkup"):
        world.api.fail(method, DROPPED)

    await bot.tap(OWNER, "/settarget 1000 USDT")

    assert "Target set to 1,000.00 USDT" in question.text


async def test_the_same_answer_waits_only_once(world: World, bot: Program):
    await bot.ask(OWNER, "/version")
    world.api.fail("sendMessage", DROPPED, times=2)
    answers = answers_of(bot)

    for _ in range(2):
        await answers.send(MessagePlace(OWNER), Message("once"), key="update:1")

    assert await bot.count(OutboxRow) == 1
    assert [message.text for message in await bot.told(OWNER)] == ["once"]


async def test_nobody_is_answered_later_who_does_not_want_it(world: World, bot: Program):
    world.api.fail("sendMessage", FORBIDDEN)

    assert await bot.say(OWNER, "/status") == []
    assert await bot.waiting() == 0


async def test_whoever_blocks_the_bot_while_it_looks_is_left_alone(world: World, bot: Program):
    await bot.ask(OWNER, "/version")
    world.api.fail("sendMessage", FORBIDDEN, times=2)
    start = len(world.api.calls)

    async def later() -> Message:
        await world.api.wait_until(lambda: bool(calls_between(world.api, start)))
        return Message("too late")

    await answers_of(bot).answer(MessagePlace(OWNER), later(), key="x")

    assert calls_between(world.api, start) == ["sendMessage", "sendMessage"]
    assert await bot.waiting() == 0


async def test_a_long_answer_is_sent_in_parts_with_the_buttons_under_the_last(
    world: World, bot: Program, messages_out_of_bounds: list[str]
):
    card = await bot.ask(OWNER, "/status")
    keyboard = messages.from_payload(
        '{"text": "x", "keyboard": {"inline_keyboard": '
        '[[{"text": "Status", "callback_data": "do:status:"}]]}}'
    ).keyboard
    long = Message("\n".join(f"<b>line {n}</b>" for n in range(1000)), keyboard, silent=True)
    answers = answers_of(bot)

    await answers.send(MessagePlace(OWNER), long, key="long")
    await answers.edit(MessagePlace(OWNER), card.message_id, long, key="edit")
    sent = world.api.sent(OWNER)[1:]

    assert [message.labels for message in sent[:3]] == [[], [], ["Status"]]
    assert sent[2].text.endswith("line 999")
    assert all(message.silent for message in sent)
    assert len(sent) == 6
    messages_out_of_bounds.clear()  # more marks than Telegram shows: only here


async def test_a_chat_that_blocked_the_bot_is_not_traded_for_any_more(world: World, bot: Program):
    await bot.connect()
    world.api.block(OWNER)

    await bot.check()
    await bot.told(OWNER)
    world.api.unblock(OWNER)
    status = await bot.ask(OWNER, "/status")

    assert (await bot.account()).settings.paused
    assert "⏸ PAUSED" in status.text


async def test_a_group_that_became_a_supergroup_keeps_its_key_and_settings(
    world: World, bot: Program
):
    await bot.connect()
    await bot.ask(OWNER, "/settarget 45")
    world.api.open_chat(GROUP, chat_type="group")
    account = await bot.account()
    vault = bot.parts.update_workers._sealer
    key = vault.open_credentials(  # type: ignore[attr-defined]
        account.sealed_key, account_uuid=account.uuid, chat_id=OWNER
    )
    sealed = vault.seal_credentials(  # type: ignore[attr-defined]
        api_key=key.api_key,
        api_secret=key.api_secret,
        account_uuid=account.uuid,
        chat_id=GROUP,
    )
    async with bot.database.writing() as session:
        await move(session, account, chat_id=GROUP, sealed_key=sealed)
    world.api.migrate(GROUP, SUPERGROUP)

    await bot.check()
    (alert,) = await bot.told(SUPERGROUP)
    moved = await bot.account(SUPERGROUP)
    await bot.live_for(timedelta(minutes=2))

    assert "Bought" in alert.text
    assert moved.id == account.id
    assert moved.settings.fixed_goal.target == 45
    assert moved.key_tail == KEY[-4:]
    assert await bot.told(SUPERGROUP) == []  # the key is read there without trouble


async def test_a_migrated_groups_answers_follow_it_and_the_old_id_is_harmless(
    world: World, bot: Program
):
    await bot.say(GROUP, "/settarget 45", user_id=OWNER, chat_type="group")
    world.api.migrate(GROUP, SUPERGROUP)
    for command in ("/status", "/version"):
        assert await bot.say(GROUP, command, user_id=OWNER, chat_type="group") == []

    status, version = await bot.told(SUPERGROUP)
    account = await bot.account(SUPERGROUP)

    assert "target 45" in status.text
    assert "Ballast" in version.text
    assert account.settings.fixed_goal.target == 45
    await bot.parts.outbox_sender._on_migrated(GROUP, SUPERGROUP)  # twice is once
    assert await bot.account(SUPERGROUP) == account


async def test_what_was_written_before_a_group_moved_and_read_after_is_meant_for_its_account(
    world: World, bot: Program
):
    await bot.say(GROUP, "/settarget 45", user_id=OWNER, chat_type="group")
    world.api.migrate(GROUP, SUPERGROUP)
    await bot.parts.outbox_sender._on_migrated(GROUP, SUPERGROUP)

    await bot.say(GROUP, "/settarget 60", user_id=OWNER, chat_type="group")
    (answer,) = await bot.told(SUPERGROUP)

    assert "Target set to 60.00 USDT" in answer.text
    assert (await bot.account(SUPERGROUP)).settings.fixed_goal.target == 60
    assert await bot.count(AccountRow) == 1


async def test_a_bug_is_answered_logged_and_over(
    world: World, bot: Program, caplog: pytest.LogCaptureFixture
):
    async with bot.database.engine.begin() as connection:
        await connection.execute(text("alter table troubles rename to elsewhere"))

    answer = await bot.ask(OWNER, "/status")
    after = await bot.ask(OWNER, "/version")

    assert "⚠️ Something broke on my side. The log has it." in answer.text
    assert "Look at /status, then try again." in answer.text
    assert "Ballast" in after.text
    broken = [record for record in caplog.records if record.message == "update broke"]
    assert [record.levelno for record in broken] == [logging.ERROR]
    assert "no such table: troubles" in caplog.text


async def test_no_promise_of_a_moment_is_left_behind(
    world: World, bot: Program, monkeypatch: pytest.MonkeyPatch
):
    await bot.ask(OWNER, "/version")
    answers = answers_of(bot)
    send, promised = answers._try, asyncio.Event()

    async def promise(place: MessagePlace, message: Message) -> int | timedelta:
        message_id = await send(place, message)
        promised.set()
        return message_id

    async def break_later() -> Message:
        await promised.wait()
        raise ZeroDivisionError

    monkeypatch.setattr(answers, "_try", promise)
    with pytest.raises(ExceptionGroup):
        await answers.answer(MessagePlace(OWNER), break_later(), key="x")

    assert world.api.sent(OWNER)[-1].deleted


async def test_a_file_takes_the_place_of_the_moment_it_took(world: World, bot: Program):
    await bot.ask(OWNER, "/version")

    async def later() -> Document:
        await world.api.wait_for(OWNER, "One moment")
        return Document("x.csv", b"1", "here", instead=Message("no"))

    await answers_of(bot).answer(MessagePlace(OWNER), later(), key="x")
    moment, file = world.api.sent(OWNER)[-2:]

    assert moment.deleted
    assert file.text == "here"


PNG = b"\x89PNG"


def photo(name: str, *, label: str = "7d") -> Photo:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data="do:status")]])
    return Photo(PNG + name.encode(), Message(f"<b>{name}</b> &lt;3", keyboard))


async def ready(response: Response) -> Response:
    return response


async def test_a_photo_is_shown_with_its_words_and_buttons_and_changed_in_place(
    world: World, bot: Program
):
    await bot.ask(OWNER, "/version")
    answers, place = answers_of(bot), MessagePlace(OWNER)
    await answers.answer(place, ready(photo("one")), key="1")
    shown = world.api.sent(OWNER)[-1]

    assert (shown.photo, shown.text, shown.labels) == (PNG + b"one", "one <3", ["7d"])
    for _ in range(2):  # the second changes nothing
        other = ready(photo("two", label="30d"))
        await answers.answer(place, other, key="2", in_place=shown.message_id)

    assert world.api.sent(OWNER)[-1] is shown
    assert (shown.photo, shown.text, shown.labels) == (PNG + b"two", "two <3", ["30d"])


async def test_between_a_photo_and_a_text_a_new_message_is_sent(world: World, bot: Program):
    words = await bot.ask(OWNER, "/version")
    answers, place = answers_of(bot), MessagePlace(OWNER)
    await answers.answer(place, ready(photo("one")), key="1", in_place=words.message_id)
    shown = world.api.sent(OWNER)[-1]
    await answers.answer(place, ready(Message("words")), key="2", in_place=shown.message_id)

    assert shown.photo == PNG + b"one"
    assert world.api.texts(OWNER)[-2:] == ["one <3", "words"]


@pytest.mark.parametrize(
    "fault",
    [DROPPED, refused(400, "Bad Request: not enough rights to send photos to the chat")],
    ids=["dropped", "no right"],
)
async def test_where_no_photo_can_be_sent_its_words_are(world: World, bot: Program, fault: Fault):
    await bot.ask(OWNER, "/version")
    world.api.fail("sendPhoto", fault)
    await answers_of(bot).answer(MessagePlace(OWNER), ready(photo("one")), key="1")
    words = world.api.sent(OWNER)[-1]

    assert (words.photo, words.text, words.labels) == (None, "one <3", ["7d"])


async def test_a_photo_takes_the_place_of_the_moment_it_took(world: World, bot: Program):
    await bot.ask(OWNER, "/version")

    async def later() -> Photo:
        await world.api.wait_for(OWNER, "One moment")
        return photo("one")

    await answers_of(bot).answer(MessagePlace(OWNER), later(), key="x")
    moment, shown = world.api.sent(OWNER)[-2:]

    assert moment.deleted
    assert shown.text == "one <3"


async def test_an_alert_is_worded_when_it_is_sent_and_an_answer_as_it_was(
    world: World, bot: Program
):
    await bot.connect()
    async with bot.database.writing() as session:
        await outbox.add(
            session,
            chat_id=OWNER,
            kind=responder.ANSWER,
            payload=messages.to_payload(Message("<b>kept</b> &amp; sent")),
            dedupe_key="x",
            now=world.clock.now(),
        )
    await bot.check()

    kept, bought = await bot.told(OWNER)

    assert kept.text == "kept & sent"
    assert "Bought" in bought.text
    assert SECRET not in kept.text + bought.text
