"""A replay on a phone: what came out, from which inputs, or why it cannot be told."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.access.permissions import needed_for, needed_for_press
from bot.interaction.callback_data import ReplayPage, WhyPage
from bot.views.replay import replay_gone_view, replay_view
from engine.domain.accounts.risk_limits import Recent
from engine.domain.rebalancing.replay import NotReplayed, Replay, WhyNot, replayed
from tests.builders import account, holdings, intent
from tests.unit.phone import check_message
from tests.unit.test_replay import CASES, placed

BACK = WhyPage(page=0, size=5)


def shown(replay: Replay) -> str:
    return check_message(replay_view(account=account(), replay=replay, back=BACK))


@pytest.mark.parametrize("case", CASES)
def test_a_replay_fits_a_phone_and_says_that_nothing_was_sent(case: str):
    text = shown(replayed(placed(CASES[case]), CASES[case]))

    assert "✅ The same order came out:" in text
    assert "Nothing was sent." in text


def test_a_replay_shows_the_inputs_and_the_limits():
    inputs = CASES["after a jump, among other orders"]

    text = shown(replayed(placed(inputs), inputs))

    for line in (
        "USDT     57.10 free",
        "MNTL     100,000 free",
        "Target   40.00 USDT",
        "Band     38.00 – 42.00",
        "Order    17.10 of 1,000.00",
        "Day      120.07 of 5,000.00 used",
        "Hour     3 of 60 used",
    ):
        assert line in text


def test_another_order_is_said_to_be_a_fault():
    inputs = CASES["a buy"]
    more = replace(inputs, holdings=holdings(usdt="58.10"))
    none = replace(inputs, recent=Recent(orders=60))

    assert "⚠️ Another order came out: buy MNTL for about 18.10 USDT." in shown(
        replayed(placed(inputs), more)
    )
    text = shown(replayed(placed(inputs), none))
    assert "⚠️ No order came out. " in text
    assert "I had planned: buy MNTL for about 17.10 USDT.\nThat is a fault of mine." in text


@pytest.mark.parametrize(
    ("why", "planner", "says"),
    [
        (WhyNot.NOT_STORED, None, "an older version of me planned it"),
        (WhyNot.OTHER_PLANNER, 7, "Version 7 of my planner made it. I have version 2."),
        (WhyNot.UNREADABLE, 1, "is damaged"),
    ],
)
def test_an_order_that_cannot_be_planned_again_says_why(why: WhyNot, planner: int, says: str):
    text = shown(NotReplayed(intent(expected_quote=Decimal(17)), why, planner))

    assert says in text
    assert "fault" not in text
    check_message(replay_gone_view(back=BACK))


@pytest.mark.parametrize("is_shared", [True, False])
def test_who_may_see_the_history_may_replay(*, is_shared: bool):
    press = ReplayPage("bl1", 0, 5)

    assert needed_for_press(press, is_shared=is_shared) == needed_for(
        "history", "", is_shared=is_shared
    )
