"""What the owner reads when checks stand still: what happened, the money, what comes next."""

from datetime import timedelta

import pytest

from bot.views.alerts.stalls import clock_set_view, stall_over_view, stalled_view
from engine.monitoring.stall_detector import StallCause, Stalled, StallOver
from tests.unit.phone import check_message

ADVICE = {
    StallCause.DATABASE: "your host",
    StallCause.HEART: "restart me",
    StallCause.CHECKS: "restart me",
}


def a_stall(cause: StallCause, *, late: int = 14) -> Stalled:
    return Stalled(cause=cause, late=late, accounts=14, silent_for=timedelta(minutes=7))


@pytest.mark.parametrize("cause", StallCause)
def test_a_stall_says_what_it_means_for_the_money_and_what_to_do(cause: StallCause):
    text = check_message(stalled_view(a_stall(cause)))

    assert text.startswith("⚠️ ALL ACCOUNTS · ")
    assert "It has lasted 7 min so far." in text
    assert "Nothing is traded" in text
    assert "Nothing is lost" in text
    assert ADVICE[cause] in text


def test_a_database_that_is_away_is_named():
    text = check_message(stalled_view(a_stall(StallCause.DATABASE)))

    assert text.splitlines()[0] == "⚠️ ALL ACCOUNTS · My database is away"


def test_a_part_of_the_accounts_is_counted():
    text = check_message(stalled_view(a_stall(StallCause.CHECKS, late=2)))

    assert text.splitlines()[0] == "⚠️ 2 OF 14 ACCOUNTS · Not checked in time"


@pytest.mark.parametrize("cause", StallCause)
def test_the_end_says_how_long_it_lasted_and_stands_by_itself(cause: StallCause):
    text = check_message(stall_over_view(StallOver(cause=cause, lasted=timedelta(minutes=62))))

    assert text.startswith("✅ ALL ACCOUNTS · Checked again")
    assert "Back after 62 min. Nothing was sent twice." in text
    assert "checked" in text.splitlines()[2]


@pytest.mark.parametrize(
    ("by", "said"),
    [(timedelta(hours=-2), "set back by 2 h"), (timedelta(minutes=61), "set ahead by 61 min")],
)
def test_a_clock_that_was_set_is_told_with_its_size(by: timedelta, said: str):
    text = clock_set_view(by).text

    assert said in text
    assert text.count("\n") < 8
    assert "Checks and orders go on." in text
