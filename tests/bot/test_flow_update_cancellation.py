"""A /pause or /halt comes before everything that its chat sent, and cancels what would start."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, update

from engine.scheduling.queue_worker import HOLD
from engine.storage.models import queues
from engine.storage.models.queues import InboxRow
from tests.bot.harness import (
    FRIEND,
    GROUP,
    KEY,
    OWNER,
    SECRET,
    STRANGER,
    Program,
    World,
)
from tests.fakes.mexc_faults import Fault
from tests.fakes.tasks import a_moment
from tests.fakes.telegram_messages import SentMessage

# A second on an idle machine; what waits for MEXC here waits five.
_SOON_S = 3
EVERYTHING = (
    ("GET", "/api/v3/account"),
    ("GET", "/api/v3/depth"),
    ("GET", "/api/v3/exchangeInfo"),
    ("GET", "/api/v3/time"),
)


@asynccontextmanager
async def silent(world: World) -> AsyncGenerator[None]:
    """MEXC answers nothing within the block."""
    faults = [
        world.mexc.inject(Fault(method, path, hang=True, times=None))
        for method, path in EVERYTHING
    ]
    yield
    for fault in faults:
        world.mexc.remove(fault)


async def hears(world: World, chat_id: int, words: str, *, within: float = _SOON_S) -> SentMessage:
    """After what was said there last, *within* real seconds."""
    return await world.api.wait_for(
        chat_id, lambda m: words in m.text, after=world.api.last_said(chat_id), timeout=within
    )


async def unfinished(bot: Program) -> int:
    async with bot.database.reading() as session:
        query = select(InboxRow.id).where(InboxRow.done_at.is_(None))
        return len((await session.scalars(query)).all())


@pytest.mark.parametrize(
    "before",
    [
        "/status",
        "/balance",
        "/rebalance",
        "/doctor",
        f"/connect {KEY} {SECRET}",
        "/setpair ABCUSDT",
    ],
)
async def test_a_pause_is_answered_within_a_second_while_mexc_does_not_answer(
    world: World, bot: Program, before: str
):
    await bot.connect()
    async with silent(world):
        world.api.say(OWNER, before)
        await a_moment()
        world.api.say(OWNER, "/pause")

        await hears(world, OWNER, "Trading is paused")

        assert (await bot.account()).settings.paused


@pytest.mark.parametrize("before", ["/status", "/balance", "/rebalance", "/doctor", "/why"])
async def test_what_only_looks_keeps_nothing_of_its_chat_waiting(
    world: World, bot: Program, before: str
):
    await bot.connect()
    async with silent(world):
        world.api.say(OWNER, before)
        world.api.say(OWNER, "/version")

        await hears(world, OWNER, "Up for")


@pytest.mark.parametrize("pause", ["/pause", "stop."])
async def test_a_pause_cancels_and_names_what_would_have_started_trading(
    world: World, bot: Program, pause: str
):
    """In hand or waiting; what would not is carried out afterwards, in its order."""
    await bot.connect()
    await bot.ask(OWNER, "/pause")
    async with silent(world):
        for text in ("/setpair ABCUSDT", "/resume", "/limits order 20", "/mode auto", pause):
            world.api.say(OWNER, text)
        told = await hears(world, OWNER, "I cancelled")
    await hears(world, OWNER, "20.00 USDT", within=30)
    while await unfinished(bot):
        await a_moment()

    assert "Paused already" in told.text
    assert "I cancelled what came before this: /resume, /mode auto." in told.text
    account = await bot.account()
    assert (account.settings.paused, str(account.limits.order)) == (True, "20")


async def test_a_tap_on_trade_is_cancelled_by_the_pause_that_comes_after_it(
    world: World, bot: Program
):
    await bot.connect()
    world.mexc.deposit(KEY, "USDT", Decimal(20))
    await bot.ask(OWNER, "/rebalance")
    async with silent(world):
        world.api.say(OWNER, "/setpair ABCUSDT")
        await a_moment()
        world.api.tap(OWNER, "Trade")
        world.api.say(OWNER, "/pause")
        told = await hears(world, OWNER, "Trading is paused")

    assert "I cancelled what came before this: a tapped button." in told.text


async def test_a_halt_cancels_what_any_chat_sent_before(world: World, bot: Program):
    await bot.ask(FRIEND, "/dryrun on")
    await bot.connect()
    async with silent(world):
        world.api.say(FRIEND, "/setpair ABCUSDT")
        await a_moment()
        world.api.say(FRIEND, "/resume")
        world.api.say(OWNER, "/halt")
        told = await hears(world, OWNER, "Everything is halted")

    assert "I cancelled what came before this: /resume." in told.text


async def test_what_was_sent_before_its_author_was_known_is_cancelled_too(
    world: World, bot: Program
):
    await bot.connect()
    await bot.ask(OWNER, "/pause")
    async with silent(world):
        world.api.say(OWNER, "/setpair ABCUSDT")
        world.api.say(OWNER, "/resume")
        while await unfinished(bot) < 2:
            await a_moment()
        async with bot.database.writing() as session:
            waiting = update(InboxRow).where(InboxRow.claimed_until.is_(None))
            await session.execute(waiting.values(rank=queues.LAST))
        world.api.say(OWNER, "/pause")
        told = await hears(world, OWNER, "Paused already")

    assert "I cancelled what came before this: /resume." in told.text


async def test_a_strangers_or_a_viewers_pause_overtakes_and_cancels_nothing(
    world: World, bot: Program
):
    await bot.ask(OWNER, "/dryrun on")
    world.api.open_chat(GROUP)
    for chat_id in (STRANGER, GROUP):
        world.api.say(chat_id, "/pause", user_id=STRANGER)
    await bot.handled(world.api.say(OWNER, "/pause"))
    async with bot.database.reading() as session:
        rows = (await session.scalars(select(InboxRow).order_by(InboxRow.id))).all()

    assert [row.rank for row in rows][-3:] == [20, 10, 0]


async def test_hundreds_of_strangers_do_not_keep_an_owners_pause_waiting(
    world: World, bot: Program
):
    await bot.ask(OWNER, "/dryrun on")
    for user_id in range(10_000, 10_250):
        world.api.say(user_id, "hello")
    world.api.say(OWNER, "/pause")
    await hears(world, OWNER, "PAUSED", within=30)
    async with bot.database.reading() as session:
        query = select(InboxRow.id).where(
            InboxRow.chat_id >= 10_000, InboxRow.done_at.is_not(None)
        )
        handled = len((await session.scalars(query)).all())

    assert handled < 25


async def test_the_effect_of_a_resume_in_hand_does_not_come_after_the_pause(
    world: World, bot: Program
):
    """Its transaction finds its claim gone; its answer is not sent."""
    await bot.connect()
    await bot.ask(OWNER, "/pause")
    held, go_on = asyncio.Event(), asyncio.Event()
    resume = bot.parts.update_workers._handle

    async def slow(raw: dict[str, object]) -> None:
        message = raw.get("message")
        if isinstance(message, dict) and message.get("text") == "/resume":
            held.set()
            await go_on.wait()
        await resume(raw)

    bot.parts.update_workers._handle = slow
    update_id = world.api.say(OWNER, "/resume")
    await held.wait()
    paused = await bot.ask(OWNER, "/pause")
    go_on.set()
    while bot.parts.update_workers._workers._in_hand:
        await a_moment()
    await bot.handled(update_id)

    assert "I cancelled what came before this: /resume." in paused.text
    assert world.api.sent(OWNER)[-1].text == paused.text
    assert (await bot.account()).settings.paused


async def test_a_frozen_process_that_goes_on_does_not_carry_out_a_resume_after_a_newer_pause(
    world: World, postgres_url: str
):
    """Two processes on one PostgreSQL: the other one has taken the update over meanwhile."""
    world.url = postgres_url
    held, go_on = asyncio.Event(), asyncio.Event()
    env = {"ENCRYPTION_KEYS": Fernet.generate_key().decode()}
    async with world.program(env) as frozen:
        await frozen.connect()
        await frozen.ask(OWNER, "/mode ask")  # so that the other one need not see the market
        await frozen.ask(OWNER, "/pause")
        workers = frozen.parts.update_workers
        handle = workers._handle

        async def freeze(raw: dict[str, object]) -> None:
            workers._workers._stopping = True  # it renews nothing, and takes nothing
            held.set()
            await go_on.wait()
            await handle(raw)

        workers._handle = freeze
        world.api.say(OWNER, "/resume")
        await held.wait()
        world.clock.shift(HOLD + timedelta(seconds=1))
        known = len(world.api.sent(OWNER))
        async with world.program(env, polls=False) as other:
            await hears(world, OWNER, "Trading is on", within=30)
            await other.ask(OWNER, "/pause")
            go_on.set()
            while workers._workers._in_hand:
                await a_moment()

            assert (await other.account()).settings.paused
            on, paused = world.api.sent(OWNER)[known:]
            assert ("Trading is on" in on.text, "Trading is paused" in paused.text) == (True, True)
