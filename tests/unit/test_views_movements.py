"""Movements in words: what came or went, what it means, what may be done."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.views.alerts.alerts import alert_view
from bot.views.alerts.balance_changes import left_view
from bot.views.deposits import (
    cannot_buy_view,
    deposit_late_view,
    deposit_over_view,
    deposits_changed_view,
    deposits_view,
    undo_keep_late_view,
)
from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.accounts.deposits import DepositChoice, DepositRule, WaitingDeposit
from engine.domain.accounts.settings import TradingMode
from engine.domain.alerts.deposit_alerts import (
    BalanceChanged,
    ComingOrder,
    DepositTraded,
    DepositWaiting,
)
from engine.domain.market.pairs import USDT, Asset, Side
from engine.domain.rebalancing.planner import UnderMinimum
from engine.domain.streams.events import Cause
from tests.builders import MNTLUSDT, account, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message

D = Decimal


def movement(asset: str = USDT, before: Any = 40, after: Any = 140) -> BalanceChange:
    return BalanceChange(
        at=START, dry_run=False, asset=Asset(asset), before=D(before), after=D(after)
    )


def moved(*movements: BalanceChange, **changes: Any) -> BalanceChanged:
    values: dict[str, Any] = {
        "dry_run": False,
        "symbol": MNTLUSDT,
        "moved": movements or (movement(),),
        "by_hand": False,
        "held": D(140),
        "target": D(40),
        "band": settings().fixed_goal.band,
        "autonomy": TradingMode.AUTO,
    } | changes
    return BalanceChanged(**values)


@pytest.mark.parametrize(
    ("told", "head"),
    [
        (moved(), "🟢 LIVE · 100.00 USDT arrived"),
        (moved(dry_run=True), "🧪 DRY RUN · 100.00 USDT arrived"),
        (moved(movement(after="39.50"), held=D("39.50")), "🟢 LIVE · 0.50 USDT left"),
        (moved(movement("MNTL", 5, "1505.5")), "🟢 LIVE · 1,500.5 MNTL arrived"),
        (moved(movement("<X>", 5, 4)), "🟢 LIVE · 1 <X> left"),
        (moved(movement(), movement("MNTL", 9, 4), by_hand=True), "🟢 LIVE · Traded by hand"),
    ],
)
def test_the_first_line_says_what_happened(told: BalanceChanged, head: str):
    assert check_message(alert_view(told)).splitlines()[0] == head


@pytest.mark.parametrize(
    ("cause", "line"),
    [
        (None, "Not a trade of mine."),
        (Cause.TRADE, "Not a trade of mine."),
        (Cause.DEPOSIT, "MEXC calls it a deposit. Not a trade of mine."),
        (Cause.TRANSFER, "MEXC calls it a transfer. Not a trade of mine."),
    ],
)
def test_the_second_line_says_what_mexc_calls_it(cause: Cause | None, line: str):
    assert check_message(alert_view(moved(cause=cause))).splitlines()[1] == line


@pytest.mark.parametrize(
    ("autonomy", "held", "words"),
    [
        (TradingMode.AUTO, 140, "I buy MNTL for about 100.00 USDT now"),
        (TradingMode.AUTO, 20, "I sell MNTL for about 20.00 USDT now"),
        (TradingMode.ASK, 140, "I ask you first"),
        (TradingMode.NOTIFY, 140, "I only tell you"),
        (TradingMode.AUTO, 41, "nothing to trade"),
    ],
)
def test_what_follows_is_told_as_the_mode_has_it(autonomy: TradingMode, held: int, words: str):
    said = alert_view(moved(autonomy=autonomy, held=D(held)))

    assert words in check_message(said)
    assert said.keyboard is None


def test_many_in_an_hour_end_with_a_word():
    assert "without a word" in check_message(alert_view(moved(last_for_now=True)))


def test_the_answer_tells_the_target_that_stays():
    who = account(settings=settings(target=140))

    assert "Target stays 140.00 USDT" in check_message(left_view(account=who))


def waits(**changes: Any) -> DepositWaiting:
    values: dict[str, Any] = {
        "dry_run": False,
        "symbol": MNTLUSDT,
        "moved": (movement(),),
        "quantity_step": None,
        "held": D(140),
        "target": D(40),
        "amount": D(100),
        "buys": D(100),
        "new_target": D(140),
        "until": START + timedelta(minutes=15),
        "asks": False,
        "question_id": "q",
    } | changes
    return DepositWaiting(**values)


def traded(**changes: Any) -> DepositTraded:
    values: dict[str, Any] = {
        "dry_run": False,
        "symbol": MNTLUSDT,
        "moved": (movement(),),
        "quantity_step": None,
        "held": D(140),
        "target": D(40),
        "order_limit": D(400),
        "has_choices": True,
    } | changes
    return DepositTraded(**values)


@pytest.mark.parametrize(
    ("told", "words", "labels"),
    [
        (traded(), "I buy MNTL for about 100.00 USDT now.", "Wait 15 min next time"),
        (traded(order_limit=D(50)), "I trade nothing now. Blocked by your limit", "Ask me next"),
        (
            traded(coming=ComingOrder(UnderMinimum(Side.BUY, D(100), D(200)))),
            "is too small",
            "Ask me next time",
        ),
        (
            traded(coming=ComingOrder(at_once=False)),
            "The next check decides whether I buy MNTL for about 100.00 USDT.",
            "",
        ),
        (traded(paused=True), "Trading is stopped. When it goes on, I buy MNTL for", ""),
        (
            traded(coming=ComingOrder(expected_quote=D(90))),
            "I buy MNTL for about 90.00 USDT now.",
            "",
        ),
        (traded(has_choices=False, last_for_now=True), "I keep the next ones", ""),
        (waits(), "I wait until 22 Nov 12:15 UTC, then I buy MNTL for about", "Always keep"),
        (waits(asks=True), "I send no order without your tap.", "Keep: target 140.00"),
        (waits(asks=True, order_limit=D(50)), "Your limit of 50.00 USDT an order stops that", ""),
        (waits(order_limit=D(100)), "then I buy MNTL for about 100.00 USDT.", ""),
        (waits(moved=()), "100.00 USDT still waiting", "Wait a day"),
        (waits(new_target=None), "arrived", "Buy now"),
    ],
)
def test_a_deposit_says_what_happens_to_it_and_what_may_be_done(
    told: DepositTraded | DepositWaiting, words: str, labels: str
):
    said = alert_view(told)
    buttons = said.keyboard.inline_keyboard if said.keyboard else ()

    assert words in check_message(said)
    assert labels in " ".join(one.text for row in buttons for one in row)
    assert len([line for line in said.text.splitlines() if line]) <= 8


def test_a_choice_about_money_that_is_spent_is_not_offered():
    said = alert_view(traded())

    assert said.keyboard is not None
    for row in said.keyboard.inline_keyboard:
        assert all(one.text.endswith("next time") for one in row)


@pytest.mark.parametrize("mode", list(TradingMode))
@pytest.mark.parametrize("choice", list(DepositChoice))
def test_each_rule_is_explained_and_what_waits_has_its_buttons(
    choice: DepositChoice, mode: TradingMode
):
    waiting = WaitingDeposit(amount=D(18), until=START + timedelta(hours=1), question_id="q")
    who = replace(
        account(settings=settings(deposits=DepositRule(choice), autonomy=mode)), waiting=waiting
    )

    shown = check_message(deposits_view(account=who, now=START))
    later = check_message(deposits_view(account=who, now=START + timedelta(hours=2)))
    set_ = check_message(deposits_changed_view(account=who, changed=True, now=START))

    assert ("18.00 USDT waits" in shown, "18.00 USDT waits" in later) == (True, False)
    assert f"Deposits set to {choice.value}" in set_
    asks_early = choice in {DepositChoice.NOW, DepositChoice.WAIT} and mode is not TradingMode.AUTO
    assert ("But in mode" in shown) == asks_early


def test_the_answers_to_a_tap_fit_a_phone():
    who = account(settings=settings())
    for answer in (cannot_buy_view, deposit_over_view):
        check_message(answer(account=who))
    check_message(deposit_late_view())
    check_message(undo_keep_late_view())
