"""Trading over the chat: the plan and its one tap, pause and resume, and what every trade says."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from engine.storage.models.chat import ConfirmationRow
from engine.storage.models.trading import OrderRow, RunRequestRow
from tests.bot.harness import (
    FRIEND,
    GROUP,
    KEY,
    OWNER,
    Program,
    World,
    another_pair,
    calls_between,
)
from tests.fakes.mexc_faults import BAD_GATEWAY, DROPPED, Fault, refusal
from tests.fakes.tasks import a_moment
from tests.fakes.telegram_faults import HANG

ORDER = ("POST", "/api/v3/order")
PLACED = ("GET", "/api/v3/order")
TWO_MINUTES = timedelta(minutes=2)
BOUGHT = """\
🟢 LIVE · Bought 8,142 MNTL
for 16.30 USDT at 0.002002
Fee 0.01 USDT · MEXC filled 16.30 of 17.10 (normal)
USDT  57.10 → 40.79  (target 40.00)"""
SOLD = """\
🟢 LIVE · Sold 8,562 MNTL
for 17.11 USDT at 0.001998
Fee 0.01 USDT
USDT  22.90 → 40.00  (target 40.00)"""


async def on_target(world: World, bot: Program) -> None:
    """Trading is on, one trade is done, and then some come in, to 41.99 USDT: inside the band."""
    await bot.connect()
    await bot.checked()
    world.mexc.deposit(KEY, "USDT", Decimal("1.20"))


async def test_a_trade_alert_reads_as_promised(world: World, bot: Program):
    await bot.connect()

    (bought,) = await bot.checked()
    world.mexc.deposit(KEY, "USDT", Decimal("-17.89"))
    await bot.live_for(TWO_MINUTES)
    moved, sold = await bot.told(OWNER)

    assert moved.text.startswith("🟢 LIVE · 17.89 USDT left")
    assert bought.text == BOUGHT
    assert not bought.silent
    assert sold.text == SOLD
    assert [order.side for order in world.mexc.orders] == ["BUY", "SELL"]


async def test_nothing_is_said_and_nothing_written_while_the_balance_is_on_target(
    world: World, bot: Program
):
    await on_target(world, bot)
    await bot.live_for(TWO_MINUTES)
    await bot.told(OWNER)
    asked = world.mexc.requests.copy()

    await bot.live_for(TWO_MINUTES)
    news = await bot.told(OWNER)

    assert news == []
    assert world.mexc.requests - asked == {("GET", "/api/v3/account"): 1}


async def test_a_rebalance_is_shown_tapped_traded_and_told(world: World, bot: Program):
    await on_target(world, bot)

    plan = await bot.ask(OWNER, "/rebalance")
    shown, labels = plan.text, plan.labels
    start = len(world.api.calls)
    news = await bot.tap(OWNER, "Trade")
    called, sent = calls_between(world.api, start), world.mexc.order_posts.total()
    (bought,) = await bot.checked()

    assert shown.splitlines()[:2] == [
        "🟢 LIVE · Plan for MNTL/USDT",
        "You hold 41.99 USDT, 1.99 USDT over the target of 40.00 (+5.0%).",
    ]
    assert "I would not trade, you may." in shown
    assert "Buy about 94" in shown
    assert "of 1.99 (normal)." in shown
    assert "within 90 s" in shown
    assert labels == ["Trade"]
    # The keyboard goes first, then the words change; only then does anything leave.
    assert called == ["answerCallbackQuery", "editMessageReplyMarkup", "editMessageText"]
    assert sent == 1
    assert news == []
    assert plan.labels == []
    assert plan.text.splitlines()[:2] == [
        "🟢 LIVE · On it",
        "You tapped Trade: I buy MNTL for up to 1.99 USDT.",
    ]
    assert bought.text.startswith("🟢 LIVE · Bought 94")
    assert world.mexc.order_posts.total() == 2


async def test_a_button_shows_the_plan_as_the_command_does(world: World, bot: Program):
    await on_target(world, bot)
    await bot.ask(OWNER, "/status")

    (plan,) = await bot.tap(OWNER, "Rebalance…")

    assert "Plan for MNTL/USDT" in plan.text
    assert plan.labels == ["Trade"]


async def test_a_plan_too_small_for_mexc_has_no_button(bot: Program):
    await bot.connect()
    await bot.checked()

    plan = await bot.ask(OWNER, "/rebalance")

    assert "Buying MNTL for 0.79 USDT is too small" in plan.text
    assert "There is nothing to trade now." in plan.text
    assert plan.labels == []


async def test_without_a_key_there_is_no_plan(bot: Program):
    plan = await bot.ask(OWNER, "/rebalance")
    resume = await bot.ask(OWNER, "/resume")

    for answer in (plan, resume):
        assert "⏸ PAUSED · No key yet" in answer.text
        assert answer.labels == ["Connect"]
    assert (await bot.account()).settings.paused


async def test_while_paused_a_plan_has_no_trade_button(world: World, bot: Program):
    await on_target(world, bot)
    await bot.ask(OWNER, "/pause")

    plan = await bot.ask(OWNER, "/rebalance")

    assert "Trading is paused, so this is only a plan." in plan.text
    assert plan.labels == ["Resume"]


async def test_no_plan_is_made_of_guesses(world: World, bot: Program):
    await bot.connect()
    gone = world.mexc.inject(Fault("GET", "/api/v3/account", reply=BAD_GATEWAY, times=None))
    away = await bot.ask(OWNER, "/rebalance")
    world.mexc.remove(gone)
    world.mexc.inject(Fault("GET", "/api/v3/account", reply=refusal(700007, "No permission")))
    refused = await bot.ask(OWNER, "/rebalance")

    assert "MEXC does not answer, so I do not know what you hold." in away.text
    assert "MEXC refused: “No permission”." in refused.text
    assert away.labels == refused.labels == []


async def test_a_plan_is_declined_when_the_price_has_moved_away(world: World, bot: Program):
    await on_target(world, bot)
    await bot.ask(OWNER, "/rebalance")
    world.mexc.deposit(KEY, "USDT", Decimal(10))

    await bot.tap(OWNER, "Trade")
    (declined,) = await bot.checked()

    assert declined.text.splitlines() == [
        "🟢 LIVE · Nothing traded",
        "No order was sent: the plan no longer fits.",
        "Now I would buy MNTL for about 11.99 USDT.",
        "New plan: /rebalance",
    ]
    assert declined.labels == ["Rebalance"]
    assert world.mexc.order_posts.total() == 1


async def test_a_plan_that_is_not_possible_any_more_says_why(world: World, bot: Program):
    await on_target(world, bot)
    await bot.ask(OWNER, "/rebalance")
    world.mexc.deposit(KEY, "USDT", Decimal("-1.90"))

    await bot.tap(OWNER, "Trade")
    (declined,) = await bot.checked()

    assert "Nothing traded" in declined.text
    assert "is too small" in declined.text
    assert "You hold 40.09 USDT, the target is 40.00 USDT." in declined.text


async def test_a_tap_works_once(world: World, bot: Program):
    await on_target(world, bot)
    plan = await bot.ask(OWNER, "/rebalance")
    button = plan.button("Trade")
    await bot.tap(OWNER, "Trade")
    shown = plan.text

    assert button is not None
    second = world.api.tap(OWNER, str(button.data), message=plan, forged=True)
    await bot.handled(second)
    await bot.checked()
    third = world.api.tap(OWNER, str(button.data), message=plan, forged=True)
    await bot.handled(third)
    await bot.check()

    assert plan.text == shown  # "On it" stays in sight
    for again in (second, third):
        assert (
            "Nothing more happened: this button works once"
            in world.api.answers[str(again)]["text"]
        )
    assert world.mexc.order_posts.total() == 2


async def test_a_stale_tap_sends_nothing_and_offers_a_new_plan(world: World, bot: Program):
    await on_target(world, bot)
    plan = await bot.ask(OWNER, "/rebalance")
    world.clock.shift(timedelta(seconds=91))

    await bot.tap(OWNER, "Trade")
    expired, labels = plan.text, plan.labels
    news = await bot.checked()
    (fresh,) = await bot.tap(OWNER, "Rebalance")

    assert "too old to trade." in expired
    assert labels == ["Rebalance"]
    assert [told.text.splitlines()[0] for told in news] == ["🟢 LIVE · 1.20 USDT arrived"]
    assert fresh.labels == ["Trade"]
    assert world.mexc.order_posts.total() == 1


@pytest.mark.parametrize("command", ["/rebalance", "/disconnect", "/settarget 1,000"])
async def test_a_question_that_is_used_up_meanwhile_is_closed(world: World, command: str):
    """As another copy of the program would do it, between two steps of ours."""
    async with world.program(telegram_patience_s=2) as bot:
        await on_target(world, bot)
        question = await bot.ask(OWNER, command)
        before = await bot.account()
        world.api.fail("editMessageReplyMarkup", HANG)
        tapped = world.api.tap(OWNER, question.labels[0])
        await world.api.wait_until(lambda: bool(world.api.called("editMessageReplyMarkup")))
        async with bot.database.writing() as session:
            await session.execute(update(ConfirmationRow).values(used_at=world.clock.now()))

        await bot.handled(tapped)
        after, requests = await bot.account(), await bot.count(RunRequestRow)

    assert "Nothing changed: this question is closed." in question.text
    assert (after, requests) == (before, 0)


async def test_a_tap_just_in_time_counts(world: World, bot: Program):
    await on_target(world, bot)
    await bot.ask(OWNER, "/rebalance")
    world.clock.shift(timedelta(seconds=89))

    await bot.tap(OWNER, "Trade")
    _, bought = await bot.checked()

    assert "Bought" in bought.text


async def test_a_tap_works_after_a_restart(world: World):
    async with world.program() as first:
        await on_target(world, first)
        await first.ask(OWNER, "/rebalance")
    async with world.program() as second:
        await second.tap(OWNER, "Trade")
        (bought,) = await second.checked()

    assert "Bought" in bought.text


async def test_a_run_that_was_tapped_is_done_after_a_restart(world: World):
    async with world.program() as first:
        await on_target(world, first)
        await first.ask(OWNER, "/rebalance")
        await first.tap(OWNER, "Trade")
    async with world.program() as second:
        (bought,) = await second.checked()
        await second.live_for(timedelta(seconds=40))

    assert "Bought" in bought.text
    assert world.mexc.order_posts.total() == 2


async def test_a_plan_belongs_to_whom_it_was_shown(world: World, bot: Program):
    await bot.say(GROUP, "/dryrun on", user_id=OWNER, chat_type="group")
    await bot.say(GROUP, "/resume", user_id=OWNER, chat_type="group")
    (plan,) = await bot.say(GROUP, "/rebalance", user_id=OWNER, chat_type="group")
    shown = plan.text
    start = len(world.api.calls)

    foreign = world.api.tap(GROUP, "Trade", user_id=FRIEND)
    await bot.handled(foreign)

    assert calls_between(world.api, start) == ["answerCallbackQuery"]
    assert "for the person who asked" in world.api.answers[str(foreign)]["text"]
    assert (plan.text, plan.labels) == (shown, ["Trade"])

    await bot.tap(GROUP, "Trade", user_id=OWNER)

    assert "On it" in plan.text


async def test_forged_buttons_do_nothing(world: World, bot: Program):
    await on_target(world, bot)
    plan = await bot.ask(OWNER, "/rebalance")
    choice = await bot.ask(OWNER, "/settarget 1,000")
    mine = str((plan.button("Trade") or plan.buttons[0][0]).data).removeprefix("yes:")
    question = str(choice.buttons[0][0].data).split(":")[1]
    before = await bot.account()
    shown = [message.text for message in world.api.sent(OWNER)]
    forged = (
        "",
        "nonsense",
        "do:withdraw:",
        "do:settarget:40 USDT; drop",
        "yes:nosuchquestion",
        f"pick:{mine}:0",
        f"yes:{question}",
        f"pick:{question}:7",
        f"pick:{question}:-1",
        "page:1:9999",
        "x" * 64,
    )

    taps = [world.api.tap(OWNER, data, forged=True, message=plan) for data in forged]
    elsewhere = world.api.tap(OWNER, f"yes:{mine}", user_id=FRIEND, message=plan)
    for update_id in taps:
        await bot.handled(update_id)
        assert "this button works no more" in world.api.answers[str(update_id)]["text"]
    await bot.handled(elsewhere)

    assert [message.text for message in world.api.sent(OWNER)] == shown
    assert plan.labels == ["Trade"]
    assert choice.labels == ["/settarget 1000 USDT", "/settarget 1 USDT"]
    assert await bot.account() == before
    assert await bot.count(RunRequestRow) == 0


async def test_a_question_is_known_only_in_its_own_chat(world: World, bot: Program):
    await on_target(world, bot)
    plan = await bot.ask(OWNER, "/rebalance")
    await bot.say(GROUP, "/version", user_id=OWNER, chat_type="group")

    update_id = world.api.tap(GROUP, str(plan.buttons[0][0].data), user_id=OWNER, forged=True)
    await bot.handled(update_id)

    assert "this button works no more" in world.api.answers[str(update_id)]["text"]
    assert plan.labels == ["Trade"]


async def test_a_plan_made_for_another_pair_or_mode_is_not_traded(world: World, bot: Program):
    world.mexc.add_pair(another_pair())
    await on_target(world, bot)

    for changing in (["/setpair ABC"], ["/dryrun on"], ["/dryrun off", "/resume"]):
        plan = await bot.ask(OWNER, "/rebalance")
        for command in changing:
            answer = await bot.ask(OWNER, command)
            if "Trade for real" in answer.labels:
                await bot.tap(OWNER, "Trade for real")
        await bot.tap(OWNER, "Trade", message=plan)
        await bot.check()

        assert "Nothing was sent: this plan was made for other settings." in plan.text
        assert plan.labels == ["Rebalance"]
    assert world.mexc.order_posts.total() == 1
    assert await bot.count(OrderRow) == 1


async def test_a_plan_is_not_traded_after_a_pause(world: World, bot: Program):
    await on_target(world, bot)
    plan = await bot.ask(OWNER, "/rebalance")
    await bot.ask(OWNER, "/pause")

    await bot.tap(OWNER, "Trade")
    news = await bot.checked()

    assert "⏸ PAUSED · Nothing traded" in plan.text
    assert plan.labels == ["Resume"]
    assert news == []
    assert world.mexc.order_posts.total() == 1


async def test_a_pause_calls_a_tapped_run_off_for_good(world: World, bot: Program):
    await on_target(world, bot)
    await bot.ask(OWNER, "/rebalance")
    await bot.tap(OWNER, "Trade")

    paused = await bot.ask(OWNER, "/pause")
    await bot.ask(OWNER, "/settarget 42")
    await bot.ask(OWNER, "/resume")
    news = await bot.checked()

    assert "The trade you tapped is called off." in paused.text
    assert news == []
    assert world.mexc.order_posts.total() == 1


async def test_another_pair_calls_a_tapped_run_off(world: World, bot: Program):
    world.mexc.add_pair(another_pair())
    await on_target(world, bot)
    await bot.ask(OWNER, "/rebalance")
    await bot.tap(OWNER, "Trade")

    await bot.ask(OWNER, "/setpair ABC")

    assert await bot.count(RunRequestRow) == 0


async def test_pausing_twice_changes_nothing_and_resuming_twice_neither(bot: Program):
    await bot.connect()
    resumed = await bot.ask(OWNER, "/resume")
    paused = await bot.ask(OWNER, "/pause")
    before = await bot.account()
    again = await bot.ask(OWNER, "/pause")
    after = await bot.account()
    news = await bot.checked()
    (running,) = await bot.tap(OWNER, "Resume")

    assert "Trading is on already" in resumed.text
    assert "⏸ PAUSED · Trading is paused\nNo order leaves from now on." in paused.text
    assert "⏸ PAUSED · Paused already" in again.text
    assert before == after
    assert news == []
    assert "🟢 LIVE · Trading is on" in running.text


async def test_resuming_says_what_the_next_check_would_do(bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/pause")

    resumed = await bot.ask(OWNER, "/resume")

    assert "I hold 40.00 USDT for you with real money." in resumed.text
    assert "Band 38.00 – 42.00 USDT (±5%)" in resumed.text
    assert "Next check: I buy 8,142 MNTL for about 16.30 USDT." in resumed.text


async def test_an_order_under_way_is_mentioned_when_pausing(world: World, bot: Program):
    await bot.connect()
    world.mexc.inject(Fault(*ORDER, reply=DROPPED, executes=True))
    lost = world.mexc.inject(Fault(*PLACED, reply=BAD_GATEWAY, times=None))
    (unclear,) = await bot.checked()

    paused = await bot.ask(OWNER, "/pause")
    status = await bot.ask(OWNER, "/status")
    why = await bot.ask(OWNER, "/why")
    world.mexc.remove(lost)
    await bot.live_for(timedelta(seconds=40))
    (late,) = await bot.told(OWNER)

    assert "⚠️ LIVE · An order is unclear" in unclear.text
    assert "It is not sent again." in unclear.text
    assert "One order may still fill: it was sent before, for about 17.10 USDT." in paused.edits[0]
    assert "The order sent before is over: it bought 8,142 MNTL for 16.30 USDT." in paused.text
    assert "An order to buy MNTL for about 17.10 USDT is not confirmed" in status.text
    assert "not known yet. I look it up" in why.text
    assert late.text.startswith("⏸ PAUSED · Bought 8,142 MNTL")
    assert "Confirmed late" in late.text
    assert world.mexc.order_posts.total() == 1


async def test_a_pause_wins_against_a_check_that_is_still_planning(world: World, bot: Program):
    await bot.connect()
    world.clock.shift(timedelta(seconds=2))  # the book that /resume has read is old now
    fault = Fault("GET", "/api/v3/depth", answer_delay=timedelta(seconds=1))
    world.mexc.inject(fault)
    await bot.parts.dispatcher.tick()
    while fault.times:
        await a_moment()

    paused = await bot.ask(OWNER, "/pause")
    await bot.check()

    assert "No order leaves from now on." in paused.text
    assert "One sent before" not in paused.text
    assert world.mexc.order_posts.total() == 0
    assert await bot.count(OrderRow) == 1  # planned, and dropped at the gate


async def test_a_refused_key_pauses_with_a_way_out_and_the_end_is_told(world: World, bot: Program):
    await bot.connect()
    world.mexc.ledger.accounts[KEY].addresses = ("203.0.113.7",)
    (trouble,) = await bot.checked()
    status = await bot.ask(OWNER, "/status")
    why = await bot.ask(OWNER, "/why")
    balance = await bot.ask(OWNER, "/balance")
    world.mexc.ledger.accounts[KEY].addresses = ()
    world.mexc.deposit(KEY, "USDT", Decimal("-17.10"))
    (resumed,) = await bot.tap(OWNER, "Resume", message=trouble)
    await bot.live_for(timedelta(minutes=8))
    (over,) = await bot.told(OWNER)

    assert trouble.text.splitlines() == [
        "⚠️ PAUSED · MEXC refuses the key",
        "No order was sent.",
        "The key allows other internet addresses, not mine.",
        "MEXC answered “IP [127.0.0.1] not in the ip white list”.",
        "Trading is paused for this chat.",
        "Add the address 127.0.0.1 to the key at MEXC. Then send /resume.",
    ]
    assert "⏸ PAUSED" in status.text
    assert "⚠️ MEXC refuses the key. More: /why" in status.text
    assert "other internet addresses" in why.text
    assert "MEXC refused: “IP [127.0.0.1] not in the ip white list”." in balance.text
    assert "Trading is on" in resumed.text
    assert "✅ LIVE · MEXC takes the key again" in over.text


async def test_repeated_trouble_is_counted_and_its_end_told(world: World, bot: Program):
    await bot.connect()
    await bot.checked()
    gone = world.mexc.inject(Fault("GET", "/api/v3/account", reply=BAD_GATEWAY, times=None))
    await bot.live_for(timedelta(minutes=14))
    told = await bot.told(OWNER)
    status = await bot.ask(OWNER, "/status")
    world.mexc.remove(gone)
    await bot.live_for(timedelta(minutes=8))
    (over,) = await bot.told(OWNER)

    assert [message.text.splitlines()[0] for message in told] == ["⚠️ LIVE · MEXC does not answer"]
    assert "times since 22 Nov 12:02 UTC. More: /why" in status.text
    assert over.text.splitlines()[0] == "✅ LIVE · MEXC answers again"
    assert "(13 failed tries)" in over.text


async def test_what_a_check_could_not_trade_is_told_and_explained(world: World, bot: Program):
    await bot.connect()
    world.mexc.ledger.pairs["MNTLUSDT"].asks = []
    world.clock.shift(timedelta(seconds=2))  # the book that /resume has read is old now

    (blocked,) = await bot.checked()
    why = await bot.ask(OWNER, "/why")

    assert "⚠️ LIVE · I could not trade" in blocked.text
    for answer in (blocked, why):
        assert "No seller of MNTL within 5% of the last price." in answer.text
    assert "It saw 57.10 USDT and 91,858 MNTL." in why.text


THIN = [(Decimal("0.002002"), Decimal(3000)), (Decimal("0.002015"), Decimal(1696))]


async def test_the_plan_in_a_thin_book_says_what_the_trade_then_does(world: World, bot: Program):
    """Whatever is asked, no more is bought than is for sale."""
    world.mexc.deposit(KEY, "USDT", Decimal("42.90"))
    world.mexc.ledger.pairs["MNTLUSDT"].asks = THIN
    await bot.connect()

    target = await bot.ask(OWNER, "/settarget 41")
    why = await bot.ask(OWNER, "/why")
    plan = await bot.ask(OWNER, "/rebalance")
    shown = plan.text
    await bot.tap(OWNER, "Trade")
    (bought,) = [news for news in await bot.checked() if "Bought" in news.text]

    for said in (target.text, why.text):
        assert "Next check: I buy 4,696 MNTL for about 9.42 USDT." in said
        assert "Only 9.42 USDT of 59.00 USDT" in said
    assert "Buy about 4,696 MNTL\nfor about 9.42 USDT at about 0.002007" in shown
    assert "Only 9.42 USDT of 59.00 USDT" in shown
    assert "USDT  100.00 → about 90.57" in shown
    assert "Bought 4,696 MNTL\nfor 9.42 USDT at 0.002007" in bought.text
    assert "USDT  100.00 → 90.57" in bought.text


async def test_a_target_that_all_the_coins_cannot_reach_is_said_to_be_out_of_reach(
    world: World, bot: Program
):
    await bot.connect()

    echo = await bot.ask(OWNER, "/settarget 1500")
    plan = await bot.ask(OWNER, "/rebalance")

    owned = "your USDT and MNTL are worth about 240.82 USDT"
    assert f"You cannot reach the target of 1,500.00 USDT: {owned}" in echo.text
    assert "cannot reach the target" not in plan.text  # which is still 40
