"""Schedules checks: spread over their interval, without a burst after a pause."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from engine.domain.orders.order import AccountId

_MISSED_CHECKS = 3


def first_check(*, now: datetime, position: int, crowd: int, interval: timedelta) -> datetime:
    """Accounts claimed together are spread evenly over *interval*; *position* counts from 0."""
    return now + interval * position / max(crowd, 1)


def next_check(
    *, due_at: datetime, now: datetime, interval: timedelta, failed_for: timedelta | None = None
) -> datetime:
    """Returns the first tick after *now*, whole intervals after *due_at*; others are skipped.

    *failed_for* is the back-off after an error, counted from now.
    """
    if failed_for is not None:
        return now + failed_for
    passed = (now - due_at) // interval
    return due_at + interval * (passed + 1)


def longest_silence(*, waits: Iterable[timedelta]) -> timedelta:
    """Returns the longest time without a finished check, given the longest of *waits*."""
    return max(waits) * _MISSED_CHECKS


def own_interval(_: AccountId, interval: timedelta) -> timedelta:
    """The account is checked as often as its user chose."""
    return interval
