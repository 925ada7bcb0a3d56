"""Messages reach their chats: at least once, in order, whatever Telegram answers."""

import asyncio
import itertools
import logging
from collections.abc import AsyncGenerator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.request import HTTPXRequest

from bot.interaction.message import Message, plain_text, split
from bot.messaging.delivery_policy import AS_IT_COMES, Delivery
from bot.messaging.outbox import OutboxSender
from engine.accounts.deliverability import Deliverability
from engine.storage.chat import undeliverable
from engine.storage.database import Database
from engine.storage.models.queues import OutboxRow
from engine.storage.queues import outbox, queue
from engine.storage.serialization import Unreadable
from tests.fakes.clock import FakeClock
from tests.fakes.database import statements
from tests.fakes.http import NO_CERTIFICATES, Reply, serve
from tests.fakes.tasks import a_moment, running
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_faults import (
    DROPPED,
    HANG,
    LOST_ANSWER,
    NONE,
    Fault,
    Refused,
    server_error,
    too_many_requests,
)
from tests.fakes.telegram_html import visible_text
from tests.fakes.telegram_server import TOKEN

ANNA, BERT, GROUP, SUPERGROUP = 7, 8, -50, -1001234567890


@pytest.fixture
async def db(sqlite_url: str, clock: FakeClock) -> AsyncGenerator[Database]:
    async with Database.open(sqlite_url, clock=clock) as database:
        yield database


@pytest.fixture
async def api(clock: FakeClock) -> AsyncGenerator[FakeTelegram]:
    async with FakeTelegram(clock=clock) as api:
        for chat_id in (ANNA, BERT):
            api.open_chat(chat_id)
        api.open_chat(GROUP, chat_type="group")
        yield api


@pytest.fixture
async def ptb(api: FakeTelegram) -> AsyncGenerator[Bot]:
    async with a_bot(api) as bot:
        yield bot


def a_bot(api: FakeTelegram) -> Bot:
    return Bot(
        TOKEN,
        base_url=f"{api.url}/bot",
        request=a_request(),
        get_updates_request=a_request(),
    )


def a_request() -> HTTPXRequest:
    return HTTPXRequest(
        read_timeout=0.2, connection_pool_size=8, httpx_kwargs={"verify": NO_CERTIFICATES}
    )


class Desk:
    """The people around the relay: they write its messages and hear what became of them."""

    def __init__(self, db: Database, clock: FakeClock, bot: Bot) -> None:
        self.db = db
        self.clock = clock
        self.messages: dict[str, Message] = {}
        self.migrated: list[tuple[int, int]] = []
        self.unreadable: set[str] = set()
        self.trouble: OperationalError | None = None
        self.relay = self.a_relay(bot)

    def a_relay(self, bot: Bot) -> OutboxSender:
        return OutboxSender(
            database=self.db,
            clock=self.clock,
            bot=bot,
            render=self._render,
            deliverability=Deliverability(database=self.db, clock=self.clock, others=self._others),
            on_migrated=self._move,
        )

    async def write(self, chat_id: int, text: str, message: Message | None = None) -> None:
        """Queue *text* in the outbox, to be rendered as *message* if that is more than text."""
        self.messages[text] = message or Message(text)
        async with self.db.writing() as session:
            await outbox.add(
                session,
                chat_id=chat_id,
                kind="note",
                payload=text,
                dedupe_key=text,
                now=self.clock.now(),
            )
        self.relay.nudge()

    async def rows(self) -> list[OutboxRow]:
        async with self.db.reading() as session:
            return list((await session.scalars(select(OutboxRow).order_by(OutboxRow.id))).all())

    async def until(
        self,
        *,
        failures: tuple[str | None, ...] = (),
        attempts: int | None = None,
        passed: int | None = None,
    ) -> list[OutboxRow]:
        """Wait until no row is in hand and all are done, or as described."""
        async with asyncio.timeout(30):
            while True:
                await a_moment()
                rows = await self.rows()
                if any(row.claimed_until is not None for row in rows):
                    continue
                if failures and failures == tuple(row.failure for row in rows):
                    return rows
                if attempts is not None and attempts == rows[0].attempts:
                    return rows
                if passed is not None and passed == sum(row.done_at is not None for row in rows):
                    return rows
                if all(row.done_at is not None for row in rows):
                    return rows

    def wait(self, seconds: float) -> None:
        self.clock.shift(timedelta(seconds=seconds))
        self.relay.nudge()

    def _render(self, kind: str, payload: str) -> Message:
        if payload in self.unreadable:
            raise Unreadable("from another version")
        return self.messages[payload]

    async def undeliverable(self) -> list[int]:
        async with self.db.reading() as session:
            return [chat.chat_id for chat in await undeliverable.every(session)]

    async def _others(self, _: int) -> list[int]:
        if self.trouble is not None:
            trouble, self.trouble = self.trouble, None
            raise trouble
        return []

    async def _move(self, old: int, new: int) -> None:
        self.migrated.append((old, new))


