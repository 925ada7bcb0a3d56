import asyncio
import io
import os
from collections.abc import AsyncGenerator, Generator
from datetime import timedelta
from decimal import Decimal
from typing import Any, TextIO

import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaPhoto,
    Update,
)
from telegram.constants import ChatAction
from telegram.error import BadRequest

from bot.demo.console import CHAT_ID, USER_ID, Console, ConsoleRequest
from bot.demo.terminal import Terminal
from engine.domain.orders.order import AccountId
from tests.fakes.clock import FakeClock

BUTTONS = InlineKeyboardMarkup(
    [
        [
            InlineKeyboardButton("Rebalance now", callback_data="rebalance"),
            InlineKeyboardButton("Pause", callback_data="pause"),
        ],
        [InlineKeyboardButton("Guide", url="https://example.org/guide")],
    ]
)


class Inbox:
    """Remembers what was delivered, as the bot would read it."""

    def __init__(self) -> None:
        self.updates: list[Update] = []

    async def __call__(self, raw: dict[str, Any]) -> None:
        self.updates.append(Update.de_json(raw, None))


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def console(out: io.StringIO, clock: FakeClock) -> Console:
    return Console(terminal=Terminal(out, styled=False), clock=clock)


@pytest.fixture
async def bot(console: Console) -> AsyncGenerator[Bot]:
    request = ConsoleRequest(console)
    async with Bot("100:demo", request=request, get_updates_request=request) as opened:
        yield opened


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


async def test_a_message_is_shown_as_a_person_would_see_it(bot, out):
    await bot.send_message(
        CHAT_ID,
        "<b>LIVE</b> · 5 &lt; 6\n<pre>Target   40.00\nHolds    57.10</pre>",
        parse_mode="HTML",
        reply_markup=BUTTONS,
    )

    assert out.getvalue() == (
        "│ LIVE · 5 < 6\n"
        "│ Target   40.00\n"
        "│ Holds    57.10\n"
        "│\n"
        "│ [a1] Rebalance now   [a2] Pause\n"
        "│ [a3] Guide\n"
        "\n"
    )


async def test_text_without_a_parse_mode_keeps_its_angle_brackets(bot, out):
    await bot.send_message(CHAT_ID, "a <b>&amp;")

    assert out.getvalue() == "│ a <b>&amp;\n\n"


async def test_bold_and_remarks_are_styled_on_a_terminal_only(out, clock):
    styled = Terminal(out, styled=True)
    styled.message("a <b>bold</b> word", heading="(edited)")
    styled.note("a remark")

    assert out.getvalue() == (
        "│ \x1b[2m(edited)\x1b[0m\n│ a \x1b[1mbold\x1b[0m word\n\n\x1b[2ma remark\x1b[0m\n\n"
    )


def test_lines_stay_within_80_columns(out):
    terminal = Terminal(out, styled=False)
    terminal.message("word " * 60, buttons=[[("a1", "a label of some length")] * 5])
    terminal.note("remark " * 60)

    assert max(len(line) for line in out.getvalue().splitlines()) <= 80


def test_a_message_cannot_steer_the_terminal(out):
    terminal = Terminal(out, styled=False)
    terminal.message("bad&#27;[2J \x1b[31m\x07", buttons=[[("a1", "\x1b[1mbutton")]])
    terminal.note("\x1b]0;title\x07")

    assert "\x1b" not in out.getvalue()
    assert "\x07" not in out.getvalue()


def test_a_pipe_that_is_not_read_any_more_is_reported_and_left_alone():
    reader, writer = os.pipe()
    closed = []
    with os.fdopen(writer, "w", encoding="utf-8") as out:
        terminal = Terminal(out, styled=False, on_closed=lambda: closed.append("closed"))
        terminal.note("is read")
        os.close(reader)
        terminal.note("is not")
        terminal.note("is not either")

    assert closed == ["closed"]


