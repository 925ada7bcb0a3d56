"""`/limits` and `/halt` through the whole program: set, told, obeyed, and there after a restart."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from engine.domain.accounts.risk_limits import Limits
from engine.storage.models.accounts import AuditRow
from tests.bot.harness import FRIEND, OWNER, Program, World
from tests.fakes.mexc_faults import BAD_GATEWAY, DROPPED, Fault

FRIENDS_KEY = ("mx0vglFriendKeyFR13", "f1d5ec3e7c0ffee5ec3e7c0ffee5ec3e")


@pytest.fixture
async def both(world: World, bot: Program) -> Program:
    """The owner and a friend, each with an account that trades."""
    world.mexc.add_account(*FRIENDS_KEY, USDT="57.10", MNTL="91858")
    await bot.connect()
    await bot.ask(FRIEND, f"/connect {FRIENDS_KEY[0]} {FRIENDS_KEY[1]}")
    await bot.ask(FRIEND, "/resume")
    return bot


async def test_the_limits_are_shown_set_and_obeyed(world: World, bot: Program):
    await bot.connect()
    shown = await bot.ask(OWNER, "/limits")
    small = await bot.ask(OWNER, "/limits order 10")
    [refused] = await bot.checked()
    raised = await bot.ask(OWNER, "/limits order auto")
    [bought] = await bot.checked()

    assert "Order    1,000.00 USDT (auto)" in shown.text
    assert "🟢 LIVE · Limits set" in small.text
    assert "Next check: I send nothing. Blocked by your limit" in small.text
    assert "the order would be 17.10 USDT, you allow 10.00." in refused.text
    assert "To allow it: /limits order 18" in refused.text
    assert "Next check: I buy 8,142 MNTL for about 16.30 USDT." in raised.text
    assert "Bought" in bought.text
    assert len(world.mexc.orders) == 1


async def test_what_is_used_is_counted(bot: Program):
    await bot.connect()
    await bot.checked()

    shown = await bot.ask(OWNER, "/limits")

    assert "         17.10 USDT used\n" in shown.text
    assert "         1 used\n" in shown.text


async def test_a_broken_limit_is_told_by_why_status_and_the_plan(bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/limits order 10")
    await bot.checked()
    words = "the order would be 17.10 USDT, you allow 10.00."

    assert words in (await bot.ask(OWNER, "/why")).text
    plan = await bot.ask(OWNER, "/rebalance")
    assert words in plan.text
    assert plan.labels == []
    assert "I could not trade" in (await bot.ask(OWNER, "/status")).text


async def test_an_amount_that_is_ambiguous_is_asked_about(bot: Program):
    question = await bot.ask(OWNER, "/limits order 1,000")
    before = (await bot.account()).limits
    await bot.tap(OWNER, "/limits order 1000 USDT")

    assert "I am not sure how to read" in question.edits[0]
    assert before == Limits()
    assert (await bot.account()).limits == Limits(order=Decimal(1000))


async def test_what_is_not_understood_changes_nothing(bot: Program):
    answer = await bot.ask(OWNER, "/limits order many")

    assert "Nothing changed" in answer.text
    assert "/limits order 500" in answer.text
    assert (await bot.account()).limits == Limits()


async def test_limits_are_there_after_a_restart(world: World):
    async with world.program() as first:
        await first.ask(OWNER, "/limits price 15%")
    async with world.program() as second:
        shown = await second.ask(OWNER, "/limits")
        automatic = await second.tap(OWNER, "/limits auto")

    assert "Price    moves 15%" in shown.text
    assert "Price    moves 20% (auto)" in automatic[0].text


async def test_the_owner_halts_every_chat_at_once(world: World, both: Program):
    answer = await both.ask(OWNER, "/halt")
    heard = await both.told(FRIEND)
    await both.live_for(timedelta(minutes=5))

    assert "🛑 HALTED · Everything is halted" in answer.text
    assert answer.labels == ["Lift the halt"]
    assert ["🛑 HALTED · My owner halted all chats" in alert.text for alert in heard] == [True]
    assert not world.mexc.orders
    for chat_id in (OWNER, FRIEND):
        status = await both.ask(chat_id, "/status")
        assert "🛑 HALTED" in status.text.splitlines()[0]
        assert "nothing while halted" in status.text
    assert "🛑 HALTED" in (await both.ask(FRIEND, "/why")).text


async def test_nothing_but_the_owners_word_ends_a_halt_and_all_is_as_before(
    world: World, both: Program
):
    await both.ask(FRIEND, "/pause")
    await both.ask(OWNER, "/halt")
    resumed = await both.ask(FRIEND, "/resume")
    tried = await both.ask(FRIEND, "/halt off")
    again = await both.ask(OWNER, "/halt")
    await both.checked()
    quiet = len(world.mexc.orders)
    [lifted] = await both.tap(OWNER, "Lift the halt")
    asked = lifted.text
    await both.check()
    still_quiet = len(world.mexc.orders)
    await both.tap(OWNER, "Yes, lift it")
    heard = await both.told(FRIEND)
    await both.check()

    assert "🛑 HALTED · Nothing changed" in resumed.text
    assert "Only my owner can halt all chats or lift a halt" in tried.text
    assert "Halted already" in again.text
    assert (quiet, still_quiet) == (0, 0)
    assert "🛑 HALTED · Lift the halt?" in asked
    assert "1 chat trades again at once.\n1 of them uses real money.\n1 chat stays" in asked
    assert "🟢 LIVE · The halt is lifted" in lifted.text
    assert "⏸ PAUSED · The halt is lifted" in heard[-1].text
    assert len(world.mexc.orders) == 1
    assert (await both.account(FRIEND)).settings.paused


async def test_a_friend_cannot_halt_and_is_told_of_the_pause(both: Program):
    answer = await both.ask(FRIEND, "/halt")

    assert "Only my owner can halt all chats" in answer.text
    assert answer.labels == ["Pause"]
    assert not (await both.account(FRIEND)).halted


async def test_a_plan_tapped_after_the_halt_trades_nothing(world: World, both: Program):
    plan = await both.ask(FRIEND, "/rebalance")
    await both.ask(OWNER, "/halt")
    await both.tap(FRIEND, "Trade")
    without_button = await both.ask(FRIEND, "/rebalance")
    await both.check()

    assert "🛑 HALTED · Nothing traded" in plan.text
    assert without_button.labels == []
    assert not world.mexc.orders


async def test_an_order_that_had_left_before_the_halt_is_told_and_looked_up(
    world: World, both: Program
):
    look_up = Fault("GET", "/api/v3/order", reply=BAD_GATEWAY, times=None)
    world.mexc.inject(Fault("POST", "/api/v3/order", reply=DROPPED, executes=True))
    world.mexc.inject(look_up)
    await both.ask(FRIEND, "/pause")
    await both.checked()

    answer = await both.ask(OWNER, "/halt")
    world.mexc.remove(look_up)
    await both.live_for(timedelta(minutes=1))
    told = await both.told(OWNER)

    assert "One order of about 17.10 USDT was sent before and may still be filled" in answer.text
    assert "Bought" in told[-1].text
    assert len(world.mexc.orders) == 1


async def test_a_halt_is_there_after_a_restart_and_new_chats_are_in_it(world: World):
    async with world.program() as first:
        await first.connect()
        await first.ask(OWNER, "/halt")
    async with world.program() as second:
        await second.checked()
        # Taken down now: a card is kept true, also when the halt is lifted.
        status = (await second.ask(OWNER, "/status")).text
        newcomer = (await second.ask(FRIEND, "/status")).text
        await second.ask(OWNER, "/halt off")
        await second.tap(OWNER, "Yes, lift it")
        await second.checked()

        assert "🛑 HALTED" in status
        assert "🛑 HALTED" in newcomer
        assert not (await second.account(FRIEND)).halted
        assert len(world.mexc.orders) == 1


async def test_a_halt_is_never_too_old_but_lifting_it_may_be(world: World):
    halting = world.api.say(OWNER, "/halt")
    world.clock.shift(timedelta(minutes=11))
    async with world.program() as first:
        await first.handled(halting)
        await first.ask(OWNER, "/status")
    lifting = world.api.say(OWNER, "/halt off")
    world.clock.shift(timedelta(minutes=11))
    async with world.program() as second:
        await second.handled(lifting)

        assert (await second.account()).halted

    texts = [message.text for message in world.api.sent(OWNER)]
    assert "Everything is halted" in texts[0]
    assert "You sent “/halt off” 11 min ago" in texts[-1]


async def test_an_unknown_word_after_halt_does_nothing(bot: Program):
    answer = await bot.ask(OWNER, "/halt tomorrow")

    assert "Nothing changed" in answer.text
    assert "🛑" not in (await bot.ask(OWNER, "/status")).text


async def test_who_halted_and_who_set_limits_can_be_looked_up_later(bot: Program):
    await bot.ask(OWNER, "/limits hour 20")
    await bot.ask(OWNER, "/halt")
    await bot.ask(OWNER, "/halt off")
    await bot.tap(OWNER, "Yes, lift it")

    async with bot.database.reading() as session:
        lines = (await session.scalars(select(AuditRow).order_by(AuditRow.id))).all()
    assert [(line.action, line.user_id) for line in lines] == [
        ("limits", OWNER),
        ("halt", OWNER),
        ("lift the halt", OWNER),
    ]