@pytest.fixture
def desk(db: Database, clock: FakeClock, ptb: Bot) -> Desk:
    return Desk(db, clock, ptb)


def a_keyboard(data: str = "pause") -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup.from_button(InlineKeyboardButton("Pause", callback_data=data))


async def test_a_message_arrives_with_its_markup_and_buttons(api: FakeTelegram, desk: Desk):
    message = Message("<b>Bought</b> 5 &lt; 6", a_keyboard(), silent=True)
    async with running(desk.relay.run()):
        await desk.write(ANNA, "note", message)
        (row,) = await desk.until()

    (sent,) = api.sent(ANNA)

    assert (sent.text, sent.html) == ("Bought 5 < 6", "<b>Bought</b> 5 &lt; 6")
    assert (sent.labels, sent.silent) == (["Pause"], True)
    assert (row.message_id, row.failure) == (sent.message_id, None)


async def test_the_messages_of_a_chat_arrive_in_order(api: FakeTelegram, desk: Desk):
    texts = [f"note {number}" for number in range(12)]
    for text in texts:
        await desk.write(ANNA, text)
    async with running(desk.relay.run()):
        await desk.until()

    assert api.texts(ANNA) == texts


async def test_all_chats_together_get_at_most_29_messages_a_second(
    api: FakeTelegram, desk: Desk, clock: FakeClock
):
    began = clock.now()
    for number in range(30):
        api.open_chat(100 + number)
        await desk.write(100 + number, f"note {number}")
    async with running(desk.relay.run()):
        await desk.until()

    assert clock.now() - began >= timedelta(seconds=0.999)


async def test_a_chat_gets_one_message_a_second_and_no_other_waits_with_it(
    api: FakeTelegram, desk: Desk, clock: FakeClock
):
    for number in range(10):
        await desk.write(ANNA, f"anna {number}")
    await desk.write(BERT, "bert")
    began = clock.now()
    async with running(desk.relay.run()):
        await api.wait_for(BERT, "bert")
        waited = clock.now() - began
        await desk.until()

    assert waited < timedelta(seconds=3)
    assert api.texts(ANNA) == [f"anna {number}" for number in range(10)]
    assert timedelta(seconds=9) < clock.now() - began < timedelta(seconds=11)
    assert [row.attempts for row in await desk.rows()] == [1] * 11


