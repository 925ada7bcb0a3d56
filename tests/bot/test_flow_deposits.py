"""Money that comes and goes by other hands, through the whole program: told, asked about, obeyed."""

from datetime import timedelta
from decimal import Decimal

import pytest

from bot.interaction.callback_data import Choose
from engine.domain.accounts.confirmation import ANY_TRADER, Confirmation
from engine.domain.accounts.settings_change import SettingsPatch
from engine.domain.rebalancing.pending_change import PendingChange
from engine.domain.targets.target import FixedUsdt
from engine.rebalancing.balance_changes import DEPOSIT
from engine.storage.chat import confirmations
from engine.storage.serialization import to_json
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


async def waiting(world: World, bot: Program, rule: str = "wait 15m", mode: str = "auto"):
    """The card of 100.00 USDT that arrived and wait."""
    await on_target(world, bot, mode)
    await bot.ask(OWNER, f"/deposits {rule}")
    assert await bot.checked() == []
    await after_a_deposit(world, bot)
    (card,) = await bot.told(OWNER)
    return card


async def test_a_deposit_is_traded_at_once_and_the_choices_are_for_the_next_one(
    world: World, bot: Program
):
    await on_target(world, bot)
    await after_a_deposit(world, bot)
    told, bought = await bot.told(OWNER)

    (set_,) = await bot.tap(OWNER, "Ask me next time", message=told)

    assert told.text == (
        "🟢 LIVE · 100.00 USDT arrived\nNot a trade of mine.\n"
        "USDT  40.00 → 140.00  (target 40.00)\n\n"
        "I buy MNTL for about 100.00 USDT now.\n\nFor the next deposit: /deposits"
    )
    assert told.labels == ["Wait 15 min next time", "Ask me next time", "Keep next time"]
    assert "Bought" in bought.text
    assert "Deposits set to ask" in set_.text
    account = await bot.account()
    assert (account.settings.fixed_goal.target, account.settings.deposits.choice.value) == (
        D(40),
        "ask",
    )


async def test_a_deposit_waits_and_its_card_buys_at_a_tap(world: World, bot: Program):
    card = await waiting(world, bot)
    text, labels = card.text, card.labels
    posts = world.mexc.order_posts.total()

    await bot.tap(OWNER, "Buy now", message=card)
    bought = await bot.checked()

    assert text == (
        "🟢 LIVE · 100.00 USDT arrived\nNot a trade of mine.\n"
        "USDT  40.00 → 140.00  (target 40.00)\n\n"
        "I wait until 22 Nov 12:15 UTC, then I buy MNTL for about 100.00 USDT.\n\n"
        "All about deposits: /deposits"
    )
    assert labels == ["Buy now", "Keep: target 140.00", "Wait a day", "Always keep"]
    assert posts == 0
    assert "The wait is over" in card.text
    assert card.labels == []
    assert "Bought" in bought[-1].text


async def test_keep_raises_the_target_by_what_is_still_there_and_can_be_undone(
    world: World, bot: Program
):
    card = await waiting(world, bot, "ask")
    world.mexc.deposit(KEY, "USDT", D(-30))

    await bot.tap(OWNER, "Keep: target 140.00", message=card)
    changed, before = card.text, await bot.account()
    await bot.tap(OWNER, "Keep: target 110.00", message=card)

    assert "The amounts changed. Nothing was done yet." in changed
    assert before.settings.fixed_goal.target == D(40)
    assert before.waiting is not None
    assert before.waiting.amount == D(100)  # one reading alone takes nothing from it
    assert card.text.startswith("🟢 LIVE · Target set to 110.00 USDT")
    assert any("Undo" in label for label in card.labels)
    account = await bot.account()
    assert (account.settings.fixed_goal.target, account.waiting) == (D(110), None)
    assert world.mexc.order_posts.total() == 0


async def test_always_keep_is_for_this_deposit_and_the_next(world: World, bot: Program):
    card = await waiting(world, bot)

    await bot.tap(OWNER, "Always keep", message=card)
    await bot.checked()
    await after_a_deposit(world, bot, "18")
    (kept,) = await bot.told(OWNER)
    text = kept.text
    await bot.tap(OWNER, "↩️ Undo: target 140.00", message=kept)

    assert "From now on I keep what arrives." in card.text
    assert "I keep it: the target is 158.00 USDT now." in text
    assert (await bot.account()).settings.fixed_goal.target == D(140)
    assert "Undone" in kept.text


