"""Looking back over the chat: pages of trades, the file with all of them, the log."""

import csv
import io
import logging
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.interaction.callback_data import HistoryPage, TradeDetailsPage
from bot.observability.logs import configure
from engine.domain.market.pairs import USDT, Side
from engine.domain.orders.order import Execution, Fees, OrderState
from engine.storage.trading import orders
from tests.bot.harness import FRIEND, KEY, OWNER, SECRET, STRANGER, Program, World
from tests.builders import intent
from tests.fakes.telegram_faults import DROPPED, refused

ODD = ("0", "-1", "101", "five", "１", "1e400", "9" * 5000, "<b>", "\u202e5", "5 5")


async def traded(bot: Program, count: int) -> None:
    """The owner's account has made *count* trades, of 1, 2, 3 ... MNTL."""
    await bot.ask(OWNER, "/version")
    await bot.ask(OWNER, "/start")
    account = await bot.account()
    async with bot.database.writing() as session:
        for number in range(1, count + 1):
            await orders.add(
                session,
                intent(
                    account_id=account.id,
                    run_id=f"run-{number}",
                    client_order_id=f"order-{number}",
                    side=Side.SELL if number % 2 else Side.BUY,
                    state=OrderState.FILLED,
                    execution=Execution(Decimal(number), Decimal(number) / 4),
                    fees=Fees({USDT: Decimal("0.0001")}),
                    quote_after=Decimal("40.001"),
                    resolved_at=bot.world.clock.now() + timedelta(minutes=number),
                ),
            )


async def test_the_history_turns_its_pages_in_place(bot: Program):
    await traded(bot, 7)
    history = await bot.ask(OWNER, "/history 3")
    first = history.text, history.labels
    await bot.tap(OWNER, "Older »")
    second = history.text, history.labels
    await bot.tap(OWNER, "Older »")
    third = history.text, history.labels
    news = await bot.tap(OWNER, "« Newer")

    assert [line.split()[-2] for line in first[0].splitlines() if "MNTL" in line] == [
        "7",
        "6",
        "5",
    ]
    assert first[1] == ["1", "2", "3", "Older »", "Chart"]
    assert "History, page 2" in second[0]
    assert second[1] == ["4", "5", "6", "« Newer", "Older »"]
    assert "bought 4 MNTL" in second[0]
    assert "sold 1 MNTL" in third[0]
    assert third[1] == ["7", "« Newer"]
    assert news == []
    assert history.text == second[0]


async def test_a_history_without_a_number_shows_five(bot: Program):
    await traded(bot, 7)

    history = await bot.ask(OWNER, "/history")

    assert history.text.count("MNTL") == 5


async def test_pages_turn_after_a_restart(world: World):
    async with world.program() as first:
        await traded(first, 7)
        history = await first.ask(OWNER, "/history 5")
    async with world.program() as second:
        await second.tap(OWNER, "Older »")

    assert "History, page 2" in history.text


async def test_a_page_beyond_the_end_says_so(bot: Program):
    await traded(bot, 2)
    history = await bot.ask(OWNER, "/history")

    data = HistoryPage(page=9999, size=50).encode()
    await bot.tap(OWNER, data, message=history, forged=True)

    assert "No older trades." in history.text


async def test_a_number_opens_the_trades_story_and_back_leads_to_its_page(bot: Program):
    await traded(bot, 7)
    history = await bot.ask(OWNER, "/history 3")
    await bot.tap(OWNER, "Older »")
    page = history.text

    news = await bot.tap(OWNER, "5")
    story = history.text, history.labels
    await bot.tap(OWNER, "« Back")

    assert news == []
    assert story[0].startswith("⏸ PAUSED · Sold 3 MNTL\nA check traded by itself")
    assert "Client order id\n  order-3\n" in story[0]
    assert story[1] == ["« Back"]
    assert history.text == page


async def test_a_story_tells_who_tapped_and_what_came_of_it(world: World, bot: Program):
    await bot.ask(OWNER, f"/connect {KEY} {SECRET}")
    await bot.ask(OWNER, "/resume")
    await bot.ask(OWNER, "/rebalance")
    await bot.tap(OWNER, "Trade")
    await bot.checked()
    history = await bot.ask(OWNER, "/history")

    await bot.tap(OWNER, "1", message=history)

    order = world.mexc.orders[0]
    assert "started it with a tap." in history.text
    for line in (
        "Target   40.00 USDT",
        "Held     57.10 USDT",
        "Asked    spend 17.10 USDT",
        "Result   filled",
        "Filled   8,142 MNTL",
        f"  {order.client_order_id}",
        f"  {order.order_id}",
    ):
        assert line in history.text, line
    assert "than seen" in history.text


