"""`/export` over the chat: long work tells how far it is, holds up nobody, and stays on the disk."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert

from bot.exports import csv_files, writer
from engine.domain.market.pairs import USDT, Side
from engine.domain.orders.order import Execution, Fees, OrderState
from engine.storage.models.accounts import AlertPreferencesRow
from engine.storage.models.trading import OrderRow
from engine.storage.trading import orders
from tests.bot.harness import FRIEND, KEY, OWNER, Program, World
from tests.builders import intent
from tests.fakes.telegram_faults import HANG, refused
from tests.fakes.telegram_messages import SentMessage


async def traded(bot: Program, count: int, *, paper: int = 0, sold: tuple[int, ...] = ()) -> None:
    """The owner's account has made *count* trades, the first *paper* of them in a dry run.
    Those numbered in *sold* are sales.
    """
    await bot.ask(OWNER, "/start")
    account = await bot.account()
    rows = [
        orders._columns(
            intent(
                account_id=account.id,
                run_id=f"run-{number}",
                client_order_id=f"order-{number}",
                dry_run=number < paper,
                side=Side.SELL if number in sold else Side.BUY,
                state=OrderState.FILLED,
                execution=Execution(Decimal(number + 1), Decimal(number + 1) / 4),
                fees=Fees({USDT: Decimal("0.0001")}),
                resolved_at=bot.world.clock.now() + timedelta(minutes=number),
            )
        )
        for number in range(count)
    ]
    async with bot.database.writing() as session:
        await session.execute(insert(OrderRow), rows)


def rows_of(*answers: SentMessage) -> list[dict[str, str]]:
    contents = [answer.document.content.decode() for answer in answers if answer.document]
    return [row for text in contents for row in csv.DictReader(io.StringIO(text))]


async def test_long_work_is_told_in_one_message_that_goes_when_it_is_done(
    world: World, bot: Program, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writer, "_PAGE", 10)
    monkeypatch.setattr(writer, "_TOLD_EVERY", 20)
    await traded(bot, 75)

    progress, answer = await bot.say(OWNER, "/export")

    assert progress.deleted
    assert progress.silent
    assert [*progress.edits, progress.text][-3:] == [
        "⏳ Entries read: 20 of 75",
        "⏳ Entries read: 40 of 75",
        "⏳ Entries read: 60 of 75",
    ]
    assert (
        answer.text == "This export has all your 75 orders.\nAmounts are exact.\nTimes are in UTC."
    )
    assert answer.labels == ["/export gains", "/export koinly", "/export cointracking"]
    assert [row["client_order_id"] for row in rows_of(answer)] == [
        f"order-{number}" for number in range(75)
    ]


async def test_progress_that_telegram_refuses_does_not_end_the_work(
    world: World, bot: Program, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writer, "_PAGE", 10)
    monkeypatch.setattr(writer, "_TOLD_EVERY", 10)
    await traded(bot, 35)
    busy = refused(429, "Too Many Requests: retry after 9")
    world.api.fail("sendMessage", busy)
    world.api.fail("editMessageText", busy, times=2)

    answers = await bot.say(OWNER, "/export")

    assert len(rows_of(answers[-1])) == 35
    assert await bot.waiting() == 0


async def test_a_large_table_comes_in_several_files(bot: Program, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(writer, "_PAGE", 10)
    monkeypatch.setattr(writer.collect, "__kwdefaults__", {"most_bytes": 3000})
    await traded(bot, 30)

    files = await bot.say(OWNER, "/export")

    names = [answer.document.name for answer in files if answer.document]
    assert names[:2] == ["ballast-trades.csv", "ballast-trades-2.csv"]
    assert f"File 2 of {len(files)}." in files[1].text
    assert len(rows_of(*files)) == 30
    assert csv_files.MOST_BYTES < 50_000_000


async def test_koinly_gets_real_trades_alone(bot: Program):
    await traded(bot, 5, paper=2)
    await bot.ask(OWNER, "/export")

    (answer,) = await bot.tap(OWNER, "/export koinly")

    assert answer.document is not None
    assert answer.document.name == "ballast-koinly.csv"
    assert answer.text.startswith("This export has 3 real orders.")
    assert [row["Received Amount"] for row in rows_of(answer)] == ["3", "4", "5"]


async def test_money_that_came_in_and_went_out_stands_between_the_trades(
    world: World, bot: Program
):
    await bot.connect()
    await bot.ask(OWNER, "/mode notify")
    await bot.checked()
    world.mexc.deposit(KEY, "USDT", Decimal("12.50"))
    await bot.live_for(timedelta(minutes=3))
    world.mexc.deposit(KEY, "USDT", Decimal("-2.5"))
    await bot.live_for(timedelta(minutes=3))

    everything = await bot.ask(OWNER, "/export")
    (tracked,) = await bot.tap(OWNER, "/export cointracking")

    flows = [row for row in rows_of(everything) if row["kind"] != "trade"]
    assert [(row["kind"], row["flow_amount"], row["flow_usdt"]) for row in flows] == [
        ("deposit", "12.5", "12.5"),
        ("withdrawal", "-2.5", "-2.5"),
    ]
    assert "It has 2 deposits, withdrawals and exchanges by hand." in everything.text
    assert [(row["Buy Amount"], row["Sell Amount"]) for row in rows_of(tracked)[-2:]] == [
        ("12.5", ""),
        ("", "2.5"),
    ]
    assert "Nobody has tried that import yet" in tracked.text


async def test_gains_come_page_by_page_with_a_summary_of_both_methods(
    world: World, bot: Program, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writer, "_PAGE", 2)
    await bot.connect()
    await traded(bot, 8, paper=1, sold=(6, 7))
    await bot.ask(OWNER, "/export")

    sales, summary = await bot.tap(OWNER, "/export gains")

    assert [message.document.name for message in (sales, summary) if message.document] == [
        "ballast-gains.csv",
        "ballast-gains-summary.csv",
    ]
    assert [(row["client_order_id"], row["units"]) for row in rows_of(sales)] == [
        ("order-6", "7"),
        ("order-7", "8"),
    ]
    figures = {row["figure"]: row["amount"] for row in rows_of(summary)}
    assert figures["gain_fifo"] == figures["gain_average"] != ""
    assert figures["units_left"] == "5"  # 2 + 3 + 4 + 5 + 6 of real money were bought
    assert "I looked for sales in 7 records of real money." in sales.text
    assert summary.text.startswith("This is the summary:")
    assert (sales.labels, summary.labels) == ([], ["/export"])


async def test_koinly_gets_nothing_where_all_was_on_paper(bot: Program):
    await traded(bot, 2, paper=2)

    answer = await bot.ask(OWNER, "/export koinly")

    assert "no real order was filled" in answer.text
    assert "There is no gain to export yet" in (await bot.ask(OWNER, "/export gains")).text


async def test_the_chats_own_time_stands_beside_utc(bot: Program):
    await traded(bot, 1)
    account = await bot.account()
    for zone, local in (("Asia/Tokyo", "T21:00:00+09:00"), ("Mars/Base", "T12:00:00+00:00")):
        async with bot.database.writing() as session:
            await session.merge(
                AlertPreferencesRow(
                    account_id=account.id, levels="{}", smallest=Decimal(0), time_zone=zone
                )
            )

        [row] = rows_of(await bot.ask(OWNER, "/export"))

        assert row["time_utc"].endswith("T12:00:00Z")
        assert row["time_local"].endswith(local), zone


async def test_a_form_that_is_not_known_is_explained(bot: Program):
    answer = await bot.ask(OWNER, "/export excel")

    assert "I know no export named “excel”." in answer.text
    assert answer.labels == [
        "/export",
        "/export gains",
        "/export koinly",
        "/export cointracking",
    ]


async def test_another_chat_is_answered_while_a_file_is_on_its_way(world: World, bot: Program):
    await traded(bot, 5)
    world.api.fail("sendDocument", HANG)
    world.api.say(OWNER, "/export")
    await world.api.wait_until(lambda: bool(world.api.called("sendDocument")))

    answer = await bot.ask(FRIEND, "/version")

    assert "Ballast" in answer.text
    assert world.api.sent(OWNER)[-1].document is None
