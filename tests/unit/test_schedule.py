"""When an account is checked next: on its own ticks, never in a burst."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.rebalancing.schedule import first_check, next_check
from tests.fakes.clock import START

SECOND = timedelta(seconds=1)
INTERVAL = SECOND * 120
spans = st.timedeltas(timedelta(), timedelta(days=3))
intervals = st.timedeltas(SECOND, timedelta(days=1))


def test_the_next_check_is_an_interval_after_the_last_one_was_due():
    late = START + SECOND * 3

    assert next_check(due_at=START, now=late, interval=INTERVAL) == START + INTERVAL


def test_missed_checks_are_skipped():
    woken = START + SECOND * 500

    assert next_check(due_at=START, now=woken, interval=INTERVAL) == START + SECOND * 600


def test_a_check_before_its_time_does_not_push_back_the_one_that_is_due():
    early = START - SECOND * 30

    assert next_check(due_at=START, now=early, interval=INTERVAL) == START


def test_after_an_error_the_back_off_counts_from_now():
    now = START + SECOND * 7

    assert (
        next_check(due_at=START, now=now, interval=INTERVAL, failed_for=SECOND * 60)
        == START + SECOND * 67
    )


@given(ahead=spans, behind=spans, interval=intervals)
def test_the_next_check_is_after_now_and_within_one_interval(ahead, behind, interval):
    now = START + ahead - behind

    following = next_check(due_at=START, now=now, interval=interval)

    assert now < following <= now + interval
    assert (following - START) % interval == timedelta()


@pytest.mark.parametrize(("position", "seconds"), [(0, 0), (1, 30), (2, 60), (3, 90)])
def test_accounts_claimed_together_are_spread_over_the_interval(position, seconds):
    due_at = first_check(now=START, position=position, crowd=4, interval=INTERVAL)

    assert due_at == START + SECOND * seconds


def test_a_crowd_larger_than_a_minute_allows_is_not_squeezed_into_it():
    last = first_check(now=START, position=499, crowd=500, interval=SECOND * 500)

    assert last == START + SECOND * 499


def test_an_account_alone_is_checked_at_once():
    assert first_check(now=START, position=0, crowd=0, interval=INTERVAL) == START
