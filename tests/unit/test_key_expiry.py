"""A key's end is told 14, 7, 3 and 1 days before it, once each, and begins anew with a new end."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.views.alerts.alerts import alert_view
from bot.views.alerts.key_expiry import life
from bot.views.status import status_view
from engine.domain.accounts.key_expiry import (
    REMINDERS,
    days_left,
    expiry,
    reminder_due,
    still_told,
)
from engine.domain.alerts.key_alerts import KeyEnding
from tests.builders import account
from tests.fakes.clock import START
from tests.unit.phone import check_message

DAY = timedelta(days=1)


def reminders(days: list[int]) -> list[tuple[int, int]]:
    """(days left, reminder) for each one that leaves when a key is looked at on these days."""
    told, sent = None, []
    for left in days:
        told = still_told(left, told=told)
        if (due := reminder_due(left, told=told)) is not None:
            told = due
            sent.append((left, due))
    return sent


def test_a_key_that_runs_out_is_told_four_times():
    assert reminders(list(range(90, -1, -1))) == [(14, 14), (7, 7), (3, 3), (1, 1)]


def test_reminders_that_were_slept_through_are_not_made_up_for():
    assert reminders([20, 6, 6, 2]) == [(6, 7), (2, 3)]


def test_a_key_that_is_renewed_is_reminded_of_again():
    assert reminders([4, 3, 90, 14]) == [(4, 7), (3, 3), (14, 14)]


def test_a_day_that_comes_and_goes_with_rounding_is_no_renewal():
    assert reminders([7, 8, 7, 6, 7]) == [(7, 7)]


@given(st.lists(st.integers(0, 120), max_size=40))
def test_no_reminder_comes_twice_unless_the_key_got_more_days(days: list[int]):
    sent = reminders(sorted(days, reverse=True))

    assert len({reminder for _, reminder in sent}) == len(sent)
    assert all(left <= reminder for left, reminder in sent)
    assert {reminder for _, reminder in sent} <= set(REMINDERS)


@given(st.integers(0, 100_000))
def test_days_left_are_those_that_mexc_named(days: int):
    end = expiry(days, now=START)

    assert end is not None
    assert days_left(end, now=START) == days
    assert days_left(end, now=end + DAY) == 0


def test_a_key_without_an_end_has_none():
    assert expiry(None, now=START) is None


@pytest.mark.parametrize(("days", "shown"), [(31, False), (30, True), (12, True), (1, True)])
def test_the_status_shows_the_key_in_its_last_month(days: int, shown: bool):
    text = check_message(
        status_view(account=account(key_expires_at=START + days * DAY), now=START)
    )

    counted = "1 day" if days == 1 else f"{days} days"
    assert (f"Key      …BWC5, {counted} left" in text) is shown


def test_the_status_shows_no_key_where_its_end_is_unknown_or_it_is_gone():
    for each in (account(), account(key_tail=None, sealed_key=None)):
        assert "Key  " not in check_message(status_view(account=each, now=START))


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (14, "You can do it in 9 days. I remind you again."),
        (5, "You can do it now."),
        (1, "Your MEXC key ends in 1 day\n"),
        (0, "Your MEXC key has expired\n"),
    ],
)
def test_the_reminder_tells_how_to_renew(days: int, words: str):
    ending = KeyEnding(
        dry_run=False, key_tail="BWC5", days_left=days, expires_at=START + days * DAY
    )

    text = check_message(alert_view(ending))

    assert text.startswith("⚠️ LIVE · ")
    assert words in text
    assert "go to My API Key, then Action, then Renew" in text
    assert "send it with /connect. All settings stay." in text


def test_an_end_that_has_passed_is_called_so():
    assert life(START, now=START) == "expired"
