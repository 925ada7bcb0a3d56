"""Every command in its bare form, what is no command, old and edited ones, and groups."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.interaction.callback_data import PRESSABLE, RunCommand
from bot.views.help import COMMANDS
from engine.storage.models.accounts import AccountRow
from engine.storage.models.trading import OrderRow
from tests.bot.harness import FRIEND, GROUP, KEY, OWNER, Program, World, calls_between
from tests.fakes.mexc_faults import BAD_GATEWAY, Fault, refusal
from tests.fakes.telegram_faults import DROPPED, refused, server_error, too_many_requests
from tests.fakes.telegram_faults import Fault as TelegramFault

# What the answer to each bare command says, to somebody without a key and to somebody trading.
BARE = {
    "start": ("Next: /connect adds your MEXC key.", "Trading is on. /pause stops it."),
    "help": ("/settarget 40, /target 25% – the target", "/rebalance – plan, trade on a tap"),
    "connect": ("Step 1 of 2", "The key ending in BWC5 stays until"),
    "disconnect": ("This chat has no key.", "Forget the key ending in BWC5?"),
    "status": ("nothing without a key", "USDT     40.79"),
    "settarget": ("Target is 40.00 USDT.", "/settarget 40"),
    "target": ("Target 40.00 USDT", "No price makes it trade"),
    "setthreshold": ("Threshold is 5%.", "/setthreshold 5%   or   /setthreshold 2 USDT"),
    "setinterval": ("Interval is 2 min.", "/setinterval 120   or   /setinterval 2m"),
    "count": ("Count is held.", "/count held   or   /count free"),
    "setpair": ("Pair is MNTL/USDT.", "/setpair MNTLUSDT   or   /setpair MNTL"),
    "pause": ("Paused already", "Trading is paused"),
    "stop": ("Paused already", "Paused already"),
    "resume": ("No key yet", "Trading is on already"),
    "rebalance": ("No key yet", "Plan for MNTL/USDT"),
    "buy": ("Buy MNTL", "/buy 50% spends half of your free USDT."),
    "sell": ("Sell MNTL", "/sell 50% sells half of your free MNTL."),
    "why": ("There was no check yet.", "It bought 8,142 MNTL for 16.30 USDT."),
    "history": ("No trades yet.", "bought 8,142 MNTL"),
    "profit": ("it has no key", "Trading"),
    "balance": ("No key yet", "100,000 MNTL\n  ≈ 200.00 USDT\n40.79 USDT"),
    "doctor": ("Key: none.", "Key: …BWC5"),
    "chart": ("There is nothing to draw", "LIVE · Value, since 22 Nov"),
    "dryrun": ("Dry run is off.", "/dryrun on   or   /dryrun off"),
    "export": ("nothing to export yet", "This export has your 1 order."),
    "settings": ("Target    40.00 USDT", "Target    40.00 USDT"),
    "mode": ("Mode: auto", "Mode: auto"),
    "deposits": ("Deposits: now", "Deposits: now"),
    "bands": ("That has no parts.", "Its band is set by /setthreshold."),
    "destination": ("Destination: usual (centre)", "Above 42.00 I buy until 40.00 USDT is left."),
    "protect": ("Protected: nothing", "To protect: /protect MNTL 50000."),
    "schedule": ("Schedule: off", "Your own trades are free at any time."),
    "crashguard": ("Crash guard off", "I go on buying, however far the price falls."),
    "cooldown": ("Cool-down: off", "After a trade I do not rest."),
    "execution": ("Execution: market", "Execution: market"),
    "slippage": ("Slippage: 1%", "Slippage: 1%"),
    "limits": ("         0 used", "         17.10 USDT used"),
    "alerts": ("Trades   on", "Quiet    never"),
    "warn": ("No warnings set.", "/warn MNTL 100000 warns"),
    "pricealert": ("No price alerts set.", "/pricealert MNTL 10% tells"),
    "logs": ("/logs", "/logs"),
    "version": ("Ballast 0.", "Up for 0s"),
    "members": ("People with a private chat", "Each has an account of their own"),
    "invite": ("A person you invite here", "/invite private makes a code"),
    "share": ("There is no MEXC key here.", "Let another person see your account?"),
    "leave": ("This chat sees only its own account.", "/status shows it."),
    "audit": ("Nothing was changed so far", "trading resumed"),
    "halt": ("No order leaves from now on, in any chat", "HALTED · Everything is halted"),
}


def _place(command: str) -> tuple[int, str]:
    """What stops trading comes last."""
    return (
        ("pause", "stop", "halt").index(command) + 1 if command in {"pause", "stop", "halt"} else 0
    ), command


CARD = """\
🟢 LIVE · MNTL/USDT
USDT     40.79  target 40 ±5%
         38 ▕───────●───▏ 42
