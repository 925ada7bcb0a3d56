"""Before much moves or real money is used the person is asked; and what was changed can be undone."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from engine.domain.accounts.members import Role
from engine.domain.accounts.risk_limits import Limits
from engine.storage.accounts import members
from engine.storage.models.accounts import AuditRow
from tests.bot.harness import (
    FRIEND,
    KEY,
    OTHER_KEY,
    OTHER_SECRET,
    OWNER,
    Program,
    World,
    another_pair,
    calls_between,
)
from tests.fakes.mexc_faults import BAD_GATEWAY, Fault
from tests.fakes.telegram_messages import SentMessage

UNDO = "↩️ Undo"
BIG = "Set 200.00 USDT"
AWAY = Fault("GET", "/api/v3/account", reply=BAD_GATEWAY, times=None)
# What is asked about, and the button that says yes to it.
QUESTIONS = [
    (["/settarget 200"], BIG),
    (["/dryrun on", "/dryrun off"], "Trade for real"),
    (["/halt", "/halt off"], "Yes, lift it"),
    (["/disconnect"], "Forget the key"),
]


async def asked(bot: Program, commands: Sequence[str], *, user_id: int = OWNER) -> SentMessage:
    await bot.connect()
    for command in commands[:-1]:
        await bot.ask(OWNER, command)
    (question,) = await bot.say(OWNER, commands[-1], user_id=user_id)
    return question


async def let_the_friend_in(bot: Program) -> None:
    """The friend trades in the owner's chat as well."""
    async with bot.database.writing() as session:
        await members.admit(
            session,
            chat_id=OWNER,
            user_id=FRIEND,
            role=Role.TRADER,
            now=bot.world.clock.now(),
        )


async def target(bot: Program) -> Decimal:
    return (await bot.account()).settings.fixed_goal.target


async def audited(bot: Program) -> list[tuple[str, str]]:
    async with bot.database.reading() as session:
        rows = await session.scalars(select(AuditRow).order_by(AuditRow.id))
        return [(row.action, row.detail) for row in rows]


async def forged(world: World, bot: Program, message: SentMessage, data: str) -> str:
    """A tap on a button that is gone; what the little note says."""
    tap = world.api.tap(OWNER, data, message=message, forged=True)
    await bot.handled(tap)
    return str(world.api.answers[str(tap)].get("text"))


async def test_a_target_that_moves_much_is_set_only_on_a_tap(world: World, bot: Program):
    question = await asked(bot, ["/settarget 200"])
    before = await target(bot)
    start = len(world.api.calls)

    await bot.tap(OWNER, BIG)

    assert before == Decimal(40)
    assert "🟢 LIVE · Set the target to 200.00 USDT?" in question.edits[0]
    assert "The next check would trade:\nSell 71" in question.edits[0]
    assert "USDT  57.10 → about 200" in question.edits[0]
    assert "No tap within 90 s: the target stays 40.00 USDT." in question.edits[0]
    assert calls_between(world.api, start)[:2] == [
        "answerCallbackQuery",
        "editMessageReplyMarkup",
    ]
    assert "Target set to 200.00 USDT" in question.text
    assert question.labels == [UNDO]
    assert await target(bot) == Decimal(200)
    assert ("confirm target", "target 40 USDT -> 200 USDT") in await audited(bot)


@pytest.mark.parametrize("first", ["/pause", "/halt"])
async def test_a_pause_or_a_halt_spares_nobody_the_question(bot: Program, first: str):
    question = await asked(bot, [first, "/settarget 200"])

    assert question.labels == [BIG]
    assert "would trade:" in question.text


async def test_on_paper_and_without_a_key_a_target_is_set_at_once(bot: Program):
    without_key = await bot.ask(OWNER, "/settarget 200")
    await bot.ask(OWNER, "/dryrun on")
    on_paper = await bot.ask(OWNER, "/settarget 500")

    assert "Target set to 200.00 USDT" in without_key.text
    assert "Target set to 500.00 USDT" in on_paper.text


async def test_where_the_balance_cannot_be_seen_the_question_says_so(world: World, bot: Program):
    await bot.connect()
    world.mexc.inject(AWAY)

    question = await bot.ask(OWNER, "/settarget 41")
    shown = question.text
    await bot.tap(OWNER, "Set 41.00 USDT")

    assert "MEXC does not answer now." in shown
    assert "Target set to 41.00 USDT" in question.text


