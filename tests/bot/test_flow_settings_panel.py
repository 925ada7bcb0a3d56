"""The settings panel: one message, its pages edited in place, values tapped and typed."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from bot.interaction.callback_data import EnterValue, Open, PanelPage, SetPreset
from engine.domain.accounts.members import Role
from engine.domain.market.balances import Counting
from engine.storage.accounts import members
from engine.storage.models.chat import ConversationRow
from tests.bot.harness import FRIEND, GROUP, KEY, OWNER, Program, World, another_pair
from tests.fakes.mexc_faults import BAD_GATEWAY, Fault
from tests.fakes.telegram_messages import SentMessage

UNDO, BACK, OTHER, CANCEL = "↩️ Undo", "⬅️ Back", "✏️ Other…", "✖️ Cancel"
KINDS = ["🧺 Build a basket", "Shares: /target"]
HOME = """\
🟢 LIVE · Settings

🎯 Target    40.00 USDT
📏 Threshold ±5%
             38.00 – 42.00
⏱ Interval  2 min
🪙 Pair      MNTL/USDT
             from 1.10 USDT
🔒 Count     held
🚧 Limits    ≤ 1,000.00 USDT
🤖 Mode      auto
🎚 Orders    market
🧪 Dry run   off, real money

Next check: I do nothing. 40.79 USDT is inside the band."""


async def opened(bot: Program, *labels: str) -> SentMessage:
    """The panel, at the page that these buttons lead to."""
    panel = await bot.ask(OWNER, "/settings")
    for label in labels:
        assert await bot.tap(OWNER, label) == []
    return panel


async def in_group(bot: Program, *taps: str) -> SentMessage:
    (panel,) = await bot.say(GROUP, "/settings", user_id=OWNER, chat_type="group")
    for label in taps:
        await bot.tap(GROUP, label, user_id=OWNER)
    return panel


async def waiting(bot: Program) -> int:
    return await bot.count(ConversationRow)


async def test_the_panel_shows_everything_at_a_glance(bot: Program):
    await bot.connect()
    await bot.checked()
    panel = await bot.ask(OWNER, "/settings")

    shown = panel.text.replace(" (/mode)", "").split("\n\n/mode and")[0]
    assert shown == HOME
    assert panel.labels[:8] == [
        "🎯 Target",
        "📏 Threshold",
        "⏱ Interval",
        "🪙 Pair",
        "🔒 Count",
        "🚧 Limits",
        "🎚 Orders",
        "🧪 Dry run",
    ]


@pytest.mark.parametrize(
    ("page", "words", "labels"),
    [
        (
            "🎯 Target",
            ["Target 40.00 USDT", "/settarget 40"],
            ["15.00", "30.00", "50.00", "65.00", *KINDS, OTHER, BACK],
        ),
        (
            "📏 Threshold",
            ["Threshold ±5%", "/setthreshold 5%"],
            ["±3%", "±7%", "±10%", OTHER, BACK],
        ),
        (
            "⏱ Interval",
            ["Interval 2 min", "/setinterval 120"],
            ["30 s", "1 min", "5 min", "10 min", OTHER, BACK],
        ),
        ("🪙 Pair", ["Pair MNTL/USDT", "/setpair MNTLUSDT"], [OTHER, BACK]),
        ("🔒 Count", ["Count held", "/count held"], ["held", "free", BACK]),
        (
            "🚧 Limits",
            ["Limits 1,000.00 USDT an order", "/limits order 500"],
            ["200.00", "500.00", "2,000.00", "5,000.00", "auto", OTHER, BACK],
        ),
        ("🧪 Dry run", ["Dry run off: real money", "/dryrun on"], ["🧪 on", "🟢 off", BACK]),
    ],
)
async def test_each_page_tells_where_things_stand_and_offers_values(
    bot: Program, page: str, words: Sequence[str], labels: Sequence[str]
):
    await bot.connect()
    panel = await opened(bot, page)

    for word in (
        *words,
        "🟢 LIVE",
        *([] if page == "🚧 Limits" else ["Band 38.00 – 42.00 USDT (±5%)"]),
        "Smallest order 1.10 USDT",
        "Next check: I buy 8,142 MNTL for about 16.30 USDT.",
    ):
        assert word in panel.text
    assert panel.labels == labels

    await bot.tap(OWNER, BACK)

    assert "🟢 LIVE · Settings" in panel.text


async def test_a_preset_is_set_at_once_and_can_be_undone_in_the_same_place(bot: Program):
    await bot.connect()
    panel = await opened(bot, "🎯 Target", "50.00")
    changed, told = (await bot.account()).settings.fixed_goal.target, panel.text

    assert changed == Decimal(50)
    assert "🎯 Target 50.00 USDT" in told
    assert "Band 47.50 – 52.50 USDT" in told
    assert "Undo works for 60 s. Later: /settarget 40" in told
    assert panel.labels == [UNDO, "25.00", "40.00", "60.00", "75.00", *KINDS, OTHER, BACK]

    assert await bot.tap(OWNER, UNDO) == []

    assert (await bot.account()).settings.fixed_goal.target == Decimal(40)
    assert "🎯 Undone. Target: 40.00 USDT" in panel.text
    assert panel.labels == ["15.00", "30.00", "50.00", "65.00", *KINDS, OTHER, BACK]


@pytest.mark.parametrize(
    ("page", "preset", "words"),
    [
        ("📏 Threshold", "±10%", "Threshold ±10%"),
        ("⏱ Interval", "5 min", "Interval 5 min"),
        ("🔒 Count", "free", "Count free coins only"),
        ("🚧 Limits", "500.00", "Limits 500.00 USDT an order"),
        ("🧪 Dry run", "🧪 on", "Dry run on: on paper"),
        ("🎚 Orders", "auto", "Orders auto"),
        ("🎚 Orders", "2%", "Slippage 2%"),
    ],
)
async def test_every_page_sets_and_undoes(bot: Program, page: str, preset: str, words: str):
    await bot.connect()
    before = await bot.account()
    panel = await opened(bot, page, preset)
    changed, told = await bot.account(), panel.text

    await bot.tap(OWNER, UNDO)
    after = await bot.account()

    assert words in told
    assert (changed.settings, changed.limits) != (before.settings, before.limits)
    assert after.limits == before.limits
    assert after.settings.dry_run is before.settings.dry_run
    assert "Undone. " in panel.text


async def test_an_undo_in_the_panel_that_comes_too_late_leads_back(world: World, bot: Program):
    panel = await opened(bot, "🎯 Target", "50.00")
    world.clock.shift(timedelta(seconds=61))

    await bot.tap(OWNER, UNDO)
    too_late = panel.text
    await bot.tap(OWNER, BACK)

    assert "Nothing changed: Undo works for 60 s." in too_late
    assert "🎯 Target 50.00 USDT" in panel.text


async def test_a_preset_that_moves_much_is_asked_about_in_the_same_place(
    world: World, bot: Program
):
    await bot.connect()
    world.mexc.deposit(KEY, "USDT", Decimal(500))
    panel = await opened(bot, "🎯 Target", "65.00")
    question, labels = panel.text, panel.labels
    await bot.tap(OWNER, BACK)
    untouched = (await bot.account()).settings.fixed_goal.target
    await bot.tap(OWNER, "65.00")
    assert await bot.tap(OWNER, "Set 65.00 USDT") == []

    assert "Set the target to 65.00 USDT?" in question
    assert labels == ["Set 65.00 USDT", BACK]
    assert untouched == Decimal(40)
    assert (await bot.account()).settings.fixed_goal.target == Decimal(65)
    assert "🎯 Target 65.00 USDT" in panel.text
    assert UNDO in panel.labels


async def test_real_money_is_asked_about_in_the_panel_too(bot: Program):
    await bot.connect()
    await bot.ask(OWNER, "/dryrun on")
    panel = await opened(bot, "🧪 Dry run", "🟢 off")
    question = panel.text

    await bot.tap(OWNER, "Trade for real")

    assert "Trade with real money?" in question
    assert "🧪 Dry run off: real money" in panel.text
    assert (await bot.account()).settings.paused


@pytest.mark.parametrize(
    ("page", "typed", "words"),
    [
        ("🎯 Target", "45.5", "Target set to 45.50 USDT"),
        ("📏 Threshold", "2 USDT", "Threshold set to 2.00 USDT"),
        ("⏱ Interval", "90", "Interval set to 1 min 30 s"),
        ("🪙 Pair", "abc", "Pair set to ABC/USDT"),
        ("🚧 Limits", "hour 20", "Limits set"),
    ],
)
async def test_another_value_is_typed_and_the_panel_follows(
    world: World, bot: Program, page: str, typed: str, words: str
):
    world.mexc.add_pair(another_pair())
    panel = await opened(bot, page, OTHER)
    prompt = panel.text

    answer = await bot.ask(OWNER, typed)

    assert "Send it now, or Cancel." in prompt
    assert words in answer.text
    assert UNDO in answer.labels
    assert BACK in panel.labels
    assert page in panel.text
    assert await waiting(bot) == 0


async def test_what_is_not_understood_may_be_typed_again(bot: Program):
    await opened(bot, "🎯 Target", OTHER)

    wrong = await bot.ask(OWNER, "a lot")
    right = await bot.ask(OWNER, "45")

    assert "I cannot use “a lot” here. Nothing changed." in wrong.text
    assert "Send another value, like 40, or Cancel." in wrong.text
    assert "Target set to 45.00 USDT" in right.text


async def test_an_ambiguous_value_is_asked_about(bot: Program):
    await opened(bot, "🎯 Target", OTHER)

    question = await bot.ask(OWNER, "1,000")
    await bot.tap(OWNER, "/settarget 1 USDT")

    assert "Target set to 1.00 USDT" in question.text


async def test_a_key_typed_for_another_question_is_deleted_and_not_taken(
    world: World, bot: Program
):
    await opened(bot, "🎯 Target", OTHER)

    answer = await bot.ask(OWNER, KEY)
    then = await bot.ask(OWNER, "45")

    assert KEY not in "".join(world.api.texts(OWNER))
    assert "key" in answer.text
    assert len(world.api.deleted) == 1
    assert "Target set to 45.00 USDT" in then.text


async def test_cancel_ends_the_waiting(bot: Program):
    panel = await opened(bot, "🎯 Target", OTHER, CANCEL)

    answer = await bot.ask(OWNER, "45")

    assert "🎯 Target 40.00 USDT" in panel.text
    assert "I asked for no value. “45” changed nothing." in answer.text
    assert await waiting(bot) == 0


async def test_a_command_ends_the_waiting(bot: Program):
    await opened(bot, "🎯 Target", OTHER)
    await bot.ask(OWNER, "/status")

    assert "I asked for no value. “45” changed nothing." in (await bot.ask(OWNER, "45")).text


async def test_nobody_waits_for_longer_than_was_said(world: World, bot: Program):
    await opened(bot, "🎯 Target", OTHER)
    world.clock.shift(timedelta(minutes=10, seconds=1))

    assert "I asked for no value. “45” changed nothing." in (await bot.ask(OWNER, "45")).text


async def test_a_value_is_waited_for_across_a_restart(world: World):
    async with world.program() as first:
        panel = await opened(first, "🎯 Target", OTHER)
    async with world.program() as second:
        answer = await second.ask(OWNER, "45")

    assert "Target set to 45.00 USDT" in answer.text
    assert "🎯 Target 45.00 USDT" in panel.text


async def test_asking_for_a_key_ends_the_waiting_for_a_value_and_the_other_way_round(
    bot: Program,
):
    await opened(bot, "🎯 Target", OTHER)
    await bot.ask(OWNER, "/connect")
    key = await bot.ask(OWNER, "45")
    await opened(bot, "🎯 Target", OTHER)
    value = await bot.ask(OWNER, "45")

    assert "Target" not in key.text
    assert "Target set to 45.00 USDT" in value.text


async def test_in_a_group_only_a_reply_to_the_bot_is_an_answer(world: World, bot: Program):
    panel = await in_group(bot, "🎯 Target", OTHER)

    def say(text: str, user_id: int, reply_to: SentMessage | None = None):
        return bot.say(GROUP, text, user_id=user_id, chat_type="group", reply_to=reply_to)

    prompt = panel.text
    talk = await say("45", OWNER)
    by_another = await say("46", FRIEND, panel)
    (answer,) = await say("47", OWNER, panel)
    after = await say("48", OWNER, panel)

    assert "as a reply to this message" in prompt
    assert (talk, by_another, after) == ([], [], [])
    assert "Target set to 47.00 USDT" in answer.text
    assert "🎯 Target 47.00 USDT" in panel.text


async def test_two_people_wait_for_a_value_each(world: World, bot: Program):
    panel = await in_group(bot, "🎯 Target", OTHER, CANCEL, OTHER)
    (theirs,) = await bot.say(GROUP, "/settings", user_id=FRIEND, chat_type="group")
    await bot.tap(GROUP, "⏱ Interval", user_id=FRIEND, message=theirs)
    await bot.tap(GROUP, OTHER, user_id=FRIEND, message=theirs)

    (mine,) = await bot.say(GROUP, "45", user_id=OWNER, chat_type="group", reply_to=panel)
    (other,) = await bot.say(GROUP, "45", user_id=FRIEND, chat_type="group", reply_to=theirs)

    assert "Target set to 45.00 USDT" in mine.text
    assert "Interval set to 45 s" in other.text


async def test_a_viewer_looks_at_the_pages_and_changes_nothing(world: World, bot: Program):
    async with bot.database.writing() as session:
        await members.admit(
            session, chat_id=OWNER, user_id=FRIEND, role=Role.VIEWER, now=world.clock.now()
        )
    await bot.ask(OWNER, "/status")
    (panel,) = await bot.say(OWNER, "/settings", user_id=FRIEND)
    await bot.tap(OWNER, "🔒 Count", user_id=FRIEND)
    for press in (SetPreset(PanelPage.COUNTING, "free"), EnterValue(PanelPage.TARGET)):
        tap = world.api.tap(OWNER, press.encode(), user_id=FRIEND, forged=True)
        await bot.handled(tap)

        assert "Only traders" in world.api.answers[str(tap)]["text"]
    assert "🔒 Count held" in panel.text
    assert (await bot.account()).settings.counting is Counting.HELD
    assert await waiting(bot) == 0


async def test_a_forged_preset_is_read_as_strictly_as_a_typed_value(bot: Program):
    panel = await opened(bot, "🎯 Target")
    for press in (SetPreset(PanelPage.TARGET, "0"), SetPreset(PanelPage.TARGET, "40%")):
        await bot.tap(OWNER, press.encode(), forged=True, message=panel)

        assert "Nothing changed" in panel.text
    assert (await bot.account()).settings.fixed_goal.target == Decimal(40)


async def test_what_fails_in_the_panel_leads_back(world: World, bot: Program):
    await bot.connect()
    world.mexc.inject(Fault("GET", "/api/v3/account", reply=BAD_GATEWAY, times=None))
    panel = await opened(bot, "🧪 Dry run", "🧪 on")

    assert "MEXC does not answer right now." in panel.text
    assert panel.labels == [BACK]
    assert not (await bot.account()).settings.dry_run


async def test_opening_a_page_writes_nothing_where_nothing_is_waited_for(bot: Program):
    await opened(bot)
    tap = Open(PanelPage.TARGET).encode()
    await bot.tap(OWNER, tap, forged=True)

    assert await bot.scalar(select(func.count()).select_from(ConversationRow)) == 0