MNTL     100,000 ≈ 200.00 USDT
Total    240.79 USDT
Price    0.002  12:01
Orders   market
Last     bought 8,142  12:00
Checked  22 Nov 12:00 order sent
Next     12:02, then every 2m

I renew this card every 15 min. Is it older? Tap Refresh.
Times in UTC. Set yours: /alerts"""


def test_every_command_is_in_the_menu_and_in_this_table():
    names = [name for name, _ in COMMANDS]

    assert sorted(names) == sorted(BARE)
    assert set(BARE) - {"start"} == PRESSABLE


async def test_every_bare_command_is_answered_before_there_is_a_key(bot: Program):
    for command, (words, _) in BARE.items():
        answer = await bot.ask(OWNER, f"/{command}")

        assert words in answer.text, command
        assert max(map(len, answer.text.splitlines())) <= 300, command
    assert (await bot.account()).settings.paused


@pytest.mark.usefixtures("drawn_at_once")
async def test_every_bare_command_is_answered_while_trading(world: World, bot: Program):
    await bot.connect()
    await bot.checked()

    for command in sorted(BARE, key=_place):
        answer = await bot.ask(OWNER, f"/{command}")

        assert BARE[command][1] in answer.text, command
    assert world.mexc.order_posts.total() == 1


@pytest.mark.usefixtures("drawn_at_once")
async def test_every_button_does_what_its_command_does(world: World, bot: Program):
    await bot.connect()
    await bot.checked()

    for command in sorted(PRESSABLE - {"settings"}, key=_place):
        (answer,) = await bot.tap(OWNER, RunCommand(command).encode(), forged=True)

        assert BARE[command][1] in answer.text, command


async def test_the_card_is_the_one_that_was_promised(world: World, bot: Program):
    await bot.connect()
    await bot.checked()
    await bot.live_for(timedelta(minutes=1))

    card = await bot.ask(OWNER, "/status")

    assert card.text == CARD
    assert card.html is not None
    assert card.html.startswith("<pre>")
    assert card.labels == [
        *("Rebalance…", "Pause"),
        *("Target", "Threshold", "History"),
        *("Refresh", "Why", "Settings", "Pin"),
    ]


async def test_the_menu_is_set_for_telegram(world: World, bot: Program):
    await bot.parts.command_menu.publish()

    assert [entry["command"] for entry in world.api.commands] == [name for name, _ in COMMANDS]


async def test_an_unknown_command_is_told_with_its_likeness(bot: Program):
    likely = await bot.ask(OWNER, "/stats")
    (status,) = await bot.tap(OWNER, "/status")
    with_value = await bot.ask(OWNER, "/setarget 60")
    unlikely = await bot.ask(OWNER, "/xyz <b>&")

    assert "I do not know “/stats”. Nothing changed.\nDid you mean /status?" in likely.text
    assert likely.labels == ["/status", "Help"]
    assert "MNTL/USDT" in status.text
    assert with_value.labels == ["/settarget 60", "Help"]
    assert "I do not know “/xyz”." in unlikely.text
    assert "Did you mean" not in unlikely.text

    (help_,) = await bot.tap(OWNER, "Help")

    assert "I hold your USDT on target" in help_.text


@pytest.mark.parametrize(
    "typed", ["hello", "40 apples", "/", "/ status", "/what?", "x" * 4000, "&lt;b>"]
)
async def test_plain_text_gets_a_hint(bot: Program, typed: str):
    answer = await bot.ask(OWNER, typed)

    assert "I only understand commands" in answer.text
    assert answer.labels == ["Status", "Help"]


@pytest.mark.parametrize("typed", ["please /pause", "/pause?", "“/pause”", "ok\n/pause"])
async def test_a_command_that_is_not_the_first_word_is_named_as_not_carried_out(
    bot: Program, typed: str
):
    await bot.connect()

    answer = await bot.ask(OWNER, typed)

    assert "I did not carry out /pause. Nothing changed." in answer.text
    assert not (await bot.account()).settings.paused


async def test_a_command_behind_a_picture_is_carried_out(bot: Program):
    await bot.connect()

    answer = await bot.ask(OWNER, "\u23f8\ufe0f /pause")

    assert "PAUSED" in answer.text
    assert (await bot.account()).settings.paused


async def test_what_nobody_sent_as_a_message_is_passed_over(world: World, bot: Program):
    world.api.open_chat(OWNER)
    photo = {
        "message_id": 9,
        "date": 1_795_000_000,
        "chat": {"id": OWNER, "type": "private"},
        "from": {"id": OWNER, "is_bot": False, "first_name": "Anna"},
        "photo": [],
    }
    edited = photo | {"edit_date": 1_795_000_001}
    tap = {"id": "77", "from": photo["from"], "chat_instance": "1", "data": "do:status:"}

    reaction = {
        "chat": photo["chat"],
        "user": photo["from"],
        "message_id": 9,
        "date": 1_795_000_000,
        "old_reaction": [],
        "new_reaction": [],
    }
    updates = {
        "edited_message": edited,
        "callback_query": tap,
        "message_reaction": reaction,
    }

    for kind, content in updates.items():
        await bot.handled(world.push(kind, content))

    assert world.api.sent(OWNER) == []


async def test_a_button_under_a_message_too_old_to_be_shown_still_works(
    world: World, bot: Program
):
    await bot.ask(OWNER, "/version")
    tap = {
        "id": "77",
        "from": {"id": OWNER, "is_bot": False, "first_name": "Anna"},
        "message": {"message_id": 1, "date": 0, "chat": {"id": OWNER, "type": "private"}},
        "chat_instance": "1",
        "data": "do:pause:",
    }

    (answer,) = await bot.push(OWNER, lambda: world.push("callback_query", tap))

    assert "Paused already" in answer.text


async def test_an_edited_command_is_not_a_command(world: World, bot: Program):
    await bot.ask(OWNER, "/settarget 50")

    (answer,) = await bot.push(OWNER, lambda: world.api.edit(OWNER, "/settarget 60"))
    chatter = await bot.push(OWNER, lambda: world.api.edit(OWNER, "never mind"))

    assert "Nothing changed. I do not follow edits." in answer.text
    assert chatter == []
    assert (await bot.account()).settings.fixed_goal.target == Decimal(50)


async def test_in_a_group_only_commands_for_this_bot_count(world: World, bot: Program):
    async def said(text: str) -> list[str]:
        answers = await bot.say(GROUP, text, user_id=OWNER, chat_type="group")
        return [answer.text for answer in answers]

    (ours,) = await said("/settarget@Ballast_Bot 50")
    theirs = await said("/settarget@other_bot 60")
    chatter = await said("good morning")
    edits = await bot.push(GROUP, lambda: world.api.edit(GROUP, "/settarget@other_bot 70"))

    assert "Target set to 50.00 USDT" in ours
    assert theirs == chatter == [edit.text for edit in edits] == []
    assert (await bot.account(GROUP)).settings.fixed_goal.target == Decimal(50)


async def test_each_chat_has_its_own_account(bot: Program):
    await bot.ask(OWNER, "/settarget 50")
    await bot.ask(FRIEND, "/settarget 60")

    assert (await bot.account(OWNER)).settings.fixed_goal.target == Decimal(50)
    assert (await bot.account(FRIEND)).settings.fixed_goal.target == Decimal(60)
    assert await bot.count(AccountRow) == 2


async def test_an_old_resume_is_refused_and_an_old_pause_obeyed(world: World):
    async with world.program() as first:
        await first.connect()
    for text in ("/pause", "/resume", "/rebalance", "/settarget 50"):
        world.api.say(OWNER, text)
    world.clock.shift(timedelta(minutes=11))
    known = len(world.api.sent(OWNER))
    async with world.program() as second:
        await world.api.wait_for(OWNER, "Target set to 50.00 USDT")
        settings = (await second.account()).settings

    paused, resume, rebalance, target = world.api.sent(OWNER)[known:]

    assert "Trading is paused" in paused.text
    assert "You sent “/resume” 11 min ago. I was off then." in resume.text
    assert "You sent “/rebalance” 11 min ago" in rebalance.text
    assert "Target set to" in target.text
    assert settings.paused


@pytest.mark.parametrize("by", [timedelta(hours=2), timedelta(hours=-2)])
async def test_a_clock_that_is_wrong_makes_no_message_old_or_fresh(world: World, by: timedelta):
    """Telegram's own clock says how old a message is."""
    async with world.program() as first:
        await first.connect()
    world.clock.set_by(by)
    async with world.program() as second:
        resume = await second.ask(OWNER, "/resume")
        await second.ask(OWNER, "/pause")
    world.api.say(OWNER, "/resume")
    world.clock.shift(timedelta(minutes=11))
    async with world.program() as third:
        old = await world.api.wait_for(OWNER, "I was off then")
        settings = (await third.account()).settings

    assert "Trading is on" in resume.text
    assert "You sent “/resume” 11 min ago" in old.text
    assert settings.paused