def test_a_terminal_without_unicode_gets_question_marks():
    raw = io.BytesIO()
    narrow = io.TextIOWrapper(raw, encoding="ascii")
    Terminal(narrow, styled=False).message("🟢 LIVE")

    assert raw.getvalue() == b"? ? LIVE\n\n"


async def test_a_typed_command_becomes_an_update_the_bot_understands(console, inbox):
    await console.enter("/settarget 40", inbox)

    (update,) = inbox.updates
    assert update.message.text == "/settarget 40"
    assert (update.effective_chat.id, update.effective_user.id) == (CHAT_ID, USER_ID)
    assert update.effective_chat.type == "private"
    assert update.message.parse_entities(["bot_command"]) == {
        update.message.entities[0]: "/settarget"
    }


async def test_plain_text_is_no_command(console, inbox):
    await console.enter("hello /there", inbox)

    assert inbox.updates[0].message.entities == ()


async def test_a_code_taps_its_button_whatever_was_sent_since(bot, console, inbox):
    meant = await bot.send_message(CHAT_ID, "meant", reply_markup=BUTTONS)
    await bot.send_message(CHAT_ID, "came while it was read", reply_markup=BUTTONS)
    await bot.send_message(CHAT_ID, "no buttons here")

    await console.enter("a2", inbox)
    await console.enter("B2", inbox)

    query, other = (update.callback_query for update in inbox.updates)
    assert (query.data, query.from_user.id) == ("pause", USER_ID)
    assert query.message.message_id == meant.message_id
    assert query.message.text == "meant"
    assert other.message.text == "came while it was read"


async def test_a_button_keeps_its_code_when_its_message_is_edited(bot, console, inbox, out):
    pause = InlineKeyboardButton("Pause", callback_data="pause")
    resume = InlineKeyboardButton("Resume", callback_data="resume")
    card = await bot.send_message(
        CHAT_ID, "card", reply_markup=InlineKeyboardMarkup([[resume, pause]])
    )
    await bot.edit_message_text(
        "card, edited", CHAT_ID, card.message_id, reply_markup=InlineKeyboardMarkup([[pause]])
    )
    await console.enter("a2", inbox)
    await console.enter("a1", inbox)  # not there any more

    assert out.getvalue().count("[a2] Pause") == 2
    assert inbox.updates[0].callback_query.data == "pause"
    assert inbox.updates[1].message.text == "a1"


async def test_no_value_is_taken_for_a_button(bot, console, inbox):
    for _ in range(30):
        await bot.send_message(CHAT_ID, "which target?", reply_markup=BUTTONS)
    typed = ["1", "40", "0", "5%", "2m", "1h", "MNTL", "a9", "ok"]
    for text in typed:
        await console.enter(text, inbox)
    await console.enter("ad3", inbox)  # a link, of the last but three

    assert [update.message.text for update in inbox.updates] == typed


async def test_the_last_message_may_be_read_before_money_moves(bot, console, clock):
    await bot.send_message(CHAT_ID, "a long message")
    began = clock.now()
    await console.until_read()
    read_after = clock.now() - began
    await console.until_read()

    assert timedelta(minutes=10) <= read_after  # of the demo: seconds of ours
    assert clock.now() - began == read_after


async def test_a_link_button_shows_its_address(bot, console, inbox, out):
    await bot.send_message(CHAT_ID, "read this", reply_markup=BUTTONS)

    await console.enter("a3", inbox)

    assert "Guide: https://example.org/guide\n" in out.getvalue()
    assert inbox.updates == []


async def test_an_edited_message_is_shown_again(bot, console, inbox, out):
    first = await bot.send_message(CHAT_ID, "first", reply_markup=BUTTONS)
    await bot.send_message(CHAT_ID, "second", reply_markup=BUTTONS)

    edited = await bot.edit_message_text(
        "first, anew", CHAT_ID, first.message_id, reply_markup=BUTTONS
    )
    await console.enter("a1", inbox)

    assert "│ (edited)\n│ first, anew\n" in out.getvalue()
    assert edited.text == "first, anew"
    assert inbox.updates[0].callback_query.message.message_id == first.message_id


