"""`/sell ... over 1h` over the chat: the plan, the tap, the card while it runs, and its one end."""

from datetime import timedelta

from tests.bot.harness import OWNER, Program, World

PLAN = """\
🟢 LIVE · Sell MNTL over 15m?
3 slices of 10.00 USDT each
First now, last 12:10, over by 12:15 (UTC).
In all 30.00 USDT at about 0.001998.
It costs about 0.05 USDT with the fee. Your day's limit has 4,982.90 USDT left.
I trade nothing else meanwhile. Target 40.00 would buy it back. The first button pauses trading \
at the end, the second sets another target.
Tap within 90 s: I price it again first. /sell stop ends it early."""
ON_IT = """\
🟢 LIVE · On it
You tapped: sell MNTL for 30.00 USDT in 3 slices until 12:15.
I read your balance and the prices again before each slice.
I trade nothing else meanwhile. A slice that is missed is not made up for.
At the end trading pauses. /resume starts it again.
/status shows how far it is. I tell you when it is over.
To stop the rest: /sell stop"""
STOPPED = """\
⏸ PAUSED · Sold 10,014 MNTL over time
for 20.01 USDT at 0.001998. 2 of 3 slices traded.
It cost 0.03 USDT against the prices that I saw, with the fee of 0.01 USDT.
You stopped the rest.
Not traded: 10.00 USDT.
Trading is paused. /resume starts it again."""


async def test_a_sale_over_time_is_planned_tapped_shown_on_the_card_and_stopped(
    world: World, bot: Program
):
    await bot.connect()
    await bot.checked()

    plan = await bot.ask(OWNER, "/sell 30 USDT of MNTL over 15m")
    shown, labels = plan.text, plan.labels
    await bot.tap(OWNER, "Sell, then pause")
    first = await bot.checked()
    await bot.live_for(timedelta(minutes=6))
    card = await bot.ask(OWNER, "/status")
    running, stop_label = card.text, card.labels[0]
    why = await bot.ask(OWNER, "/why")
    other = await bot.ask(OWNER, "/buy 5")
    rebalance = await bot.ask(OWNER, "/rebalance")
    (stop,) = await bot.tap(OWNER, "Stop the rest", message=card)
    (over,) = await bot.checked()
    again = await bot.ask(OWNER, "/sell stop")
    history = await bot.ask(OWNER, "/history")

    assert shown == PLAN
    assert labels[0] == "Sell, then pause"
    assert plan.text == ON_IT
    assert first == []  # the slices are told together, at the end
    assert "Slices   2 of 3 over, next 12:10" in running
    assert stop_label == "Stop the rest"
    assert "Slices" not in card.text  # which was edited since then
    assert "A trade over time runs until" in why.text
    assert "A trade over time runs" in other.text
    assert other.text == rebalance.text
    assert "No further slice leaves from now on." in stop.text
    assert over.text == STOPPED
    assert "Nothing to stop" in again.text
    assert "slice 2 of 3" in history.text
    assert [order.side for order in world.mexc.orders] == ["BUY", "SELL", "SELL"]
    assert (await bot.account()).settings.paused


async def test_on_paper_a_pause_ends_it_and_a_second_plan_begins_nothing(
    world: World, bot: Program
):
    await bot.ask(OWNER, "/dryrun on")
    await bot.ask(OWNER, "/resume")
    await bot.checked()
    plan = await bot.ask(OWNER, "/buy 30 over 1h")
    stale = await bot.ask(OWNER, "/buy 30 over 1h")
    await bot.tap(OWNER, "Buy, then pause", message=plan)
    await bot.checked()

    await bot.tap(OWNER, "Buy, then pause", message=stale)
    paused = await bot.ask(OWNER, "/pause")
    (over,) = await bot.checked()
    await bot.live_for(timedelta(minutes=7))

    assert "This plan is out of date. No order was sent." in stale.text
    assert "Your trade over time ends here. I tell you what was traded." in paused.text
    assert "Trading was paused, which ends it." in over.text
    assert over.text.startswith("⏸ PAUSED (dry run) · Bought")
    assert "On paper: no real money moved." in over.text
    assert world.mexc.orders == []
