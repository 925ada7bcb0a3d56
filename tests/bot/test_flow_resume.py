"""Starting: what moves much is asked about first, and nothing starts after a pause."""

import asyncio
from collections.abc import AsyncGenerator
from decimal import Decimal

import pytest
from sqlalchemy import select

from engine.domain.accounts.settings import TradingMode
from engine.storage.models.accounts import AuditRow
from tests.bot.harness import KEY, OWNER, SECRET, Program, World
from tests.fakes.mexc_faults import BAD_GATEWAY, Fault
from tests.fakes.tasks import a_moment

START, ASKING, CANCEL = "Start", "Start, but ask me each time", "Cancel"


@pytest.fixture
async def large(world: World) -> AsyncGenerator[Program]:
    """A new key; the account holds 557.10 USDT, of which the first order spends 492.97."""
    world.mexc.deposit(KEY, "USDT", Decimal(500))
    async with world.program() as program:
        await program.ask(OWNER, f"/connect {KEY} {SECRET}")
        yield program


async def is_paused(bot: Program) -> bool:
    return (await bot.account()).settings.paused


async def test_a_large_first_order_starts_only_on_a_tap(world: World, large: Program):
    question = await large.ask(OWNER, "/resume")
    shown, labels = question.text, question.labels
    held_back = await large.checked()
    await large.tap(OWNER, START)
    (bought,) = await large.checked()
    async with large.database.reading() as session:
        rows = await session.scalars(select(AuditRow).order_by(AuditRow.id.desc()).limit(1))
        audited = [(row.user_id, row.action, row.detail) for row in rows]

    assert shown.splitlines() == [
        "⏸ PAUSED · Start trading?",
        "",
        "The first order buys MNTL for about 492.97 USDT.",
        "That is 88.5% of your USDT.",
        "USDT 557.10 → about 63.89 (target 40.00)",
        "",
        "Nothing is sent now. I price it again when you tap.",
        "No tap within 90 s: trading stays paused. Later: /resume",
    ]
    assert labels == [START, ASKING, CANCEL]
    assert held_back == []
    assert question.text.startswith("🟢 LIVE · Trading is on")
    assert bought.text.startswith("🟢 LIVE · Bought 246,238 MNTL")
    assert audited == [(OWNER, "trading", "paused -> on")]


async def test_who_wants_to_be_asked_each_time_starts_without_an_order(
    world: World, large: Program
):
    question = await large.ask(OWNER, "/resume")
    await large.tap(OWNER, ASKING)
    (offer,) = await large.checked()
    settings = (await large.account()).settings

    assert "Next check: I ask you first, then I buy" in question.text
    assert (settings.paused, settings.autonomy) == (False, TradingMode.ASK)
    assert offer.labels[0] == "Trade"
    assert world.mexc.order_posts.total() == 0


async def test_cancel_leaves_trading_paused(large: Program):
    question = await large.ask(OWNER, "/resume")
    await large.tap(OWNER, CANCEL)

    assert "Nothing changed\nNo order was sent." in question.text
    assert await is_paused(large)


async def test_a_larger_first_order_than_was_shown_is_asked_about_again(
    world: World, large: Program
):
    question = await large.ask(OWNER, "/resume")
    world.mexc.deposit(KEY, "USDT", Decimal(500))
    await large.tap(OWNER, START)
    again, paused = question.text, await is_paused(large)
    await large.tap(OWNER, START)

    assert ("USDT 1,057.10 → about" in again, paused) == (True, True)
    assert not await is_paused(large)


async def test_after_a_pause_or_another_change_an_open_question_starts_nothing(large: Program):
    paused = await large.ask(OWNER, "/resume")
    await large.ask(OWNER, "/pause")
    changed = await large.ask(OWNER, "/resume")
    await large.ask(OWNER, "/setinterval 5m")
    await large.tap(OWNER, START, message=paused)
    await large.tap(OWNER, START, message=changed)

    assert paused.text.startswith("⌛ This question is closed. No order was sent.")
    assert "Something about this account was changed after I asked." in changed.text
    assert await is_paused(large)


async def test_a_pause_overtakes_a_tap_on_start_that_was_sent_before(world: World, large: Program):
    await large.ask(OWNER, "/resume")
    held, go_on = asyncio.Event(), asyncio.Event()
    handle = large.parts.update_workers._handle

    async def slow(raw: dict[str, object]) -> None:
        if "callback_query" in raw:
            held.set()
            await go_on.wait()
        await handle(raw)

    large.parts.update_workers._handle = slow
    tap = world.api.tap(OWNER, ASKING)
    await held.wait()
    paused = await large.ask(OWNER, "/pause")
    go_on.set()
    while large.parts.update_workers._workers._in_hand:
        await a_moment()
    await large.handled(tap)

    assert "I cancelled what came before this:" in paused.text
    assert await is_paused(large)


async def test_where_the_balance_cannot_be_seen_a_start_asks(world: World, bot: Program):
    await bot.ask(OWNER, f"/connect {KEY} {SECRET}")
    world.mexc.inject(Fault("GET", "/api/v3/account", reply=BAD_GATEWAY, times=None))

    question = await bot.ask(OWNER, "/resume")
    shown = question.text
    await bot.tap(OWNER, START)

    assert "I do not know how large the first order is." in shown
    assert not await is_paused(bot)


async def test_in_a_mode_without_orders_of_its_own_a_start_asks_nothing(large: Program):
    (chosen,) = await large.tap(OWNER, "Ask me each time")
    (resumed,) = await large.tap(OWNER, "Resume", message=chosen)

    assert "Mode set to ask" in chosen.text
    assert "Trading is on" in resumed.text
