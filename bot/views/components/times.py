"""Formats moments, in the reader's time zone, and durations."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

from bot.parsing.time_zones import shown
from bot.views.components.amounts import count
from engine.domain.alerts.local_time import local, zone

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# The size, the letter, and the words for one and for more.
_UNITS = (
    (timedelta(days=1), "d", ("{n} day", "{n} days")),
    (timedelta(hours=1), "h", ("{n} h", "{n} h")),
    (timedelta(minutes=1), "m", ("{n} min", "{n} min")),
    (timedelta(seconds=1), "s", ("{n} s", "{n} s")),
)
_ROUGH_FROM = 2
_UTC = "UTC"
# From then on a day without its year may be taken for another.
_LONG = timedelta(days=300)
_ZONE: ContextVar[str] = ContextVar("time_zone", default=_UTC)


@contextmanager
def times_in(time_zone: str | None) -> Generator[None]:
    """Within the block all moments are shown in *time_zone*, a name of the tz database.
    None is UTC, and so is a name that this machine does not know. It holds for this task and for
    the tasks that it starts.
    """
    is_known = time_zone is not None and zone(time_zone) is not UTC
    before = _ZONE.set(time_zone if time_zone and is_known else _UTC)
    try:
        yield
    finally:
        _ZONE.reset(before)


def zone_name() -> str:
    """The time zone in which moments are shown now: UTC, UTC+3, Europe/Berlin."""
    return shown(_ZONE.get())


def compact(duration: timedelta) -> str:
    """For the status message: the two largest units, 1m 12s."""
    parts = [f"{number}{short}" for number, short, _ in _split(duration)]
    return " ".join(parts[:2]) or "0s"


def ago(duration: timedelta) -> str:
    parts = [f"{number}{short}" for number, short, _ in _split(duration)]
    return f"{parts[0]} ago" if parts else "just now"


def exactly(duration: timedelta) -> str:
    """For a setting: 1 h 30 min."""
    return " ".join(count(number, *words) for number, _, words in _split(duration)) or "0 s"


def roughly(duration: timedelta) -> str:
    """For a sentence: 14 min, 3 h, 2 days. One unit of two or more, rounded down."""
    for size, _, words in _UNITS:
        if duration >= _ROUGH_FROM * size:
            return count(duration // size, *words)
    return "1 s"


def stamp(moment: datetime) -> str:
    """22 Nov 12:03, for a table that names the time zone."""
    return f"{day_and_month(there := wall_time(moment)):>6} {there:%H:%M}"


def wall_time(moment: datetime) -> datetime:
    """*moment* as the clock on the reader's wall shows it."""
    return local(moment, _ZONE.get())


def month_and_year(year: int, month: int) -> str:
    return f"{_MONTHS[month - 1]} {year}"


def day_and_month(there: datetime) -> str:
    """22 Nov."""
    return f"{there.day} {_MONTHS[there.month - 1]}"


def day_since(moment: datetime, *, until: datetime) -> str:
    """22 Nov, with its year where that is long before *until*."""
    there = wall_time(moment)
    return (
        f"{day_and_month(there)} {there.year}" if until - moment > _LONG else day_and_month(there)
    )


def time_or_day(moment: datetime, *, now: datetime) -> str:
    """12:03, or 22 Nov where that is another day than *now*."""
    there = wall_time(moment)
    return f"{there:%H:%M}" if is_same_day(moment, now) else day_and_month(there)


def time_or_stamp(moment: datetime, *, now: datetime) -> str:
    """12:03, or 22 Nov 12:03 where that is another day than *now*."""
    text = stamp(moment).lstrip()
    return text[-5:] if is_same_day(moment, now) else text


def is_same_day(one: datetime, other: datetime) -> bool:
    return wall_time(one).date() == wall_time(other).date()


def utc(moment: datetime) -> str:
    """For a sentence: 22 Nov 12:03 UTC. In the chat's own time zone it needs no name."""
    text = stamp(moment).lstrip()
    return f"{text} UTC" if _ZONE.get() == _UTC else text


def to_the_second(moment: datetime) -> str:
    """22 Nov 12:03:04, for a table that names the time zone."""
    return f"{stamp(moment).lstrip()}:{moment:%S}"


def days(number: int) -> str:
    return count(number, "{n} day", "{n} days")


def _split(duration: timedelta) -> list[tuple[int, str, tuple[str, str]]]:
    parts = []
    rest = max(duration, timedelta())
    for size, short, words in _UNITS:
        number, rest = divmod(rest, size)
        if number:
            parts.append((number, short, words))
    return parts
