"""Movements in words: what came or went, what it means, what may be done."""

from decimal import Decimal
from typing import Any

import pytest

from bot.views.alerts.alerts import alert_view
from bot.views.alerts.balance_changes import left_view
from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.accounts.settings import TradingMode
from engine.domain.alerts.alerts import BalanceChanged
from engine.domain.market.pairs import USDT, Asset
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
        "band": settings().band,
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


@pytest.mark.parametrize("autonomy", list(TradingMode))
def test_what_follows_is_told_as_the_mode_has_it(autonomy: TradingMode):
    told = moved(autonomy=autonomy)
    asked = alert_view(told.asking("q-1", new_target=D(140)))

    words = {
        TradingMode.AUTO: "so I trade it as always",
        TradingMode.ASK: "so I ask you whether to trade it",
        TradingMode.NOTIFY: "you chose to be told only",
    }
    assert words[autonomy] in check_message(alert_view(told))
    assert alert_view(told).keyboard is None
    assert "/settarget" in check_message(asked)
    assert asked.keyboard is not None
    labels = [b.text for row in asked.keyboard.inline_keyboard for b in row]
    assert labels[-2:] == ["Target 140.00", "Leave it"]
    # Where it is traded at once there is nothing left to say yes to.
    assert ("Trade it" in labels) == (autonomy is not TradingMode.AUTO)


def test_many_in_an_hour_end_with_a_word():
    assert "without a word" in check_message(alert_view(moved(last_for_now=True)))


def test_the_answer_tells_the_target_that_stays():
    who = account(settings=settings(target=140))

    assert "Target stays 140.00 USDT" in check_message(left_view(account=who))