async def test_a_bigger_order_than_was_agreed_is_asked_about_anew(world: World, bot: Program):
    question = await asked(bot, ["/settarget 200"])
    world.mexc.deposit(KEY, "USDT", Decimal(1000))

    await bot.tap(OWNER, BIG)
    again, untouched = question.text, await target(bot)
    await bot.tap(OWNER, BIG)

    assert "Set the target to 200.00 USDT?" in again
    assert " of 857.10 (normal)." in again
    assert untouched == Decimal(40)
    assert await target(bot) == Decimal(200)


async def test_a_smaller_order_than_was_agreed_is_not_asked_about_again(
    world: World, bot: Program
):
    question = await asked(bot, ["/settarget 200"])
    world.mexc.deposit(KEY, "USDT", Decimal(50))

    await bot.tap(OWNER, BIG)

    assert "Target set to 200.00 USDT" in question.text


@pytest.mark.parametrize(
    ("meanwhile", "words"),
    [
        ("/settarget 42", "This was changed after I asked:\nTarget: 42.00 USDT"),
        ("/setpair ABC", "This was changed after I asked:\nPair: ABC/USDT"),
        ("/halt", "My owner halted all chats after I asked."),
        ("/pause", "Something about this account was changed after I asked."),
        ("/dryrun on", "This was changed after I asked:\nDry run: on"),
    ],
)
async def test_a_yes_to_what_is_different_by_now_changes_nothing(
    world: World, bot: Program, meanwhile: str, words: str
):
    world.mexc.add_pair(another_pair())
    question = await asked(bot, ["/settarget 200"])
    await bot.ask(OWNER, meanwhile)
    before = await bot.account()

    await bot.tap(OWNER, BIG, message=question)

    assert "Nothing changed" in question.text
    assert words in question.text
    assert "If you still want it: /settarget 200" in question.text
    assert await bot.account() == before


async def test_real_money_is_shown_its_first_order_before_the_yes(world: World, bot: Program):
    question = await asked(bot, ["/dryrun on", "/dryrun off"])
    still = (await bot.account()).settings.dry_run
    await bot.tap(OWNER, "Trade for real")
    settings = (await bot.account()).settings

    assert "🧪 DRY RUN · Trade with real money?" in question.edits[0]
    assert "Key …BWC5, MNTL/USDT" in question.edits[0]
    assert "After /resume the first check would trade:\nBuy about 8," in question.edits[0]
    assert still
    assert "⏸ PAUSED · Dry run is off now" in question.text
    assert (settings.dry_run, settings.paused) == (False, True)
    assert question.labels == []
    assert ("real money", "dry run on -> off, trading on -> paused") in await audited(bot)


async def test_without_a_key_nothing_real_could_trade_so_nothing_is_asked(bot: Program):
    await bot.ask(OWNER, "/dryrun on")

    answer = await bot.ask(OWNER, "/dryrun off")

    assert "⏸ PAUSED · Dry run is off now" in answer.text


async def test_another_target_is_another_first_order(bot: Program):
    question = await asked(bot, ["/dryrun on", "/dryrun off"])
    await bot.ask(OWNER, "/settarget 45")

    await bot.tap(OWNER, "Trade for real")

    assert "\nTarget: 45.00 USDT\n" in question.text
    assert (await bot.account()).settings.dry_run


async def test_a_key_that_was_replaced_meanwhile_stays(world: World, bot: Program):
    world.mexc.add_account(OTHER_KEY, OTHER_SECRET, USDT="1")
    question = await asked(bot, ["/disconnect"])
    await bot.ask(OWNER, f"/connect {OTHER_KEY} {OTHER_SECRET}")

    await bot.tap(OWNER, "Forget the key")

    assert "You connected another key after I asked: ZZ99. It stays." in question.text
    assert (await bot.account()).key_tail == "ZZ99"


