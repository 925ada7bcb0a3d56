"""Settings over the chat: understood exactly, asked about where unclear, refused with nothing changed."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.domain.accounts.account import Account
from engine.domain.market.balances import Counting
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import FixedUsdt
from engine.storage.models.chat import ConfirmationRow
from tests.bot.harness import KEY, OWNER, Program, World, another_pair
from tests.fakes.mexc_faults import BAD_GATEWAY, Fault, refusal
from tests.sampling import sampled

PERCENT_5 = Threshold(relative=Decimal("0.05"))
USDT_2 = Threshold(quote_amount=Decimal(2))
ODD = {
    "full-width digits": "４０",
    "arabic digits": "٤٠",
    "not a number": "NaN",
    "infinite": "Infinity",
    "huge exponent": "1e400",
    "underscore": "1_000",
    "5000 digits": "9" * 5000,
    "html": "<b>40</b>",
    "4,097 characters": "x" * 4097,
    "right-to-left override": "\u202e04",
    "negative": "-40",
    "zero": "0",
    "plus": "+40",
    "hexadecimal": "0x28",
    "two values": "40 50",
    "ampersand": "&amp;",
}


def field(account: Account, name: str) -> Any:
    return getattr(account.settings, name)


@pytest.mark.parametrize(
    ("typed", "name", "value", "words"),
    [
        ("/settarget 50", "target", FixedUsdt(Decimal(50)), "Target set to 50.00 USDT"),
        ("/settarget 50 USDT", "target", FixedUsdt(Decimal(50)), "Band 47.50 – 52.50 USDT (±5%)"),
        ("/settarget $50.25", "target", FixedUsdt(Decimal("50.25")), "Target set to 50.25 USDT"),
        ("/SetTarget   50", "target", FixedUsdt(Decimal(50)), "Target set to"),
        ("/settarget\n50", "target", FixedUsdt(Decimal(50)), "Target set to"),
        (
            "/setthreshold 10%",
            "threshold",
            Threshold(relative=Decimal("0.1")),
            "Threshold set to 10%",
        ),
        ("/setthreshold 2 USDT", "threshold", USDT_2, "Band 38.00 – 42.00 USDT (±2.00 USDT)"),
        ("/setinterval 5", "interval", timedelta(seconds=5), "every 5 s"),
        ("/setinterval 2h", "interval", timedelta(hours=2), "Interval set to 2 h"),
        ("/count free", "counting", Counting.FREE, "Count set to free"),
        ("/setpair abc", "symbol", "ABCUSDT", "Pair set to ABC/USDT"),
        ("/setpair ABCUSDT", "symbol", "ABCUSDT", "buy and sell only ABC"),
        ("/dryrun on", "dry_run", True, "Dry run is on now"),
    ],
)
async def test_a_value_is_set_and_its_consequence_echoed(
    world: World, bot: Program, typed: str, name: str, value: Any, words: str
):
    world.mexc.add_pair(another_pair())
    await bot.connect()

    answer = await bot.ask(OWNER, typed)

    assert words in answer.text
    assert len(answer.text.split("\n\n")[0].splitlines()) == 3
    assert "Next check:" in answer.text
    assert field(await bot.account(), name) == value


@pytest.mark.parametrize(
    "command",
    sampled(["settarget", "setthreshold", "setinterval", "setpair", "count", "dryrun"], every=3),
)
async def test_what_cannot_be_understood_is_explained_and_changes_nothing(
    bot: Program, command: str
):
    await bot.ask(OWNER, "/start")
    before = await bot.account()

    for odd in ODD.values():
        answer = await bot.ask(OWNER, f"/{command} {odd}")

        assert "Nothing changed" in answer.text, odd
        assert "Send" in answer.text or "Say" in answer.text, odd
        assert len(answer.text) < 400, odd
        assert await bot.account() == before, odd
    assert await bot.count(ConfirmationRow) == 0


@pytest.mark.parametrize(
    ("command", "value", "choices"),
    [
        ("settarget", "Target is 40.00 USDT", ["15usdt", "30usdt", "50usdt", "65usdt"]),
        ("setthreshold", "Threshold is 5%", ["2%", "5%", "10%"]),
        ("setinterval", "Interval is 2 min", ["1m", "5m", "1h"]),
        ("setpair", "Pair is MNTL/USDT", []),
        ("count", "Count is held", ["held", "free"]),
        ("dryrun", "Dry run is off", ["on", "off"]),
    ],
)
async def test_a_bare_command_tells_the_value_and_offers_others(
    bot: Program, command: str, value: str, choices: list[str]
):
    answer = await bot.ask(OWNER, f"/{command}")

    assert value in answer.text
    assert answer.labels == [f"/{command} {choice}" for choice in choices]


async def test_a_choice_button_does_what_it_says(bot: Program):
    await bot.ask(OWNER, "/setinterval")

    (answer,) = await bot.tap(OWNER, "/setinterval 5m")

    assert "Interval set to 5 min" in answer.text
    assert field(await bot.account(), "interval") == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("typed", "options", "tapped", "name", "value"),
    [
        ("/settarget 1,000", ["1000 USDT", "1 USDT"], 0, "target", FixedUsdt(Decimal(1000))),
        ("/settarget 1,000", ["1000 USDT", "1 USDT"], 1, "target", FixedUsdt(Decimal(1))),
        ("/settarget 40,5", ["40.5 USDT"], 0, "target", FixedUsdt(Decimal("40.5"))),
        ("/setthreshold 0.05", ["5%", "0.05 USDT"], 0, "threshold", PERCENT_5),
        ("/setthreshold 2", ["2%", "2 USDT"], 1, "threshold", USDT_2),
    ],
)
async def test_an_ambiguous_value_is_asked_about_and_the_tap_sets_it(
    bot: Program, typed: str, options: list[str], tapped: int, name: str, value: Any
):
    command = typed.split(maxsplit=1)[0]
    question = await bot.ask(OWNER, typed)
    before = await bot.account()

    assert "I am not sure how to read" in question.text
    assert question.labels == [f"{command} {option}" for option in options]
    assert field(before, name) == (FixedUsdt(Decimal(40)) if name == "target" else PERCENT_5)

    news = await bot.tap(OWNER, f"{command} {options[tapped]}")

    assert news == []
    assert "set to" in question.text or "already" in question.text
    assert field(await bot.account(), name) == value


async def test_the_answer_to_a_question_counts_once_and_stays_in_sight(world: World, bot: Program):
    question = await bot.ask(OWNER, "/settarget 1,000")
    label, other = question.labels
    twice = question.button(other)
    await bot.tap(OWNER, label)
    shown = question.text

    assert twice is not None
    update_id = world.api.tap(OWNER, str(twice.data), message=question, forged=True)
    await bot.handled(update_id)

    assert question.text == shown
    assert "Target set to 1,000.00 USDT" in shown
    assert field(await bot.account(), "target") == FixedUsdt(Decimal(1000))
    assert "works once" in world.api.answers[str(update_id)]["text"]


async def test_a_question_that_is_too_old_is_closed(world: World, bot: Program):
    question = await bot.ask(OWNER, "/settarget 1,000")
    world.clock.shift(timedelta(seconds=91))

    await bot.tap(OWNER, question.labels[0])

    assert "Nothing changed: this question is closed." in question.text
    assert question.labels == []
    assert field(await bot.account(), "target") == FixedUsdt(Decimal(40))


async def test_the_same_value_again_is_no_change(bot: Program):
    before = (await bot.ask(OWNER, "/start"), await bot.account())[1]

    answer = await bot.ask(OWNER, "/settarget 40")

    assert "Target is 40.00 USDT already" in answer.text
    assert await bot.account() == before


async def test_a_band_that_can_never_trade_is_told_with_values_that_would_work(
    world: World, bot: Program
):
    world.mexc.ledger.pairs["MNTLUSDT"].min_notional = Decimal(5)

    answer = await bot.ask(OWNER, "/setthreshold 5%")

    assert "so I act only from 5.50 USDT on." in answer.text  # 5 % of room for the price to move
    assert answer.labels == ["/setthreshold 5.5usdt", "/setthreshold 14%", "/settarget 110"]

    (cured,) = await bot.tap(OWNER, "/setthreshold 14%")

    assert "Threshold set to 14%" in cured.text
    assert "so I act only" not in cured.text


async def test_the_next_check_is_foretold_from_the_balance_as_it_is_now(
    world: World, bot: Program
):
    await bot.connect()
    await bot.checked()
    world.mexc.deposit(KEY, "USDT", Decimal(10))
    world.clock.shift(timedelta(seconds=5))  # the trade moved the price, and it is read again

    answer = await bot.ask(OWNER, "/settarget 30")

    assert "MNTL for about 19.80 USDT." in answer.text


async def test_a_setting_is_set_while_mexc_is_away(world: World, bot: Program):
    await bot.connect()
    world.mexc.inject(Fault("GET", "/api/v3/account", reply=BAD_GATEWAY, times=None))

    answer = await bot.ask(OWNER, "/setthreshold 10%")

    assert "Threshold set to 10%" in answer.text
    assert "Next check: I buy MNTL for about 17.10 USDT." in answer.text
    assert "I saw the balance just now." in answer.text


@pytest.mark.parametrize("with_key", [True, False])
async def test_a_pair_that_mexc_does_not_show_is_not_set(bot: Program, with_key: bool):
    if with_key:
        await bot.connect()

    answer = await bot.ask(OWNER, "/setpair NOSUCH")

    assert "MEXC shows no pair NOSUCHUSDT" in answer.text
    assert "still MNTL/USDT" in answer.text
    assert ("To add yours: /connect" in answer.text) is not with_key
    assert field(await bot.account(), "symbol") == "MNTLUSDT"


async def test_a_pair_can_be_chosen_before_there_is_a_key(world: World, bot: Program):
    world.mexc.add_pair(another_pair())

    answer = await bot.ask(OWNER, "/setpair ABC")

    assert "Pair set to ABC/USDT" in answer.text
    assert field(await bot.account(), "symbol") == "ABCUSDT"


async def test_a_hidden_pair_stays_set_without_asking_mexc(world: World, bot: Program):
    world.mexc.ledger.pairs["MNTLUSDT"].hidden = True

    answer = await bot.ask(OWNER, "/setpair MNTL")

    assert "Pair is MNTL/USDT already" in answer.text


async def test_a_hidden_pair_is_seen_by_the_key_that_may_trade_it(world: World, bot: Program):
    pair = world.mexc.add_pair(another_pair())
    pair.hidden = True
    world.mexc.ledger.accounts[KEY].zone = frozenset({"ABCUSDT"})
    await bot.connect()

    answer = await bot.ask(OWNER, "/setpair ABC")

    assert "Pair set to ABC/USDT" in answer.text


async def test_a_pair_that_could_not_be_checked_is_not_set(world: World, bot: Program):
    world.mexc.add_pair(another_pair())
    world.mexc.inject(Fault("GET", "/api/v3/exchangeInfo", reply=BAD_GATEWAY, times=None))

    answer = await bot.ask(OWNER, "/setpair ABC")

    assert "could not check the pair ABCUSDT" in answer.text
    assert field(await bot.account(), "symbol") == "MNTLUSDT"


async def test_a_refused_key_is_told_as_such_where_a_pair_is_wanted(world: World, bot: Program):
    world.mexc.add_pair(another_pair())
    await bot.connect()
    fault = Fault("GET", "/api/v3/exchangeInfo", reply=refusal(10072, "Api key info invalid"))
    world.mexc.inject(fault)
    world.clock.shift(timedelta(hours=2))  # the rules that are known have grown old

    answer = await bot.ask(OWNER, "/setpair ABC")

    assert "MEXC refused: “Api key info invalid”." in answer.text
    assert "/connect" in answer.text


async def test_a_dry_run_trades_a_copy_of_the_balances_and_back_is_paused(
    world: World, bot: Program
):
    await bot.connect()
    on = await bot.ask(OWNER, "/dryrun on")
    (trade,) = await bot.checked()

    assert "🧪 DRY RUN · Dry run is on now" in on.text
    assert "Next check: I buy 8,142 MNTL for about 16.30 USDT." in on.text
    assert trade.text.startswith("🧪 DRY RUN · Bought 8,1")
    assert "On paper: no real money moved." in trade.text
    assert trade.silent
    assert world.mexc.orders == []

    off = await bot.ask(OWNER, "/dryrun off")
    await bot.tap(OWNER, "Trade for real")

    assert off.text.startswith("⏸ PAUSED · Dry run is off now")
    assert "⚠️ From now on orders use real money." in off.text
    assert field(await bot.account(), "paused")
    assert world.mexc.orders == []


async def test_a_dry_run_needs_no_key(world: World, bot: Program):
    on = await bot.ask(OWNER, "/dryrun on")
    again = await bot.ask(OWNER, "/dryrun on")
    balance = await bot.ask(OWNER, "/balance")
    await bot.ask(OWNER, "/resume")
    (trade,) = await bot.checked()

    assert "⏸ PAUSED (dry run) · Dry run is on now" in on.text
    assert "Dry run is on already" in again.text
    assert "100.00 USDT" in balance.text
    assert "50,000 MNTL" in balance.text
    assert "This is paper money, not your real balance." in balance.text
    assert "Bought 2" in trade.text
    assert ("GET", "/api/v3/account") not in world.mexc.requests


async def test_a_dry_run_cannot_begin_while_the_balances_cannot_be_read(
    world: World, bot: Program
):
    await bot.connect()
    world.mexc.inject(Fault("GET", "/api/v3/account", reply=BAD_GATEWAY, times=None))
    before = await bot.account()

    answer = await bot.ask(OWNER, "/dryrun on")

    assert "MEXC does not answer right now." in answer.text
    assert await bot.account() == before


async def test_a_pair_in_another_alphabet_is_set_and_traded(world: World, bot: Program):
    pair = another_pair()
    pair.symbol, pair.base, pair.base_precision = "币安人生USDT", "币安人生", 2
    world.mexc.add_pair(pair)
    await bot.connect()

    answer = await bot.ask(OWNER, "/setpair 币安人生")
    await bot.ask(OWNER, "/warn 币安人生 10")
    await bot.live_for(timedelta(minutes=3))
    alerts = await bot.told(OWNER)

    assert "币安人生/USDT" in answer.text
    assert [order.symbol for order in world.mexc.orders] == ["币安人生USDT"]
    assert any("Bought" in alert.text and "币安人生" in alert.text for alert in alerts)
    assert "币安人生" in (await bot.ask(OWNER, "/balance")).text


async def test_a_pair_is_found_in_the_case_in_which_mexc_lists_it(world: World, bot: Program):
    pair = another_pair()
    pair.symbol, pair.base = "ÉTÉUSDT", "ÉTÉ"
    world.mexc.add_pair(pair)
    await bot.connect()

    answer = await bot.ask(OWNER, "/setpair été")

    assert "ÉTÉ/USDT" in answer.text
    assert field(await bot.account(), "symbol") == "ÉTÉUSDT"
