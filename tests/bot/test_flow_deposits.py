"""Money that comes and goes by other hands, through the whole program: told, asked about, obeyed."""

from decimal import Decimal

from tests.bot.harness import KEY, OWNER, Program, World

D = Decimal


async def on_target(world: World, bot: Program, mode: str = "auto") -> None:
    """A chat that holds 40.00 USDT and was looked at."""
    world.mexc.deposit(KEY, "USDT", D("-17.10"))
    await bot.connect()
    await bot.ask(OWNER, f"/mode {mode}")
    assert await bot.checked() == []


async def after_a_deposit(world: World, bot: Program, amount: str = "100") -> None:
    world.mexc.deposit(KEY, "USDT", D(amount))
    bot.parts.dispatcher._account_queue.schedule((await bot.account()).id, world.clock.now())
    await bot.check()


async def test_a_deposit_is_told_and_traded_and_the_target_can_be_raised(
    world: World, bot: Program
):
    await on_target(world, bot)
    await after_a_deposit(world, bot)
    told, bought = await bot.told(OWNER)
    text, labels = told.text, told.labels

    await bot.tap(OWNER, "Target 140.00", message=told)
    asked, target_then = told.text, (await bot.account()).settings.target
    await bot.tap(OWNER, "Set 140.00 USDT", message=told)

    assert text.startswith("🟢 LIVE · 100.00 USDT arrived")
    assert "USDT  40.00 → 140.00  (target 40.00)" in text
    assert "outside the band of 38.00 – 42.00 USDT for MNTL, so I trade it as always" in text
    assert "What was traded by then is traded back." in text
    assert labels == ["Target 140.00", "Leave it"]
    assert "Bought" in bought.text
    # It was traded meanwhile, so that much would move again: the person is asked as always.
    assert asked.startswith("🟢 LIVE · Set the target to 140.00 USDT?")
    assert target_then == D(40)
    assert told.text.startswith("🟢 LIVE · Target set to 140.00 USDT")
    assert "Band 133.00 – 147.00 USDT" in told.text
    assert "Undo" in " ".join(told.labels)
    assert (await bot.account()).settings.target == D(140)


async def test_in_a_chat_that_is_only_told_nothing_is_traded_before_the_answer(
    world: World, bot: Program
):
    await on_target(world, bot, "notify")
    await after_a_deposit(world, bot)
    told, noticed = await bot.told(OWNER)
    labels = told.labels

    (plan,) = await bot.tap(OWNER, "Trade it", message=told)
    await bot.tap(OWNER, "Leave it", message=told)

    assert labels == ["Trade it", "Target 140.00", "Leave it"]
    assert "Off target" in noticed.text
    assert "Plan for MNTL/USDT" in plan.text
    assert told.text.startswith("🟢 LIVE · Target stays 40.00 USDT")
    assert world.mexc.order_posts.total() == 0


async def test_a_target_that_was_changed_since_is_left_as_it_is(world: World, bot: Program):
    await on_target(world, bot)
    await after_a_deposit(world, bot)
    told, _ = await bot.told(OWNER)
    await bot.ask(OWNER, "/settarget 60")

    await bot.tap(OWNER, "Target 140.00", message=told)

    assert "Nothing changed" in told.text
    assert "target 60.00 USDT now" in told.text
    assert (await bot.account()).settings.target == D(60)


async def test_a_target_is_not_raised_for_another_pair(world: World, bot: Program):
    await on_target(world, bot)
    await after_a_deposit(world, bot)
    told, _ = await bot.told(OWNER)
    await bot.ask(OWNER, "/dryrun on")

    await bot.tap(OWNER, "Target 140.00", message=told)

    assert "Nothing changed" in told.text
    assert (await bot.account()).settings.target == D(40)


async def test_what_is_still_there_is_kept_at_one_tap(world: World, bot: Program):
    await on_target(world, bot, "notify")
    await after_a_deposit(world, bot)
    told, _ = await bot.told(OWNER)

    await bot.tap(OWNER, "Target 140.00", message=told)

    assert told.text.startswith("🟢 LIVE · Target set to 140.00 USDT")
    assert (await bot.account()).settings.target == D(140)
    assert world.mexc.order_posts.total() == 0


async def test_a_second_tap_changes_nothing(world: World, bot: Program):
    await on_target(world, bot)
    await after_a_deposit(world, bot)
    told, _ = await bot.told(OWNER)
    button = told.button("Target 140.00")
    assert button is not None
    await bot.tap(OWNER, "Leave it", message=told)
    left = told.text

    await bot.handled(world.api.tap(OWNER, str(button.data), message=told, forged=True))

    assert told.text == left
    assert (await bot.account()).settings.target == D(40)


async def test_the_question_works_after_a_restart(world: World):
    async with world.program() as first:
        await on_target(world, first, "ask")
        await after_a_deposit(world, first)
    async with world.program() as second:
        told, offered = await second.told(OWNER)
        await second.tap(OWNER, "Target 140.00", message=told)
        await second.tap(OWNER, "Trade", message=offered)

    assert "Target set to 140.00 USDT" in told.text
    assert "made for other settings, so nothing was sent" in offered.text
    assert world.mexc.order_posts.total() == 0


async def test_a_withdrawal_inside_the_band_is_only_told(world: World, bot: Program):
    await on_target(world, bot)
    await after_a_deposit(world, bot, "-1")
    (told,) = await bot.told(OWNER)

    assert told.text.startswith("🟢 LIVE · 1.00 USDT left")
    assert "inside the band of 38.00 – 42.00 USDT: nothing to trade." in told.text
    assert told.labels == []


async def test_a_trade_by_hand_is_told_as_one(world: World, bot: Program):
    await on_target(world, bot)
    world.mexc.deposit(KEY, "MNTL", D(-500))
    await after_a_deposit(world, bot, "1")
    (told,) = await bot.told(OWNER)

    assert told.text.startswith("🟢 LIVE · Traded by hand")
    assert "MNTL  91,858 → 91,358" in told.text