async def test_a_card_whose_figures_alone_change_is_shown_again_only_to_who_asks(
    bot, console, inbox, out
):
    card = await bot.send_message(CHAT_ID, "Price 0.002000 at 12:00", reply_markup=BUTTONS)
    for price in ("Price 0.002001 at 12:15", "Price 0.002002 at 12:30"):
        await bot.edit_message_text(price, CHAT_ID, card.message_id, reply_markup=BUTTONS)
    unasked = out.getvalue()
    await console.enter("a1", inbox)
    await bot.edit_message_text(
        "Price 0.002003 at 12:31", CHAT_ID, card.message_id, reply_markup=BUTTONS
    )

    assert unasked.count("Price") == 1
    assert inbox.updates[0].callback_query.message.text == "Price 0.002002 at 12:30"
    assert "Price 0.002003" in out.getvalue()


async def test_a_message_that_lost_its_buttons_cannot_be_tapped(bot, console, inbox, out):
    await bot.send_message(CHAT_ID, "kept", reply_markup=BUTTONS)
    by_edit = await bot.send_message(CHAT_ID, "lost", reply_markup=BUTTONS)
    by_markup = await bot.send_message(CHAT_ID, "lost too", reply_markup=BUTTONS)
    await bot.edit_message_text("lost", CHAT_ID, by_edit.message_id)
    await bot.edit_message_reply_markup(CHAT_ID, by_markup.message_id)

    for code in ("a1", "b1", "c1"):
        await console.enter(code, inbox)

    assert "(These buttons are gone.)" in out.getvalue()
    assert inbox.updates[0].callback_query.message.text == "kept"
    assert [update.message.text for update in inbox.updates[1:]] == ["b1", "c1"]


async def test_new_buttons_are_shown_with_their_message(bot, out):
    message = await bot.send_message(CHAT_ID, "the question")
    await bot.edit_message_reply_markup(CHAT_ID, message.message_id, reply_markup=BUTTONS)

    assert out.getvalue().count("the question") == 2
    assert "[a1] Rebalance now" in out.getvalue()


async def test_the_answer_to_a_tap_is_shown(bot, out):
    await bot.answer_callback_query("1", text="Already done")
    await bot.answer_callback_query("2")

    assert out.getvalue() == "Already done\n\n"


async def test_deletions_are_shown(bot, console, inbox, out):
    await console.enter("/connect KEY SECRET", inbox)
    await bot.delete_message(CHAT_ID, inbox.updates[0].message.message_id)
    message = await bot.send_message(CHAT_ID, "soon gone", reply_markup=BUTTONS)
    await bot.delete_message(CHAT_ID, message.message_id)
    await console.enter("a1", inbox)

    assert "(The bot deleted your message.)" in out.getvalue()
    assert "(The bot deleted its message.)" in out.getvalue()
    assert inbox.updates[-1].message.text == "a1"


async def test_what_is_not_there_cannot_be_changed(bot):
    with pytest.raises(BadRequest, match="to edit not found"):
        await bot.edit_message_text("?", CHAT_ID, 1)
    with pytest.raises(BadRequest, match="to delete not found"):
        await bot.delete_message(CHAT_ID, 1)


@pytest.mark.parametrize("is_open", [False, True])
async def test_a_file_is_named_with_its_size(bot, out, is_open):
    content = b"a,b\n1,2\n"
    file = InputFile(
        io.BytesIO(content) if is_open else content,
        filename="trades.csv",
        read_file_handle=False,
    )
    sent = await bot.send_document(CHAT_ID, file, caption="All trades")

    assert out.getvalue() == "│ [file] trades.csv, 8 bytes\n│ All trades\n\n"
    assert sent.document.file_name == "trades.csv"