async def test_a_yes_is_for_the_halt_that_was_asked_about(world: World, bot: Program):
    first = await asked(bot, ["/halt", "/halt off"])
    second = await bot.ask(OWNER, "/halt off")
    await bot.tap(OWNER, "Yes, lift it", message=second)
    none = await bot.ask(OWNER, "/halt off")
    world.clock.shift(timedelta(seconds=1))
    await bot.ask(OWNER, "/halt")

    await bot.tap(OWNER, "Yes, lift it", message=first)

    assert "There is no halt" in none.text
    assert "That halt is lifted. There is a new one." in first.text
    assert (await bot.account()).halted


@pytest.mark.parametrize(("commands", "yes"), QUESTIONS, ids=[yes for _, yes in QUESTIONS])
async def test_a_yes_counts_once(world: World, bot: Program, commands: list[str], yes: str):
    question = await asked(bot, commands)
    button = question.button(yes)
    await bot.tap(OWNER, yes)
    shown, after = question.text, await bot.account()

    assert button is not None
    assert button.data is not None
    assert "works once" in await forged(world, bot, question, button.data)
    assert question.text == shown
    assert await bot.account() == after


@pytest.mark.parametrize(("commands", "yes"), QUESTIONS, ids=[yes for _, yes in QUESTIONS])
async def test_a_yes_that_is_too_late_changes_nothing(
    world: World, bot: Program, commands: list[str], yes: str
):
    question = await asked(bot, commands)
    before = await bot.account()
    world.clock.shift(timedelta(seconds=91))

    await bot.tap(OWNER, yes)

    assert "Nothing changed: this question is closed." in question.text
    assert await bot.account() == before


@pytest.mark.parametrize(("commands", "yes"), QUESTIONS, ids=[yes for _, yes in QUESTIONS])
async def test_a_yes_is_for_the_person_who_was_asked(
    world: World, bot: Program, commands: list[str], yes: str
):
    await let_the_friend_in(bot)
    question = await asked(bot, commands)
    before, shown, start = await bot.account(), question.text, len(world.api.calls)

    foreign = world.api.tap(OWNER, yes, user_id=FRIEND)
    await bot.handled(foreign)

    assert calls_between(world.api, start) == ["answerCallbackQuery"]
    assert "for the person who asked" in world.api.answers[str(foreign)]["text"]
    assert (question.text, yes in question.labels) == (shown, True)
    assert await bot.account() == before


@pytest.mark.parametrize(("commands", "yes"), QUESTIONS, ids=[yes for _, yes in QUESTIONS])
async def test_a_yes_works_after_a_restart(world: World, commands: list[str], yes: str):
    async with world.program() as first:
        await asked(first, commands)
        before = await first.account()
    async with world.program() as second:
        await second.tap(OWNER, yes)

        assert (await second.account()).version > before.version


async def test_two_people_with_a_question_each_change_it_once(world: World, bot: Program):
    await let_the_friend_in(bot)
    mine = await asked(bot, ["/settarget 200"])
    (theirs,) = await bot.say(OWNER, "/settarget 210", user_id=FRIEND)
    ids = [
        world.api.tap(OWNER, "Set 210.00 USDT", message=theirs, user_id=FRIEND),
        world.api.tap(OWNER, BIG, message=mine),
    ]
    for update_id in ids:
        await bot.handled(update_id)

    assert await target(bot) == Decimal(210)
    assert "Target set to 210.00 USDT" in theirs.text
    assert "\nTarget: 210.00 USDT\n" in mine.text


UNDOABLE = [
    ("/settarget 50", "Undone. Target: 40.00 USDT"),
    ("/setthreshold 2 USDT", "Undone. Threshold: 5%"),
    ("/setinterval 90", "Undone. Interval: 2 min"),
    ("/setpair ABC", "Undone. Pair: MNTL/USDT"),
    ("/count free", "Undone. Count: held"),
    ("/limits order 500", "Undone. Limits: order auto, day auto, hour auto, price auto"),
]


@pytest.mark.parametrize(("command", "words"), UNDOABLE)
async def test_a_change_is_taken_back_with_one_tap(
    world: World, bot: Program, command: str, words: str
):
    world.mexc.add_pair(another_pair())
    await bot.connect()
    before = await bot.account()
    echo = await bot.ask(OWNER, command)
    changed = await bot.account()
    told = echo.text

    await bot.tap(OWNER, UNDO)
    after = await bot.account()

    assert (changed.settings, changed.limits) != (before.settings, before.limits)
    assert (after.settings, after.limits) == (before.settings, before.limits)
    assert "Undo works for 60 s." in told
    assert words in echo.text
    assert "Band 38.00 – 42.00 USDT" in echo.text
    assert "Next check: I buy 8,142 MNTL" in echo.text
    assert echo.labels == []
    assert (await audited(bot))[-1][0] == "undo"


