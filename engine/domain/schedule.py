"""When an account is checked: spread over its interval, and never in a burst after a pause."""

from datetime import datetime, timedelta


def first_check(*, now: datetime, position: int, crowd: int, interval: timedelta) -> datetime:
    """Accounts claimed together are spread over one interval, at most a minute of it."""
    spread = min(interval, timedelta(minutes=1))
    return now + spread * position / max(crowd, 1)


def next_check(
    *, due_at: datetime, now: datetime, interval: timedelta, failed_for: timedelta | None = None
) -> datetime:
    """One interval after the last due time; missed checks are skipped, not replayed.

    *failed_for* is the back-off after an error, counted from now.
    """
    if failed_for is not None:
        return now + failed_for
    missed = max(now - due_at, timedelta()) // interval
    return due_at + interval * (missed + 1)
