"""Days until an exchange key expires, and when to send a reminder."""

from datetime import datetime, timedelta

_DAY = timedelta(days=1)
REMINDERS = (14, 7, 3, 1)
# MEXC renews a key by hand, from so many days before its end.
RENEWABLE_FROM = 5


def days_left(expires_at: datetime, *, now: datetime) -> int:
    """Returns whole days: 1 for an expiry later today, 0 once expired."""
    return max(0, -((now - expires_at) // _DAY))


def expiry(days: int | None, *, now: datetime) -> datetime | None:
    """Returns when a key with *days* left expires; None where unknown or never."""
    return None if days is None else now + days * _DAY


def reminder_due(days: int, *, told: int | None) -> int | None:
    """Returns the reminder (in days before the expiry) due with *days* left; None for none.

    *told* is the last one sent. A missed one is not sent later: the nearest counts.
    """
    reached = [reminder for reminder in REMINDERS if days <= reminder]
    nearest = min(reached, default=None)
    if nearest is None or (told is not None and told <= nearest):
        return None
    return nearest


def still_told(days: int, *, told: int | None) -> int | None:
    """Returns what remains of *told* with *days* left: a renewed key starts again.

    Renewing brings months; one day more is only the exchange's rounding.
    """
    return None if days > REMINDERS[0] else told
