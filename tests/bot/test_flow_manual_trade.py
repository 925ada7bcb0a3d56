"""`/buy` and `/sell` over the chat: the plan says what becomes of trading, one tap makes it so."""

from datetime import timedelta

from tests.bot.harness import OWNER, Program, World

TWO_MINUTES = timedelta(minutes=2)
SELL_HALF = """\
🟢 LIVE · Sell MNTL?
Sell 50,000 MNTL
for about 99.90 USDT at about 0.001998
Fee 0.05 USDT
USDT  40.79 → about 140.64
Target 40.00 would buy it back. The first button pauses trading, the second sets another target.
Tap within 90 s: I price it again first. /sell makes a new plan."""
ON_IT = """\
🟢 LIVE · On it
You tapped: sell MNTL for about 99.85 USDT.
I read your balance and the prices again. Then I trade, or tell you why not.
Trading pauses when the order leaves. /resume starts it again."""
SOLD = """\
⏸ PAUSED · Sold 50,000 MNTL
for 99.90 USDT at 0.001998
Fee 0.05 USDT
USDT  40.79 → 140.64  (target 40.00)"""


async def test_a_sale_that_the_target_would_undo_says_so_before_the_tap_and_pauses(
    world: World, bot: Program
):
    await bot.connect()
    await bot.checked()

    plan = await bot.ask(OWNER, "/sell 50%")
    shown, labels = plan.text, plan.labels
    await bot.tap(OWNER, "Sell, then pause")
    (sold,) = await bot.checked()

    assert shown == SELL_HALF
    assert labels == ["Sell, then pause", "Sell, then target 140.64"]
    assert plan.text == ON_IT
    assert sold.text == SOLD
    assert await bot.checked() == []
    assert [order.side for order in world.mexc.orders] == ["BUY", "SELL"]
    assert (await bot.account()).settings.paused


async def test_in_a_pause_a_trade_by_hand_still_leaves_with_its_tap(world: World, bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/pause")

    plan = await bot.ask(OWNER, "/buy 10 USDT of MNTL")
    shown, labels = plan.text, plan.labels
    await bot.tap(OWNER, "Buy")
    (bought,) = await bot.checked()
    other = await bot.ask(OWNER, "/buy 10 of MX")

    assert "Trading is paused and stays paused. Your tap sends this one order." in shown
    assert labels == ["Buy"]
    assert bought.text.startswith("⏸ PAUSED · Bought")
    assert world.mexc.orders[0].side == "BUY"
    assert "This chat trades MNTL/USDT only." in other.text


async def test_the_other_button_sets_the_target_and_nothing_is_traded_back(
    world: World, bot: Program
):
    await bot.ask(OWNER, "/dryrun on")
    await bot.ask(OWNER, "/resume")
    await bot.checked()

    plan = await bot.ask(OWNER, "/sell 20 USDT")
    shown = plan.text
    [label] = [label for label in plan.labels if "target" in label]
    await bot.tap(OWNER, label)
    told = await bot.checked()
    await bot.live_for(TWO_MINUTES)

    assert "On paper: no real money moves." in shown
    assert [message.text.split(" · ")[1].split()[0] for message in told] == ["Sold"]
    assert await bot.told(OWNER) == []
    assert world.mexc.orders == []
    settings = (await bot.account()).settings
    assert (label, settings.paused) == (f"Sell, then target {settings.fixed_goal.target}", False)
    assert f"the target becomes {settings.fixed_goal.target} USDT." in plan.text


async def test_a_bare_command_listens_and_a_number_that_may_mean_two_things_is_asked_about(
    bot: Program,
):
    await bot.connect()

    form = await bot.ask(OWNER, "/sell")
    plan = await bot.ask(OWNER, "25%")
    unclear = await bot.ask(OWNER, "/sell 50")
    readings = unclear.labels
    await bot.tap(OWNER, "/sell 50 USDT")

    assert form.labels == ["25%", "50%", "All"]
    assert "Sell 22,964 MNTL" in plan.text
    assert readings == ["/sell 50%", "/sell 50 USDT"]
    assert "for about 50.0" in unclear.text
