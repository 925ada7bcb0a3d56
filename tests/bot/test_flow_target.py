"""`/target` in a conversation: what it says first, baskets by buttons alone, down to the orders."""

from datetime import timedelta
from decimal import Decimal

import pytest

from bot.interaction.callback_data import BuildBasket, BuildStep, decode
from engine.domain.market.pairs import USDT, Asset
from engine.domain.targets.target import Basket, FixedUsdt, UsdtShare
from tests.bot.harness import FRIEND, KEY, OWNER, Program, World
from tests.fakes.mexc_books import mntl
from tests.fakes.telegram_messages import SentMessage

D = Decimal
PRICES = {"MNTL": "0.002", "ABC": "0.5", "XYZ": "0.02"}
ABC, MNTL, XYZ = (Asset(name) for name in ("ABC", "MNTL", "XYZ"))


@pytest.fixture
async def rich(world: World, bot: Program) -> Program:
    """250 USDT and tokens worth 750 at MEXC."""
    for base in ("ABC", "XYZ"):
        pair = mntl(PRICES[base])
        pair.symbol, pair.base = f"{base}USDT", base
        world.mexc.add_pair(pair)
    await bot.connect()
    for asset, free in ((USDT, 250), (MNTL, 300_000), (ABC, 200), (XYZ, 2500)):
        world.mexc.ledger.accounts[KEY].of(asset).free = D(free)
    return bot


def worths(world: World) -> dict[str, Decimal]:
    account = world.mexc.ledger.accounts[KEY]
    found = {base: account.of(base).free * D(price) for base, price in PRICES.items()}
    return found | {USDT: account.of(USDT).free}


def pressed(message: SentMessage, step: BuildStep, label: str) -> str:
    """The data of the *step* in the row of *label*, where a person finds it."""
    for row in message.buttons:
        if any(label in button.label for button in row):
            for button in row:
                press = decode(str(button.data))
                if isinstance(press, BuildBasket) and press.step is step:
                    return press.encode()
    raise LookupError(f"no {step} beside {label}")


async def test_a_basket_of_three_tokens_is_built_by_buttons_alone_and_trades(
    world: World, rich: Program
):
    shown = await rich.ask(OWNER, "/target")
    await rich.tap(OWNER, "🧺 Build a basket")
    for label in ("➕ MNTL", "➕ ABC", "➕ XYZ", "Steps of 5%"):
        await rich.tap(OWNER, label)
    for token in ("MNTL", "ABC"):
        await rich.tap(OWNER, pressed(shown, BuildStep.PLUS, f"{token} "))
    await rich.tap(OWNER, "✅ Done")
    card = shown.text
    await rich.tap(OWNER, "Set")
    told = shown.text
    for _ in range(8):
        await rich.check()

    assert "MNTL 30%, ABC 30%, XYZ 5%, USDT 35%" in card
    assert "The next check trades: sell MNTL for" in card
    assert "Target set to MNTL 30%, ABC 30%, XYZ 5%, USDT 35%" in told
    assert (await rich.account()).settings.target == Basket.of(
        [(MNTL, 6), (ABC, 6), (XYZ, 1), (USDT, 7)]
    )
    whole = sum(worths(world).values())
    for asset, part in (("MNTL", 30), ("ABC", 30), ("XYZ", 5), (USDT, 35)):
        assert abs(worths(world)[asset] / whole * 100 / part - 1) <= D("0.05")


async def test_a_draft_outlives_the_program_and_is_its_users_alone(world: World):
    async with world.program() as bot:
        await bot.connect()
        await bot.ask(OWNER, "/target build")
        await bot.tap(OWNER, "➕ MNTL")
    async with world.program() as bot:
        await bot.tap(OWNER, "➕", user_id=FRIEND)
        (shown,) = [m for m in world.api.sent(OWNER) if "Put a basket together" in m.text]
        unchanged = shown.text
        await bot.tap(OWNER, "➕")

    assert "MNTL 5% " in unchanged
    assert "MNTL 10% " in shown.text


async def test_a_share_is_shown_first_then_set_and_undone(rich: Program):
    card = await rich.ask(OWNER, "/target 25%")
    before = (await rich.account()).settings.target
    await rich.tap(OWNER, "Set")
    after = (await rich.account()).settings.target
    told = card.text
    await rich.tap(OWNER, "↩️ Undo")
    asked = card.text
    await rich.tap(OWNER, "Set 40.00 USDT")

    assert "MNTL    600.00 → 637.50\nUSDT    250.00 → 212.50" in card.edits[0]
    assert "The next check trades: buy MNTL for" in card.edits[0]
    assert "Target set to 25% in USDT" in told
    assert "Set the target to 40.00 USDT?" in asked
    assert (before, after) == (FixedUsdt(D(40)), UsdtShare(D(25)))
    assert (await rich.account()).settings.target == FixedUsdt(D(40))


async def test_more_than_was_shown_is_shown_again_before_it_is_set(world: World, rich: Program):
    card = await rich.ask(OWNER, "/target 25%")
    world.mexc.deposit(KEY, USDT, D(500))
    await rich.tap(OWNER, "Set")

    assert "USDT    750.00 → 337.50" in card.text
    assert (await rich.account()).settings.target == FixedUsdt(D(40))
    await rich.tap(OWNER, "Set")
    assert (await rich.account()).settings.target == UsdtShare(D(25))