class SlowBot:
    """Answers when a test lets it."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers = asyncio.Event()

    async def send_message(self, *_: object, **__: object) -> SimpleNamespace:
        self.asked += 1
        await self.answers.wait()
        return SimpleNamespace(message_id=self.asked)


async def test_a_killed_process_has_claimed_eight_messages_and_four_are_on_their_way(desk: Desk):
    bot = SlowBot()
    desk.relay = desk.a_relay(cast("Bot", bot))
    for number in range(20):
        await desk.write(100 + number, f"note {number}")
    async with running(desk.relay.run()):
        while bot.asked < 4:
            await a_moment()
        for _ in range(5):
            await a_moment()
        asked, claimed = bot.asked, [row.claimed_until for row in await desk.rows()]
        bot.answers.set()
        await desk.until()

    assert asked == 4
    assert 20 - claimed.count(None) == 8
    assert bot.asked == 20


async def test_what_is_sent_is_recorded_and_the_next_claimed_four_at_a_time(desk: Desk):
    bot = SlowBot()
    bot.answers.set()
    desk.relay = desk.a_relay(cast("Bot", bot))
    for number in range(40):
        await desk.write(100 + number, f"note {number}")
    with statements(desk.db) as asked:
        async with running(desk.relay.run()):
            await desk.until()

    assert asked.count("BEGIN IMMEDIATE") <= 12


async def test_an_outcome_that_cannot_be_recorded_keeps_no_other_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    give_back = queue.give_back

    async def refuse_the_first(session: Any, table: Any, outcomes: Any) -> Any:
        if any(held.row_id == 1 for held, _ in outcomes):
            raise OperationalError("", None, Exception("not this one"))
        return await give_back(session, table, outcomes)

    monkeypatch.setattr(queue, "give_back", refuse_the_first)
    bot = SlowBot()
    bot.answers.set()
    desk.relay = desk.a_relay(cast("Bot", bot))
    for number in range(12):
        await desk.write(100 + number, f"note {number}")
    async with running(desk.relay.run()), asyncio.timeout(30):
        while sum(row.done_at is not None for row in await desk.rows()) < 11:
            await a_moment()

    assert bot.asked == 12


async def test_a_chat_told_to_wait_waits_as_long_as_told_and_no_other_with_it(
    api: FakeTelegram, desk: Desk
):
    api.fail("sendMessage", too_many_requests(30))
    async with running(desk.relay.run()):
        await desk.write(ANNA, "first")
        await desk.until(failures=("slowed down",))
        await desk.write(ANNA, "second")
        await desk.write(BERT, "other")
        await api.wait_for(BERT, "other")
        desk.wait(29)
        await desk.write(BERT, "another")
        await api.wait_for(BERT, "another")

        assert api.texts(ANNA) == []

        desk.wait(1)
        await desk.until()

    assert api.texts(ANNA) == ["first", "second"]


async def test_when_two_chats_are_told_to_wait_everybody_does(
    api: FakeTelegram, desk: Desk, clock: FakeClock
):
    api.fail("sendMessage", too_many_requests(30), times=2)
    async with running(desk.relay.run()):
        await desk.write(ANNA, "first")
        await desk.until(failures=("slowed down",))
        await desk.write(BERT, "second")
        await desk.until(failures=("slowed down", "slowed down"))
        before = clock.now()
        await desk.write(GROUP, "third")
        await api.wait_for(GROUP, "third")

    assert clock.now() - before > timedelta(seconds=29)


async def test_refused_markup_goes_out_as_plain_text_with_its_buttons(
    api: FakeTelegram, desk: Desk, messages_out_of_bounds: list[str]
):
    async with running(desk.relay.run()):
        await desk.write(ANNA, "note", Message("<b>5 < 6 &amp; more", a_keyboard()))
        await desk.until()

    (sent,) = api.sent(ANNA)

    assert (sent.text, sent.html, sent.labels) == ("5 < 6 & more", None, ["Pause"])
    messages_out_of_bounds.clear()  # on purpose


async def test_refused_buttons_do_not_cost_the_message(
    api: FakeTelegram, desk: Desk, messages_out_of_bounds: list[str]
):
    async with running(desk.relay.run()):
        await desk.write(ANNA, "note", Message("<b>Bought</b>", a_keyboard("x" * 65)))
        await desk.until()

    (sent,) = api.sent(ANNA)

    assert (sent.text, sent.labels) == ("Bought", [])
    messages_out_of_bounds.clear()  # on purpose


CHAT_REFUSALS = [
    "Bad Request: not enough rights to send text messages to the chat",
    "Bad Request: have no rights to send a message",
    "Bad Request: need administrator rights in the channel chat",
    "Bad Request: CHAT_WRITE_FORBIDDEN",
    "Bad Request: CHAT_SEND_PLAIN_FORBIDDEN",
    "Bad Request: CHAT_RESTRICTED",
    "Bad Request: CHAT_ADMIN_REQUIRED",
    "Bad Request: TOPIC_CLOSED",
    "Bad Request: message thread not found",
    "Bad Request: PEER_ID_INVALID",
    "Bad Request: USER_IS_BLOCKED",
    "Bad Request: group chat was deactivated",
    "Bad Request: chat not found",
    "Bad Request: something nobody has seen before",
    "Forbidden: bot was kicked from the supergroup chat",
    "Forbidden: user is deactivated",
    "Forbidden: bot is not a member of the channel chat",
]


@pytest.mark.parametrize("words", CHAT_REFUSALS)
async def test_what_is_about_the_chat_or_the_rights_loses_no_message_and_no_order(
    api: FakeTelegram, desk: Desk, words: str
):
    api.mute(ANNA, words, status=403 if words.startswith("Forbidden") else 400)
    texts = [f"note {number}" for number in range(3)]
    for text in texts:
        await desk.write(ANNA, text)
    async with running(desk.relay.run()):
        (row, *_) = await desk.until(attempts=1)
        api.unmute(ANNA)
        desk.clock.shift(row.not_before - desk.clock.now())
        desk.relay.nudge()
        rows = await desk.until()

    assert api.texts(ANNA) == texts
    assert [row.failure for row in rows] == [None, None, None]


async def test_a_chat_that_may_not_be_written_to_is_tried_ever_more_rarely(
    api: FakeTelegram, desk: Desk, clock: FakeClock
):
    api.mute(ANNA)
    began = clock.now()
    await desk.write(ANNA, "kept")
    tries: list[timedelta] = []
    async with running(desk.relay.run()):
        while clock.now() - began < timedelta(hours=2):
            (row,) = await desk.until(attempts=len(tries) + 1)
            tries.append(clock.now() - began)
            clock.shift(row.not_before - clock.now())
            desk.relay.nudge()

    pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert tries[0] == timedelta()
    assert any(timedelta(hours=1) <= at < timedelta(hours=1, seconds=5) for at in tries)
    assert pauses[0] >= timedelta(seconds=30)
    assert max(pauses) <= timedelta(minutes=15, seconds=5)
    assert len(tries) < 25


@pytest.mark.parametrize(
    "words",
    [
        "Bad Request: message is too long",
        "Bad Request: BUTTON_DATA_INVALID",
        "Bad Request: message text is empty",
        "Bad Request: can't parse entities: unexpected end tag",
    ],
)
async def test_a_message_that_no_chat_takes_is_set_aside_and_its_chat_is_told(
    api: FakeTelegram, desk: Desk, words: str
):
    api.refuses = lambda text: Refused(400, words) if text == "poison" else None
    await desk.write(ANNA, "poison")
    await desk.write(ANNA, "next")
    async with running(desk.relay.run()):
        first, _ = await desk.until()

    told, following = api.texts(ANNA)
    assert following == "next"
    assert "Telegram does not take one of my messages" in told
    assert words.removeprefix("Bad Request: ").lower() in told.lower()
    assert first.failure is not None
    assert await desk.undeliverable() == []


async def test_a_message_refused_in_unknown_words_is_set_aside_once_its_chat_takes_others(
    api: FakeTelegram, desk: Desk, clock: FakeClock
):
    api.refuses = lambda text: Refused(400, "Bad Request: ODD") if text == "poison" else None
    began = clock.now()
    await desk.write(ANNA, "poison")
    await desk.write(ANNA, "next")
    tries = 0
    async with running(desk.relay.run()):
        while not api.texts(ANNA):
            tries += 1
            (row, _) = await desk.until(attempts=tries)
            clock.shift(max(row.not_before - clock.now(), timedelta()))
            desk.relay.nudge()
        await desk.until()

    told, following = api.texts(ANNA)
    assert "Telegram does not take one of my messages" in told
    assert following == "next"
    assert timedelta(minutes=10) <= clock.now() - began <= timedelta(minutes=16)
    assert await desk.undeliverable() == []


async def test_a_message_that_may_have_arrived_says_so_after_a_refusal_too(
    api: FakeTelegram, desk: Desk
):
    api.fail("sendMessage", LOST_ANSWER)
    async with running(desk.relay.run()):
        await desk.write(ANNA, "note")
        await desk.until(failures=("no answer",))
        api.mute(ANNA, "Bad Request: CHAT_RESTRICTED")
        desk.wait(1)
        await desk.until(failures=("no answer; Chat_restricted",))
        api.unmute(ANNA)
        desk.wait(60)
        await desk.until()

    assert api.texts(ANNA) == ["note", "note\n(repeat?)"]


async def test_a_chat_that_blocked_the_bot_is_reported_and_its_message_kept(
    api: FakeTelegram, desk: Desk
):
    api.block(ANNA)
    async with running(desk.relay.run()):
        await desk.write(ANNA, "kept")
        await desk.write(BERT, "fine")
        kept, fine = await desk.until(failures=("Forbidden: bot was blocked by the user", None))
        blocked = await desk.undeliverable()
        api.unblock(ANNA)
        desk.wait(6 * 3600)
        await desk.until()

    assert (blocked, await desk.undeliverable()) == ([ANNA], [])
    assert (kept.done_at, fine.done_at is None) == (None, False)
    assert api.texts(ANNA) == ["kept"]


async def test_a_chat_that_does_not_exist_is_reported_after_one_attempt(
    api: FakeTelegram, desk: Desk
):
    async with running(desk.relay.run()):
        await desk.write(404, "kept")
        (row,) = await desk.until(failures=("Chat not found",))

    assert (await desk.undeliverable(), row.done_at) == ([404], None)
    assert len(api.called("sendMessage")) == 1


async def test_a_database_that_fails_in_a_report_makes_the_report_come_again(
    api: FakeTelegram, desk: Desk
):
    desk.trouble = OperationalError("UPDATE", None, Exception("down"))
    api.block(ANNA)
    async with running(desk.relay.run()):
        await desk.write(ANNA, "kept")
        await desk.until(failures=("database",))
        desk.wait(1)
        await desk.until(failures=("Forbidden: bot was blocked by the user",))

    assert await desk.undeliverable() == [ANNA]


async def test_a_migrated_group_gets_its_messages_under_its_new_id(api: FakeTelegram, desk: Desk):
    api.migrate(GROUP, SUPERGROUP)
    await desk.write(GROUP, "first")
    await desk.write(GROUP, "second")
    async with running(desk.relay.run()):
        rows = await desk.until()

    assert desk.migrated == [(GROUP, SUPERGROUP)]
    assert api.texts(SUPERGROUP) == ["first", "second"]
    assert [row.chat_id for row in rows] == [SUPERGROUP, SUPERGROUP]


@pytest.mark.parametrize(
    "fault",
    [server_error(), server_error(500), HANG, DROPPED, Fault(Reply(body=b"<html>"))],
    ids=["502", "500", "hang", "dropped", "html"],
)
async def test_a_send_that_may_have_arrived_is_repeated_and_says_so(
    api: FakeTelegram, desk: Desk, fault: Fault
):
    api.fail("sendMessage", fault)
    async with running(desk.relay.run()):
        await desk.write(ANNA, "<b>note</b>")
        await desk.until(failures=("no answer",))
        desk.wait(1)
        await desk.until()

    assert api.texts(ANNA) == ["note\n(repeat?)"]


async def test_a_message_whose_answer_was_lost_may_come_twice_but_then_says_so(
    api: FakeTelegram, desk: Desk
):
    api.fail("sendMessage", LOST_ANSWER)
    api.fail("sendMessage", too_many_requests(5))
    async with running(desk.relay.run()):
        await desk.write(ANNA, "note")
        await desk.until(failures=("no answer",))
        desk.wait(1)
        await api.wait_until(lambda: len(api.called("sendMessage")) == 2)
        await desk.until(failures=("no answer",))
        desk.wait(5)
        await api.wait_for(ANNA, "(repeat?)")

    assert api.texts(ANNA) == ["note", "note\n(repeat?)"]


async def test_telegram_being_away_is_outwaited_with_pauses_up_to_a_minute(
    api: FakeTelegram, desk: Desk, clock: FakeClock
):
    api.fail("sendMessage", server_error(), times=9)
    pauses = []
    async with running(desk.relay.run()):
        await desk.write(ANNA, "note")
        for attempt in range(1, 10):
            (row,) = await desk.until(attempts=attempt)
            pauses.append(round((row.not_before - clock.now()).total_seconds()))
            clock.shift(row.not_before - clock.now())
            desk.relay.nudge()
        await desk.until()

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_a_message_that_never_left_is_not_marked_as_repeated(
    db: Database, clock: FakeClock, api: FakeTelegram, ptb: Bot
):
    async with serve(_never) as url:
        pass
    async with a_bot(api) as bot:
        bot._base_url = f"{url}/bot{TOKEN}"
        desk = Desk(db, clock, bot)
        async with running(desk.relay.run()):
            await desk.write(ANNA, "note")
            await desk.until(failures=("not sent",))
    desk.relay = desk.a_relay(ptb)
    async with running(desk.relay.run()):
        desk.wait(1)
        await desk.until()

    assert api.texts(ANNA) == ["note"]


async def _never(_: object) -> Reply:
    return Reply()


async def test_a_process_that_died_while_sending_leaves_a_message_that_says_so(
    api: FakeTelegram, desk: Desk, clock: FakeClock
):
    await desk.write(ANNA, "note")
    async with desk.db.writing() as session:
        await queue.claim(session, OutboxRow, now=clock.now(), hold=timedelta(minutes=1), most=1)
        await queue.release_all(session, OutboxRow)
    async with running(desk.relay.run()):
        await desk.until()

    assert api.texts(ANNA) == ["note\n(repeat?)"]


async def test_a_message_that_cannot_be_worded_is_named_and_does_not_silence_the_chat(
    api: FakeTelegram, desk: Desk, caplog: pytest.LogCaptureFixture
):
    await desk.write(ANNA, "broken")
    await desk.write(ANNA, "blank", Message("<b> </b>"))
    await desk.write(ANNA, "next")
    del desk.messages["broken"]
    with caplog.at_level(logging.ERROR):
        async with running(desk.relay.run()):
            broken, blank, _ = await desk.until()

    assert (broken.failure, blank.failure) == (
        "not rendered: KeyError",
        "not rendered: ValueError",
    )
    first, second, following = api.texts(ANNA)
    assert "I cannot write one of my messages" in first
    assert "of the kind note" in second
    assert following == "next"
    assert "message not rendered" in caplog.text


async def test_a_message_of_another_version_lets_the_others_pass_and_is_named_after_a_day(
    api: FakeTelegram, desk: Desk, clock: FakeClock
):
    desk.unreadable.add("unknown")
    await desk.write(ANNA, "unknown")
    await desk.write(ANNA, "next")
    async with running(desk.relay.run()):
        await desk.until(passed=1)
        clock.shift(timedelta(hours=12))
        await desk.write(ANNA, "later")
        await desk.until(passed=2)
        before = api.texts(ANNA)
        clock.shift(timedelta(hours=12))
        desk.relay.nudge()
        (row, *_) = await desk.until()

    assert before == ["next", "later"]
    [told] = api.texts(ANNA)[2:]
    assert "I cannot read one of my messages" in told
    assert "It is of the kind note" in told
    assert (row.message_id is not None, row.failure is not None) == (True, True)


async def test_a_message_of_another_version_is_sent_by_a_process_that_knows_it(
    api: FakeTelegram, desk: Desk, ptb: Bot, clock: FakeClock
):
    desk.unreadable.add("unknown")
    await desk.write(ANNA, "unknown")
    await desk.write(ANNA, "next")
    async with running(desk.relay.run()):
        await desk.until(passed=1)
    desk.unreadable.clear()  # the next process is a newer one
    desk.relay = desk.a_relay(ptb)
    async with running(desk.relay.run()):
        desk.wait(30)
        rows = await desk.until()

    assert api.texts(ANNA) == ["next", "unknown"]
    assert [row.failure for row in rows] == [None, None]


async def test_4097_characters_become_two_messages_with_the_buttons_under_the_last(
    api: FakeTelegram, desk: Desk
):
    async with running(desk.relay.run()):
        await desk.write(ANNA, "long", Message("<b>" + "x" * 4097 + "</b>", a_keyboard()))
        (row,) = await desk.until()

    first, second = api.sent(ANNA)

    assert (len(first.text), len(second.text)) == (4096, 1)
    assert (first.labels, second.labels) == ([], ["Pause"])
    assert row.message_id == second.message_id


async def test_a_long_message_cut_off_half_way_is_repeated_from_its_start_and_says_so(
    api: FakeTelegram, desk: Desk
):
    api.open_chat(ANNA)
    async with running(desk.relay.run()):
        await desk.write(ANNA, "x" * 4000 + "\n" + "y" * 4000)
        api.fail("sendMessage", NONE)
        api.fail("sendMessage", too_many_requests(5))
        await desk.until(failures=("no answer",))
        desk.wait(5)
        await desk.until()

    assert [text[-9:] for text in api.texts(ANNA)] == ["x" * 9, "x" * 9, "(repeat?)"]


async def test_stopping_finishes_the_message_in_hand(api: FakeTelegram, desk: Desk):
    await desk.write(ANNA, "first")
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(desk.relay.run())
        await api.wait_until(lambda: bool(api.called("sendMessage")))
        desk.relay.stop()

    assert [row.done_at is not None for row in await desk.rows()] == [True]


# --- Fitting through Telegram ---


def test_a_text_within_the_limit_is_left_alone():
    assert split("<b>short</b> &amp; sweet") == ["<b>short</b> &amp; sweet"]


def test_only_visible_characters_count():
    text = "<b>" + "&lt;" * 4096 + "</b>"

    assert split(text) == [text]


def test_a_long_text_is_cut_at_a_line_end_and_its_tags_are_opened_again():
    text = '<pre><code class="x">one\ntwo\nthree</code></pre>'

    assert split(text, 8) == [
        '<pre><code class="x">one\ntwo</code></pre>',
        '<pre><code class="x">three</code></pre>',
    ]


def test_a_line_that_is_too_long_is_cut_anywhere():
    assert split("<i>abcdef</i>", 4) == ["<i>abcd</i>", "<i>ef</i>"]


def test_an_emoji_counts_twice_as_it_does_for_telegram():
    assert split("🟢🟢🟢", 4) == ["🟢🟢", "🟢"]


def test_blank_parts_are_left_out():
    assert split("one\n\n\n\n\n", 4) == ["one"]
    assert split("<b> \n </b>") == []


@given(
    pieces=st.lists(
        st.tuples(st.sampled_from(["", "b", "pre", "code"]), st.text("ab \n&<>🟢é", max_size=12))
    ),
    limit=st.integers(min_value=2, max_value=20),
)
def test_every_part_fits_is_balanced_and_nothing_visible_is_lost(
    pieces: list[tuple[str, str]], limit: int
):
    text = "".join(_tagged(name, words) for name, words in pieces)

    parts = split(text, limit)

    shown = [visible_text(part) for part in parts]
    assert all(len(part.encode("utf-16-le")) // 2 <= limit for part in shown)
    assert "".join("".join(shown).split()) == "".join(visible_text(text).split())


def _tagged(name: str, words: str) -> str:
    escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<{name}>{escaped}</{name}>" if name else escaped


def test_plain_text_keeps_what_only_looks_like_a_tag():
    assert plain_text("<b>held < target</b> &amp; target > 5 <x>") == (
        "held < target & target > 5 <x>"
    )


async def test_half_a_character_in_a_message_ends_neither_the_program_nor_the_chat(
    api: FakeTelegram, desk: Desk
):
    await desk.write(ANNA, "broken", Message("MEXC says \ud83d"))
    await desk.write(ANNA, "next")
    async with running(desk.relay.run()):
        await desk.until()

    assert api.texts(ANNA) == ["MEXC says ?", "next"]


async def test_what_breaks_with_one_message_lets_all_others_pass(
    api: FakeTelegram, desk: Desk, caplog: pytest.LogCaptureFixture
):
    async def broken(row: OutboxRow) -> Delivery:
        if row.payload == "broken":
            raise LookupError("a mistake of ours")
        return AS_IT_COMES

    desk.relay._delivery = broken
    for chat_id in (ANNA, BERT):
        await desk.write(chat_id, "broken" if chat_id == ANNA else "other")
    await desk.write(ANNA, "next")
    async with running(desk.relay.run()):
        await desk.until(passed=2)

    assert (api.texts(ANNA), api.texts(BERT)) == (["next"], ["other"])
    assert "message failed" in caplog.text
