"""`/why` over the chat: the last decision in full, those before it in a line each, paged in place."""

from datetime import timedelta
from decimal import Decimal

from bot.interaction.callback_data import ReplayPage, WhyPage
from engine.domain.orders.order import ClientOrderId
from engine.storage.models.trading import DecisionRow
from tests.bot.harness import FRIEND, KEY, OWNER, STRANGER, Program, World


async def drifted(world: World, bot: Program, times: int) -> None:
    """So many trades, a few minutes between them."""
    await bot.connect()
    for number in range(times):
        world.mexc.deposit(KEY, "USDT", Decimal(20 if number % 2 else 21))
        await bot.live_for(timedelta(minutes=3))
        await bot.told(OWNER)


async def test_the_decisions_before_the_last_one_are_told_below_it(world: World, bot: Program):
    await drifted(world, bot, 3)

    why = await bot.ask(OWNER, "/why")

    assert "inside the band" in why.text
    assert "Before that (UTC, /why 10 shows more)" in why.text
    assert why.text.count("Sent an order to buy MNTL for about") == 3
    assert [label.partition(" ")[0] for label in why.labels] == ["Replay"] * 3


async def test_the_decision_that_is_told_in_full_is_not_told_again(world: World):
    async with world.program() as first:
        await drifted(world, first, 2)
    async with world.program() as second:
        why = await second.ask(OWNER, "/why")

    assert "So it sent an order to buy MNTL" in why.text
    assert why.text.count("Sent an order to buy MNTL") == 1


async def test_earlier_decisions_are_paged_in_place(world: World, bot: Program):
    await drifted(world, bot, 5)
    why = await bot.ask(OWNER, "/why 2")
    first = why.text, why.labels
    await bot.tap(OWNER, "Earlier »")
    second = why.text, why.labels
    news = await bot.tap(OWNER, "Earlier »")
    third = why.text, why.labels
    await bot.tap(OWNER, "« Later")

    assert first[1][-1:] == ["Earlier »"]
    assert second[1][-2:] == ["« Later", "Earlier »"]
    assert third[1][-1:] == ["« Later"]
    assert [page.count("Sent an order") for page, _ in (first, second, third)] == [2, 2, 1]
    assert news == []
    assert why.text == second[0]


async def test_a_check_that_holds_or_repeats_itself_remembers_nothing(world: World, bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/settarget 56.50")
    await bot.ask(OWNER, "/setthreshold 0.5usdt")

    await bot.live_for(timedelta(minutes=20))

    assert await bot.count(DecisionRow) == 1
    assert "too small" in (await bot.ask(OWNER, "/why")).text


async def test_a_stale_page_and_another_chat_see_no_decision_of_mine(world: World, bot: Program):
    await drifted(world, bot, 1)
    mine = await bot.ask(OWNER, "/why")
    theirs = await bot.ask(FRIEND, "/why")

    await bot.tap(OWNER, WhyPage(9999, 5).encode(), message=mine, forged=True)
    await bot.tap(FRIEND, WhyPage(1, 1).encode(), message=theirs, forged=True)
    stranger = await bot.push(
        OWNER,
        lambda: world.api.tap(
            OWNER, WhyPage(0, 5).encode(), user_id=STRANGER, message=mine, forged=True
        ),
    )

    assert "There are none before that." in mine.text
    assert "There are none before that." in theirs.text
    assert stranger == []


async def test_an_order_is_planned_again_in_place_for_the_chat_that_it_is_of(
    world: World, bot: Program
):
    await drifted(world, bot, 1)
    why = await bot.ask(OWNER, "/why")
    text, [replay] = why.text, why.labels
    posts = world.mexc.order_posts.copy()
    order_id = ClientOrderId(next(iter(posts)))

    await bot.tap(OWNER, replay)
    shown = why.text
    await bot.tap(OWNER, "« Back")
    theirs = await bot.ask(FRIEND, "/why")
    await bot.tap(FRIEND, ReplayPage(order_id, 0, 5).encode(), message=theirs, forged=True)

    assert "✅ The same order came out: buy MNTL for about" in shown
    assert "Nothing was sent." in shown
    assert why.text == text
    assert "I do not have this order here." in theirs.text
    assert world.mexc.order_posts == posts


async def test_an_odd_number_of_decisions_is_explained(bot: Program):
    for odd in ("0", "21", "many"):
        answer = await bot.ask(OWNER, f"/why {odd}")

        assert "1 to 20" in answer.text, odd