async def test_another_chats_trade_cannot_be_opened(bot: Program):
    await traded(bot, 1)
    history = await bot.ask(FRIEND, "/history")

    data = TradeDetailsPage("order-1", 0, 5).encode()
    await bot.tap(FRIEND, data, message=history, forged=True)

    assert "I do not have this trade here." in history.text


async def test_a_story_opens_after_a_restart_and_for_whoever_may_look(world: World):
    async with world.program() as first:
        await traded(first, 2)
        history = await first.ask(OWNER, "/history")
    async with world.program() as second:
        await second.tap(OWNER, "2")
        once = history.text
        await second.tap(
            OWNER, TradeDetailsPage("order-1", 0, 5).encode(), forged=True, message=history
        )
        strangers = await second.tap(OWNER, "« Back", user_id=STRANGER, message=history)

    assert "order-1" in once
    assert history.text == once
    assert strangers == []


@pytest.mark.parametrize(("command", "usage"), [("history", "1 to 20"), ("logs", "1 to 100")])
async def test_an_odd_number_of_lines_is_explained(bot: Program, command: str, usage: str):
    for odd in ODD:
        answer = await bot.ask(OWNER, f"/{command} {odd}")

        assert "Nothing changed." in answer.text, odd
        assert usage in answer.text, odd


async def test_another_chat_sees_nothing_of_it(bot: Program):
    await traded(bot, 2)

    history = await bot.ask(FRIEND, "/history")
    export = await bot.ask(FRIEND, "/export")

    assert "No trades yet." in history.text
    assert "There is nothing to export yet" in export.text


async def test_an_export_holds_every_trade_exactly(world: World, bot: Program):
    await bot.connect()
    await bot.checked()
    world.mexc.deposit(KEY, "USDT", Decimal("-17.89"))
    await bot.live_for(timedelta(minutes=2))

    answer = await bot.ask(OWNER, "/export")
    document = answer.document

    assert document is not None
    assert document.name == "ballast-trades.csv"
    assert answer.text == (
        "This export has all your 2 orders.\n"
        "It has 1 deposit, withdrawal or exchange by hand.\n"
        "Amounts are exact.\n"
        "Times are in UTC."
    )
    events = list(csv.DictReader(io.StringIO(document.content.decode())))
    rows = [row for row in events if row["kind"] == "trade"]
    assert [row["kind"] for row in events] == ["trade", "withdrawal", "trade"]
    assert events[1]["flow_amount"] == "-17.89"
    assert [row["side"] for row in rows] == ["buy", "sell"]
    assert {row["mode"] for row in rows} == {"live"}
    assert rows[0]["base_quantity"] == "8142"
    assert Decimal(rows[0]["usdt_before"]) == Decimal("57.10")
    assert rows[0]["exchange_order_id"] == world.mexc.orders[0].order_id
    assert rows[0]["client_order_id"] == world.mexc.orders[0].client_order_id


async def test_a_file_that_telegram_does_not_take_is_told(world: World, bot: Program):
    await traded(bot, 1)
    world.api.fail("sendDocument", refused(400, "Bad Request: file too big"))
    refusal = await bot.ask(OWNER, "/export")
    world.api.fail("sendDocument", DROPPED)
    lost = await bot.ask(OWNER, "/export")

    for answer in (refusal, lost):
        assert "I could not send the file. Please send /export again" in answer.text


async def test_the_log_is_for_the_owner_alone(bot: Program):
    root, before = logging.getLogger(), logging.getLogger().level
    configure("INFO", None, [])
    logging.getLogger("bot.test").info("first <line>")
    logging.getLogger("bot.test").info("second & last")
    try:
        owner = await bot.ask(OWNER, "/logs 2")
        friend = await bot.ask(FRIEND, "/logs")
        stranger = await bot.say(STRANGER, "/logs")
        help_ = [await bot.ask(chat, "/help") for chat in (OWNER, FRIEND)]
    finally:
        configure("WARNING", None, [])
        root.setLevel(before)

    assert "second & last" in owner.text
    assert "Only my owner may see that." in friend.text
    assert "line" not in stranger[0].text
    assert ["/logs" in message.text for message in help_] == [True, False]