async def test_a_dry_run_that_is_undone_is_paused(bot: Program):
    await bot.connect()
    echo = await bot.ask(OWNER, "/dryrun on")

    await bot.tap(OWNER, UNDO)
    settings = (await bot.account()).settings

    assert "⏸ PAUSED · Undone. Dry run: off" in echo.text
    assert (settings.dry_run, settings.paused) == (False, True)


async def test_nothing_is_offered_where_nothing_was_changed(bot: Program):
    await bot.connect()
    same = await bot.ask(OWNER, "/settarget 40")
    limits = await bot.ask(OWNER, "/limits auto")

    assert UNDO not in same.labels
    assert UNDO not in limits.labels


async def test_an_undo_works_once(world: World, bot: Program):
    echo = await bot.ask(OWNER, "/settarget 50")
    button = echo.button(UNDO)
    await bot.tap(OWNER, UNDO)
    await bot.ask(OWNER, "/settarget 50")

    assert button is not None
    assert button.data is not None
    assert "works once" in await forged(world, bot, echo, button.data)
    assert await target(bot) == Decimal(50)


async def test_after_a_minute_it_is_too_late_and_the_way_back_is_told(world: World, bot: Program):
    echo = await bot.ask(OWNER, "/settarget 50")
    world.clock.shift(timedelta(seconds=61))

    await bot.tap(OWNER, UNDO)

    assert "Nothing changed: Undo works for 60 s." in echo.text
    assert "To go back: /settarget 40" in echo.text
    assert await target(bot) == Decimal(50)


async def test_what_was_changed_again_is_not_undone(bot: Program):
    await let_the_friend_in(bot)
    mine = await bot.ask(OWNER, "/settarget 50")
    await bot.say(OWNER, "/settarget 60", user_id=FRIEND)

    await bot.tap(OWNER, UNDO, message=mine)

    assert "Not undone" in mine.text
    assert "The setting was changed again since.\nTarget: 60.00 USDT" in mine.text
    assert await target(bot) == Decimal(60)


async def test_only_what_was_changed_is_taken_back(bot: Program):
    await bot.connect()
    echo = await bot.ask(OWNER, "/settarget 50")
    await bot.ask(OWNER, "/setthreshold 10%")
    await bot.ask(OWNER, "/limits hour 7")

    await bot.tap(OWNER, UNDO, message=echo)
    account = await bot.account()

    assert account.settings.fixed_goal.target == Decimal(40)
    assert account.settings.threshold.relative == Decimal("0.1")
    assert account.limits == Limits(orders_per_hour=7)


async def test_an_undo_is_for_the_person_who_changed_it(world: World, bot: Program):
    await let_the_friend_in(bot)
    echo = await bot.ask(OWNER, "/settarget 50")

    foreign = world.api.tap(OWNER, UNDO, user_id=FRIEND)
    await bot.handled(foreign)

    assert "for the person who asked" in world.api.answers[str(foreign)]["text"]
    assert echo.labels == [UNDO]
    assert await target(bot) == Decimal(50)


async def test_an_undo_works_after_a_restart(world: World):
    async with world.program() as first:
        await first.ask(OWNER, "/settarget 50")
    async with world.program() as second:
        await second.tap(OWNER, UNDO)

        assert await target(second) == Decimal(40)


async def test_an_undo_that_moves_much_is_asked_about_too(world: World, bot: Program):
    await bot.ask(OWNER, "/settarget 200")
    await bot.connect()
    small = await bot.ask(OWNER, "/settarget 60")
    if small.labels != [UNDO]:
        await bot.tap(OWNER, small.labels[0])

    await bot.tap(OWNER, UNDO)
    asked_text, untouched = small.text, await target(bot)
    await bot.tap(OWNER, BIG)

    assert "Set the target to 200.00 USDT?" in asked_text
    assert untouched == Decimal(60)
    assert await target(bot) == Decimal(200)
