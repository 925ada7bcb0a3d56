"""`/mode` through the whole program: asked before a trade, only told, and back to by itself."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select

from engine.domain.accounts.members import Role
from engine.domain.accounts.settings import TradingMode
from engine.storage.accounts import members
from engine.storage.models.accounts import AuditRow
from tests.bot.harness import FRIEND, GROUP, KEY, OWNER, Program, World

VIEWER = 1003
MINUTE = timedelta(minutes=1)


def toast(world: World) -> str:
    """The last little note over the chat."""
    calls = [call for call in world.api.calls if call.method == "answerCallbackQuery"]
    return str(calls[-1].params.get("text"))


async def asked(bot: Program, mode: str = "ask") -> None:
    """A chat that is off target and wants to be asked (or told)."""
    await bot.connect()
    await bot.ask(OWNER, f"/mode {mode}")


async def test_the_three_modes_are_shown_with_the_current_one_marked(bot: Program):
    shown = await bot.ask(OWNER, "/mode")

    assert "Mode: auto" in shown.text
    assert "▶ auto – I trade by myself" in shown.text
    assert "▫ ask – I ask before I trade" in shown.text
    assert shown.labels == ["/mode ask", "/mode notify"]


async def test_a_change_is_echoed_with_its_consequence_and_kept(world: World, bot: Program):
    await bot.connect()

    (changed,) = await _tapped(bot, "/mode", "/mode ask")
    again = await bot.ask(OWNER, "/mode ask")
    wrong = await bot.ask(OWNER, "/mode maybe")

    assert changed.text.startswith("🟢 LIVE · Mode set to ask")
    assert (
        "Next check: I ask you first, then I buy 8,142 MNTL for about 16.30 USDT." in changed.text
    )
    assert "Mode is ask already" in again.text
    assert "Nothing changed: the mode is ask." in wrong.text
    assert (await bot.account()).settings.autonomy is TradingMode.ASK
    async with bot.database.reading() as session:
        lines = (await session.scalars(select(AuditRow).where(AuditRow.action == "mode"))).all()
    assert [(line.user_id, line.detail) for line in lines] == [(OWNER, "auto -> ask")]


async def test_a_mode_is_taken_back_with_one_tap_and_its_offer_with_it(bot: Program):
    await bot.connect()
    changed = await bot.ask(OWNER, "/mode ask")
    (offered,) = await bot.checked()

    await bot.tap(OWNER, "↩️ Undo", message=changed)
    await bot.tap(OWNER, "Trade", message=offered)

    assert changed.text.startswith("🟢 LIVE · Undone. Mode: auto")
    assert (await bot.account()).settings.autonomy is TradingMode.AUTO
    assert "Too late" in offered.text or "too old" in offered.text


async def _tapped(bot: Program, command: str, label: str):
    await bot.ask(OWNER, command)
    return await bot.tap(OWNER, label)


async def test_a_drift_is_asked_about_and_traded_on_a_tap(world: World, bot: Program):
    await asked(bot)
    (card,) = await bot.checked()
    before = world.mexc.order_posts.total()
    text, labels = card.text, card.labels

    news = await bot.tap(OWNER, "Trade")
    (bought,) = await bot.checked()

    assert before == 0
    assert text.startswith("🟢 LIVE · Shall I trade?")
    assert "You hold 57.10 USDT (+42.8%), outside the band of 38.00 – 42.00 USDT." in text
    assert "for about 16.30 USDT at about 0.002" in text
    assert labels == ["Trade", "Skip", "Not for an hour"]
    assert news == []
    assert card.labels == []
    assert "You tapped Trade: I buy MNTL for up to 17.10 USDT." in card.text
    assert "Bought" in bought.text
    assert world.mexc.order_posts.total() == 1


async def test_a_second_tap_does_nothing(world: World, bot: Program):
    await asked(bot)
    (card,) = await bot.checked()
    button = card.button("Trade")
    assert button is not None
    await bot.tap(OWNER, "Trade")
    shown = card.text

    await bot.handled(world.api.tap(OWNER, str(button.data), message=card, forged=True))
    await bot.checked()

    assert card.text == shown
    assert "works once" in toast(world)
    assert world.mexc.order_posts.total() == 1


async def test_a_card_works_after_a_restart(world: World):
    async with world.program() as first:
        await asked(first)
        await first.check()
    async with world.program() as second:
        (card,) = await second.told(OWNER)
        await second.tap(OWNER, "Trade")
        (bought,) = await second.checked()

    assert "You tapped Trade" in card.text
    assert "Bought" in bought.text
    assert world.mexc.order_posts.total() == 1


async def test_a_skipped_drift_is_left_alone_until_it_changes(world: World, bot: Program):
    await asked(bot)
    (card,) = await bot.checked()
    await bot.tap(OWNER, "Skip")
    await bot.live_for(10 * MINUTE)
    quiet = await bot.told(OWNER)
    world.mexc.deposit(KEY, "USDT", Decimal(20))
    await bot.live_for(3 * MINUTE)
    _, again = await bot.told(OWNER)  # after a word on the deposit

    assert card.text.startswith("🟢 LIVE · Skipped")
    assert quiet == []
    assert " of 37.10 (normal)." in again.text
    assert world.mexc.order_posts.total() == 0


async def test_not_for_an_hour_is_told_by_mode_and_undone_by_it(world: World, bot: Program):
    await asked(bot)
    (card,) = await bot.checked()
    await bot.tap(OWNER, "Not for an hour")
    await bot.live_for(10 * MINUTE)
    quiet = await bot.told(OWNER)
    shown = await bot.ask(OWNER, "/mode")
    await bot.ask(OWNER, "/mode ask")
    (again,) = await bot.checked()

    assert "No questions for an hour" in card.text
    assert quiet == []
    assert "I ask nothing for 50 min more" in shown.text
    assert "Shall I trade?" in again.text


async def test_one_who_is_only_told_trades_with_rebalance(world: World, bot: Program):
    await asked(bot, "notify")
    (told,) = await bot.checked()
    await bot.live_for(10 * MINUTE)
    more = await bot.told(OWNER)

    (plan,) = await bot.tap(OWNER, "Rebalance")
    await bot.tap(OWNER, "Trade")
    (bought,) = await bot.checked()

    assert told.text.startswith("🟢 LIVE · Off target")
    assert "You hold 57.10 USDT (+42.8%), outside the band of 38.00 – 42.00 USDT." in told.text
    assert "To trade it: /rebalance." in told.text
    assert told.labels == ["Rebalance", "Mode"]
    assert more == []
    assert "Plan for MNTL/USDT" in plan.edits[0] if plan.edits else plan.text
    assert "Bought" in bought.text


async def test_status_and_why_say_so_in_words(bot: Program):
    await asked(bot)
    await bot.checked()

    assert "I ask before I trade." in (await bot.ask(OWNER, "/status")).text
    why = (await bot.ask(OWNER, "/why")).text
    assert "No order: you want to be asked first.\nIt would buy MNTL for about 16.30 USDT." in why


async def test_a_pause_beats_an_offer(world: World, bot: Program):
    await asked(bot)
    (card,) = await bot.checked()
    await bot.ask(OWNER, "/pause")

    await bot.tap(OWNER, "Trade", message=card)
    await bot.live_for(5 * MINUTE)

    assert "No order was sent: trading is paused." in card.text
    assert await bot.told(OWNER) == []
    assert world.mexc.order_posts.total() == 0


async def test_a_changed_target_makes_the_card_worthless_and_another_comes(
    world: World, bot: Program
):
    await asked(bot)
    (card,) = await bot.checked()
    await bot.ask(OWNER, "/settarget 50")
    await bot.tap(OWNER, "Trade", message=card)
    (again,) = await bot.checked()

    assert "Nothing was sent: this plan was made for other settings." in card.text
    assert " of 7.10 (normal)." in again.text
    assert world.mexc.order_posts.total() == 0


async def test_in_a_group_whoever_may_trade_taps_and_a_viewer_does_not(world: World, bot: Program):
    async with bot.database.writing() as session:
        await members.admit(
            session,
            chat_id=GROUP,
            user_id=VIEWER,
            role=Role.VIEWER,
            is_owner=False,
            now=world.clock.now(),
        )
    await bot.ask(GROUP, "/mode ask", user_id=OWNER)
    await bot.ask(GROUP, "/dryrun on", user_id=OWNER)
    await bot.ask(GROUP, "/resume", user_id=OWNER)
    (card,) = await bot.checked(GROUP)

    await bot.tap(GROUP, "Trade", user_id=VIEWER, message=card)
    refused, untouched = toast(world), list(card.labels)
    await bot.tap(GROUP, "Trade", user_id=FRIEND, message=card)
    (bought,) = await bot.checked(GROUP)

    assert "Only traders" in refused
    assert untouched == ["Trade", "Skip", "Not for an hour"]
    assert "On it" in card.text
    assert "DRY RUN" in bought.text


async def test_the_card_that_asks_says_what_a_thin_book_has(world: World, bot: Program):
    world.mexc.ledger.pairs["MNTLUSDT"].asks = [(Decimal("0.002002"), Decimal(3000))]
    await bot.connect()
    await bot.ask(OWNER, "/mode ask")

    (card,) = await bot.checked()
    why = await bot.ask(OWNER, "/why")

    assert "Buy about 3,000 MNTL (MNTL/USDT)\nfor about 6.01 USDT at about 0.002002" in card.text
    assert "USDT  57.10 → about 51.09" in card.text
    assert "Only 6.01 USDT of 17.10 USDT" in card.text
    assert "you want to be asked first.\nIt would buy MNTL for about 6.01 USDT." in why.text


async def test_a_book_out_of_reach_is_no_question(world: World, bot: Program):
    """A Trade button would trade nothing."""
    world.mexc.ledger.pairs["MNTLUSDT"].asks = [(Decimal("0.0022"), Decimal(300_000))]
    await bot.connect()
    await bot.ask(OWNER, "/mode ask")

    (told,) = await bot.checked()

    assert "I could not trade" in told.text
    assert "No seller of MNTL within 5% of the last price." in told.text
    assert told.labels == []