async def test_a_wait_of_a_day_has_buttons_of_its_own_after_a_restart_too(world: World):
    async with world.program() as first:
        card = await waiting(world, first)
        old = card.button("Buy now")
        await first.tap(OWNER, "Wait a day", message=card)
    async with world.program() as second:
        assert old is not None
        await second.handled(world.api.tap(OWNER, str(old.data), message=card, forged=True))
        waits = (await second.account()).waiting
        await second.tap(OWNER, "Keep: target 140.00", message=card)

    assert waits is not None
    assert "waits until" not in card.text
    assert "Target set to 140.00 USDT" in card.text
    assert world.mexc.order_posts.total() == 0


async def test_a_deposit_in_a_chat_that_is_asked_is_one_card_and_a_tap_trades_it(
    world: World, bot: Program
):
    card = await waiting(world, bot, "now", "ask")
    text = card.text

    await bot.tap(OWNER, "Buy now", message=card)
    (bought,) = await bot.checked()

    assert "Shall I buy MNTL for about 100.00 USDT?" in text
    assert "I send no order without your tap." in text
    assert "You tapped Trade: I buy MNTL for up to 100.00 USDT." in card.text
    assert "Bought" in bought.text


async def test_nothing_is_bought_in_a_pause_and_the_deposit_waits_on(world: World, bot: Program):
    card = await waiting(world, bot)
    await bot.ask(OWNER, "/pause")

    await bot.tap(OWNER, "Buy now", message=card)
    shown = await bot.ask(OWNER, "/deposits")
    plan = await bot.ask(OWNER, "/rebalance")

    assert "Nothing bought" in card.text
    assert "100.00 USDT waits until 22 Nov 12:15 UTC, then I buy for it." in shown.text
    assert shown.labels[:2] == ["Buy now", "Keep: target 140.00"]
    assert "100.00 USDT of a deposit waits until 22 Nov 12:15 UTC." in plan.text
    assert (await bot.account()).waiting is not None


async def test_a_card_whose_time_is_over_says_so(world: World, bot: Program):
    card = await waiting(world, bot)
    button = card.button("Buy now")
    assert button is not None
    world.clock.shift(timedelta(minutes=16))

    await bot.handled(world.api.tap(OWNER, str(button.data), message=card, forged=True))

    assert "The wait of this deposit is over." in card.text
    assert (await bot.account()).settings.fixed_goal.target == D(40)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Deposits: now"),
        ("wait", "Deposits set to wait 15m"),
        ("WAIT 2 hours", "Deposits set to wait 2h"),
        ("now", "Deposits are set to now already"),
        ("keep", "Deposits set to keep"),
        ("wait 10s", "The wait must be from 1 min to 1 day"),
        ("sell", "I know four words here: now, wait, ask and keep."),
    ],
)
async def test_deposits_says_what_it_will_do(bot: Program, typed: str, words: str):
    assert words in (await bot.ask(OWNER, f"/deposits {typed}")).text


async def test_the_question_of_an_older_version_still_works(world: World, bot: Program):
    await on_target(world, bot, "notify")
    account = await bot.account()
    question = Confirmation(
        id="old",
        chat_id=account.chat_id,
        user_id=ANY_TRADER,
        kind=DEPOSIT,
        payload=to_json(
            PendingChange(
                wanted=SettingsPatch(target=FixedUsdt(D(140))),
                found=SettingsPatch.of(account).only(["target", "symbol", "dry_run"]),
            )
        ),
        asked_at=world.clock.now(),
        expires_at=world.clock.now() + timedelta(days=1),
    )
    async with bot.database.writing() as session:
        await confirmations.ask(session, question)
    shown = await bot.ask(OWNER, "/deposits")
    world.mexc.deposit(KEY, "USDT", D(100))

    await bot.handled(world.api.tap(OWNER, Choose("old", 0).encode(), message=shown, forged=True))

    assert (await bot.account()).settings.fixed_goal.target == D(140)


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