async def test_a_tap_that_telegram_has_forgotten_does_not_start_trading(
    world: World, bot: Program
):
    await bot.connect()
    await bot.ask(OWNER, "/pause")

    def tapped_long_ago(label: str) -> int:
        update_id = world.api.tap(OWNER, label)
        world.api._queries.discard(str(update_id))
        return update_id

    (late,) = await bot.push(OWNER, lambda: tapped_long_ago("Resume"))
    paused = (await bot.account()).settings.paused
    await bot.tap(OWNER, "Resume", message=world.api.sent(OWNER)[-2])
    (obeyed,) = await bot.push(OWNER, lambda: tapped_long_ago("Pause"))

    assert "You tapped “/resume” a while ago. I was off then." in late.text
    assert paused
    assert "Trading is paused" in obeyed.text


@pytest.mark.parametrize(
    "fault",
    [server_error(), too_many_requests(5), refused(403, "Forbidden: no"), DROPPED],
    ids=["502", "429", "403", "dropped"],
)
async def test_a_tap_whose_age_telegram_does_not_tell_does_not_start_trading(
    world: World, bot: Program, fault: TelegramFault
):
    await bot.connect()
    await bot.ask(OWNER, "/pause")
    world.api.fail("answerCallbackQuery", fault, times=2)

    at_once = await bot.tap(OWNER, "Resume")
    world.clock.shift(timedelta(seconds=6))  # a 429 wants silence until then
    (told,) = [*at_once, *await bot.told(OWNER)]

    assert "I do not know when you tapped “/resume”." in told.text
    assert (await bot.account()).settings.paused


