"""By how much checks are late, and that lateness is shared fairly."""

from collections import Counter
from datetime import timedelta

from engine.domain.orders.order import AccountId
from engine.domain.rebalancing.schedule import next_check
from engine.monitoring.lateness import LatenessTracker
from engine.scheduling.account_queue import AccountQueue
from tests.fakes.clock import START

SECOND = timedelta(seconds=1)
SHORT, LONG = 10 * SECOND, 120 * SECOND


def test_the_late_ones_and_the_latest_are_told():
    punctuality = LatenessTracker()
    for late in range(200):
        due_at = START - late * SECOND
        punctuality.began(due_at=due_at, now=START)
    facts = punctuality.facts(now=START, overdue_since=[START - SECOND, START - 9 * SECOND])

    assert (facts.checks, facts.p99, facts.most) == (200, 198 * SECOND, 199 * SECOND)
    assert (facts.overdue, facts.waiting_for) == (2, 9 * SECOND)


def test_what_was_late_long_ago_is_forgotten_and_nothing_is_never_late():
    punctuality = LatenessTracker()
    punctuality.began(due_at=START - 60 * SECOND, now=START)
    facts = punctuality.facts(now=START + 301 * SECOND, overdue_since=[])

    assert (facts.checks, facts.p99) == (0, 0 * SECOND)
    assert facts.waiting_for == 0 * SECOND


def test_only_the_last_checks_are_remembered():
    punctuality = LatenessTracker()
    for _ in range(2001):
        punctuality.began(due_at=START, now=START)

    assert punctuality.facts(now=START, overdue_since=[]).checks == 1000


def test_what_begins_before_it_is_due_is_not_late():
    punctuality = LatenessTracker()
    punctuality.began(due_at=START + SECOND, now=START)

    assert punctuality.most(START) == 0 * SECOND


def served(
    account_queue: AccountQueue, intervals: dict[AccountId, timedelta], *, seconds: int
) -> Counter[AccountId]:
    """One check a second, which is less than is due."""
    checks: Counter[AccountId] = Counter()
    for second in range(seconds):
        now = START + second * SECOND
        for account_id, queued in account_queue.pop_due(now=now, most=1).items():
            checks[account_id] += 1
            interval = intervals[account_id]
            account_queue.schedule(
                account_id, next_check(due_at=queued.due_at or now, now=now, interval=interval)
            )
    return checks


def test_where_not_all_can_be_checked_in_time_short_intervals_crowd_out_no_long_one():
    intervals = {AccountId(n): SHORT if n < 60 else LONG for n in range(120)}
    account_queue = AccountQueue(error_backoff=60 * SECOND)
    account_queue.take(dict.fromkeys(intervals, 1), now=START)

    checks = served(account_queue, intervals, seconds=1200)

    long_ones = [checks[a] for a, interval in intervals.items() if interval == LONG]
    short_ones = [checks[a] for a, interval in intervals.items() if interval == SHORT]
    # All are late by the same, about 90 s: the ones come round in 100 s, the others in 210.
    assert min(long_ones) >= 5
    assert max(short_ones) <= 3 * min(short_ones)
    assert min(short_ones) >= 10


def test_what_is_urgent_goes_before_what_has_been_due_for_longer():
    account_queue = AccountQueue(error_backoff=SECOND)
    account_queue.take({AccountId(1): 1, AccountId(2): 1, AccountId(3): 1}, now=START)
    now = START + 60 * SECOND
    account_queue.schedule(AccountId(3), now, urgently=True)

    assert list(account_queue.pop_due(now=now, most=2)) == [3, 1]
    assert len(account_queue.overdue(now=now)) == 3