async def test_a_picture_is_told_by_its_words_and_edited_like_a_text(bot, out):
    image = b"\x89PNG"
    sent = await bot.send_photo(1, image, "<b>40.79</b> USDT &lt;3", parse_mode="HTML")
    media = InputMediaPhoto(image, "<b>60</b> tokens", parse_mode="HTML")
    await bot.edit_message_media(media, 1, sent.message_id)

    assert "│ [picture]\n│ 40.79 USDT <3\n" in out.getvalue()
    assert "│ [picture]\n│ 60 tokens\n" in out.getvalue()


async def test_whatever_shows_nothing_is_simply_true(bot, out):
    assert bot.username == "ballast_demo_bot"
    assert await bot.set_my_commands([("status", "how it stands")])
    assert await bot.send_chat_action(CHAT_ID, ChatAction.TYPING)
    assert await bot.pin_chat_message(CHAT_ID, 1)
    assert bot.request.read_timeout is None

    assert out.getvalue() == ""


async def test_money_that_moves_behind_the_bots_back_is_told(console, out):
    console.moved(AccountId(1), Decimal("12.5"))
    console.moved(AccountId(1), Decimal(-7))

    assert "At the exchange 12.50 USDT arrived" in out.getvalue()
    assert "At the exchange 7.00 USDT left" in out.getvalue()


async def test_ids_never_come_back_after_a_restart(out, clock, inbox):
    terminal = Terminal(out, styled=False)
    await Console(terminal=terminal, clock=clock).enter("before", inbox)
    clock.shift(timedelta(seconds=1))
    await Console(terminal=terminal, clock=clock).enter("after", inbox)

    assert inbox.updates[0].update_id < inbox.updates[1].update_id


class Pipe:
    """*stdin* is what the console reads; `write` and `close` are the person."""

    def __init__(self) -> None:
        reading, self._writing = os.pipe()
        self.stdin: TextIO = os.fdopen(reading)
        self._is_open = True

    def write(self, text: str) -> None:
        os.write(self._writing, text.encode())

    def close(self) -> None:
        if self._is_open:
            os.close(self._writing)
            self._is_open = False


@pytest.fixture
def pipe() -> Generator[Pipe]:
    opened = Pipe()
    yield opened
    opened.close()
    opened.stdin.close()


async def test_lines_are_read_until_the_end(console, inbox, out, pipe):
    pipe.write("/start\n\n  hällo ")
    pipe.close()
    await asyncio.wait_for(console.run(pipe.stdin, inbox), 5)

    assert [update.message.text for update in inbox.updates] == ["/start", "hällo"]
    assert out.getvalue().startswith("This is the demo of Ballast")
    assert "No real money moves" in out.getvalue()
    assert out.getvalue().endswith("The demo is over.\n\n")


async def test_quit_ends_the_demo(console, inbox, pipe):
    pipe.write("/start\n/quit\n/status\n")
    await asyncio.wait_for(console.run(pipe.stdin, inbox), 5)

    assert [update.message.text for update in inbox.updates] == ["/start"]


async def test_waiting_for_a_line_does_not_hold_up_the_bot(console, inbox, bot, out, pipe):
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(console.run(pipe.stdin, inbox))
        await bot.send_message(CHAT_ID, "an alert meanwhile")
        pipe.write("/quit\n")

    assert "an alert meanwhile" in out.getvalue()


async def test_a_demo_that_is_stopped_leaves_its_input_alone(console, inbox, pipe):
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(console.run(pipe.stdin, inbox))
        pipe.write("/start\n")
        while not inbox.updates:
            await FakeClock().sleep(timedelta())
        running.cancel()

    assert not asyncio.get_running_loop().remove_reader(pipe.stdin.fileno())


async def test_a_terminal_that_went_away_ends_the_demo(console, inbox, out):
    ours, theirs = os.openpty()
    with os.fdopen(ours) as stdin:
        os.write(theirs, b"/start\n")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(console.run(stdin, inbox))
            while not inbox.updates:
                await FakeClock().sleep(timedelta())
            os.close(theirs)

    assert out.getvalue().endswith("The demo is over.\n\n")
