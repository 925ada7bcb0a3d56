"""How long an exchange key still lives, and when its person has to hear of its end."""

from datetime import datetime, timedelta

_DAY = timedelta(days=1)
REMINDERS = (14, 7, 3, 1)
# MEXC renews a key by hand, from so many days before its end.
RENEWABLE_FROM = 5


def days_left(expires_at: datetime, *, now: datetime) -> int:
    """Whole days as a person counts them: today's end is one day away, what is over has none."""
    return max(0, -((now - expires_at) // _DAY))


def expiry(days: int | None, *, now: datetime) -> datetime | None:
    """When a key with *days* left ends; None where the exchange does not say, or it never does."""
    return None if days is None else now + days * _DAY


def reminder_due(days: int, *, told: int | None) -> int | None:
    """The reminder (in days before the end) that is due with *days* left; None for none.

    *told* is the last one. One that was slept through is not made up for: the nearest counts.
    """
    reached = [reminder for reminder in REMINDERS if days <= reminder]
    nearest = min(reached, default=None)
    if nearest is None or (told is not None and told <= nearest):
        return None
    return nearest


def still_told(days: int, *, told: int | None) -> int | None:
    """What remains of *told* with *days* left: a key that was renewed begins anew.

    Renewing brings months; a day more is only the exchange's rounding.
    """
    return None if days > REMINDERS[0] else told
