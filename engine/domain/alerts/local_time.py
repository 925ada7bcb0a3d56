"""Times of the day in a user's time zone, also when summer time begins or ends."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

MINUTES_A_DAY = 24 * 60
_DAY = timedelta(days=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# A zone may skip a day when it moves across the date line, so tomorrow is not always enough.
_DAYS_LOOKED_AT = range(-1, 11)


def zone(name: str) -> tzinfo:
    """The time zone called *name*; UTC where this machine does not know it (any more): a message
    at an odd hour is better than none.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return UTC


def local(moment: datetime, time_zone: str) -> datetime:
    return moment.astimezone(zone(time_zone))


def minute_of_day(moment: datetime, time_zone: str) -> int:
    """Minutes since midnight as the clock on the wall shows them."""
    there = local(moment, time_zone)
    return there.hour * 60 + there.minute


def next_at(
    minute: int, *, time_zone: str, after: datetime, weekday: int | None = None
) -> datetime:
    """The first moment strictly after *after* when the clock on the wall shows *minute*, on a *weekday*
    (0 is Monday) if one is given.

    Once a day: the first of two where the clock is put back, and as much later as the clock is put
    forward where that leaves the time out.
    """
    if not 0 <= minute < MINUTES_A_DAY:
        raise ValueError(f"a day has no minute {minute}")
    there = zone(time_zone)
    midnight = after.astimezone(there).replace(
        hour=0, minute=0, second=0, microsecond=0, fold=0, tzinfo=None
    )
    wanted = (
        (midnight + days * _DAY + timedelta(minutes=minute)).replace(tzinfo=there).astimezone(UTC)
        for days in _DAYS_LOOKED_AT
        if weekday is None or (midnight + days * _DAY).weekday() == weekday
    )
    return next(moment for moment in wanted if moment > after)