async def test_a_token_that_is_sold_whole_is_asked_about_first(rich: Program):
    asked = await rich.ask(OWNER, "/target MNTL 80% ABC 0% USDT 20%")
    question = asked.text
    await rich.tap(OWNER, "Yes, sell all of them")

    assert "In this target they have no part: ABC (100.00 USDT)." in question
    assert "Set this target?" in asked.text
    assert (await rich.account()).settings.target == FixedUsdt(D(40))


async def test_what_cannot_be_set_says_why_or_asks(rich: Program):
    for typed, said in (
        (
            "/target NOPE 50 USDT 50",
            "I cannot trade this for USDT at MEXC: NOPE.",
        ),
        ("/target 60 MNTL", "Do you mean this?"),
        ("/target BTC 60 ETH 30", "Which one do you mean?"),
        ("/settarget 25%", "/settarget takes an amount of USDT."),
        ("/target 40 in 50..60", "The target must lie between the two numbers."),
    ):
        assert said in (await rich.ask(OWNER, typed)).text

    assert (await rich.account()).settings.target == FixedUsdt(D(40))


async def test_a_share_typed_as_an_amount_is_one_tap_away(rich: Program):
    await rich.ask(OWNER, "/settarget 25%")
    await rich.tap(OWNER, "Show it")
    await rich.tap(OWNER, "Set")

    assert (await rich.account()).settings.target == UsdtShare(D(25))


async def test_a_chat_that_is_asked_trades_a_whole_plan_with_one_tap(world: World, rich: Program):
    await rich.ask(OWNER, "/target MNTL 30% ABC 30% XYZ 5% USDT 35%")
    await rich.tap(OWNER, "Set")
    await rich.ask(OWNER, "/mode ask")
    (asked, *others) = await rich.checked()
    why = await rich.ask(OWNER, "/why")
    await rich.tap(OWNER, "Trade")
    (told,) = await rich.checked()
    status = await rich.ask(OWNER, "/status")
    history = await rich.ask(OWNER, "/history")

    assert others == []
    assert "\n\nOne plan, 3 trades:\n1 22 Nov 12:00 bought" in history.text
    assert asked.edits[0].startswith("🟢 LIVE · Shall I trade?\n3 of 4 assets are outside")
    assert "It would trade: sell MNTL for" in why.text
    assert "3 trades, " in told.text
    assert world.mexc.order_posts.total() == 3
    assert "🟢 LIVE · 3 tokens" in status.text
    assert "MNTL     " in status.text


async def test_a_plan_of_all_tokens_is_shown_and_traded_with_one_tap(world: World, rich: Program):
    await rich.ask(OWNER, "/target MNTL 60% ABC 10% XYZ 4% USDT 26%")
    await rich.tap(OWNER, "Set")
    plan = await rich.ask(OWNER, "/rebalance")
    shown = plan.text
    await rich.tap(OWNER, "Trade")
    await rich.check()

    assert "Everything is inside its band." not in shown
    assert "Trades: sell XYZ for" in shown
    whole = sum(worths(world).values())
    assert abs(worths(world)["XYZ"] / whole - D("0.04")) < D("0.001")


async def test_points_are_set_for_shares(rich: Program):
    await rich.ask(OWNER, "/target 25%")
    await rich.tap(OWNER, "Set")
    told = await rich.ask(OWNER, "/setthreshold 5pp")

    assert "Threshold set to 5 points" in told.text
    assert "I trade when something is ±5 points off." in told.text


@pytest.mark.long
async def test_every_kind_of_target_is_set_and_traded(world: World, rich: Program):
    """Each of them from what the one before has left."""

    async def after(typed: str) -> dict[str, Decimal]:
        await rich.ask(OWNER, f"/target {typed}")
        await rich.tap(OWNER, "Set")
        for _ in range(2):  # a market order spends up to 5 % less than it may
            await rich.check()
            world.clock.shift(timedelta(minutes=5))
        return worths(world)

    band = (await after("35..50"))[USDT]
    floor = (await after(">=120"))[USDT]
    ceiling = (await after("<=80"))[USDT]
    share = await after("25%")
    worth = (await after("MNTL 200"))["MNTL"]
    parts = await after("MNTL:ABC:XYZ:USDT 4:3:1:2")
    fixed = await after("150 USDT, rest MNTL:ABC 2:1")

    assert 35 <= band <= 50
    assert 120 <= floor < 130
    assert 70 < ceiling <= 80
    assert abs(share[USDT] / (share[USDT] + share["MNTL"]) - D("0.25")) <= D("0.0125")
    assert 190 <= worth <= 210
    whole = sum(parts.values())
    for asset, part in (("MNTL", 40), ("ABC", 30), ("XYZ", 10), (USDT, 20)):
        assert abs(parts[asset] / whole * 100 / part - 1) <= D("0.05")
    assert abs(fixed[USDT] - 150) <= D("7.5")
    assert abs(fixed["MNTL"] / fixed["ABC"] - 2) <= D("0.21")