async def test_a_tap_that_telegram_takes_at_the_second_try_is_a_new_one(
    world: World, bot: Program
):
    await bot.connect()
    await bot.ask(OWNER, "/pause")
    world.api.fail("answerCallbackQuery", server_error())

    (told,) = await bot.tap(OWNER, "Resume")

    assert "Trading is on" in told.text


async def test_a_button_leaves_the_message_it_is_under_in_sight(bot: Program):
    help_ = await bot.ask(OWNER, "/help")

    (card,) = await bot.tap(OWNER, "Status")
    (history,) = await bot.tap(OWNER, "History", message=card)

    assert "No trades yet." in history.text
    assert "target 40" in card.text
    assert "I hold your USDT on target" in help_.text


async def test_the_card_shows_the_balance_as_it_is_now(world: World, bot: Program):
    await bot.connect()
    await bot.checked()
    world.mexc.deposit(KEY, "USDT", Decimal(10))
    now = (await bot.ask(OWNER, "/status")).text
    world.mexc.inject(Fault("GET", "/api/v3/account", reply=BAD_GATEWAY, times=None))
    known = await bot.ask(OWNER, "/status")

    assert "USDT     50.79" in now
    assert "USDT     40.79" in known.text


async def test_a_balance_without_a_price_or_an_answer_says_so(world: World, bot: Program):
    await bot.connect()
    world.clock.shift(timedelta(seconds=2))
    no_book = Fault("GET", "/api/v3/depth", reply=refusal(-1121, "Invalid symbol."), times=None)
    world.mexc.inject(no_book)
    unvalued = await bot.ask(OWNER, "/balance")
    world.mexc.inject(Fault("GET", "/api/v3/account", reply=BAD_GATEWAY, times=None))
    unknown = await bot.ask(OWNER, "/balance")

    assert "91,858 MNTL" in unvalued.text
    assert "1 token has no price here." in unvalued.text
    assert "Balance not known" in unknown.text
    assert "MEXC does not answer right now." in unknown.text


async def test_why_explains_the_last_check_that_wanted_to_trade_after_a_restart(world: World):
    async with world.program() as first:
        await first.connect()
        await first.checked()
    async with world.program() as second:
        why = await second.ask(OWNER, "/why")

    assert "It saw 57.10 USDT and 91,858 MNTL." in why.text
    assert "It bought 8,142 MNTL for 16.30 USDT." in why.text


async def test_nothing_but_looking_asks_mexc_for_an_order(world: World, bot: Program):
    await bot.connect()
    start = len(world.api.calls)
    for command in BARE:
        if command not in {"connect", "pause", "stop"}:
            await bot.say(OWNER, f"/{command}")

    methods = set(calls_between(world.api, start))

    assert methods <= {"sendMessage", "sendDocument", "editMessageText"}
    assert world.mexc.order_posts.total() == 0
    assert await bot.count(OrderRow) == 0


async def test_no_line_of_a_card_is_wider_than_a_phone(world: World, bot: Program):
    await bot.connect()
    world.mexc.deposit(KEY, "USDT", Decimal("123456.78"))
    await bot.ask(OWNER, "/settarget 110000.55")
    await bot.tap(OWNER, "Set 110,000.55 USDT")
    await bot.checked()

    for command in ("status", "balance", "history"):
        answer = await bot.ask(OWNER, f"/{command}")
        blocks = re.findall(r"<pre>(.*?)</pre>", answer.html or "", re.DOTALL)

        assert blocks
        assert max(len(line) for block in blocks for line in block.splitlines()) <= 32
