"""A move of a price is told once, at the size that was asked for, and again after an hour."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.parsing.price_alerts import PriceAlertWish, parse_price_alert
from bot.parsing.settings import Ambiguous, Topic
from bot.views.alerts.alerts import alert_view
from bot.views.price_alerts import (
    no_such_price_view,
    price_alert_set_view,
    price_alerts_view,
    too_many_price_alerts_view,
)
from engine.domain.alerts.price_alerts import PriceAlert, PriceMove, PriceMoved, PriceRange, noted
from engine.domain.market.pairs import Asset, symbol_of
from tests.builders import MNTL, MNTLUSDT, account
from tests.fakes.clock import START
from tests.unit.phone import check_message

D = Decimal
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ALERT = PriceAlert(symbol=MNTLUSDT, fraction=D("0.1"), set_at=START)


def told(
    prices: Sequence[tuple[timedelta, str]], alert: PriceAlert = ALERT
) -> list[tuple[timedelta, PriceMove]]:
    """What is told, and when, where each price is seen so long after the alert was set."""
    moves = []
    for after, price in prices:
        alert, move = noted(alert, D(price), now=START + after)
        if move is not None:
            moves.append((after, move))
    return moves


@pytest.mark.parametrize(
    ("price", "is_told"),
    [("1.099", False), ("1.1", True), ("0.901", False), ("0.9", True), ("1", False)],
)
def test_it_is_told_at_exactly_the_size_that_was_asked_for(price: str, is_told: bool):
    moves = told([(timedelta(), "1"), (MINUTE, price)])

    assert moves == ([(MINUTE, PriceMove(START, D(1), D(price)))] if is_told else [])


def test_a_fall_after_a_rise_counts_from_the_highest_price_between():
    moves = told([(timedelta(), "1"), (2 * HOUR, "1.09"), (3 * HOUR, "0.98")])

    assert moves == [(3 * HOUR, PriceMove(START + 2 * HOUR, D("1.09"), D("0.98")))]


def test_what_was_longer_ago_than_a_day_counts_no_more():
    slow = [(HOUR * n, str(1 + D(n) / 300)) for n in range(73)]  # 8 % a day

    assert told(slow) == []
    assert told([(timedelta(), "1"), (25 * HOUR, "2")]) == []


def test_it_is_armed_again_after_an_hour_and_counts_from_the_price_that_was_told():
    moves = told(
        [
            (timedelta(), "1"),
            (MINUTE, "1.2"),
            (30 * MINUTE, "1.5"),
            (60 * MINUTE, "1.5"),
            (61 * MINUTE, "1.5"),
            (62 * MINUTE, "1.5"),
        ]
    )

    assert [after for after, _ in moves] == [MINUTE, 61 * MINUTE]
    assert moves[1][1] == PriceMove(START + MINUTE, D("1.2"), D("1.5"))


def test_the_first_price_is_where_it_begins_and_tells_nothing():
    alert, move = noted(ALERT, D(5), now=START + HOUR)

    assert ALERT.bounds(START) is None
    assert move is None
    assert alert.bounds(START + HOUR) == (D("4.5"), D("5.5"))


def test_prices_of_a_time_to_come_are_left_out_after_the_clock_was_set_back():
    ahead = PriceAlert(
        symbol=MNTLUSDT,
        fraction=D("0.1"),
        set_at=START,
        seen=(PriceRange(START + timedelta(days=3), D(1), D(1)),),
    )

    assert told([(timedelta(), "5")], ahead) == []


steps = st.lists(
    st.tuples(st.integers(1, 300), st.decimals("0.5", "2", places=3)), min_size=1, max_size=60
)


@given(steps)
def test_what_is_told_is_true_and_what_is_large_is_told(steps: list[tuple[int, Decimal]]):
    """Beside a search of all prices since the alert was set or told: a move that is told happened
    within a day, and one that is larger by a tenth, within 23 h, is always told.
    """
    alert, now = ALERT, START
    seen: list[tuple[timedelta, Decimal]] = []
    for minutes, price in steps:
        now += minutes * MINUTE
        armed = alert.is_armed(now)
        alert, move = noted(alert, price, now=now)
        changes = [
            (now - START - at, price / before - 1) for at, before in seen if before != price
        ]
        if move is not None:
            assert armed
            assert abs(move.fraction) >= ALERT.fraction
            assert now - move.at < timedelta(days=1)
            assert any(before == move.before for _, before in seen)
            seen = []
        elif armed:
            assert not [
                change
                for ago, change in changes
                if ago < 23 * HOUR and (change > D("0.11") or change < D("-0.11"))
            ]
        seen.append((now - START, price))
        assert len(alert.seen) <= 25


@pytest.mark.parametrize(
    ("text", "fraction"),
    [("MNTL 10%", "0.1"), ("mntl 10", "0.1"), ("MNTL 2.5 %", "0.025"), ("MNTL off", None)],
)
def test_a_token_and_a_percentage_are_understood(text: str, fraction: str | None):
    wish = PriceAlertWish(MNTLUSDT, None if fraction is None else D(fraction))

    assert parse_price_alert(text) == wish
    assert parse_price_alert(f"MNTL {text}") == wish


def test_a_comma_is_asked_about():
    assert parse_price_alert("MNTL 7,5%") == Ambiguous(Topic.PRICE_ALERT, ("MNTL 7.5%",))


def test_the_screens_fit_a_phone_and_say_the_prices_at_which_it_is_told():
    alert, _ = noted(ALERT, D("0.002"), now=START)
    late = START + 3 * HOUR
    long = PriceAlert(symbol=symbol_of(Asset("A" * 16)), fraction=D("0.125"), set_at=START)
    longest = PriceAlert(symbol=long.symbol, fraction=D(1), set_at=START, told_at=START)
    set_ = price_alert_set_view(account=account(), alert=alert, changed=True, now=START)
    unread = price_alert_set_view(account=account(), alert=long, changed=True, now=START)
    alerts = [alert, longest]
    listed = price_alerts_view(account=account(), alerts=alerts, now=late, may_set=True)
    most = PriceAlert(symbol=long.symbol, fraction=D(1), set_at=START)
    most, _ = noted(most, D(2), now=START)
    doubled = price_alert_set_view(account=account(), alert=most, changed=True, now=START)

    goal = "It is 0.002 now. I tell you at 0.0018 or less, or at 0.0022 or more."
    assert goal in check_message(set_)
    assert "It is 2 now. I tell you at 4 or more." in check_message(doubled)  # no price falls to 0
    assert "I cannot read its price now. I begin when I can." in check_message(unread)
    assert "MNTL     10% in 24 h\n" in check_message(listed)
    check_message(too_many_price_alerts_view(account=account()))
    check_message(no_such_price_view(account=account(), asset=MNTL))


@pytest.mark.parametrize(
    ("after", "title"), [("0.002208", "MNTL rose 10.4%"), ("0.0015", "MNTL fell 25%")]
)
def test_the_alert_says_from_which_price_to_which_in_how_long(after: str, title: str):
    moved = PriceMoved(
        dry_run=True,
        asset=MNTL,
        fraction=D("0.1"),
        before=D("0.002"),
        after=D(after),
        since=START - 3 * HOUR - timedelta(seconds=90),
        at=START,
    )
    text = check_message(alert_view(moved))

    assert text.startswith(f"🔔 DRY RUN · {title}\n0.002 → {D(after)} USDT within 3 h 2 min\n")
    assert "I saw the new price at 22 Nov 12:00 UTC." in text
