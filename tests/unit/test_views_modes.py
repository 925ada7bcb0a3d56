"""The modes in words: each told in a sentence, each change with what it leads to."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.interaction.callback_data import Choose, decode
from bot.views.alerts.alerts import alert_view
from bot.views.alerts.approvals import resting_view, skipped_view
from bot.views.components.forecast import next_step
from bot.views.status import status_view
from bot.views.trading_mode import mode_changed_view, mode_not_understood_view, mode_view
from bot.views.why import why_view
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import TradingMode
from engine.domain.alerts.alerts import DriftNoticed, PlanOffered
from engine.domain.market.pairs import Side
from engine.domain.orders.order import Trigger
from engine.domain.rebalancing.check_result import AwaitingApproval, BalanceSnapshot, CheckResult
from engine.rebalancing.preview import Outlook
from tests.builders import MNTLUSDT, account, holdings, intent, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message

D = Decimal
IN_EACH = [account(settings=settings(autonomy=autonomy)) for autonomy in TradingMode]


def noticed(**changes: Any) -> DriftNoticed:
    values: dict[str, Any] = {
        "dry_run": False,
        "symbol": MNTLUSDT,
        "side": Side.SELL,
        "expected_quote": D("10.00"),
        "expected_base": D(5000),
        "held": D("30.00"),
        "target": D(40),
        "band": settings().fixed_goal.band,
    } | changes
    return DriftNoticed(**values)


@pytest.mark.parametrize("who", IN_EACH)
def test_the_current_mode_is_marked_and_the_others_are_a_tap_away(who: Account):
    view = mode_view(account=who, now=START)
    text = check_message(view)

    current = who.settings.autonomy.value
    assert text.count("▶") == 1
    assert f"▶ {current} –" in text
    assert view.keyboard is not None
    labels = [button.text for button in view.keyboard.inline_keyboard[0]]
    assert labels == [f"/mode {m.value}" for m in TradingMode if m is not who.settings.autonomy]


def test_a_rest_is_told_until_it_is_over():
    who = account(not_before=START + timedelta(minutes=30, seconds=1))

    assert "I ask nothing for 31 min more" in check_message(mode_view(account=who, now=START))
    later = START + timedelta(hours=1)
    assert "I ask nothing" not in check_message(mode_view(account=who, now=later))


WOULD = {
    TradingMode.AUTO: "Next check: I buy MNTL for about 10.00 USDT.",
    TradingMode.ASK: "Next check: I ask you first, then I buy MNTL",
    TradingMode.NOTIFY: "Next check: I only tell you that MNTL could be bought",
}


LEFT = {
    TradingMode.AUTO: "No order: it was left to you.",
    TradingMode.ASK: "No order: you want to be asked first.",
    TradingMode.NOTIFY: "No order: you want to be told only.",
}


@pytest.mark.parametrize("who", IN_EACH)
def test_what_comes_next_is_told_as_the_mode_has_it(who: Account):
    assert WOULD[who.settings.autonomy] in next_step(who, held=D(50), rules=None)


@pytest.mark.parametrize("who", IN_EACH)
def test_an_order_that_had_left_is_mentioned(who: Account):
    view = mode_changed_view(
        account=who, changed=True, now=START, under_way=intent(), outlook=Outlook()
    )

    assert "An order for about 17.10 USDT was sent before" in check_message(view)


def test_what_is_no_mode_is_not_guessed():
    view = mode_not_understood_view(account=account(), typed_text="<b>")

    assert "“<b>” here.\nNothing changed: the mode is auto." in check_message(view)


def test_a_card_has_three_answers_and_a_word_has_none():
    card = alert_view(PlanOffered(confirmation_id="q-1", drift=noticed()))
    word = alert_view(noticed(dry_run=True))

    assert "Sell about 5,000 MNTL (MNTL/USDT)\nfor about 10.00 USDT at about 0.002" in (
        check_message(card)
    )
    assert "🧪 DRY RUN · Off target" in check_message(word)
    assert "no real money moves" in check_message(word)
    assert card.keyboard is not None
    pressed = [str(b.callback_data) for row in card.keyboard.inline_keyboard for b in row]
    assert [decode(data) for data in pressed] == [Choose("q-1", n) for n in range(3)]


def test_an_amount_that_rounds_to_nothing_is_told_without_a_price():
    assert "at about" not in check_message(alert_view(noticed(expected_base=D(0))))


@pytest.mark.parametrize("who", IN_EACH)
def test_the_answers_say_what_is_left(who: Account):
    assert "/rebalance" in check_message(skipped_view(account=who))
    assert "/mode ask" in check_message(resting_view(account=who))


@pytest.mark.parametrize("who", IN_EACH)
def test_status_and_why_name_the_mode_unless_it_trades_by_itself(who: Account):
    autonomy = who.settings.autonomy
    look = CheckResult(
        at=START,
        trigger=Trigger.INTERVAL,
        target=who.settings.fixed_goal.target,
        band=who.settings.fixed_goal.band,
        verdict=AwaitingApproval(Side.BUY, D("17.10"), autonomy),
        seen=BalanceSnapshot.of(who.settings, holdings(), None),
    )
    status = check_message(status_view(account=who, now=START))
    why = check_message(why_view(account=who, now=START, look=look))

    assert ("/mode changes that" in status) == (autonomy is not TradingMode.AUTO)
    assert LEFT[autonomy] in why
    assert "It would buy MNTL for about 17.10 USDT." in why
